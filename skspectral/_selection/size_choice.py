"""Choose a size from scores on folds: the smallest that is not worse beyond a margin."""

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


def _margins(
    differences: np.ndarray, scores: np.ndarray, share: np.ndarray, floor: float
) -> np.ndarray:
    """Return standard errors of mean differences, bounded from below.

    Parameters
    ----------
    differences : ndarray of shape (n_sizes, n)
        To the best size, paired.
    scores : ndarray of shape (n,)
        Of the best size.
    share : ndarray of shape (n,)
        Weights of sum 1.
    floor : float
        Share of the standard error of the best score that margins have at least.
    """
    n = np.count_nonzero(share)

    def error(values: np.ndarray) -> np.ndarray:
        spread = values - (values @ share)[..., None]
        squared: np.ndarray = spread**2 @ share**2 * n / max(1, n - 1)
        return np.sqrt(squared)

    margins: np.ndarray = np.maximum(error(differences), floor * error(scores))
    return margins


def fold_margins(scores: np.ndarray, best: int, floor: float = IMMATERIAL) -> np.ndarray:
    """Return one standard error, over folds, of the paired difference to the best size.

    Parameters
    ----------
    scores : ndarray of shape (n_folds, n_sizes)
        Of sizes, or of the penalties that lead to them.
    best : int
        Index of the best.
    floor : float, default=IMMATERIAL
        Share of the standard error of the best score that margins have at least.

    Returns
    -------
    ndarray of shape (n_sizes,)
    """
    by_size = scores.T
    share = np.full(len(scores), 1 / len(scores))
    return _margins(by_size[best] - by_size, by_size[best], share, floor)


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
    share = share / share.sum()
    return _margins(row_scores[best] - row_scores, row_scores[best], share, IMMATERIAL)


def within_margin(score: np.ndarray, margin: np.ndarray | float) -> np.ndarray:
    """Tell which candidates score at most `margin` less than the best, which is one of them.

    Parameters
    ----------
    score : ndarray of shape (n_candidates,)
        Larger is better; NaN is not within.
    margin : ndarray of shape (n_candidates,) or float
        What each may score less than the best.
    """
    within: np.ndarray = np.nanmax(score) - score <= margin * (1 + TIE)
    within[np.nanargmax(score)] = True
    return within


def smallest_within(score: np.ndarray, margin: np.ndarray | float) -> tuple[int, np.ndarray]:
    """Return the index of the smallest size within `margin` of the best, and all that are.

    Parameters
    ----------
    score : ndarray of shape (n_sizes,)
        By increasing size, larger is better.
    margin : ndarray of shape (n_sizes,) or float
        What each size may score less than the best.
    """
    within = within_margin(score, margin)
    return int(np.argmax(within)), within
