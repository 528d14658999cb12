"""Pruning curves of networks that are fitted on some rows and scored on others."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skspectral._estimators.ranking import first_nodes
from skspectral._estimators.resizing import keep_nodes
from skspectral._estimators.rows import Rows
from skspectral._pruning.curve import count_parameters
from skspectral._pruning.strategies import CutTrained
from skspectral._selection.folds import noted
from skspectral._selection.scoring import Score
from skspectral._training.together import Fit, abreast


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


def fold_curve(
    strategy: CutTrained, train: Rows, test: Rows, score: Score, place: str = "this curve"
) -> Fit:
    """Fit on `train`, and score the nested smaller networks on `test`.

    A coroutine that returns a :class:`FoldCurve`. An error gets a note of the `place`.

    Parameters
    ----------
    strategy : CutTrained
    train, test : Rows
    score : callable
        As :func:`network_score` returns it.
    place : str
    """
    with noted(place):
        # what the fit of all rows has to warn of is told, that of a fold is not
        full, _ = yield from strategy.full(train)
        ranking = strategy.ranking(full)
        sizes = strategy.sizes(ranking)

        def smaller(size: int) -> Fit:
            network = keep_nodes(full, first_nodes(ranking, size))
            n_parameters = count_parameters(network.module_)
            # One fit serves all sizes, unless the strategy trains after the cut.
            network, _ = yield from strategy.finish(network, train)
            return n_parameters, *score(network, test)

        n_parameters, scores, by_row = zip(
            *(yield from abreast([smaller(size) for size in sizes])), strict=True
        )
        return FoldCurve(
            n_nodes=sizes,
            n_parameters=np.array(n_parameters),
            score=np.array(scores, dtype=float),
            # Kept for a single fold, where only rows can give a standard error.
            row_scores=None if by_row[0] is None else np.array(by_row),
            weight=test.weight,
            levels=strategy.levels(full, sizes),
        )
