"""Lines and circles of the diagram of a network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skspectral._display.signs import COLOURS

WIDEST = 4.0
"""Width of the line of the largest weight of a layer, in points."""
FAINTEST = 0.03
"""Share of that weight below which no line is drawn."""
AREAS = (160.0, 400.0)
"""Of a node without relevance, and of the most relevant one of a layer, in square points."""
NUMBERED = 16
"""Most nodes of a layer whose numbers are written into them."""


def draw_lines(
    ax: Any,
    layer: int,
    heights: Sequence[np.ndarray],
    strengths: np.ndarray,
    signs: np.ndarray,
    *,
    to: int | None = None,
    style: str = "-",
) -> None:
    """Draw the weights from one layer to the next, the strongest on top.

    Parameters
    ----------
    ax : matplotlib Axes
    layer : int
        Where the lines begin.
    heights : sequence of two ndarray
        Of the nodes of both layers.
    strengths, signs : ndarray of shape (n_in, n_out)
    to : int or None, default=None
        Where the lines end; None: at the next layer.
    style : str, default="-"
        Of the lines.
    """
    from matplotlib.collections import LineCollection

    largest = np.max(strengths)
    shares = strengths / largest if largest > 0 else np.zeros_like(strengths)
    drawn = np.argwhere(shares >= FAINTEST)
    drawn = drawn[np.argsort(shares[tuple(drawn.T)], kind="stable")]
    to = layer + 1 if to is None else to
    ends = [[(layer, heights[0][start]), (to, heights[1][end])] for start, end in drawn]
    colours = [COLOURS[int(signs[start, end])] for start, end in drawn]
    widths = WIDEST * shares[tuple(drawn.T)]
    look: dict[str, Any] = {
        "colors": colours,
        "linewidths": widths,
        "linestyles": style,
        "alpha": 0.75,
    }
    ax.add_collection(LineCollection(ends, **look))


def draw_nodes(
    ax: Any, layer: int, heights: np.ndarray, relevance: np.ndarray, numbers: Sequence[int]
) -> None:
    """Draw the nodes of a layer by relevance, with their numbers if there is room."""
    least, most = AREAS
    areas = least + (most - least) * relevance / np.max(relevance)
    colours = {"facecolor": ax.get_facecolor(), "edgecolor": ax.xaxis.label.get_color()}
    ax.scatter(np.full(len(areas), layer), heights, areas, zorder=3, **colours)
    if len(numbers) > NUMBERED:
        return
    for height, number in zip(heights, numbers, strict=True):
        place = {"ha": "center", "va": "center", "fontsize": "x-small", "zorder": 4}
        ax.text(layer, height, str(number), **place)
