"""Say in plain words that a network does not fit into memory."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from skspectral.nn._architecture import n_weights
from skspectral.nn._linear import TOO_MANY, about

MANY_WEIGHTS = 10**8
"""Weights below which torch's own error is shown: it has another reason."""


def check_room(n_members: int, layer_sizes: Sequence[int], dtype: torch.dtype) -> None:
    """Raise MemoryError where so many networks cannot be allocated.

    Parameters
    ----------
    n_members : int
    layer_sizes : sequence of int
        Inputs, hidden nodes per layer, outputs, of each.
    dtype : torch.dtype
    """
    if n_members == 1:  # for which torch tells
        return
    n = n_members * n_weights(layer_sizes)
    try:
        if n >= TOO_MANY:  # which torch cannot count
            raise MemoryError
        torch.empty(n, dtype=dtype)  # nothing is written, so it costs next to nothing
    except (RuntimeError, MemoryError) as error:
        raise MemoryError(
            f"`n_members`={n_members} networks have {about(n)} weights together, for which there "
            "is not enough memory. Lower `n_members`."
        ) from error


@contextmanager
def enough_memory(layer_sizes: Sequence[int]) -> Iterator[None]:
    """Raise MemoryError where torch cannot allocate a network.

    Parameters
    ----------
    layer_sizes : sequence of int
        Inputs, hidden nodes per layer, outputs.

    Raises
    ------
    MemoryError
        That names the sizes and the parameter, in place of torch's RuntimeError or the
        MemoryError of :class:`SpectralMLP`.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        n = n_weights(layer_sizes)
        if n < MANY_WEIGHTS:
            raise
        raise MemoryError(
            f"A network of layers of {', '.join(map(str, layer_sizes))} nodes has {about(n)} "
            "weights, for which there is not enough memory. Lower `hidden_layer_sizes`."
        ) from error
