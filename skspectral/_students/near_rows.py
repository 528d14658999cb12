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
DRAWS = 5
"""Rounds after which rows that the table has already are not drawn anew."""
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
    other, with equal chances, and each of the two lends one column at least. So categories remain
    categories, missing values remain missing, and no number occurs that the column does not have.
    Rows that the table has already are drawn anew, a few times, and then left out: a teacher that
    was fitted to them says what it knows by heart.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_features)
        With two different rows at least.
    n_rows : int
        Rows to draw.
    weight : ndarray of shape (n,) or None
        Positive numbers, to which the chances of the rows to be drawn are proportional.
    rng : RandomState

    Returns
    -------
    DataFrame or ndarray of shape (n_rows, n_features)
        Fewer rows where near rows differ in hardly more than one column: what they lend one
        another are rows that the table has. Of a single column there are none.
    """
    groups = equal_rows(X)
    first = first_of_each(groups)  # a row that is there twice is no neighbour of itself
    chance = total_of_each(groups, weight)
    neighbours = Neighbours(_points(_rows_of(X, first)))
    drawn: list[Any] = []
    missing = n_rows
    for _ in range(DRAWS if X.shape[1] > 1 else 0):
        rows = rng.choice(len(first), size=missing, p=chance / chance.sum())
        others = neighbours.some_of(rows, rng)
        lends = _shares(missing, X.shape[1], rng)
        source = first[np.where(lends, others[:, None], rows[:, None])]
        drawn.append(_new_rows(X, _columns_from(X, source)))
        missing -= len(drawn[-1])
        if not missing:
            break
    return stacked(drawn) if drawn else _rows_of(X, np.arange(0))


def _shares(n_rows: int, n_columns: int, rng: np.random.RandomState) -> np.ndarray:
    """Return which columns come from the second of two rows: one at least, and not all."""
    lends = rng.random_sample((n_rows, n_columns)) < 0.5
    one_sided = lends.all(axis=1) | ~lends.any(axis=1)
    some = np.flatnonzero(one_sided)
    lends[some, rng.randint(n_columns, size=len(some))] ^= True
    return lends


def _new_rows(X: Any, drawn: Any) -> Any:
    """Return the rows that a table does not have."""
    groups = equal_rows(stacked([X, drawn]))
    known = np.isin(groups[len(X) :], groups[: len(X)])
    return _rows_of(drawn, np.flatnonzero(~known))


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


class Neighbours:
    """The nearest other points of points, found for those that are asked for.

    Parameters
    ----------
    points : ndarray of shape (n, n_features)
        At least two.
    """

    def __init__(self, points: np.ndarray) -> None:
        self.points = points
        self.number = min(N_NEIGHBOURS, len(points) - 1)
        # one more, as a point is nearest to itself
        self.index = NearestNeighbors(n_neighbors=self.number + 1).fit(points)

    def some_of(self, rows: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Return for each of some rows one of its nearest other rows, at random."""
        different, place = np.unique(rows, return_inverse=True)
        near = self.index.kneighbors(self.points[different], return_distance=False)
        itself = near == different[:, None]
        # of points that are equal once they are encoded others may stand in its place
        itself[~itself.any(axis=1), -1] = True
        others = near[~itself].reshape(len(different), self.number)
        chosen: np.ndarray = others[place, rng.randint(self.number, size=len(rows))]
        return chosen


def _points(X: Any) -> np.ndarray:
    """Return rows as points whose distances can be compared: numbers scaled, the rest encoded."""
    X = plain(X)
    if not is_frame(X):
        with np.errstate(invalid="ignore"):  # of a column without any value
            scaled = StandardScaler().fit_transform(X)
        points: np.ndarray = np.nan_to_num(scaled)  # the mean, in place of what is missing
        return points
    with warnings.catch_warnings():
        # of columns whose categories are all rare: they only play no part here
        warnings.simplefilter("ignore", UserWarning)
        encoder = make_tabular_preprocessor(n_knots=None, n_quantiles=min(N_QUANTILES, len(X)))
        encoded: np.ndarray = encoder.fit_transform(X)
    return encoded
