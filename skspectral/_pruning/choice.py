"""Choose a size from pruning curves on folds."""

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
    """The size that is chosen, and what speaks for it.

    Parameters
    ----------
    n_nodes : int
        Hidden nodes in all.
    level : float
        Relevance that lies between kept and cut nodes; see :meth:`CutTrained.levels`.
    cv_results : dict of ndarray of shape (n_sizes,)
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
        As :func:`margins` takes it.

    Raises
    ------
    ValueError
        If no size has a score in every fold.
    """
    scores = np.array([curve.score for curve in curves])
    check_scores(scores, "size")
    margin = margins(curves, tolerance)
    chosen, within = smallest_within(scores.mean(axis=0), margin)
    n_nodes = curves[0].n_nodes
    results = {
        "n_nodes": n_nodes,
        **by_fold("test_score", scores),
        "n_parameters": np.mean([curve.n_parameters for curve in curves], axis=0),
        "margin": margin,
        "within_tolerance": within,
    }
    level = np.exp(np.mean([np.log(curve.levels[chosen]) for curve in curves]))
    return SizeChoice(int(n_nodes[chosen]), float(level), results)


def margins(curves: Sequence[FoldCurve], tolerance: float | str) -> np.ndarray:
    """Return what each size may score less than the best, ndarray of shape (n_sizes,).

    Parameters
    ----------
    curves : sequence of FoldCurve
        One per fold; some size has a score in all of them.
    tolerance : float or "1se"
        "1se" over folds, or over rows where there is one fold.
    """
    if not isinstance(tolerance, str):
        return np.full(len(curves[0].n_nodes), float(tolerance))
    scores = np.array([curve.score for curve in curves])
    best = int(np.nanargmax(scores.mean(axis=0)))
    if len(curves) > 1 or curves[0].row_scores is None:
        return fold_margins(scores, best)
    return row_margins(curves[0].row_scores, curves[0].weight, best)
