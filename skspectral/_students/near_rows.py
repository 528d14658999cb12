"""Synthetic rows near those of a table, of the values that its columns have."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skspectral.preprocessing import make_tabular_preprocessor

N_NEIGHBOURS = 5
"""Nearest other rows, of which one lends some of its columns."""
N_QUANTILES = 100
"""Most quantiles of the space in which rows are near."""


def is_frame(X: Any) -> bool:
    """Tell whether a table is a data frame of pandas."""
    return isinstance(X, pd.DataFrame)


def stacked(tables: Sequence[Any]) -> Any:
    """Return one table below the other, all frames or all arrays of the same columns."""
    if is_frame(tables[0]):
        return pd.concat(tables, ignore_index=True)
    return np.concatenate(tables)


def plain(X: Any) -> Any:
    """Return a frame of numbers as an array, missing values as NaN; anything else as it is."""
    if is_frame(X) and all(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes):
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    return X


def equal_rows(X: Any) -> np.ndarray:
    """Return a number for each row, from 0, that equal rows share.

    Where rows are numbers it does not depend on their order. Missing values are equal.
    """
    X = plain(X)
    if is_frame(X):
        codes = np.column_stack([X.iloc[:, j].factorize()[0] for j in range(X.shape[1])])
    else:
        codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in X.T])
    groups: np.ndarray = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    return groups


def first_of_each(groups: np.ndarray) -> np.ndarray:
    """Return the index of the first row of each group."""
    first: np.ndarray = np.unique(groups, return_index=True)[1]
    return first


def total_of_each(groups: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the weight of each group, or the number of its rows."""
    total: np.ndarray = np.bincount(groups, weight)
    return total


def draw_near(X: Any, n_rows: int, weight: np.ndarray | None, rng: np.random.RandomState) -> Any:
    """Return synthetic rows near those of a table, of the values that its columns have.

    A row and one of its nearest other rows are drawn. Each column has the value of the one or the
    other, with equal chances. So categories remain categories, missing values remain missing, and
    no number occurs that the column does not have.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_features)
        With two different rows at least.
    n_rows : int
        Rows to draw.
    weight : ndarray of shape (n,) or None
        What the chance of a row to be drawn is proportional to.
    rng : RandomState

    Returns
    -------
    DataFrame or ndarray of shape (n_rows, n_features)
    """
    groups = equal_rows(X)
    first = first_of_each(groups)  # a row that is there twice is no neighbour of itself
    chance = total_of_each(groups, weight)
    neighbours = _neighbours(_rows_of(X, first))
    rows = rng.choice(len(first), size=n_rows, p=chance / chance.sum())
    others = neighbours[rows, rng.randint(neighbours.shape[1], size=n_rows)]
    lends = rng.random_sample((n_rows, X.shape[1])) < 0.5
    source = first[np.where(lends, others[:, None], rows[:, None])]
    return _columns_from(X, source)


def _rows_of(X: Any, index: np.ndarray) -> Any:
    return X.iloc[index] if is_frame(X) else X[index]


def _columns_from(X: Any, source: np.ndarray) -> Any:
    """Return the table whose value in row i and column j is that of row ``source[i, j]`` of X."""
    if not is_frame(X):
        return X[source, np.arange(X.shape[1])]
    drawn = X.iloc[source[:, 0]].reset_index(drop=True)
    for j in range(X.shape[1]):
        drawn.isetitem(j, X.iloc[source[:, j], j].array)
    return drawn


def _neighbours(X: Any) -> np.ndarray:
    """Return the nearest other rows of each row, int ndarray of shape (n, n_neighbours)."""
    points = _scaled(plain(X))
    n_neighbours = min(N_NEIGHBOURS, len(points) - 1)
    # without X each point is left out of its own neighbours
    index: np.ndarray = NearestNeighbors(n_neighbors=n_neighbours).fit(points).kneighbors()[1]
    return index


def _scaled(X: Any) -> np.ndarray:
    """Return a table as points that can be compared: numbers scaled, the rest encoded."""
    if not is_frame(X):
        # the mean, in place of what is missing
        points: np.ndarray = np.nan_to_num(StandardScaler().fit_transform(X))
        return points
    with warnings.catch_warnings():
        # of columns whose categories are all rare: they only play no part here
        warnings.simplefilter("ignore", UserWarning)
        encoder = make_tabular_preprocessor(n_knots=None, n_quantiles=min(N_QUANTILES, len(X)))
        encoded: np.ndarray = encoder.fit_transform(X)
    return encoded
