"""Choose a penalty from the scores and sizes of the paths on the folds."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._path.fold_paths import FoldPath
from skspectral._selection.scoring import by_fold, check_scores
from skspectral._selection.size_choice import fold_margins, within_margin

SHRINKAGE = 0.5
"""Smallest margin, as a share of the standard error of the best score.

A penalty shrinks all weights, which costs a little in every fold alike. The paired standard error
of such a difference is close to zero, so alone it would keep the penalty next to the best, and
with it a larger network. (Cutting nodes shrinks no weights, so the pruner's share is smaller.)
"""


@dataclass(frozen=True)
class PenaltyChoice:
    """The chosen penalty, and the figures that it was chosen by.

    Parameters
    ----------
    index : int
        Index of the penalty.
    cv_results : dict of ndarray of shape (n_alphas,)
        `cv_results_` of the estimators.
    """

    index: int
    cv_results: dict[str, np.ndarray]


def choose_penalty(
    penalties: dict[str, np.ndarray],
    paths: Sequence[FoldPath],
    selection: str,
    tolerance: float | None = None,
) -> PenaltyChoice:
    """Choose the penalty of the best network, or of the smallest that is as good.

    Parameters
    ----------
    penalties : dict of ndarray of shape (n_penalties,)
        What tells the penalties in `cv_results_`, increasing.
    paths : sequence of FoldPath
        One per fold.
    selection : {"1se", "best"}
        "1se": the largest penalty whose score is within the margin of the best:
        one standard error, over folds, of the paired difference, but at least
        `SHRINKAGE` of the standard error of the best score.
    tolerance : float or None, default=None
        The margin in units of the score, in place of the standard error.

    Raises
    ------
    ValueError
        If no penalty has a score in every fold.
    """
    scores = np.array([path.score for path in paths])
    n_nodes = np.array([path.n_alive_nodes for path in paths]).sum(axis=2)
    check_scores(scores, "penalty")
    # NaN in one fold makes the mean NaN: a penalty without all its scores is not compared.
    mean = scores.mean(axis=0)
    best = int(np.nanargmax(mean))
    margin = fold_margins(scores, best, SHRINKAGE)
    if tolerance is not None:
        margin = np.full(len(mean), tolerance)
    within = within_margin(mean, margin)
    # The last within the margin, as sizes fall with the penalty.
    chosen = {"best": best, "1se": int(np.flatnonzero(within)[-1])}[selection]
    results: dict[str, Any] = {
        **penalties,
        **by_fold("test_score", scores),
        **by_fold("n_alive_nodes", n_nodes),
        "share_settled": np.mean([path.size_settled for path in paths], axis=0),
        "margin": margin,
        "within_tolerance": within,
    }
    return PenaltyChoice(chosen, results)
