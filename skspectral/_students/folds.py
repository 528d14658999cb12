"""Folds in which a teacher labels rows that it has not seen."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._selection.folds import is_plain, splitter_of
from skspectral._students.near_rows import equal_rows, first_of_each
from skspectral._students.teaching import Split, Table
from skspectral._training.counts import count_of

N_FOLDS = 5
LEAST_FOLDS = 3
"""One is held out of everything, and two teachers label each other's rows."""


def make_folds(cv: Any, table: Table, stratify: bool, rng: np.random.RandomState) -> list[Split]:
    """Split rows into folds.

    Parameters
    ----------
    cv : int, splitter, iterable or None
    table : Table
    stratify : bool
        Whether the folds of a number should have the classes in equal shares.
    rng : RandomState

    Raises
    ------
    ValueError
        If there are too few folds, or a row is not held out exactly once.
    """
    if is_plain(cv):
        return shuffled_folds(table, N_FOLDS if cv is None else int(cv), stratify, rng)
    splitter = splitter_of(cv, table.y, stratify=stratify)
    folds = list(splitter.split(table.X, table.y))
    held_out = np.concatenate([test for _, test in folds])
    check_number(len(folds))
    if not np.array_equal(np.sort(held_out), np.arange(len(table))):
        raise ValueError(
            "`cv` must hold out each row exactly once, as the teacher labels it then; got "
            f"{len(held_out)} held-out rows for {count_of(len(table), 'row')}. Give for example "
            "a number of folds, or list(GroupKFold().split(X, y, groups))."
        )
    for train, test in folds:
        if len(np.intersect1d(train, test)):
            raise ValueError("`cv` must not train on the rows that it holds out; a fold does.")
    return folds


def check_number(n_folds: int) -> None:
    """Raise ValueError for too few folds."""
    if n_folds < LEAST_FOLDS:
        raise ValueError(
            f"`cv` must make at least {LEAST_FOLDS} folds: one is held out to measure the "
            f"student, and each teacher labels rows that it has not seen; got {n_folds}."
        )


def shuffled_folds(
    table: Table, n_folds: int, stratify: bool, rng: np.random.RandomState
) -> list[Split]:
    """Split shuffled rows into folds, equal rows into the same one.

    A teacher must not have seen a row that it labels, nor its twin. So a row of weight 2 is the
    same as a row that is there twice.
    """
    check_number(n_folds)
    groups = equal_rows(table.X)
    first = first_of_each(groups)
    if len(first) < LEAST_FOLDS:
        raise ValueError(
            f"Folds need at least {LEAST_FOLDS} different rows; got "
            f"{count_of(len(first), 'sample')} of them."
        )
    n_folds = min(n_folds, len(first))
    order = rng.permutation(len(first))
    if stratify:
        order = order[np.argsort(table.y[first[order]], kind="stable")]
    fold = np.empty(len(first), dtype=int)
    fold[order] = np.arange(len(first)) % n_folds
    of_rows = fold[groups]
    return [(np.flatnonzero(of_rows != k), np.flatnonzero(of_rows == k)) for k in range(n_folds)]
