"""Backward elimination: the nodes of the last hidden layer that pay for their parameters."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from skspectral._training.batches import RowDataset
from skspectral._training.losses import weight_of
from skspectral._training.net import SpectralNet
from skspectral._training.sparse_rows import SparseRows

CURVATURES = {"identity": 1.0, "logistic": 1 / 8, "softmax": 1 / 4}
"""Largest rise of the loss, from its minimum, by the squared change of the outputs."""
RIDGE = 1e-10
"""Share of the largest norm of a column that keeps equal columns apart."""


def price_of_node(net: SpectralNet, loss: float, n_rows: int) -> float:
    r"""Return by how much a node of the last hidden layer must lower the loss to pay for itself.

    By Schwarz's criterion (BIC [1]_) each parameter must raise twice the log-likelihood by
    :math:`\log n`. A node has its incoming weights, its bias and its outgoing weights.

    Parameters
    ----------
    net : SpectralNet
        Without dead nodes.
    loss : float
        Its data term, which is the variance of the noise where targets are numbers.
    n_rows : int

    References
    ----------
    .. [1] G. Schwarz, "Estimating the dimension of a model", Annals of Statistics 6, 461-464
       (1978), https://doi.org/10.1214/aos/1176344136.
    """
    *_, n_below, _, n_outputs = net.module_.layer_sizes
    deviance = (n_below + 1 + n_outputs) * math.log(n_rows)
    # a change of the loss from a change of the deviance of all rows
    change = loss if net.out_activation == "identity" else 0.5
    return deviance * change / (n_rows * _n_losses(net))


@torch.no_grad()
def paying_nodes(net: SpectralNet, dataset: RowDataset, price: float) -> np.ndarray:
    """Tell which nodes of the last hidden layer lower the loss by more than they cost.

    One after the other the node is taken out without which the loss rises least, when the outgoing
    weights of the others make up for it as well as they can. Where targets are classes the rise is
    an upper bound.

    Parameters
    ----------
    net : SpectralNet
    dataset : RowDataset
        That it was trained on.
    price : float
        As :func:`price_of_node` returns it.

    Returns
    -------
    ndarray of shape (n_nodes,), dtype bool
        One node at least pays.
    """
    *_, n_nodes, n_outputs = net.module_.layer_sizes
    table = _triangle(net, dataset)
    per_square = CURVATURES[net.out_activation] / (len(dataset) * _n_losses(net))
    pays = np.ones(n_nodes, dtype=bool)
    for _ in range(n_nodes - 1):
        nodes = np.flatnonzero(pays)
        kept = [*nodes, *range(n_nodes, table.shape[1])]
        rises = per_square * _rises(table[:, kept], n_outputs)[: len(nodes)]
        if rises.min() >= price:
            break
        pays[nodes[rises.argmin()]] = False
    return pays


def _n_losses(net: SpectralNet) -> int:
    """Return how many losses are averaged for one row."""
    return 1 if net.out_activation == "softmax" else int(net.module_.layer_sizes[-1])


def _triangle(net: SpectralNet, dataset: RowDataset) -> np.ndarray:
    """Return the triangular factor of a QR decomposition over all rows, weighted.

    Of what the outputs are linear in, the nodes, a constant and the columns of a linear skip, and
    of the outputs themselves: for least squares it stands for all rows.
    """
    size = sum(net.module_.layer_sizes[-2:]) + 1
    if net.module_.skip is not None:
        size += net.module_.layer_sizes[0]
    factor = torch.zeros(0, size, dtype=torch.float64, device=net.device)
    for X, _ in net.get_iterator(dataset):
        rows = _linear_parts(net, X)
        weight = weight_of(X)
        if weight is not None:
            rows *= weight.double().sqrt()[:, None]
        factor = torch.linalg.qr(torch.cat([factor, rows]), mode="r").R
    ridge = RIDGE * torch.linalg.vector_norm(factor, dim=0).max() * torch.eye(size).to(factor)
    table: np.ndarray = torch.linalg.qr(torch.cat([factor, ridge]), mode="r").R.cpu().numpy()
    return table


def _linear_parts(net: SpectralNet, X: object) -> Tensor:
    """Return nodes, constant, columns of a skip, and outputs, float64, for a batch."""
    x = net.as_input(X)
    hidden = net.module_.last_hidden(x)
    parts = [hidden, torch.ones_like(hidden[:, :1])]
    if net.module_.skip is not None:
        parts.append(x.dense() if isinstance(x, SparseRows) else x)
    return torch.cat([*parts, net.module_(x)], dim=1).double()


def _rises(table: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return how the sum of squares rises if the outputs, in the last columns, lose a column.

    Parameters
    ----------
    table : ndarray of shape (n, n_columns + n_outputs)
    n_outputs : int

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    n_columns = table.shape[1] - n_outputs
    columns, outputs = np.hsplit(np.linalg.qr(table, mode="r")[:n_columns], [n_columns])
    inverse = np.linalg.inv(columns)
    coefs = inverse @ outputs
    rises: np.ndarray = np.square(coefs).sum(axis=1) / np.square(inverse).sum(axis=1)
    return rises
