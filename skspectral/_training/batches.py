"""Batches taken from whole tensors: rows are gathered on the device, not one by one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import skorch.dataset
import torch
from scipy import sparse
from torch import Tensor

from skspectral._training.mapped_rows import MappedRows, chunks, read_later
from skspectral._training.orders import OrdersFollowed, draw_order
from skspectral._training.sparse_rows import MOST_DENSE, SparseRows

PREDICTION_ROWS = {"cpu": 1024, "cuda": 16_384}
"""Rows per batch outside training: few enough for the activations to stay in a CPU's cache."""
GATHERED_BYTES = 2**22
"""Bytes of rows gathered at once: about what the cache of a processor holds."""


def _cast(array: Any, dtype: torch.dtype) -> np.ndarray:
    """Return `array` contiguous and in the dtype; raise ValueError if values are beyond it."""
    name = str(dtype).removeprefix("torch.")
    # contiguous: torch takes no negative strides; numpy's overflow warning would say less
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(array, dtype=name)
    # only a narrower type can overflow, so the others skip the pass over the data
    if cast.dtype.itemsize < array.dtype.itemsize and not np.isfinite(cast).all():
        raise ValueError(
            f"X holds values beyond {name}, up to {np.abs(array).max():g}. Scale X, for example "
            "with StandardScaler, or set dtype='float64'."
        )
    return cast


def to_tensor(array: Any, dtype: torch.dtype, device: str) -> Tensor:
    """Return `array` as a tensor; copy it only if torch cannot share its memory or write to it.

    Raises
    ------
    ValueError
        If finite values of `array` are beyond the range of `dtype`.
    """
    array = _cast(array, dtype)
    # torch warns of memory that it must not write to, such as a memory map of joblib
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).to(device)


def _held(X: Any, dtype: torch.dtype, device: str) -> Any:
    """Return rows as a tensor; mapped ones as they are, if training is on the CPU."""
    if not isinstance(X, MappedRows):
        return to_tensor(X, dtype, device)
    if device.startswith("cpu"):
        return X
    # part by part, so that the memory of the CPU never holds them all
    tensor = torch.empty(X.shape, dtype=dtype, device=device)
    for rows in chunks(X):
        tensor[rows] = to_tensor(X[rows], dtype, device)
    return tensor


def _take(array: Any, index: Any) -> Any:
    """Return the rows at `index`, a slice or an array of indices."""
    if isinstance(array, Tensor) and isinstance(index, Tensor):
        if array.is_cuda:
            return array.index_select(0, index)  # several times faster than array[index]
        # of narrow rows numpy gathers up to ten times as many as torch
        return torch.from_numpy(np.take(array.numpy(), index.numpy(), axis=0))
    return array[index]


class RowDataset(skorch.dataset.Dataset):
    """Rows, targets and weights held as whole tensors, unless rows are sparse or mapped.

    Parameters
    ----------
    X : array of shape (n, n_features) or sparse matrix in CSR format
        On the CPU batches of an array that is mapped from a file are read from there. A
        sparse matrix stays sparse. Its batches are :class:`SparseRows` on the CPU where at
        most the share `MOST_DENSE` of the entries is not zero, otherwise dense.
    y : Tensor of shape (n, n_outputs) or (n,) or None
    sample_weight : Tensor of shape (n,) or None
    dtype : torch.dtype
    device : str
    in_parts : bool, default=False
        Whether to keep an array as it is and convert each batch on request. A
        single pass then needs no second copy of the data.
    """

    def __init__(
        self,
        X: Any,
        y: Tensor | None = None,
        sample_weight: Tensor | None = None,
        dtype: torch.dtype | None = None,
        device: str = "cpu",
        in_parts: bool = False,
    ) -> None:
        X = read_later(X)
        if not in_parts and not sparse.issparse(X) and not isinstance(X, Tensor):
            X = _held(X, dtype or torch.get_default_dtype(), device)
        super().__init__(X, y, length=X.shape[0])
        self.sample_weight = sample_weight
        self.dtype = dtype or (X.dtype if isinstance(X, Tensor) else torch.get_default_dtype())
        self.device = device

    @property
    def prediction_rows(self) -> int:
        """Rows per batch outside training."""
        return PREDICTION_ROWS[torch.device(self.device).type]

    @property
    def row_bytes(self) -> float:
        """Bytes of a row in a batch, on average."""
        n_values = self.X.shape[1]
        if self._stays_sparse():
            n_values = 2 * self.X.nnz / max(1, self.X.shape[0])  # values and their columns
        return float(n_values * self.dtype.itemsize)

    def _stays_sparse(self) -> bool:
        X = self.X
        if not sparse.issparse(X) or not self.device.startswith("cpu"):
            return False
        return bool(X.nnz <= MOST_DENSE * X.shape[0] * X.shape[1])

    def rows(self, index: Any) -> tuple[Any, Tensor]:
        """Return the given rows as a batch ``(X, y)``, in the form that skorch uses.

        With weights, X is ``{"X": X, "sample_weight": w}``.
        """
        X = _take(self.X, index)
        if self._stays_sparse():
            data = _cast(X.data, self.dtype)
            X = SparseRows(type(X)((data, X.indices, X.indptr), shape=X.shape))
        elif not isinstance(X, Tensor):
            X = to_tensor(X.toarray() if sparse.issparse(X) else X, self.dtype, self.device)
        # skorch's batches always have a target; predictions do not read it
        y = torch.zeros(len(X)) if self.y is None else _take(self.y, index)
        if self.sample_weight is None:
            return X, y
        return {"X": X, "sample_weight": _take(self.sample_weight, index)}, y


class RowBatches:
    """Iterate over batches of a :class:`RowDataset`, if asked in a new order at each pass.

    Parameters
    ----------
    dataset : RowDataset
    batch_size : int
        Rows per batch; the last batch may be smaller.
    random_state : numpy.random.RandomState, OrdersFollowed or None, default=None
        Source of the order. None keeps the rows in order, and so does a single batch.
    """

    def __init__(
        self,
        dataset: RowDataset,
        batch_size: int,
        random_state: np.random.RandomState | OrdersFollowed | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.random_state = random_state

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def draw_order(self) -> Any:
        """Return the order of the rows of one pass, None if they stay in order."""
        if self.random_state is None or len(self) < 2:
            return None
        n_rows, X = len(self.dataset), self.dataset.X
        if isinstance(self.random_state, OrdersFollowed):
            return self.random_state.next_order(n_rows, X)
        return draw_order(n_rows, self.random_state, X)

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]:
        n_rows, order = len(self.dataset), self.draw_order()
        # one large gather costs less than many small ones; batches are then views of it
        at_a_time = self.batch_size * self._batches_at_a_time()
        for start in range(0, n_rows, at_a_time):
            rows = slice(start, min(start + at_a_time, n_rows))
            X, y = self.dataset.rows(rows if order is None else order[rows])
            for first in range(0, len(y), self.batch_size):
                part = slice(first, first + self.batch_size)
                yield _slice(X, part), y[part]

    def _batches_at_a_time(self) -> int:
        """Return the number of batches to gather at once: as many as the cache holds."""
        return int(max(1, GATHERED_BYTES // max(1, self.dataset.row_bytes * self.batch_size)))


def _slice(X: Any, part: slice) -> Any:
    return {key: value[part] for key, value in X.items()} if isinstance(X, dict) else X[part]


class FixedSplit:
    """Give skorch the validation rows that the estimator chose."""

    def __init__(self, dataset_valid: RowDataset) -> None:
        self.dataset_valid = dataset_valid

    def __call__(self, dataset: RowDataset, y: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        return dataset, self.dataset_valid
