"""Upper layers with new weights above layers that are kept."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch

from skspectral.nn._linear import empty_like, reset_layer
from skspectral.nn._mlp import SpectralMLP


def with_new_upper_layers(
    module: SpectralMLP,
    n_kept: int,
    hidden_sizes: Sequence[int],
    generator: torch.Generator | None = None,
) -> SpectralMLP:
    """Return a copy whose layers above the first few start anew, of other sizes.

    Parameters
    ----------
    module : SpectralMLP
    n_kept : int
        Hidden layers that keep their nodes and weights, fewer than there are.
    hidden_sizes : sequence of int
        Nodes of all hidden layers; those of kept layers do not count.
    generator : torch.Generator on the CPU or None, default=None
        Source of random numbers; None uses torch's global generator.
    """
    n_inputs, *sizes, n_outputs = module.layer_sizes
    widths = [n_inputs, *sizes[:n_kept], *hidden_sizes[n_kept:], n_outputs]
    kept = [copy.deepcopy(layer) for layer in module.layers[:n_kept]]
    pairs = itertools.pairwise(widths[n_kept:])
    upper: list[Any] = [
        empty_like(layer, *pair, bias=layer.bias is not None)
        for layer, pair in zip(module.layers[n_kept:], pairs, strict=True)
    ]
    for layer in upper:
        reset_layer(layer, generator, gain=module.gain)
    return module.with_layers([*kept, *upper])
