"""Paths of networks that are fitted on some rows and scored on others."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._path.walk import walk
from skspectral._selection.scoring import Score


@dataclass(frozen=True)
class FoldPath:
    """Path of one fold, arrays with one entry per penalty.

    Parameters
    ----------
    score : ndarray of shape (n_alphas,)
        Scores of the rows that the fold holds out.
    n_alive_nodes : int ndarray of shape (n_alphas, n_hidden_layers)
        Alive nodes per hidden layer.
    """

    score: np.ndarray
    n_alive_nodes: np.ndarray


def fold_path(
    network: Any,
    train: Rows,
    test: Rows,
    alphas: Sequence[float],
    path_max_iter: int | str,
    score: Score,
) -> FoldPath:
    """Walk along the penalties on `train`, score each network on `test`."""
    scores, sizes = [], []
    options = {"sample_weight": train.weight, "path_max_iter": path_max_iter}
    # Only numbers leave: a network per penalty would have to travel back from each worker.
    for fitted in walk(network, train.X, train.y, alphas, **options):
        # The scores of single rows are dropped: with two folds or more, folds give the margin.
        scores.append(score(fitted, test)[0])
        sizes.append(fitted.n_alive_nodes_)
    return FoldPath(np.array(scores, dtype=float), np.array(sizes))
