"""What a teacher says of rows: of those it was fitted to, as it says it of new ones."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing

from skspectral._students.by_parts import fit_weighted

Split = tuple[np.ndarray, np.ndarray]
"""Indices of rows to fit to, and of rows to label."""
Say = Callable[[Any, Any], np.ndarray]
"""``say(teacher, X)``: numbers, or probabilities of classes, for each row."""


@dataclass(frozen=True)
class Table:
    """Rows that a teacher is fitted to.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_features)
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: np.ndarray) -> Table:
        """Return the rows of an index."""
        weight = None if self.weight is None else self.weight[index]
        return Table(_safe_indexing(self.X, index), self.y[index], weight)


@dataclass(frozen=True)
class Teaching:
    """A teacher and what it says of the rows that a student gets.

    Parameters
    ----------
    teacher : estimator
        Fitted to all of the rows.
    rows : ndarray of int
        Index of the rows.
    labels : ndarray of shape (n,) or (n, n_outputs)
        Of teachers that have not seen the row.
    """

    teacher: Any
    rows: np.ndarray
    labels: np.ndarray


def teach(
    teacher: Any, table: Table, folds: Sequence[Split], say: Say, n_jobs: int | None
) -> tuple[Teaching, Teaching]:
    """Fit a teacher to all rows and without each fold, and let it label what it has not seen.

    Parameters
    ----------
    teacher : estimator
        In a FrozenEstimator it is fitted already and labels all rows itself.
    table : Table
    folds : sequence of (ndarray, ndarray)
        At least three, each row once among those to label.
    say : callable
    n_jobs : int or None
        Processes among which the fits are shared.

    Returns
    -------
    Teaching
        Of all rows.
    Teaching
        Of the rows without the first fold, of which no teacher has seen anything.
    """
    everything, (kept, held_out) = np.arange(len(table)), folds[0]
    if isinstance(teacher, FrozenEstimator):
        labels = say(teacher, table.X)
        return Teaching(teacher, everything, labels), Teaching(teacher, kept, labels[kept])
    inner = [(np.setdiff1d(train, held_out), test) for train, test in folds[1:]]
    nothing = np.arange(0)
    tasks = [(everything, nothing), *folds, *inner]
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_label)(teacher, table, *task, say) for task in tasks
    )
    (whole, _), (first, _), *_ = fitted
    labels = _in_place(folds, [said for _, said in fitted[1 : len(folds) + 1]])
    inner_labels = _in_place(inner, [said for _, said in fitted[len(folds) + 1 :]], len(table))
    return (
        Teaching(whole, everything, labels),
        Teaching(first, kept, inner_labels[kept]),
    )


def _fit_and_label(
    teacher: Any, table: Table, train: np.ndarray, test: np.ndarray, say: Say
) -> tuple[Any, np.ndarray | None]:
    rows = table.take(train)
    try:
        fitted = fit_weighted(clone(teacher), rows.X, rows.y, rows.weight)
    except ValueError as error:
        if len(train) == len(table) or len(np.unique(rows.y)) > 1:
            raise
        raise ValueError(
            "The teacher cannot be fitted to rows of one class, and without one of the folds "
            "(for the student that is measured: two of them) no other is left. Give more rows "
            "of the rare class, or as `cv` folds in which the classes are spread. The teacher "
            f"said: {error}"
        ) from error
    return fitted, say(fitted, _safe_indexing(table.X, test)) if len(test) else None


def _in_place(
    splits: Sequence[Split], said: Sequence[np.ndarray], n_rows: int | None = None
) -> np.ndarray:
    """Return labels of the parts of a table in the order of its rows."""
    n_rows = sum(len(test) for _, test in splits) if n_rows is None else n_rows
    labels = np.zeros((n_rows, *said[0].shape[1:]))
    for (_, test), of_part in zip(splits, said, strict=True):
        labels[test] = of_part
    return labels
