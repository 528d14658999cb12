"""Add nodes to a trained network, to lead it out of a local minimum."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

from skspectral.nn._linear import (
    SpectralLinear,
    check_countable,
    check_generator,
    empty_like,
    matrix_of,
    reset_layer,
)
from skspectral.nn._mlp import SpectralMLP

NEW = -1
"""Source of a node that is not a copy."""


def grow(
    module: SpectralMLP,
    layer_sizes: Sequence[int],
    *,
    spread: float = 0.5,
    generator: torch.Generator | None = None,
) -> SpectralMLP:
    r"""Widen the hidden layers of a trained network, so that training can go on.

    Half of the added nodes, at most one for each old node, split an old node in two.
    With incoming weights :math:`w_i` and outgoing weights :math:`v_{ki}`, node i and
    its copy get

    .. math::

        w_i \pm \delta_i, \quad \|\delta_i\| = \text{spread} \, \|w_i\|, \qquad
        v_{ki} / 2

    with :math:`\delta_i` in a random direction. In a spectral layer the steps are
    taken in `phi`, and both nodes have the same eigenvalues. The other added nodes
    start as those of a new network, but without weights towards old nodes. So the
    function of the network changes little, and not at all if no node is split or
    `spread` is 0.

    Parameters
    ----------
    module : SpectralMLP
        The network; it is not changed.
    layer_sizes : sequence of int
        Input columns, hidden nodes per layer, outputs, as of
        :class:`SpectralMLP`. No hidden layer may be smaller than in `module`; inputs
        and outputs are the same.
    spread : float, default=0.5
        How far the two halves of a node are moved apart, at least 0.
    generator : torch.Generator on the CPU or None, default=None
        Source of random numbers; None uses torch's global generator.

    Returns
    -------
    SpectralMLP
        A new network. In each hidden layer the old nodes come first, in their order,
        then the copies, then the new nodes.

    Raises
    ------
    TypeError
        If `module` is not a SpectralMLP.
    ValueError
        If `layer_sizes` or `spread` is not as described.
    MemoryError
        If no memory holds a network of that size.

    See Also
    --------
    shrink : The way back, to fewer nodes.

    Notes
    -----
    A network that training has left with too few nodes is often in a local minimum,
    where one node does the work of two [1]_. Splitting that node opens a way down
    [2]_. Added nodes that do not help die again under the penalty.

    References
    ----------
    .. [1] I. Safran, O. Shamir, "Spurious local minima are common in two-layer
       ReLU neural networks", ICML 2018, arXiv:1712.08968.
    .. [2] L. Wu, D. Wang, Q. Liu, "Splitting steepest descent for growing neural
       architectures", NeurIPS 2019, arXiv:1910.02366.

    Examples
    --------
    >>> from skspectral.nn import SpectralMLP, grow
    >>> grow(SpectralMLP((3, 2, 1)), (3, 8, 1)).layer_sizes
    (3, 8, 1)
    """
    sizes = _check_sizes(module, layer_sizes)
    if not (isinstance(spread, Real) and 0 <= spread < math.inf):
        raise ValueError(f"`spread` must be a finite number >= 0; got {spread!r}.")
    check_generator(generator)
    sources = [
        _sources(old, new, generator) for old, new in zip(module.layer_sizes, sizes, strict=True)
    ]
    pairs = itertools.pairwise(sources)
    return module.with_layers(
        [
            _grown(layer, inbound, outbound, spread, module.gain, generator)
            for layer, (inbound, outbound) in zip(module.layers, pairs, strict=True)
        ]
    )


def _check_sizes(module: Any, layer_sizes: Any) -> list[int]:
    if not isinstance(module, SpectralMLP):
        raise TypeError(f"`module` must be a SpectralMLP; got {type(module).__name__}.")
    old = module.layer_sizes
    new = list(layer_sizes) if isinstance(layer_sizes, Iterable) else [layer_sizes]
    fits = (
        len(new) == len(old)
        and all(isinstance(size, Integral) for size in new)
        and (new[0], new[-1]) == (old[0], old[-1])
        and all(now >= before for now, before in zip(new, old, strict=True))
    )
    if not fits:
        raise ValueError(
            f"`layer_sizes` must be integers, one per layer, with the inputs and outputs of "
            f"{old} and no hidden layer smaller; got {tuple(new)}."
        )
    check_countable(new)
    return [int(size) for size in new]


def _sources(old: int, new: int, generator: torch.Generator | None) -> Tensor:
    """Return for each node of a widened layer the one it continues or copies, or NEW."""
    n_split = min((new - old + 1) // 2, old)
    # at random: which split pays most is a matter of second derivatives, as in [2] of `grow`
    split = torch.randperm(old, generator=generator)[:n_split]
    fresh = torch.full((new - old - n_split,), NEW)
    return torch.cat([torch.arange(old), split, fresh])


def _grown(
    layer: Any,
    inbound: Tensor,
    outbound: Tensor,
    spread: float,
    gain: float,
    generator: torch.Generator | None,
) -> nn.Module:
    """Return the widened layer between nodes of the given sources."""
    sizes = len(inbound), len(outbound)
    grown: Any = empty_like(layer, *sizes, bias=layer.bias is not None)
    reset_layer(grown, generator, gain=gain)
    columns, rows = inbound != NEW, outbound != NEW
    n_parts = torch.bincount(inbound[columns])  # 2 for a node that is split, else 1
    with torch.no_grad():
        # on the CPU, where the generator is: the same nodes come out on every device
        matrix, start = matrix_of(layer).cpu(), matrix_of(grown).cpu()
        old = matrix[outbound[rows]][:, inbound[columns]] / n_parts[inbound[columns]]
        old += spread * _steps(old, outbound[rows], generator)
        start[rows] = 0.0  # from new nodes to old ones and copies: the function is kept
        start[rows.nonzero(), columns.nonzero().ravel()] = old
        matrix_of(grown).copy_(start)
        if isinstance(layer, SpectralLinear):
            # new nodes keep the eigenvalues of a fresh layer
            grown.lambda_in[columns] = layer.lambda_in[inbound[columns]]
            grown.lambda_out[rows] = layer.lambda_out[outbound[rows]]
        if layer.bias is not None:
            grown.bias[rows] = layer.bias[outbound[rows]]
    widened: nn.Module = grown
    return widened


def _steps(weights: Tensor, sources: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return random steps for nodes that are split, opposite for both, zero for the others.

    Each step is as long as the row of weights.

    Parameters
    ----------
    weights : Tensor of shape (n_nodes, n_inputs)
    sources : int Tensor of shape (n_nodes,)
        Old nodes in their order, then the one that each copy was split off.
    generator : torch.Generator or None
    """
    n_old = int(sources.max()) + 1  # copies only repeat numbers of old nodes
    split = sources[n_old:]
    copies = weights[n_old:]
    # normal numbers, normalised: directions that are uniform on the sphere
    directions = torch.randn(copies.shape, generator=generator, dtype=torch.float64)
    directions /= directions.norm(dim=1, keepdim=True)
    moves = directions.to(weights.dtype) * copies.norm(dim=1, keepdim=True)
    steps = torch.zeros_like(weights)
    steps[split] = moves
    steps[n_old:] = -moves
    return steps
