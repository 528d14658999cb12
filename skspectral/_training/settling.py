"""Tell whether training was long enough for the size of a network to settle at its penalty."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skspectral._training.penalty import Penalty
from skspectral.nn._linear import SpectralLinear

FED = 0.5
"""Feed ratio above which a node is fed: the data hold it against the penalty."""
FED_SHARE = 0.95
"""Share of alive nodes that must be fed in a settled network."""
NODES_LOST_SHARE = 0.05
"""Share of nodes that may have died in the second half of training."""


@dataclass(frozen=True)
class Settling:
    """What tells whether the size of a trained network has settled.

    Parameters
    ----------
    n_alive : int
        Alive hidden nodes of the spectral layers.
    n_fed : int
        Alive nodes with a feed ratio above 0.5.
    n_half_way : int
        Nodes that were alive when half of the summed learning rate was spent.
    has_skip : bool, default=False
        Whether a linear skip does its work without nodes, so that none is a size, too.
    """

    n_alive: int
    n_fed: int
    n_half_way: int
    has_skip: bool = False

    @property
    def settled(self) -> bool:
        """Whether nodes are left, nearly all of them are fed and their number no longer falls.

        A settled size says that training was long enough for this penalty, no more. Nodes that
        have died do not come back: beside a linear skip a network without any has settled.
        """
        if self.has_skip and not self.n_alive:
            return True
        fell = self.n_half_way - self.n_alive
        fed = self.n_alive > 0 and self.n_fed >= FED_SHARE * self.n_alive
        # one node may always go: in a small layer it is more than the share
        return fed and fell <= max(1, NODES_LOST_SHARE * self.n_half_way)


def feed_ratios(layer: nn.Module, penalty: Penalty) -> Tensor | None:
    r"""Compare, node by node, the pull of the data with that of the penalty.

    .. math::

        s_i = - \frac{\langle w_i, \partial D / \partial w_i \rangle
                      + b_i \, \partial D / \partial b_i}
                     {2 \alpha_\lambda \lambda_i^2}

    with :math:`D` the data term of the loss. The ratio is 1 if both balance, and
    near 0 if the node only shrinks.

    For `lambda_in` = 0, :math:`\lambda_i \partial D / \partial \lambda_i
    = \langle w_i, \partial D / \partial w_i \rangle`, so the ratio is computed from
    the gradient of the eigenvalue. If `lambda_out` is not penalised, or is not the
    only factor of the row that changes, the row of `phi` takes its place.

    The term of the bias vanishes at a stationary point, as biases are not
    penalised. Without it, noise that is left in the bias makes nodes look unfed.
    With it, the pull on a relu node equals the pull on its outgoing weights, as
    the loss depends on their product alone.

    Parameters
    ----------
    layer : Module
        Its ``.grad`` hold the gradients of the data term.
    penalty : Penalty

    Returns
    -------
    Tensor of shape (n_nodes,) or None
        None if the layer is dense or its nodes are not penalised.
    """
    if not isinstance(layer, SpectralLinear):
        return None
    row_gradient, phi_gradient = layer.lambda_out.grad, layer.phi.grad
    # with both trained, columns and rows change too: lambda_out tells only part of it
    alone = not (layer.train_lambda_in and layer.train_phi)
    if row_gradient is not None and penalty.lambda_ > 0 and alone:
        factor, gradient, alpha = layer.lambda_out[:, None], row_gradient[:, None], penalty.lambda_
    elif phi_gradient is not None and penalty.phi > 0:
        factor, gradient, alpha = layer.phi, phi_gradient, penalty.phi
    else:
        return None
    # a node at exactly 0 has a penalty of 0: its ratio is 0, not nan
    tiny = torch.finfo(factor.dtype).tiny
    pull = -(factor * gradient).sum(dim=1)
    if layer.bias is not None and layer.bias.grad is not None:
        pull = pull - layer.bias * layer.bias.grad
    return (pull / (2 * alpha * factor.square().sum(dim=1)).clamp_min(tiny)).detach()


def half_way(learning_rate_sums: Sequence[float]) -> int:
    """Return the index of the epoch by which half of the summed learning rate was spent."""
    half = learning_rate_sums[-1] / 2
    return next(i for i, spent in enumerate(learning_rate_sums) if spent >= half)
