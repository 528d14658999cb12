"""Choose a size from the pruning curves of the folds."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skspectral._pruning.fold_curves import FoldCurve
from skspectral._selection.scoring import by_fold, check_scores
from skspectral._selection.size_choice import fold_margins, row_margins, smallest_within


@dataclass(frozen=True)
class SizeChoice:
    """The chosen size, and the figures that it was chosen by.

    Parameters
    ----------
    n_nodes : int
        Hidden nodes of all layers together.
    level : float
        Relevance between kept and cut nodes; see :meth:`CutTrained.levels`.
    cv_results : dict of ndarray of shape (n_sizes,)
        `cv_results_` of the pruner.
    """

    n_nodes: int
    level: float
    cv_results: dict[str, np.ndarray]


def choose_size(curves: Sequence[FoldCurve], tolerance: float | str) -> SizeChoice:
    """Choose the smallest size whose mean score is within `tolerance` of the best.

    Parameters
    ----------
    curves : sequence of FoldCurve
        One per fold.
    tolerance : float or "1se"
        As in :func:`margins`.

    Raises
    ------
    ValueError
        If no size has a score in every fold.
    """
    scores = np.array([curve.score for curve in curves])
    check_scores(scores, "size")
    margin = margins(curves, tolerance)
    # NaN in one fold makes the mean NaN, so a size without all its scores is not chosen.
    chosen, within = smallest_within(scores.mean(axis=0), margin)
    # The grid follows from the width at the start, so it is the same in every fold.
    n_nodes = curves[0].n_nodes
    results = {
        "n_nodes": n_nodes,
        **by_fold("test_score", scores),
        # Folds spread one total differently over the layers, so weights differ at one size.
        "n_parameters": np.mean([curve.n_parameters for curve in curves], axis=0),
        "margin": margin,
        "within_tolerance": within,
    }
    # Relevances span orders of magnitude: an arithmetic mean would follow the largest alone.
    level = np.exp(np.mean([np.log(curve.levels[chosen]) for curve in curves]))
    return SizeChoice(int(n_nodes[chosen]), float(level), results)


def margins(curves: Sequence[FoldCurve], tolerance: float | str) -> np.ndarray:
    """Return how far each size may score below the best, ndarray of shape (n_sizes,).

    Parameters
    ----------
    curves : sequence of FoldCurve
        One per fold. At least one size has a score in all of them.
    tolerance : float or "1se"
        A number, or one standard error: over folds, or over rows if there is one
        fold.
    """
    if not isinstance(tolerance, str):
        return np.full(len(curves[0].n_nodes), float(tolerance))
    scores = np.array([curve.score for curve in curves])
    best = int(np.nanargmax(scores.mean(axis=0)))
    # The pruner refuses a single fold without scores of its rows before any fit.
    if len(curves) > 1 or curves[0].row_scores is None:
        return fold_margins(scores, best)
    return row_margins(curves[0].row_scores, curves[0].weight, best)
