"""Cells of a heat map, with a curve or a word in them, and bars beside it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._display.signs import shaded

HALF = 0.36
"""Half of the width and height that curves take of a cell."""
TINY = np.finfo(float).tiny
"""What stands for zero where it would divide."""


def draw_cells(ax: Any, left: float, signs: np.ndarray, strengths: np.ndarray, edge: Any) -> None:
    """Draw a heat map whose first column is at `left`, and whose first row is at 0.

    Parameters
    ----------
    ax : matplotlib Axes
    left : float
    signs, strengths : ndarray of shape (n_rows, n_columns)
        As :func:`skspectral._display.signs.shaded` takes them.
    edge : colour
        Of the thin lines between cells.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    rows, columns = np.indices(signs.shape)
    corners = zip(left + columns.ravel() - 0.5, rows.ravel() - 0.5, strict=True)
    patches = [Rectangle(corner, 1, 1) for corner in corners]
    colours = shaded(signs, strengths).reshape(-1, 4)
    edges = to_rgba(edge, 0.2)
    ax.add_collection(PatchCollection(patches, fc=colours, ec=edges, linewidth=0.5))


def draw_curve(
    ax: Any, centre: tuple[float, float], curve: np.ndarray, span: float, **style: Any
) -> None:
    """Draw a curve into a cell; a height of `span` fills it."""
    x = centre[0] + np.linspace(-HALF, HALF, len(curve))
    middle = (curve.max() + curve.min()) / 2
    # rows are counted downwards
    ax.plot(x, centre[1] - 2 * HALF * (curve - middle) / span, **style)


def draw_bars(ax: Any, left: float, shares: np.ndarray, width: float, **style: Any) -> None:
    """Draw shares as horizontal bars from `left`, the longest of them `width` wide."""
    unit = width / max(np.abs(shares).max(), TINY)
    ax.barh(np.arange(len(shares)), np.maximum(shares, 0) * unit, left=left, height=0.6, **style)
    for row, share in enumerate(shares):
        place = left + max(share, 0) * unit + 0.12
        ax.text(place, row, percent(share), va="center", fontsize="small")


def percent(share: float) -> str:
    """Return a share as a whole number of percent.

    Examples
    --------
    >>> percent(0.125), percent(-0.001)
    ('12 %', '0 %')
    """
    return f"{round(100 * share)} %".replace("-", "\N{MINUS SIGN}")


def write_in_cell(ax: Any, centre: tuple[float, float], text: str, **style: Any) -> None:
    """Write a short text into a cell."""
    ax.text(*centre, text, ha="center", va="center", **style)
