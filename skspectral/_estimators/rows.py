"""Rows of a table with their targets and weights: checked, selected and split."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, column_or_1d

from skspectral._compat import _check_sample_weight
from skspectral._training.counts import count_of
from skspectral._training.mapped_rows import MappedRows, chunks

LARGEST_WEIGHT = 1e12
"""scikit-learn's moments of columns square weights, and hold their sum in 64 bits if sparse."""


def check_weights(sample_weight: Any, X: Any, name: str = "sample_weight") -> np.ndarray | None:
    """Return weights as float64 array of shape (n,), or None if there are none.

    Raises
    ------
    ValueError
        If the length differs from X, a weight is negative or not finite, all are zero, or
        the largest is out of range.
    """
    # None is kept: scikit-learn would return ones, and weighing costs time
    if sample_weight is None:
        return None
    try:
        weight: np.ndarray = _check_sample_weight(sample_weight, X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"`{name}` must hold numbers, one for each row: {error}") from error
    if not np.isfinite(weight).all():  # scikit-learn does not look at a single number
        raise ValueError(f"`{name}` must be finite; got {sample_weight!r}.")
    if (weight < 0).any():
        raise ValueError(
            f"`{name}` must not be negative; the smallest is {weight.min():g}. "
            "Use zero for rows to leave out."
        )
    # a zero leaves its row out; zeros alone leave nothing
    if not (weight > 0).any():
        raise ValueError(
            f"All sample weights are zero: `{name}` must hold at least one positive weight."
        )
    if not 1 / LARGEST_WEIGHT <= weight.max() <= LARGEST_WEIGHT:
        raise ValueError(
            f"The largest of `{name}` must be from {1 / LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}; "
            f"got {weight.max():g}. Under alpha='auto' their sum counts as the number of rows; "
            "otherwise only their ratios do."
        )
    return weight


@dataclass(frozen=True)
class Rows:
    """Checked rows.

    Parameters
    ----------
    X : ndarray, CSR matrix or MappedRows of shape (n, n_features)
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n,) or None
    classes : ndarray of shape (n_classes,) or None, default=None
        All classes of the table, of which a part of its rows may lack some. None: those of `y`.
    folds : bool ndarray of shape (n, n_folds, 2) or None, default=None
        Which rows train and which tell the noise, fold by fold.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    classes: np.ndarray | None = None
    folds: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def take(self, index: np.ndarray) -> Rows:
        """Return the rows with the given indices, or where the mask is True."""
        weight = None if self.weight is None else self.weight[index]
        mapped = isinstance(self.X, MappedRows)
        X = self.X.take(index) if mapped else _safe_indexing(self.X, index)
        folds = None if self.folds is None else self.folds[index]
        return replace(self, X=X, y=self.y[index], weight=weight, folds=folds)

    def positive(self) -> Rows:
        """Return the rows of positive weight; a row of zero weight has no effect at all."""
        # dropped, not multiplied by zero: counts of rows and batches must not depend on them
        if self.weight is None or (self.weight > 0).all():
            return self
        return self.take(np.flatnonzero(self.weight > 0))

    def scaled_weight(self) -> np.ndarray | None:
        """Return weights of mean 1, or None if all are equal."""
        # mean 1 keeps the balance of loss and alpha
        if self.weight is None or (self.weight == self.weight[0]).all():
            return None
        return self.weight / self.weight.mean()


def total_weight(rows: Rows) -> float:
    """Return the number of rows, or the sum of their weights as given."""
    return float(len(rows) if rows.weight is None else rows.weight.sum())


def measure_columns(scaler: Any, rows: Rows) -> Any:
    """Return a copy of a StandardScaler that has taken the spread of the columns, part by part."""
    scaler = copy.deepcopy(scaler)  # the fit that asks may fail
    # without numpy's warnings: training reports columns that are too large in plain words
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in chunks(rows.X):
            weight = None if rows.weight is None else rows.weight[chunk]
            # partial_fit adds up over chunks, and over calls of warm starts
            scaler.partial_fit(_with_short_index(rows.X[chunk]), sample_weight=weight)
            # that of a constant comes out below zero by rounding, where rows have weights
            scaler.var_ = np.maximum(scaler.var_, 0.0)
    return scaler


def _with_short_index(part: Any) -> Any:
    """Return a slice; if sparse, with the short index that scikit-learn before 1.9 asks for."""
    if sparse.issparse(part):
        part.indices, part.indptr = (
            index.astype(np.int32, copy=False) for index in (part.indices, part.indptr)
        )
    return part


def hold_out(
    rows: Rows, share: float, *, stratify: bool, random_state: Any, who: str, advice: str
) -> tuple[Rows, Rows]:
    """Split off a share of the rows; return the rest, then these.

    Parameters
    ----------
    rows : Rows
    share : float
        From 0 to 1.
    stratify : bool
        Whether each part has the classes in equal shares.
    random_state : int, RandomState or None
    who : str
        What holds rows out, for the error.
    advice : str
        What to do instead.

    Raises
    ------
    ValueError
        If there are too few rows, or too few of a class.
    """
    # indices are split, so that X, y and weights are copied once each
    try:
        kept, held_out = train_test_split(
            np.arange(len(rows)),
            test_size=share,
            stratify=rows.y if stratify else None,
            random_state=random_state,
        )
    except ValueError as error:
        # scikit-learn names the reason, but speaks of test_size, which the user has not set
        raise ValueError(
            f"{who} cannot hold out {100 * share:g}% of {count_of(len(rows), 'row')}: "
            f"{sentence(error)} {advice}"
        ) from error
    return rows.take(kept), rows.take(held_out)


def sentence(error: Exception) -> str:
    """Return the text of another package's error, so that a sentence can follow."""
    text = str(error).rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def ravel_column(y: np.ndarray) -> np.ndarray:
    """Flatten a single column, with scikit-learn's warning; keep several columns."""
    if y.ndim == 2 and y.shape[1] == 1:
        flat: np.ndarray = column_or_1d(y, warn=True)
        return flat
    return y
