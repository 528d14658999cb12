"""Silent nodes: those that are zero for every row of the training data."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._relevance import hidden_relevances

SMALL = 1e-3
"""Share of the layer's largest relevance above which no node counts as silent."""
NOISE = 1e-4
"""Share of the largest relevance that Adam's noise gives back to a node on its way to zero.

Once gradients are below its epsilon, Adam's steps are too long. Weights that had nearly vanished
then swing until the rate falls. Measured: relevances that had fallen below 1e-8 of the largest
came back to between 2e-7 and 5e-5 of it, once to 1.3e-4.
"""
MARGIN = 2.0
"""Factor by which the bias must exceed the largest contribution of the inputs."""


def silent_nodes(module: SpectralMLP, largest_input: float, noise: float = NOISE) -> list[Tensor]:
    r"""Tell which relu nodes stay below zero for every input of the training data.

    By the Cauchy-Schwarz inequality this is certain if

    .. math::

        b_i < - \|w_i\| \, \max_x \|x\| .

    The output of such a node is zero, and it gets no gradient from the data. Its
    weights only shrink, and without it only the order of summation changes. To be
    safe, a silent node must also have a small relevance, and the inequality must
    hold with a margin for the optimiser's noise.

    Parameters
    ----------
    module : SpectralMLP
    largest_input : float
        Largest norm of a row of the training data.
    noise : float, default=1e-4
        Share of the layer's largest relevance that the optimiser may give back
        to a node; zero if training is over.

    Returns
    -------
    list of bool Tensor of shape (n_nodes,)
        One per hidden layer; all False for other activations and for layers
        without bias.
    """
    relevances = hidden_relevances(module)
    biases = [
        layer.bias if isinstance(layer.bias, Tensor) else None for layer in module.hidden_layers
    ]
    if not isinstance(module.activation, nn.ReLU):
        biases = [None] * len(biases)
    return silent_masks(relevances, biases, largest_input, noise)


def silent_masks(
    relevances: Sequence[Tensor],
    biases: Sequence[Tensor | None],
    largest_input: Tensor | float,
    noise: float,
) -> list[Tensor]:
    """Tell which nodes are silent, of one network or of several side by side.

    Parameters
    ----------
    relevances : sequence of Tensor of shape (..., n_nodes)
    biases : sequence of (Tensor of shape (..., n_nodes) or None)
        None: no node of that layer is silent.
    largest_input : float or Tensor of shape (...)
    noise : float
        As in :func:`silent_nodes`.

    Returns
    -------
    list of bool Tensor of shape (..., n_nodes)
    """
    silent = []
    for relevance, bias in zip(relevances, biases, strict=True):
        if bias is None:
            silent.append(torch.zeros_like(relevance, dtype=torch.bool))
            continue
        bias = bias.detach()
        largest, where = relevance.max(dim=-1, keepdim=True)
        bound = torch.as_tensor(largest_input, dtype=relevance.dtype, device=relevance.device)
        reach = MARGIN * torch.maximum(relevance, noise * largest) * bound[..., None]
        mask = (relevance <= SMALL * largest) & (bias < -reach)
        mask.scatter_(-1, where, False)  # a layer must keep one node, even if all of them died
        silent.append(mask)
        # bounds the inputs of the next layer: |relu(z)| <= |z|, and |W x| <= |W|_F |x|
        norms = (torch.linalg.vector_norm(part, dim=-1) for part in (relevance, bias))
        largest_input = next(norms) * bound + next(norms)
    return silent
