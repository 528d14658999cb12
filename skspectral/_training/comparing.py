"""Compare networks at one penalty."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

import torch

from skspectral._training.batches import RowDataset
from skspectral._training.net import SpectralNet
from skspectral._training.penalty import Penalty


@torch.no_grad()
def loss_at(net: SpectralNet, dataset: RowDataset, penalty: Penalty) -> float:
    """Return the penalised loss of a network as it is, over all rows; inf if it is not finite.

    Parameters
    ----------
    net : SpectralNet
    dataset : RowDataset
    penalty : Penalty
        Whatever it was trained with.
    """
    total = torch.zeros((), dtype=torch.float64, device=net.device)
    for X, y in net.get_iterator(dataset):
        total += net.get_loss(net.infer(X), y, X=X).double() * len(y)
    loss = float(total) / len(dataset) + penalty.value(net.module_)
    return loss if math.isfinite(loss) else math.inf
