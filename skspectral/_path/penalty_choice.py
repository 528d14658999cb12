"""Choose a penalty from the scores and sizes of paths on folds."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._path.fold_paths import FoldPath
from skspectral._path.plateau import CROWDED, Plateau, find_plateau
from skspectral._selection.scoring import by_fold, check_scores
from skspectral._selection.size_choice import fold_margins, within_margin

SHRINKAGE = 0.5
"""Differences below this share of the standard error of the best score count as none.

A penalty shrinks all weights, which costs a little in every fold alike, so the paired standard
error alone finds it significant and takes the penalty next to the best, with nodes that the task
does not need. (Cutting nodes shrinks nothing, so the pruner's share is smaller.)
"""


@dataclass(frozen=True)
class PenaltyChoice:
    """The penalty that is chosen, and what speaks for it.

    Parameters
    ----------
    index : int
        Of the penalty.
    cv_results : dict of ndarray of shape (n_alphas,)
    plateau : Plateau or None
        Penalties around it over which neither score nor size changes.
    """

    index: int
    cv_results: dict[str, np.ndarray]
    plateau: Plateau | None


def choose_penalty(
    alphas: np.ndarray, paths: Sequence[FoldPath], selection: str, n_start: int
) -> PenaltyChoice:
    """Choose the penalty of the smallest network that is as good, or of the best.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Increasing.
    paths : sequence of FoldPath
    selection : {"1se", "best"}
        "1se": the largest penalty whose score is within one standard error, over
        folds, of the paired difference to the best, or within `SHRINKAGE`.
    n_start : int
        Hidden nodes at the start.

    Raises
    ------
    ValueError
        If no penalty has a score in every fold.
    """
    scores = np.array([path.score for path in paths])
    n_nodes = np.array([path.n_alive_nodes for path in paths]).sum(axis=2)
    check_scores(scores, "penalty")
    mean = scores.mean(axis=0)
    best = int(np.nanargmax(mean))
    margin = fold_margins(scores, best, SHRINKAGE)
    within = within_margin(mean, margin)
    chosen = {"best": best, "1se": int(np.flatnonzero(within)[-1])}[selection]
    results: dict[str, Any] = {
        "alpha": alphas,
        **by_fold("test_score", scores),
        **by_fold("n_alive_nodes", n_nodes),
        "margin": margin,
        "within_tolerance": within,
    }
    plateau = find_plateau(alphas, n_nodes, within, chosen, CROWDED * n_start)
    return PenaltyChoice(chosen, results, plateau)
