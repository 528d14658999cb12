"""Pruning curves of networks that are fitted on some rows and scored on others."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._pruning.curve import evaluate_nested
from skspectral._pruning.strategies import CutTrained
from skspectral._selection.scoring import Score


@dataclass(frozen=True)
class FoldCurve:
    """Curve of one fold, arrays with one entry per size.

    Parameters
    ----------
    n_nodes : int ndarray of shape (n_sizes,)
        Hidden nodes of all layers together.
    n_parameters : int ndarray of shape (n_sizes,)
        Weights and biases.
    score : ndarray of shape (n_sizes,)
        Scores of the rows that the fold holds out.
    row_scores : ndarray of shape (n_sizes, n) or None
        Score of each single row, if the score is a mean over rows.
    weight : ndarray of shape (n,) or None
        Weights of these rows.
    levels : ndarray of shape (n_sizes,)
        See :meth:`CutTrained.levels`.
    """

    n_nodes: np.ndarray
    n_parameters: np.ndarray
    score: np.ndarray
    row_scores: np.ndarray | None
    weight: np.ndarray | None
    levels: np.ndarray


def fold_curve(strategy: CutTrained, train: Rows, test: Rows, score: Score) -> FoldCurve:
    """Fit on `train`, and score the nested smaller networks on `test`.

    Parameters
    ----------
    strategy : CutTrained
    train, test : Rows
    score : callable
        As :func:`network_score` returns it.
    """
    # One fit serves all sizes; a strategy that trains after the cut does so in `finish`.
    full = strategy.full(train)
    ranking = strategy.ranking(full)
    sizes = strategy.sizes(ranking)
    n_parameters, scores = evaluate_nested(
        full, ranking, sizes, lambda network: score(strategy.finish(network, train), test)
    )
    # Kept for a single fold, where only rows can give a standard error.
    by_row = [of_rows for _, of_rows in scores if of_rows is not None]
    return FoldCurve(
        n_nodes=sizes,
        n_parameters=n_parameters,
        score=np.array([mean for mean, _ in scores], dtype=float),
        row_scores=np.array(by_row) if by_row else None,
        weight=test.weight,
        levels=strategy.levels(full, sizes),
    )
