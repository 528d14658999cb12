"""Silent nodes: those that are zero for every row of the training data."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

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
    silent = []
    for layer, relevance in zip(module.hidden_layers, hidden_relevances(module), strict=True):
        bias = layer.bias if isinstance(layer.bias, Tensor) else None
        if bias is None or not isinstance(module.activation, nn.ReLU):
            silent.append(torch.zeros_like(relevance, dtype=torch.bool))
            continue
        largest = relevance.max()
        reach = MARGIN * torch.clamp(relevance, min=noise * largest) * largest_input
        mask = (relevance <= SMALL * largest) & (bias.detach() < -reach)
        mask[relevance.argmax()] = False  # a layer must keep one node, even if all of them died
        silent.append(mask)
        # bounds the inputs of the next layer: |relu(z)| <= |z|, and |W x| <= |W|_F |x|
        norms = torch.linalg.vector_norm(relevance), torch.linalg.vector_norm(bias.detach())
        largest_input = float(norms[0] * largest_input + norms[1])
    return silent
