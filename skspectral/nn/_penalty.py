"""The L2 penalty as a term of the loss, for training loops of one's own."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any

from torch import Tensor, nn

from skspectral.nn._hidden import WITH_ROWS
from skspectral.nn._linear import SpectralLinear, held_parameters
from skspectral.nn._reparametrize import factors_of
from skspectral.nn._skip import SKIP_SHARE, LinearSkip

PENALISED = (
    *WITH_ROWS,
    SpectralLinear,
    LinearSkip,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
"""Layers that are penalised."""


def penalty(module: nn.Module, alpha: float) -> Tensor:
    r"""Compute the L2 penalty of a module, to be added to the loss of a training loop.

    .. math::

        P = \alpha \Big( \sum_\text{spectral} \|\phi\|^2 + \|\lambda\|^2
            + \sum_\text{dense} \|w\|^2 \Big)

    Each layer is in it, the output too: otherwise scale escapes to where it costs nothing.
    Biases, and what is not trained, are not.

    Parameters
    ----------
    module : torch.nn.Module
        With layers of :func:`reparametrize`, SpectralLinear layers, and others. Of the others
        the weights of Linear and convolutional layers are penalised, and the linear skip of
        a SpectralMLP by a tenth of `alpha`.
    alpha : float
        Coefficient, at least 0, in units of the loss.

    Returns
    -------
    Tensor of shape ()
        The penalty, which can be differentiated.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module.
    ValueError
        If `alpha` is not a finite number of at least 0, or `module` has no such layer.

    See Also
    --------
    penalty_alpha : A value of `alpha` that follows the noise.

    Notes
    -----
    At the cheapest split of a node's weights, the penalty is
    :math:`2 \alpha \sum_i \|w_i\|` of a spectral layer: a group lasso, with nodes or channels
    as groups. Weight decay of the optimiser comes on top, so leave it at 0; AdamW has 0.01
    by default.

    Examples
    --------
    >>> from torch import nn
    >>> from skspectral.nn import penalty, reparametrize
    >>> module = reparametrize(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)))
    >>> rows = module[0].weight.norm(dim=1).sum()
    >>> expected = 0.1 * (2 * rows + module[2].weight.square().sum())
    >>> bool((penalty(module, 0.1) - expected).abs() < 1e-6)
    True
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"`module` must be a torch.nn.Module; got {type(module).__name__}.")
    if not isinstance(alpha, Real) or not 0 <= alpha < math.inf:
        raise ValueError(f"`alpha` must be a finite number >= 0; got {alpha!r}.")
    layers = [layer for layer in module.modules() if isinstance(layer, PENALISED)]
    if not layers:
        raise ValueError(
            "`module` must have Linear or convolutional layers, whose weights are what is "
            f"penalised; {type(module).__name__} has none."
        )
    total = next(module.parameters()).new_zeros(())
    for layer in layers:
        share = SKIP_SHARE if isinstance(layer, LinearSkip) else 1.0
        for tensor in _trained(layer):
            total = total + share * tensor.square().sum().to(total)
    return float(alpha) * total


def node_factors(first: nn.Module, second: nn.Module | None) -> int:
    """Return how many trained factors a node has that are penalised, at least 2.

    The penalty of a node is the geometric mean of its factors' squares, times their number.

    Parameters
    ----------
    first : Module
        The layer of the node.
    second : Module or None
        The one above, which holds its outgoing weights; None: unknown, and counted as dense.
    """
    n_incoming, n_outgoing = 1, 1  # a dense layer's weights
    factors = factors_of(first)
    if factors is not None:
        n_incoming = sum(factor.requires_grad for factor in factors)
    if isinstance(first, SpectralLinear):
        # lambda_in belongs to the columns, which all nodes share
        n_incoming = first.train_phi + (first.train_lambda_out and not first.train_lambda_in)
    if isinstance(second, SpectralLinear):
        n_outgoing = second.train_phi + second.train_lambda_in
    return max(2, int(n_incoming + n_outgoing))


def _trained(layer: Any) -> Iterator[Tensor]:
    """Yield the tensors of a layer that are penalised and trained."""
    factors = factors_of(layer)
    if factors is not None:
        yield from (factor for factor in factors if factor.requires_grad)
        return
    names = (
        ("phi", "lambda_in", "lambda_out") if isinstance(layer, SpectralLinear) else ("weight",)
    )
    for name in names:
        if any(tensor.requires_grad for tensor in held_parameters(layer, name)):
            yield getattr(layer, name)
