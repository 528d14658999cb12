"""Backward elimination: the nodes of the last hidden layer that pay for their parameters."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from typing import Any

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
MOST_COLUMNS = 1000
"""Columns of a linear skip, at most, that make up for nodes."""


def price_of_node(net: SpectralNet, loss: float, n_rows: float) -> float:
    r"""Return by how much a node of the last hidden layer must lower the loss to pay for itself.

    By Schwarz's criterion (BIC [1]_) each parameter must raise twice the log-likelihood by
    :math:`\log n`. A node has its incoming weights, its bias and its outgoing weights, however
    these are made of eigenvalues and eigenvectors.

    Parameters
    ----------
    net : SpectralNet
        Without dead nodes.
    loss : float
        Its data term, which is the variance of the noise where targets are numbers.
    n_rows : float
        Rows, or the sum of their weights.

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

    One after the other the node is taken out without which the loss would rise least, if the
    outgoing weights of the others, the bias and a linear skip made up for it as well as they can.
    The rise is the square by which the outputs change; where targets are classes it is the most
    that this can cost.

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
    layer: Any = net.module_.layers[-1]
    nodes = _triangle(net, dataset)
    outputs = nodes @ layer.weight.double().cpu().numpy().T
    n_nodes = nodes.shape[1]
    per_square = CURVATURES[net.out_activation] / (len(dataset) * _n_losses(net))
    pays = np.ones(n_nodes, dtype=bool)
    for _ in range(n_nodes - 1):
        kept = np.flatnonzero(pays)
        rises = per_square * _rises(nodes[:, kept], outputs)
        if not rises.min() < price:
            break
        pays[kept[rises.argmin()]] = False
    return pays


def _n_losses(net: SpectralNet) -> int:
    """Return how many losses are averaged for one row."""
    return 1 if net.out_activation == "softmax" else int(net.module_.layer_sizes[-1])


def _triangle(net: SpectralNet, dataset: RowDataset) -> np.ndarray:
    """Return the triangular factor of the last hidden layer over all rows, weighted.

    For least squares it stands for the layer without what a constant and the columns of a skip
    make up for: with these in front, it is the last block of a QR decomposition of all.
    """
    n_nodes = net.module_.layer_sizes[-2]
    factor: Any = None
    for X, _ in net.get_iterator(dataset):
        rows = _always_and_nodes(net, X)
        rows = rows if factor is None else torch.cat([factor, rows])
        factor = torch.linalg.qr(rows, mode="r").R
    size = factor.shape[1]
    ridge = RIDGE * torch.linalg.vector_norm(factor, dim=0).max() * torch.eye(size).to(factor)
    factor = torch.linalg.qr(torch.cat([factor, ridge]), mode="r").R
    table: np.ndarray = factor[-n_nodes:, -n_nodes:].cpu().numpy()
    return table


def _always_and_nodes(net: SpectralNet, X: object) -> Tensor:
    """Return a constant, the columns of a skip, and the last hidden layer of a batch, float64."""
    x = net.as_input(X)
    hidden = net.module_.last_hidden(x)
    parts = [torch.ones_like(hidden[:, :1]), hidden]
    if net.module_.skip is not None and net.module_.layer_sizes[0] <= MOST_COLUMNS:
        parts.insert(0, x.dense() if isinstance(x, SparseRows) else x)
    rows = torch.cat(parts, dim=1).double()
    weight = weight_of(X)
    return rows if weight is None else rows * weight.double().sqrt()[:, None]


def _rises(columns: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return by how much the squares left rise without a column, for each column.

    Parameters
    ----------
    columns : ndarray of shape (n, n_columns)
        Of full rank.
    outputs : ndarray of shape (n, n_outputs)
        What the columns are fitted to.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    orthogonal, factor = np.linalg.qr(columns)
    inverse = np.linalg.inv(factor)
    coefs = inverse @ (orthogonal.T @ outputs)
    rises: np.ndarray = np.square(coefs).sum(axis=1) / np.square(inverse).sum(axis=1)
    return rises
