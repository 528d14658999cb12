"""Axes of node counts, and marks on them."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def score_name_of(scoring: Any) -> str:
    """Return how an axis names `scoring`: "neg_log_loss" is "negative log loss"."""
    if not isinstance(scoring, str):
        return "score"
    if scoring.startswith("neg_"):
        scoring = "negative " + scoring.removeprefix("neg_")
    return scoring.replace("_", " ")


def whole_number(value: float, position: int | None = None) -> str:
    """Return the tick label of a number of nodes: none between whole numbers."""
    return f"{value:.0f}" if np.isclose(value, round(value)) else ""


def scale_counts(axis: Any, steps: Sequence[int] = (1, 2, 5)) -> None:
    """Make an axis of node counts logarithmic, with ticks at `steps` in each power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(whole_number))
    axis.set_minor_locator(NullLocator())


def mark_size(ax: Any, n_nodes: int | None, name: str, **line_kw: Any) -> Any:
    """Draw a vertical line at a number of nodes, and return it; None without such a number."""
    if not n_nodes:  # a logarithmic axis has no zero
        return None
    noun = "node" if n_nodes == 1 else "nodes"
    return ax.axvline(n_nodes, label=f"{name}: {n_nodes} {noun}", zorder=1, **line_kw)


def add_legend(ax: Any) -> None:
    """Add a legend if there is something to tell, once where two curves have the same label."""
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        unique = dict(zip(labels, handles, strict=True))
        ax.legend(unique.values(), unique.keys())
