"""Say in plain words that a network does not fit into memory."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from skspectral.nn._architecture import n_weights

MANY_WEIGHTS = 10**8
"""Weights below which torch's own error is shown: it has another reason."""


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
            f"A network of layers of {', '.join(map(str, layer_sizes))} nodes has {n:.2g} "
            "weights, for which there is not enough memory. Lower `hidden_layer_sizes`."
        ) from error
