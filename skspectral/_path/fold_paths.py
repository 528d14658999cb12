"""Paths of networks that are fitted on some rows and scored on others."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._path.walk import steps, visit
from skspectral._selection.folds import noted
from skspectral._selection.scoring import Score
from skspectral._training.together import Fit


@dataclass(frozen=True)
class FoldPath:
    """Path on some rows, arrays with one entry per penalty.

    Parameters
    ----------
    score : ndarray of shape (n_penalties,)
        Scores of the rows that the fold holds out; empty where no rows are scored.
    n_alive_nodes : int ndarray of shape (n_penalties, n_hidden_layers)
        Alive nodes per hidden layer.
    size_settled : bool ndarray of shape (n_penalties,)
        Whether training was long enough for the penalty; False where that was not judged.
    """

    score: np.ndarray
    n_alive_nodes: np.ndarray
    size_settled: np.ndarray


def fold_path(
    network: Any,
    train: Rows,
    test: Rows | None,
    penalties: Sequence[dict[str, Any]],
    score: Score | None,
    place: str = "this path",
) -> Fit:
    """Walk along the penalties on `train`; score each network on `test`, where that is given.

    A coroutine that returns a :class:`FoldPath`. An error gets a note of the `place`.
    """

    # Only numbers leave: a network per penalty would have to travel back from each worker.
    def look(fitted: Any) -> tuple[Any, ...]:
        value = np.nan
        if score is not None and test is not None:
            # The scores of single rows are dropped: with several folds, folds give the margin.
            value = score(fitted, test)[0]
        return value, fitted.n_alive_nodes_, bool(fitted.size_settled_)

    weights_and_classes = {"sample_weight": train.weight, "classes": train.classes}
    walked = steps(network, train.X, train.y, penalties, **weights_and_classes)
    with noted(place):
        seen = yield from visit(walked, look)
    scores, sizes, settled = zip(*seen, strict=True)
    scores = scores if score is not None and test is not None else ()
    return FoldPath(np.array(scores, dtype=float), np.array(sizes), np.array(settled))
