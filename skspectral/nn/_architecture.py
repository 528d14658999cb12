"""All that a network is built from, as one value."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from skspectral.nn._mlp import SpectralMLP


def n_weights(layer_sizes: Sequence[int]) -> int:
    """Return the number of weights between layers, without biases."""
    return sum(n_in * n_out for n_in, n_out in itertools.pairwise(layer_sizes))


@dataclass(frozen=True)
class Architecture:
    """Sizes and kinds of the layers of a :class:`SpectralMLP`.

    Two networks of equal architecture differ in their weights alone.

    Parameters
    ----------
    layer_sizes : tuple of int
        Inputs, hidden nodes per layer, outputs.
    activation, parametrization, eigenvalues, trainable, bias, skip
        As in :class:`SpectralMLP`; `parametrization` is a string or a tuple.
    dtype : torch.dtype
        Of the weights.
    """

    layer_sizes: tuple[int, ...]
    activation: str = "relu"
    parametrization: str | tuple[str, ...] = "spectral"
    eigenvalues: str = "out"
    trainable: str = "all"
    bias: bool = True
    dtype: torch.dtype = torch.float32
    skip: bool = False

    @property
    def hidden_layer_sizes(self) -> tuple[int, ...]:
        """Nodes per hidden layer."""
        return self.layer_sizes[1:-1]

    def build(self, generator: torch.Generator | None = None) -> SpectralMLP:
        """Return a new network on the CPU.

        Parameters
        ----------
        generator : torch.Generator on the CPU or None, default=None
            Source of the initial weights; None uses torch's global generator.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return SpectralMLP(**values, generator=generator)
