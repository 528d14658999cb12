"""Which column of the user's table each input of a network comes from."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skspectral._estimators.checks import read_rows
from skspectral._study.final_network import encoded_rows, encoders_before, final_network

OWN = 0.95
"""Share of the changes of an input that come from the column it belongs to."""
LARGEST = 1e100
"""Of the numbers that a network gets: squares of their products with weights stay finite."""


@dataclass(frozen=True)
class TableColumn:
    """A column of the table, or an input that the encoder mixes from several columns.

    Parameters
    ----------
    name : str
    values : ndarray of shape (n_rows,)
        As the user has them.
    inputs : int ndarray of shape (n_inputs_of_column,)
        Inputs of the network that come from it.
    """

    name: str
    values: np.ndarray
    inputs: np.ndarray


def read_table(
    estimator: Any, X: Any, feature_names: Any = None
) -> tuple[np.ndarray, list[TableColumn]]:
    """Return the rows as the network gets them, and the columns of the table they come from.

    Inputs that are the same in all rows belong to no column.

    Parameters
    ----------
    estimator : object
        Fitted network, or what holds one.
    X : {array-like, sparse matrix, data frame} of shape (n_rows, n_columns)
        As `estimator` predicts them.
    feature_names : array-like of str of shape (n_columns,) or None, default=None
        Names of the columns in place of their own.

    Returns
    -------
    inputs : ndarray of shape (n_rows, n_inputs)
    columns : list of TableColumn
        In the order of the table, after them what the encoder mixes.

    Raises
    ------
    TypeError, NotFittedError
        If there is no fitted network.
    ValueError
        If the columns are not those of the fit, the names not as many, or all rows the same.
    """
    inputs = dense(read_rows(final_network(estimator), encoded_rows(estimator, X)))
    check_size(inputs)
    table = as_table(X)
    owners = owners_of_inputs(estimator, table, inputs)
    varies = np.any(inputs != inputs[0], axis=0)
    columns = []
    if len(table.shape) == 2:
        columns = [
            TableColumn(name, column_values(table, index), found)
            for index, name in enumerate(column_names(estimator, table, feature_names))
            if len(found := np.flatnonzero(varies & (owners == index)))
        ]
    mixed = np.flatnonzero(varies & (owners < 0))
    if len(mixed):
        names = input_names(estimator, inputs.shape[1])
        columns += [TableColumn(names[k], inputs[:, k], np.array([k])) for k in mixed]
    if not columns:
        raise ValueError("All rows of `X` are the same; give rows that differ, as in training.")
    return inputs, columns


def check_size(inputs: np.ndarray) -> None:
    """Raise ValueError if numbers are too large to compare their variances."""
    largest = np.abs(inputs).max()
    if largest > LARGEST:
        raise ValueError(
            f"`X` must hold numbers up to {LARGEST:g} for the network; got {largest:g}."
        )


def owners_of_inputs(estimator: Any, table: Any, inputs: np.ndarray) -> np.ndarray:
    """Return the index of the column that each input comes from, -1 where there is none."""
    if not encoders_before(estimator):
        return np.arange(inputs.shape[1])
    if len(table.shape) != 2:  # a list of texts, or images
        return np.full(inputs.shape[1], -1)
    return find_owners(lambda rows: dense(encoded_rows(estimator, rows)), table, inputs)


def find_owners(encode: Callable[[Any], np.ndarray], table: Any, inputs: np.ndarray) -> np.ndarray:
    """Return the index of the column that each input comes from, -1 if from several.

    Columns are shuffled to see which inputs change: in turn those that have a 1 at one place of
    their number in binary, and those that have a 0. An input of a single column changes in one of
    the two cases, and all places together are the number of its column.

    Parameters
    ----------
    encode : callable
        From a table to inputs.
    table : ndarray or data frame of shape (n_rows, n_columns)
    inputs : ndarray of shape (n_rows, n_inputs)
        Of the table as it is.

    Returns
    -------
    int ndarray of shape (n_inputs,)
    """

    def changes(columns: np.ndarray) -> np.ndarray:
        # what there is to say of these rows has been said of the table as it is
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            changed = encode(shuffled(table, columns, order))
        return np.square(changed - inputs).sum(axis=0)

    order = one_cycle(len(inputs))
    numbers = np.arange(table.shape[1])
    owners, is_mixed = np.zeros(inputs.shape[1], dtype=int), np.zeros(inputs.shape[1], dtype=bool)
    for place in range((len(numbers) - 1).bit_length()):
        has_one = (numbers >> place & 1).astype(bool)
        by_one, by_zero = changes(numbers[has_one]), changes(numbers[~has_one])
        total = by_one + by_zero
        share = np.divide(by_one, total, out=np.zeros_like(total), where=total > 0)
        owners += (share > 0.5).astype(int) << place
        is_mixed |= (share > 1 - OWN) & (share < OWN)
    return np.where(is_mixed | (owners >= len(numbers)), -1, owners)


def one_cycle(n: int) -> np.ndarray:
    """Return a random order of one cycle: it changes every column that is not constant."""
    places = np.random.default_rng(0).permutation(n)
    order = np.empty(n, dtype=int)
    order[places] = np.roll(places, 1)
    return order


def as_table(X: Any) -> Any:
    """Return a data frame of pandas or polars as it is, and all else as an array."""
    if hasattr(X, "columns"):
        return X
    return X.toarray() if sparse.issparse(X) else np.asarray(X)


def dense(rows: Any) -> np.ndarray:
    """Return rows as a float64 array."""
    return np.asarray(rows.toarray() if sparse.issparse(rows) else rows, dtype=np.float64)


def shuffled(table: Any, columns: np.ndarray, order: np.ndarray) -> Any:
    """Return a copy of the table with some columns in another order of rows."""
    if hasattr(table, "with_columns"):  # polars
        return table.with_columns(table[:, int(index)][order] for index in columns)
    if not hasattr(table, "iloc"):
        copied = table.copy()
        copied[:, columns] = table[order][:, columns]
        return copied
    copied = table.copy(deep=False)
    for index in columns:  # by position, as names may be anything
        copied.isetitem(index, table.iloc[order, index].set_axis(table.index))
    return copied


def column_values(table: Any, index: int) -> np.ndarray:
    """Return the values of one column."""
    column = table.iloc[:, index] if hasattr(table, "iloc") else table[:, index]
    return np.asarray(column)


def column_names(estimator: Any, table: Any, given: Any = None) -> list[str]:
    """Return the names of the columns of a table: given ones, its own, or those of the fit."""
    if given is not None:
        return checked_names(given, table.shape[1])
    if hasattr(table, "columns"):
        return [str(name) for name in table.columns]
    first = next(iter(encoders_before(estimator)), final_network(estimator))
    names = getattr(first, "feature_names_in_", range(table.shape[1]))
    return [name if isinstance(name, str) else f"x{name}" for name in names]


def checked_names(names: Any, n_columns: int) -> list[str]:
    """Return names as a list of str; raise ValueError unless there is one for each column."""
    names = [str(name) for name in names]
    if len(names) != n_columns:
        raise ValueError(
            f"`feature_names` must name each of the {n_columns} columns; got {len(names)} names."
        )
    return names


def input_names(estimator: Any, n_inputs: int) -> list[str]:
    """Return the names of the inputs of a network, as its encoder makes them if it does."""
    network, encoders = final_network(estimator), encoders_before(estimator)
    names = getattr(network, "feature_names_in_", None)
    if names is None and encoders:
        try:
            names = encoders[-1].get_feature_names_out()
        except (AttributeError, ValueError):  # not every transformer has names to give
            names = None
    if names is None:
        names = [f"{'input ' if encoders else 'x'}{index}" for index in range(n_inputs)]
    return [str(name) for name in names]
