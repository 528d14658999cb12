"""Axes of node counts, and what the displays draw on them alike."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._training.counts import count_of


def import_pyplot(caller: str) -> Any:
    """Return matplotlib.pyplot; without matplotlib raise an ImportError that names `caller`."""
    check_matplotlib_support(caller)
    # only here: matplotlib is optional, and slow to import
    import matplotlib.pyplot as plt

    return plt


def check_axes(ax: Any) -> Any:
    """Return `ax`; raise TypeError unless it is an Axes of matplotlib."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(
            f"`ax` must be Axes of matplotlib, such as plt.subplots makes; got {ax!r}."
        )
    return ax


def single_axes(ax: Any, caller: str) -> Any:
    """Return `ax`, or the Axes of a new figure where it is None.

    Raises
    ------
    TypeError
        If it is something else.
    """
    plt = import_pyplot(caller)
    return plt.subplots(layout="constrained")[1] if ax is None else check_axes(ax)


def two_axes(axes: Any, caller: str) -> np.ndarray:
    """Return `axes` as an array of two, or those of a new figure where it is None.

    Raises
    ------
    ValueError
        If there are more or fewer.
    TypeError
        If they are no Axes.
    """
    plt = import_pyplot(caller)
    if axes is None:
        axes = plt.subplots(2, sharex=True, layout="constrained")[1]
    axes = np.ravel(np.asarray(axes, dtype=object))
    for ax in axes:
        check_axes(ax)
    if len(axes) != 2:
        raise ValueError(
            f"`ax` must be two Axes, one above the other; got {len(axes)}. "
            "For example plt.subplots(2, sharex=True)[1]."
        )
    return axes


def score_name_of(scoring: Any) -> str:
    """Return how an axis names `scoring`: "neg_log_loss" is "negative log loss"."""
    if not isinstance(scoring, str):
        return "score"
    if scoring.startswith("neg_"):
        scoring = "negative " + scoring.removeprefix("neg_")
    return scoring.replace("_", " ")


def whole_number(value: float, position: int | None = None) -> str:
    """Return the tick label of a number of nodes: none between whole numbers."""
    # matplotlib's own formatters write 2 x 10^0, or label 1.5 nodes on a short axis
    return f"{value:.0f}" if np.isclose(value, round(value)) else ""


def scale_counts(axis: Any, steps: Sequence[int] = (1, 2, 5)) -> None:
    """Make an axis of node counts logarithmic, with ticks at `steps` in each power of ten."""
    from matplotlib.ticker import LogLocator

    # an Axis has no setter of its scale of its own: its Axes has one for x and one for y
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    _tick_whole_numbers(axis, LogLocator(subs=steps))


def scale_counts_from_zero(axis: Any, steps: Sequence[int] = (1, 2, 5)) -> None:
    """Make the y axis show few nodes and many alike, and none at all; see `scale_counts`."""
    from matplotlib.ticker import SymmetricalLogLocator

    # linear up to one node, as a logarithmic axis has no zero
    axis.axes.set_yscale("symlog", linthresh=1)
    _tick_whole_numbers(axis, SymmetricalLogLocator(base=10, linthresh=1, subs=steps))


def _tick_whole_numbers(axis: Any, locator: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axis.set_major_locator(locator)
    axis.set_major_formatter(FuncFormatter(whole_number))
    axis.set_minor_locator(NullLocator())


def mark_size(ax: Any, n_nodes: int | None, name: str, **line_kw: Any) -> Any:
    """Draw a vertical line at a number of nodes, and return it; None without such a number."""
    if not n_nodes:  # a logarithmic axis has no zero
        return None
    return ax.axvline(n_nodes, label=f"{name}: {count_of(n_nodes, 'node')}", zorder=1, **line_kw)


def draw_band(ax: Any, line: Any, x: Any, lower: Any, upper: Any, **style: Any) -> Any:
    """Fill between two curves in the colour of `line`, and return the band."""
    defaults = {"facecolor": line.get_color(), "alpha": 0.25, "linewidth": 0}
    return ax.fill_between(x, lower, upper, **{**defaults, **style})


def add_legend(ax: Any) -> None:
    """Add a legend if there is something to tell, once where two curves have the same label."""
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        unique = dict(zip(labels, handles, strict=True))
        ax.legend(unique.values(), unique.keys())
