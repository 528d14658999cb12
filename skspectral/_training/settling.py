"""Tell whether the size of a network has settled, or more training would remove more nodes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skspectral._training.penalty import Penalty
from skspectral.nn._linear import SpectralLinear

FED = 0.5
"""Feed ratio above which the data hold a node against the penalty."""
FED_SHARE = 0.95
"""Share of alive nodes that must be fed."""
LOSS_SHARE = 0.05
"""Share of nodes that may have died over the second half of training."""


@dataclass(frozen=True)
class Settling:
    """Evidence on the size of a network after training.

    Parameters
    ----------
    n_alive : int
        Alive hidden nodes in spectral layers.
    n_fed : int
        Those whose feed ratio exceeds 0.5.
    n_half_way : int
        Alive hidden nodes when half of the summed learning rate was spent.
    """

    n_alive: int
    n_fed: int
    n_half_way: int

    @property
    def settled(self) -> bool:
        """Whether nodes are left, nearly all are fed, and the count has stopped falling."""
        fell = self.n_half_way - self.n_alive
        fed = self.n_alive > 0 and self.n_fed >= FED_SHARE * self.n_alive
        return fed and fell <= max(1, LOSS_SHARE * self.n_half_way)


def feed_ratios(layer: nn.Module, penalty: Penalty) -> Tensor | None:
    r"""Compare, node by node, the pull of the data with that of the penalty.

    .. math::

        s_i = - \frac{\langle w_i, \partial D / \partial w_i \rangle
                      + b_i \, \partial D / \partial b_i}
                     {2 \alpha_\lambda \lambda_i^2}

    with :math:`D` the data term of the loss: 1 where both balance, near 0 where
    the node only shrinks. As :math:`\lambda_i \partial D / \partial \lambda_i
    = \langle w_i, \partial D / \partial w_i \rangle` for `lambda_in` = 0, it is
    computed from the gradient of the eigenvalue. The term of the bias vanishes at
    a stationary point, as biases are not penalised; without it the last noise in
    the bias makes nodes look unfed. With it, a relu node's pull equals that on
    its outgoing weights, for the loss depends on their product alone. Where `lambda_out` does not
    scale the row alone, or is not penalised, the row of `phi` takes its place.

    Parameters
    ----------
    layer : Module
        With gradients of the data term in ``.grad``.
    penalty : Penalty

    Returns
    -------
    Tensor of shape (n_nodes,) or None
        None where the layer is dense or its nodes are not penalised.
    """
    if not isinstance(layer, SpectralLinear):
        return None
    row_gradient, phi_gradient = layer.lambda_out.grad, layer.phi.grad
    alone = not (layer.train_lambda_in and layer.train_phi)
    if row_gradient is not None and penalty.lambda_ > 0 and alone:
        factor, gradient, alpha = layer.lambda_out[:, None], row_gradient[:, None], penalty.lambda_
    elif phi_gradient is not None and penalty.phi > 0:
        factor, gradient, alpha = layer.phi, phi_gradient, penalty.phi
    else:
        return None
    tiny = torch.finfo(factor.dtype).tiny
    pull = -(factor * gradient).sum(dim=1)
    if layer.bias is not None and layer.bias.grad is not None:
        pull = pull - layer.bias * layer.bias.grad
    return (pull / (2 * alpha * factor.square().sum(dim=1)).clamp_min(tiny)).detach()


def half_way(learning_rate_sums: Sequence[float]) -> int:
    """Return the index of the epoch by which half of the summed learning rate was spent."""
    half = learning_rate_sums[-1] / 2
    return next(i for i, spent in enumerate(learning_rate_sums) if spent >= half)
