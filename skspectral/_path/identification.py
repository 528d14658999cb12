"""Is the size that of the task? Whether sizes stay as they are while the penalty moves."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SPAN = 4.0
"""Ratio of the largest to the smallest penalty over which the size must stay."""
SHARE = 0.1
"""Share of its nodes by which the size of a layer may change; one node is always allowed."""
CROWDED = 0.5
"""Share of the nodes at the start above which a layer may have been too narrow."""
ROUNDING = 1e-6
"""Relative error of a ratio of penalties."""

SizeInterval = list[tuple[int, int]]
"""Least and most nodes of each hidden layer."""


def around(penalties: np.ndarray, chosen: int) -> slice:
    """Return the penalties from the chosen one to `SPAN` times that.

    Where the grid ends before, the run begins as far below the chosen one as it must. All
    penalties where the whole grid spans less.

    Parameters
    ----------
    penalties : ndarray of shape (n_penalties,)
        Increasing, >= 0.
    chosen : int
        Index of the chosen one.
    """
    for first in range(chosen, -1, -1):
        for last in range(chosen, len(penalties)):
            if spans_enough(penalties[first : last + 1]):
                return slice(first, last + 1)
    return slice(0, len(penalties))


def spans_enough(penalties: np.ndarray) -> bool:
    """Tell whether the largest penalty is `SPAN` times the smallest."""
    return bool(penalties[-1] >= SPAN * penalties[0] * (1 - ROUNDING) and penalties[0] > 0)


def size_range(sizes: np.ndarray, reported: Sequence[int]) -> SizeInterval:
    """Return the least and the most nodes of each layer, as medians over fits at each penalty.

    Medians, since one fit of several ends in a local minimum easily. Of an even number of fits
    both in the middle count. The reported size is always inside.

    Parameters
    ----------
    sizes : int ndarray of shape (n_fits, n_penalties, n_hidden_layers)
    reported : sequence of int
        Nodes of each hidden layer of the network whose size is judged.
    """
    least = np.quantile(sizes, 0.5, axis=0, method="lower").min(axis=0)
    most = np.quantile(sizes, 0.5, axis=0, method="higher").max(axis=0)
    ends = zip(np.minimum(least, reported), np.maximum(most, reported), strict=True)
    return [(int(low), int(high)) for low, high in ends]


def agreed_size(sizes: np.ndarray) -> list[int]:
    """Return the nodes of each layer that fits agree on: the median over fits and penalties.

    Parameters
    ----------
    sizes : int ndarray of shape (n_fits, n_penalties, n_hidden_layers)
    """
    median = np.median(sizes.reshape(-1, sizes.shape[2]), axis=0)
    return [int(size) for size in np.floor(median + 0.5)]


def stays(interval: SizeInterval, reported: Sequence[int], *, has_skip: bool = False) -> bool:
    """Tell whether no size is further than `SHARE` or one node from the reported one.

    Parameters
    ----------
    interval : list of (int, int)
        As :func:`size_range` returns it. Where it reaches down to 0, no node may be needed.
    reported : sequence of int
        As there.
    has_skip : bool, default=False
        Whether a linear skip does without nodes: none at all is a size then.
    """
    return all(
        (least > 0 or (has_skip and most == 0))
        and max(most - size, size - least) <= max(1, SHARE * size)
        for (least, most), size in zip(interval, reported, strict=True)
    )


def is_crowded(reported: Sequence[int], start: Sequence[int]) -> bool:
    """Tell whether the width at the start may have set the size of a layer."""
    return any(size > CROWDED * width for size, width in zip(reported, start, strict=True))


def judge(
    sizes: np.ndarray,
    penalties: np.ndarray,
    reported: Sequence[int],
    start: Sequence[int],
    *,
    has_skip: bool = False,
) -> tuple[SizeInterval, bool]:
    """Return the least and most nodes of each layer, and whether they tell the task's size.

    Parameters
    ----------
    sizes : int ndarray of shape (n_fits, n_penalties, n_hidden_layers)
    penalties : ndarray of shape (n_penalties,)
        Increasing; only their ratios count.
    reported : sequence of int
        Nodes of each hidden layer of the network whose size is judged.
    start : sequence of int
        Its nodes at the start.
    has_skip : bool, default=False
        Whether it has a linear skip.
    """
    interval = size_range(sizes, reported)
    can_tell = spans_enough(penalties) and not is_crowded(reported, start)
    return interval, can_tell and stays(interval, reported, has_skip=has_skip)
