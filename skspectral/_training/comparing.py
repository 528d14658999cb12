"""Compare networks at one penalty, and losses with that of a network without weights."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

import torch
from torch import Tensor

from skspectral._training.batches import RowDataset
from skspectral._training.net import SpectralNet
from skspectral._training.penalty import Penalty


@torch.no_grad()
def loss_at(net: SpectralNet, dataset: RowDataset, penalty: Penalty | None) -> float:
    """Return the penalised loss of a network as it is, over all rows; inf if it is not finite.

    Parameters
    ----------
    net : SpectralNet
    dataset : RowDataset
    penalty : Penalty or None
        Whatever it was trained with; None: the data term alone.
    """
    total = torch.zeros((), dtype=torch.float64, device=net.device)
    for X, y in net.get_iterator(dataset):
        total += net.get_loss(net.infer(X), y, X=X).double() * len(y)
    loss = float(total) / len(dataset)
    if penalty is not None:
        loss += penalty.value(net.module_)
    return loss if math.isfinite(loss) else math.inf


@torch.no_grad()
def loss_of_zero(net: SpectralNet, y: Tensor, weight: Tensor | None) -> float:
    """Return the data term if all outputs are zero; a useful network is below it."""
    n_outputs = net.module_.layer_sizes[-1]
    # without an array of rows times outputs, of which there may be thousands
    if net.out_activation == "identity":
        losses = torch.linalg.vector_norm(y, dim=1).square() / n_outputs
        return float(losses.mean() if weight is None else (weight * losses).mean())
    # zeros give every class the same probability, so one row tells the loss of all
    zeros = torch.zeros(1, n_outputs, dtype=net.dtype, device=net.device)
    loss = float(net.criterion_(zeros, y[:1]))
    return loss if weight is None else loss * float(weight.mean())
