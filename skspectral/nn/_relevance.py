"""How much each node matters: row norms of the effective weights."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skspectral.nn._hidden import TRANSPOSED, hidden_layers
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP

COLLAPSED = 1e-4
"""A layer whose largest relevance fell below this fraction of its start has died."""


def node_relevance(module: nn.Module) -> Tensor | list[Tensor]:
    r"""Compute the relevance of nodes: norms of the rows of effective weight matrices.

    .. math::

        R_i = \| w_i \|_2 = |\lambda^{out}_i| \, \| \phi_i \|_2
        \quad (\lambda^{in} = 0)

    which is :math:`R^{spectral}` for a spectral layer without inbound
    eigenvalues and :math:`R^{dense}` for a dense one.

    Parameters
    ----------
    module : torch.nn.Module
        A layer: SpectralLinear, torch.nn.Linear, or a convolution, whose nodes are its
        channels. Or a stack of layers: a SpectralMLP, or any module that holds some.

    Returns
    -------
    Tensor of shape (out_features,) or list of them
        For a layer its nodes' relevances; for a stack one tensor per hidden
        layer. Of a module that is no SpectralMLP these are its Linear and convolutional
        layers, as they are defined, without the last. Detached from the graph.

    Raises
    ------
    TypeError
        If `module` is neither a stack nor has a weight matrix, or is a transposed convolution.

    Notes
    -----
    Relevances compare nodes within a layer, after division by its maximum.
    They measure size only for positively homogeneous activations (identity,
    relu) and at a stationary point of the penalised loss.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.

    Examples
    --------
    >>> import torch
    >>> from skspectral.nn import SpectralLinear, node_relevance
    >>> layer = SpectralLinear(3, 2)
    >>> expected = layer.lambda_out.abs() * layer.phi.norm(dim=1)
    >>> torch.allclose(node_relevance(layer), expected)
    True
    """
    if isinstance(module, SpectralMLP):
        return hidden_relevances(module)
    if isinstance(getattr(module, "weight", None), Tensor):
        return weight_norms(module)
    return [weight_norms(layer) for layer in hidden_layers(module)]


def hidden_relevances(module: SpectralMLP) -> list[Tensor]:
    """Relevances of the nodes of each hidden layer, list of Tensor of shape (n_nodes,)."""
    return [weight_norms(layer) for layer in module.hidden_layers]


def eigenvalue_sizes(module: SpectralMLP) -> list[Tensor]:
    r"""Return :math:`|\lambda^{out}_i|` of each hidden layer, list of Tensor of shape (n_nodes,).

    Raises
    ------
    ValueError
        If a hidden layer has no outbound eigenvalues to train.
    """
    sizes = []
    # a lambda_out that is not trained is the same for all nodes and ranks nothing
    for index, layer in enumerate(module.hidden_layers):
        if not isinstance(layer, SpectralLinear) or not layer.train_lambda_out:
            raise ValueError(
                "Ranking by eigenvalue needs trained outbound eigenvalues in every hidden layer "
                f"(spectral layers, eigenvalues 'out', 'out-in' or 'both'); hidden layer {index} "
                "has none. Rank by 'spectral' or 'path'."
            )
        sizes.append(layer.lambda_out.detach().abs())
    return sizes


def path_norms(module: SpectralMLP) -> list[Tensor]:
    r"""Return :math:`\|w_i\| \|v_i\|` of each hidden layer, list of Tensor of shape (n_nodes,).

    :math:`w_i` are the incoming and :math:`v_i` the outgoing effective weights of node i. For a
    homogeneous activation the product does not change when a factor moves from one to the other.
    """
    outgoing = [weight_norms(layer, dim=0) for layer in list(module.layers)[1:]]
    return [r * norm for r, norm in zip(hidden_relevances(module), outgoing, strict=True)]


RELEVANCES: dict[str, Callable[[SpectralMLP], list[Tensor]]] = {
    "spectral": hidden_relevances,
    "lambda": eigenvalue_sizes,
    "path": path_norms,
}


def feeding_masks(module: SpectralMLP) -> list[Tensor]:
    """Tell which nodes contribute more than rounding, list of bool Tensor of shape (n_nodes,).

    A node counts if the product of its incoming and outgoing norm exceeds the
    precision of the dtype times the layer's largest. Without the others the network
    computes the same to rounding. The largest node of a layer always stays.
    """
    precision = torch.finfo(next(module.parameters()).dtype).eps
    masks = []
    for norms in path_norms(module):
        # a node counts by what it passes on: either norm alone may be large
        mask = norms > precision * norms.max()
        mask[norms.argmax()] = True  # also where all are 0: no layer may become empty
        masks.append(mask)
    return masks


@torch.no_grad()
def weight_norms(layer: nn.Module, dim: int = 1) -> Tensor:
    """Return the norms of a layer's rows of weights, or of its columns for ``dim=0``."""
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim < 2:
        raise TypeError(
            "`module` must be a SpectralMLP, or a layer with a weight matrix such as "
            f"SpectralLinear or torch.nn.Linear; got {type(layer).__name__}."
        )
    if isinstance(layer, TRANSPOSED):
        raise TypeError(
            f"The nodes of a {type(layer).__name__} have no rows of their own in its weights, "
            "which are sorted by its inputs. Take the norms that you need of `weight`."
        )
    norms: Tensor = torch.linalg.vector_norm(weight.flatten(1), dim=dim)
    return norms


def large_enough(
    relevances: Sequence[Tensor], threshold: Tensor | float, floors: Sequence[Any]
) -> list[Tensor]:
    """Tell which nodes are above both bounds, of one network or of several side by side.

    Parameters
    ----------
    relevances : sequence of Tensor of shape (..., n_nodes)
    threshold : float or Tensor of shape (..., 1)
        Share of the largest relevance of the layer.
    floors : sequence of (float or Tensor of shape (..., 1))
        One per layer: the share alone would find a node in every layer, the largest, however
        small.
    """
    return [
        (relevance > threshold * relevance.amax(dim=-1, keepdim=True)) & (relevance > floor)
        for relevance, floor in zip(relevances, floors, strict=True)
    ]


def alive_masks(
    relevances: Sequence[Tensor], threshold: float, start: Sequence[float]
) -> list[Tensor]:
    """Tell which nodes are alive.

    A node is alive if its relevance exceeds `threshold` times the maximum of
    its layer and ``1e-4`` times the layer's maximum at the start of training. A
    network in which a whole layer died computes a constant, so none of its nodes
    counts.

    Parameters
    ----------
    relevances : sequence of Tensor of shape (n_nodes,)
        One per hidden layer.
    threshold : float in [0, 1)
    start : sequence of float
        The largest relevance of each layer when training began.

    Returns
    -------
    list of bool Tensor of shape (n_nodes,)
    """
    masks = large_enough(relevances, threshold, [COLLAPSED * largest for largest in start])
    if all(bool(mask.any()) for mask in masks):
        return masks
    return [torch.zeros_like(mask) for mask in masks]
