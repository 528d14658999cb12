"""Rows of a memory map, read when they are needed: the table may be larger than the memory."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches

CHUNK_ROWS = 10_000
"""Most rows at a time that a table is measured by."""
CHUNK_VALUES = 1_000_000
"""The same for values, which bounds the memory of tables with many columns: 8 MB in float64."""


class MappedRows:
    """Rows of an array that is mapped from a file; indexing reads them.

    Parameters
    ----------
    array : ndarray of shape (n_all, n_features)
    index : int ndarray of shape (n,) or None, default=None
        The rows that are meant; None: all.
    """

    def __init__(self, array: np.ndarray, index: np.ndarray | None = None) -> None:
        self.array, self.index = array, index
        self.dtype = array.dtype

    def __len__(self) -> int:
        return len(self.array) if self.index is None else len(self.index)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, as of an array."""
        return len(self), self.array.shape[1]

    def __getitem__(self, rows: Any) -> np.ndarray:
        rows = rows if self.index is None else self.index[rows]
        # several times faster than array[rows]
        return self.array[rows] if isinstance(rows, slice) else self.array.take(rows, axis=0)

    def take(self, index: np.ndarray) -> MappedRows:
        """Return the rows with the given indices, or where the mask is True, still unread."""
        known = np.arange(len(self.array)) if self.index is None else self.index
        return MappedRows(self.array, known[index])


def read_later(X: Any) -> Any:
    """Return an array that is mapped from a file as MappedRows, anything else as it is."""
    # checks pass on plain views, and tell the map by what lies below them
    base = X if isinstance(X, np.ndarray) and X.ndim == 2 else None
    while isinstance(base, np.ndarray):
        base = base.base
    return MappedRows(X) if isinstance(base, mmap.mmap) else X


def chunks(X: Any) -> Iterator[slice]:
    """Yield slices of the rows of a table, each of which fits into memory."""
    n_rows, n_columns = X.shape
    most = CHUNK_ROWS
    if not sparse.issparse(X):
        most = max(1, min(CHUNK_ROWS, CHUNK_VALUES // max(1, n_columns)))
    slices: Iterator[slice] = gen_batches(n_rows, most)
    return slices
