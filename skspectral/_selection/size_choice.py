"""Choose a size from a pruning curve: the smallest that is not worse beyond a margin."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np

IMMATERIAL = 0.05
"""Differences below this share of the standard error of the score itself count as none.

Without it nodes that are all but dead decide: what they change is tiny, and the same in
every row, so a paired standard error finds it significant.
"""
TIE = 1e-5
"""Relative excess over the margin that counts as equal.

Where one fold alone differs, its mean difference and the standard error of it are equal, and
rounding would decide.
"""


def _margins(differences: np.ndarray, scores: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return standard errors of mean differences, bounded from below.

    Parameters
    ----------
    differences : ndarray of shape (n_sizes, n)
        To the best size, paired.
    scores : ndarray of shape (n,)
        Of the best size.
    share : ndarray of shape (n,)
        Weights of sum 1.
    """
    n = np.count_nonzero(share)

    def error(values: np.ndarray) -> np.ndarray:
        spread = values - (values @ share)[..., None]
        squared: np.ndarray = spread**2 @ share**2 * n / max(1, n - 1)
        return np.sqrt(squared)

    margins: np.ndarray = np.maximum(error(differences), IMMATERIAL * error(scores))
    return margins


def fold_margins(scores: np.ndarray, best: int) -> np.ndarray:
    """Return one standard error, over folds, of the paired difference to the best size.

    Parameters
    ----------
    scores : ndarray of shape (n_folds, n_sizes)
    best : int
        Index of the best size.

    Returns
    -------
    ndarray of shape (n_sizes,)
    """
    by_size = scores.T
    share = np.full(len(scores), 1 / len(scores))
    return _margins(by_size[best] - by_size, by_size[best], share)


def row_margins(row_scores: np.ndarray, weight: np.ndarray | None, best: int) -> np.ndarray:
    """Return one standard error, over rows, of the paired difference to the best size.

    Parameters
    ----------
    row_scores : ndarray of shape (n_sizes, n)
    weight : ndarray of shape (n,) or None
    best : int
        Index of the best size.

    Returns
    -------
    ndarray of shape (n_sizes,)
    """
    share = np.ones(row_scores.shape[1]) if weight is None else weight
    return _margins(row_scores[best] - row_scores, row_scores[best], share / share.sum())


def smallest_within(score: np.ndarray, margin: np.ndarray | float) -> tuple[int, np.ndarray]:
    """Return the index of the smallest size within `margin` of the best, and all that are.

    Parameters
    ----------
    score : ndarray of shape (n_sizes,)
        By increasing size, larger is better.
    margin : ndarray of shape (n_sizes,) or float
        What each size may score less than the best.
    """
    within = np.nanmax(score) - score <= margin * (1 + TIE)
    within[np.nanargmax(score)] = True
    return int(np.argmax(within)), within
