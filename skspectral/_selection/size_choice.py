"""Choose a size from scores on folds: the smallest whose score is within a margin of the best."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np

IMMATERIAL = 0.05
"""Smallest margin, as a share of the standard error of the best score.

Without it nodes that are almost dead decide. The change that they make is tiny but the same in
every row, so the standard error of the paired difference is smaller still.
"""
TIE = 1e-5
"""Relative excess over the margin that counts as equal.

If only one fold differs, the mean difference equals its standard error, and rounding would decide.
"""


def _margins(
    differences: np.ndarray, scores: np.ndarray, share: np.ndarray, floor: float
) -> np.ndarray:
    """Return standard errors of mean differences, bounded from below.

    Parameters
    ----------
    differences : ndarray of shape (n_sizes, n)
        Paired differences to the best size.
    scores : ndarray of shape (n,)
        Scores of the best size.
    share : ndarray of shape (n,)
        Weights of sum 1.
    floor : float
        Smallest margin, as a share of the standard error of the best score.
    """
    # Rows of weight zero are no observations.
    n = np.count_nonzero(share)

    def error(values: np.ndarray) -> np.ndarray:
        # Variance of a weighted mean, with Bessel's factor: s^2 / n where all shares are equal.
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
        Scores of sizes, or of the penalties that lead to them.
    best : int
        Index of the best.
    floor : float, default=IMMATERIAL
        Smallest margin, as a share of the standard error of the best score.

    Returns
    -------
    ndarray of shape (n_sizes,)
    """
    # Folds count alike whatever their weight, as in the mean over folds that is compared.
    by_size = scores.T
    share = np.full(len(scores), 1 / len(scores))
    return _margins(by_size[best] - by_size, by_size[best], share, floor)


def row_margins(row_scores: np.ndarray, weight: np.ndarray | None, best: int) -> np.ndarray:
    """Return one standard error, over rows, of the paired difference to the best size.

    Parameters
    ----------
    row_scores : ndarray of shape (n_sizes, n)
        Scores of the single rows.
    weight : ndarray of shape (n,) or None
        Weights of the rows.
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
    """Tell which candidates score at most `margin` less than the best; the best always does.

    Parameters
    ----------
    score : ndarray of shape (n_candidates,)
        Larger is better; NaN is never within.
    margin : ndarray of shape (n_candidates,) or float
        How far each may score below the best.
    """
    within: np.ndarray = np.nanmax(score) - score <= margin * (1 + TIE)
    # Where the best is infinite, its difference to itself is NaN.
    within[np.nanargmax(score)] = True
    return within


def smallest_within(score: np.ndarray, margin: np.ndarray | float) -> tuple[int, np.ndarray]:
    """Return the index of the smallest size within `margin` of the best, and which sizes are.

    Parameters
    ----------
    score : ndarray of shape (n_sizes,)
        Sorted by increasing size; larger is better.
    margin : ndarray of shape (n_sizes,) or float
        How far each size may score below the best.
    """
    within = within_margin(score, margin)
    # argmax of bool: the first that is True.
    return int(np.argmax(within)), within
