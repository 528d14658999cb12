"""Nodes that no input of the training data can make speak."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import torch
from torch import Tensor, nn

from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._relevance import hidden_relevances

SMALL = 1e-3
"""Relevance, as a share of the layer's largest, above which no node counts as silent."""
NOISE = 1e-4
"""Share of the largest that Adam's noise gives back to a node on its way to zero.

Once gradients are below its epsilon Adam steps are too long, and weights that had nearly vanished
swing until the rate falls. Measured: relevances that had fallen below 1e-8 of the largest came
back to between 2e-7 and 5e-5 of it, once to 1.3e-4.
"""
MARGIN = 2.0
"""Factor by which the bias must outweigh what inputs can contribute."""


def silent_nodes(module: SpectralMLP, largest_input: float, noise: float = NOISE) -> list[Tensor]:
    r"""Tell which relu nodes stay below zero for every input of the training data.

    By Cauchy and Schwarz that is certain where

    .. math::

        b_i < - \|w_i\| \, \max_x \|x\| .

    Such a node emits zero and gets no gradient from the data: its weights only
    shrink, and nothing but the order of summation depends on it. Asked for is more than that, a
    small relevance and a margin for the optimiser's noise.

    Parameters
    ----------
    module : SpectralMLP
    largest_input : float
        Largest norm of a row of the training data.
    noise : float, default=1e-4
        Share of the layer's largest relevance that the optimiser may give back
        to a node; zero where training is over.

    Returns
    -------
    list of bool Tensor of shape (n_nodes,)
        One per hidden layer; False everywhere for other activations, and for
        layers without bias.
    """
    silent = []
    for layer, relevance in zip(module.hidden_layers, hidden_relevances(module), strict=True):
        bias = layer.bias if isinstance(layer.bias, Tensor) else None
        if bias is None or not isinstance(module.activation, nn.ReLU):
            silent.append(torch.zeros_like(relevance, dtype=torch.bool))
            continue
        largest = relevance.max()
        reach = MARGIN * torch.clamp(relevance, min=noise * largest) * largest_input
        mask = (relevance <= SMALL * largest) & (bias.detach() < -reach)
        mask[relevance.argmax()] = False  # a layer that has died altogether keeps a node
        silent.append(mask)
        # the norm of relu(z) is at most that of z
        norms = torch.linalg.vector_norm(relevance), torch.linalg.vector_norm(bias.detach())
        largest_input = float(norms[0] * largest_input + norms[1])
    return silent
