"""Find the penalties over which the size of a network hardly depends on the penalty."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZE_TOLERANCE = 0.2
"""Share by which sizes on a plateau may differ; a difference of one node is always allowed."""
LEAST_SPAN = 2.0
"""Least ratio of the largest to the smallest penalty of a plateau."""
CROWDED = 0.5
"""Share of nodes still alive above which a layer may have been too narrow at the start."""


@dataclass(frozen=True)
class Plateau:
    """Penalties over which score and size hardly change.

    Parameters
    ----------
    alphas : tuple of float
        The smallest and the largest penalty.
    n_nodes : tuple of float
        The smallest and the largest number of alive nodes. Each number is a median
        over folds, of all hidden layers together.
    """

    alphas: tuple[float, float]
    n_nodes: tuple[float, float]


def _close(smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    close: np.ndarray = (largest - smallest <= 1) | (largest <= (1 + SIZE_TOLERANCE) * smallest)
    return close


def find_plateau(
    alphas: np.ndarray, n_nodes: np.ndarray, within: np.ndarray, chosen: int, most: float = np.inf
) -> Plateau | None:
    """Return the longest run of penalties around the chosen one that agree in score and size.

    Sizes agree if they differ by at most a fifth or one node. This holds for the
    medians over folds along the run, and for the quartiles over folds at each penalty.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Increasing.
    n_nodes : ndarray of shape (n_folds, n_alphas)
        Alive nodes of all hidden layers together.
    within : bool ndarray of shape (n_alphas,)
        Whether the score is within the margin of the best.
    chosen : int
        Index of the penalty that was chosen.
    most : float, default=inf
        Nodes above which the width at the start may set the size.

    Returns
    -------
    Plateau or None
        None if no run reaches from one penalty to twice that penalty.
    """
    # Quartiles, not extremes: one odd fold of five must not decide.
    lower, median, upper = np.quantile(n_nodes, [0.25, 0.5, 0.75], axis=0)
    good = within & _close(lower, upper) & (median > 0) & (median <= most)
    # Every run is tried, as runs overlap; grids are short enough for that.
    best, longest = None, LEAST_SPAN
    # Zero is left out because spans are ratios.
    for first in np.flatnonzero(good & (alphas > 0) & (np.arange(len(alphas)) <= chosen)):
        for last in range(first, len(alphas)):
            sizes = median[first : last + 1]
            if not good[last] or not _close(sizes.min(), sizes.max()):
                break
            span = alphas[last] / alphas[first]
            if last >= chosen and span >= longest:
                longest = span
                best = Plateau(
                    (float(alphas[first]), float(alphas[last])),
                    (float(sizes.min()), float(sizes.max())),
                )
    return best
