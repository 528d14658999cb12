"""Tell columns that are not on one scale, which networks train badly on."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils.sparsefuncs import min_max_axis

from skspectral._estimators.rows import Rows, measure_columns
from skspectral._training.mapped_rows import chunks
from skspectral._warn import warn_caller

FACTOR = 30
"""Ratio of spreads above which training suffers.

Measured on California Housing, all columns scaled and one of them then times a factor: up to 10
the score stays, from 30 on it falls and fewer nodes are left. Columns that preprocessors make of
13 tables differ by up to 25; those of raw tables by 40 to 40,000, and iris by 4.
"""
MOST_NAMED = 3
"""Columns that the warning names; the others are counted."""


def measure_and_warn(rows: Rows, names: Any) -> None:
    """Warn as `warn_of_spreads` does, where nothing has measured the columns yet."""
    rows = rows.positive()
    scaler = measure_columns(StandardScaler(with_mean=False), rows)
    warn_of_spreads(scaler, rows.X, names)


def warn_of_spreads(scaler: Any, X: Any, names: Any) -> None:
    """Warn by name if the standard deviations of columns differ by more than `FACTOR`.

    Parameters
    ----------
    scaler : StandardScaler
        Which has measured `X`.
    X : ndarray or sparse matrix of shape (n, n_features)
    names : array-like of str of shape (n_features,) or None
    """
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(scaler.var_)
    # scikit-learn tells a constant from rounding, and scales it by 1
    varies = np.flatnonzero(scaler.scale_ == spread)
    if not len(varies) or _ratio(spread[varies]) <= FACTOR:
        return
    # 0 and 1 or hat functions: their spread tells how rare a category is, and nothing of scale
    low, high = _extremes(X)
    spread = np.where((low >= 0) & (high <= 1), 0.5, spread)
    ratio = _ratio(spread[varies])
    if ratio <= FACTOR:
        return
    order = varies[np.argsort(-spread[varies], kind="stable")]
    wide = order[spread[order] > FACTOR * spread[order[-1]]]
    told = [f"{_name(names, i)} has {spread[i]:.2g}" for i in (*wide[:MOST_NAMED], order[-1])]
    if len(wide) > MOST_NAMED:
        told.insert(MOST_NAMED, f"{len(wide) - MOST_NAMED} others")
    warn_caller(
        f"The spreads of columns differ by a factor of {ratio:.2g}, more than {FACTOR}: "
        f"{', '.join(told)}. Networks train badly on such columns: put a StandardScaler in "
        "front, in a pipeline, or skspectral.preprocessing.make_tabular_preprocessor."
    )


def _extremes(X: Any) -> Any:
    """Return the smallest and the largest value of each column."""
    if issparse(X):
        return min_max_axis(X, axis=0)
    bounds = [(part.min(axis=0), part.max(axis=0)) for part in (X[c] for c in chunks(X))]
    low, high = zip(*bounds, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def _ratio(spread: np.ndarray) -> float:
    with np.errstate(over="ignore"):
        return float(spread.max() / spread.min())


def _name(names: Any, index: int) -> str:
    return f"column {index}" if names is None else f"{str(names[index])!r}"
