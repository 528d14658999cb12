"""Whole-tensor batches: rows are gathered on the device instead of one by one."""

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

from skspectral._training.seeds import new_seed

PREDICTION_ROWS = 1024
"""Rows at a time outside training: small enough for activations to stay in the cache."""
GATHERED_BYTES = 2**22
"""Bytes of rows that are gathered at once: what a processor's cache holds."""


def to_tensor(array: Any, dtype: torch.dtype, device: str) -> Tensor:
    """Return `array` as a tensor, copied only where torch cannot share or write its memory.

    Raises
    ------
    ValueError
        If values are finite in `array` and beyond the range of `dtype`.
    """
    name = str(dtype).removeprefix("torch.")
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(array, dtype=name)
    if cast.dtype.itemsize < array.dtype.itemsize and not np.isfinite(cast).all():
        raise ValueError(
            f"X holds values beyond {name}, up to {np.abs(array).max():g}. Scale X, for example "
            "with StandardScaler, or set dtype='float64'."
        )
    array = cast
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).to(device)


def _take(array: Any, index: Any) -> Any:
    """Return the rows of a slice or of an array of indices."""
    if isinstance(array, Tensor) and isinstance(index, Tensor):
        return array.index_select(0, index)  # several times faster than array[index]
    return array[index]


class RowDataset(skorch.dataset.Dataset):
    """Rows, targets and weights held as whole tensors.

    Parameters
    ----------
    X : array of shape (n, n_features) or sparse matrix in CSR format
        A sparse matrix stays sparse; its batches are made dense.
    y : Tensor of shape (n, n_outputs) or (n,) or None
    sample_weight : Tensor of shape (n,) or None
    dtype : torch.dtype
    device : str
    in_parts : bool, default=False
        Whether an array stays as it is, and its batches are converted as they
        are asked for: for a single pass, which then needs no second copy.
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
        if not in_parts and not sparse.issparse(X) and not isinstance(X, Tensor):
            X = to_tensor(X, dtype or torch.get_default_dtype(), device)
        super().__init__(X, y, length=X.shape[0])
        self.sample_weight = sample_weight
        self.dtype = dtype or (X.dtype if isinstance(X, Tensor) else torch.get_default_dtype())
        self.device = device

    def rows(self, index: Any) -> tuple[Any, Tensor]:
        """Return the batch of the given rows, ``(X, y)``, in skorch's form.

        With weights, X is ``{"X": X, "sample_weight": w}``.
        """
        X = _take(self.X, index)
        if not isinstance(X, Tensor):
            X = to_tensor(X.toarray() if sparse.issparse(X) else X, self.dtype, self.device)
        y = torch.zeros(len(X)) if self.y is None else _take(self.y, index)
        if self.sample_weight is None:
            return X, y
        return {"X": X, "sample_weight": _take(self.sample_weight, index)}, y


class RowBatches:
    """Iterate over batches of a :class:`RowDataset`; each pass may draw a new order.

    Parameters
    ----------
    dataset : RowDataset
    batch_size : int
        Rows per batch; the last batch may be smaller.
    random_state : numpy.random.RandomState or None, default=None
        Source of the order. None, or a single batch, keeps the order of the rows.
    """

    def __init__(
        self,
        dataset: RowDataset,
        batch_size: int,
        random_state: np.random.RandomState | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.random_state = random_state

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]:
        n_rows = len(self.dataset)
        order: Any = None
        if self.random_state is not None and len(self) > 1:
            order = _permutation(n_rows, self.random_state, self.dataset.X)
        at_a_time = self.batch_size * self._batches_at_a_time()
        for start in range(0, n_rows, at_a_time):
            rows = slice(start, min(start + at_a_time, n_rows))
            X, y = self.dataset.rows(rows if order is None else order[rows])
            for first in range(0, len(y), self.batch_size):
                part = slice(first, first + self.batch_size)
                yield _slice(X, part), y[part]

    def _batches_at_a_time(self) -> int:
        """Return how many batches are gathered at once: as many as the cache holds."""
        X = self.dataset.X
        row_bytes = X.shape[1] * self.dataset.dtype.itemsize
        return int(max(1, GATHERED_BYTES // (row_bytes * self.batch_size)))


def _permutation(n_rows: int, random_state: np.random.RandomState, X: Any) -> Any:
    """Draw an order of rows where it is used: on the GPU for rows that lie there."""
    if isinstance(X, Tensor) and X.is_cuda:
        generator = torch.Generator(X.device).manual_seed(new_seed(random_state))
        return torch.randperm(n_rows, generator=generator, device=X.device)
    order = random_state.permutation(n_rows)
    return torch.from_numpy(order) if isinstance(X, Tensor) else order


def _slice(X: Any, part: slice) -> Any:
    return {key: value[part] for key, value in X.items()} if isinstance(X, dict) else X[part]


class FixedSplit:
    """Hand skorch the validation rows that the estimator chose."""

    def __init__(self, dataset_valid: RowDataset) -> None:
        self.dataset_valid = dataset_valid

    def __call__(self, dataset: RowDataset, y: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        return dataset, self.dataset_valid
