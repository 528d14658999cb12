"""Heat maps of nodes: what they respond to, what they do to outputs, and bars of their shares."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skspectral._display.cells import TINY, draw_bars, draw_cells, draw_curve, write_in_cell
from skspectral._display.node_responses import ColumnResponse
from skspectral._display.signs import COLOURS

FAINT = 0.15
"""Share of the strongest cell of a row below which no curve is drawn into a cell."""
LONGEST = 8
"""Letters of a category that fit into a cell."""
GAP = 0.4
"""Between the heat maps, in cells."""
BAR = 2.0
"""Width of the longest bar, in cells."""
MARKS = {1: "+", -1: "\N{MINUS SIGN}", 0: "±"}


def map_width(n_columns: int, n_outputs: int) -> float:
    """Return the width of both heat maps and the bars, in cells."""
    return n_columns + n_outputs + GAP + BAR + 1


def draw_responses(ax: Any, responses: Sequence[ColumnResponse]) -> None:
    """Draw a heat map node x column, with a curve or the name of a category in each cell.

    Colours and curves are scaled by the largest of the node, as the scale of its input means
    nothing by itself.
    """
    colour = ax.xaxis.label.get_color()
    strengths = np.array([response.strengths for response in responses]).T
    signs = np.array([response.signs for response in responses]).T
    strengths = strengths / np.maximum(strengths.max(axis=1, keepdims=True), TINY)
    draw_cells(ax, 0, signs, strengths, colour)
    spans = np.max([np.ptp(response.responses, axis=1) for response in responses], axis=0)
    for row, column in np.argwhere(strengths >= FAINT):
        response = responses[column]
        if response.has_numbers:
            draw_curve(ax, (column, row), response.responses[row], spans[row], color=colour)
        else:
            label = shortened(response.values[response.responses[row].argmax()])
            write_in_cell(ax, (column, row), label, fontsize="x-small")


def draw_effects(ax: Any, left: float, strengths: np.ndarray, signs: np.ndarray) -> None:
    """Draw a heat map node x output, with the sign in each cell."""
    shares = strengths / max(strengths.max(), TINY)
    draw_cells(ax, left, signs, shares, ax.xaxis.label.get_color())
    for row, column in np.argwhere(shares >= FAINT / 2):
        write_in_cell(ax, (left + column, row), MARKS[int(signs[row, column])])


def draw_shares(ax: Any, left: float, shares: np.ndarray) -> None:
    """Draw a bar for the share of each node, and what the bars are below them."""
    draw_bars(ax, left, shares, BAR, color=COLOURS[0])
    ax.text(left, len(shares) - 0.3, "share of\nvariance", va="top")


def shortened(label: str) -> str:
    """Return a label that fits into a cell."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
