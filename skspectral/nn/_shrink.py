"""Remove nodes from a network: masked, so that its shape stays, or cut out."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from skspectral.nn._chain import Chain
from skspectral.nn._hidden import AnyModule, hidden_layers
from skspectral.nn._linear import SpectralLinear, like_with, matrix_of
from skspectral.nn._reparametrize import factors_of, give_own_class, per_row, put_factors


def check_masks(layers: Sequence[Any], masks: Sequence[Any]) -> list[Tensor]:
    """Return `masks` as boolean tensors on the CPU, where they are read without a wait.

    Raises
    ------
    ValueError
        If there is not one mask per hidden layer, of the layer's length and
        boolean, or if a mask keeps no node.
    """
    sizes = [len(matrix_of(layer)) for layer in layers]
    listed = _listed(masks)
    if listed is None or len(listed) != len(sizes):
        found = f"{masks!r}" if listed is None else len(listed)
        raise ValueError(
            f"`masks` must hold one mask per hidden layer, {len(sizes)} in all; got {found}."
        )
    checked = [_mask(index, mask) for index, mask in enumerate(listed)]
    for index, (mask, size) in enumerate(zip(checked, sizes, strict=True)):
        if mask.dtype != torch.bool or mask.shape != (size,):
            raise ValueError(
                f"`masks[{index}]` must be boolean of shape ({size},), one entry per node; got "
                f"{str(mask.dtype).removeprefix('torch.')} of shape {tuple(mask.shape)}."
            )
        if not mask.any():
            raise ValueError(
                f"`masks[{index}]` is False everywhere; hidden layer {index} must keep at least "
                "one node."
            )
    return checked


def _listed(masks: Any) -> list[Any] | None:
    """Return the entries of a sequence, or None of what is none, such as a text."""
    if isinstance(masks, (str, bytes)):
        return None
    try:
        return list(masks)
    except TypeError:
        return None


def _mask(index: int, mask: Any) -> Tensor:
    """Return a mask as it came, but as a tensor on the CPU."""
    if isinstance(mask, Tensor):
        return mask.cpu()
    try:
        return torch.tensor(mask, device="cpu")
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"`masks[{index}]` must be boolean, one entry per node; got {mask!r}."
        ) from error


class _KeepRows(nn.Module):
    """Parametrisation that holds the other rows of a matrix at zero, without gradients."""

    keep: Tensor

    def __init__(self, keep: Tensor) -> None:
        super().__init__()
        # a buffer follows the module to its device, and is saved with its state
        self.register_buffer("keep", keep)

    def forward(self, matrix: Tensor) -> Tensor:
        """Return the matrix with the other rows set to zero."""
        return matrix.masked_fill(~per_row(self.keep, matrix), 0.0)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return what is stored for `matrix`, which is itself without those rows."""
        return self.forward(matrix)


def mask_nodes(module: AnyModule, masks: Sequence[Any]) -> AnyModule:
    """Switch nodes off in a copy of a network, which keeps its shape.

    In a spectral layer row i of `phi` and the eigenvalue `lambda_out` of a masked
    node i are zero, in a dense layer its row of weights, in a convolution the kernel of
    channel i. They stay zero whatever is trained. The node still emits the constant that
    its bias gives.

    Parameters
    ----------
    module : torch.nn.Module
        The network; it is not changed. A SpectralMLP, or any module with Linear or
        convolutional layers, whose hidden layers are those that :func:`node_relevance` lists.
    masks : sequence of bool array-like of shape (n_nodes,)
        One per hidden layer, True for nodes to keep.

    Returns
    -------
    torch.nn.Module
        The masked copy. Its rows are held at zero by
        :mod:`torch.nn.utils.parametrize`, so it is saved through its state dict.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module, or has no such layers.
    ValueError
        If `masks` do not fit the hidden layers, or one keeps no node.

    See Also
    --------
    shrink : Cut the same nodes out.

    References
    ----------
    .. [1] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.

    Examples
    --------
    >>> from skspectral.nn import SpectralMLP, mask_nodes, node_relevance
    >>> masked = mask_nodes(SpectralMLP((3, 2, 1)), [[True, False]])
    >>> (node_relevance(masked)[0] > 0).tolist()
    [True, False]
    """
    checked = check_masks(hidden_layers(module), masks)
    masked = copy.deepcopy(module)
    layers: list[Any] = hidden_layers(masked)
    for layer, mask in zip(layers, checked, strict=True):
        keep = mask.to(matrix_of(layer).device)
        factors = factors_of(layer)
        if factors is not None:
            with torch.no_grad():
                for factor in factors:
                    factor[~keep] = 0.0
        if isinstance(layer, SpectralLinear):
            # phi is zero, so the eigenvalue gets no gradient; at zero no penalty moves it either
            with torch.no_grad():
                layer.lambda_out[~keep] = 0.0
        name = "phi" if isinstance(layer, SpectralLinear) else "weight"
        give_own_class(layer)
        parametrize.register_parametrization(layer, name, _KeepRows(keep))
    return masked


def shrink(module: AnyModule, masks: Sequence[Any]) -> AnyModule:
    r"""Cut nodes out of a network; the smaller one computes what the masked one does.

    A node whose incoming weights are zero still emits the constant
    :math:`\sigma(b_i)`. This constant moves into the bias of the next layer,

    .. math::

        b'_k = b_k + \sum_{i \text{ cut}} v_{ki} \, \sigma(b_i)

    with :math:`v` the weights of the next layer. That layer gets a bias if it has
    none and the sum is not zero.

    Parameters
    ----------
    module : SpectralMLP or torch.nn.Sequential
        The network; it is not changed. A Sequential is a chain of Linear (with factors of
        :func:`reparametrize` or without) or SpectralLinear layers, with activations between
        them that do the same to each node. Other modules may stand before the first layer and
        after the last; convolutions may not.
    masks : sequence of bool array-like of shape (n_nodes,)
        One per hidden layer, True for nodes to keep.

    Returns
    -------
    SpectralMLP or torch.nn.Sequential
        A new network of the kept sizes, with layers of the same kinds and with the function
        of ``mask_nodes(module, masks)`` to rounding.

    Raises
    ------
    TypeError
        If `module` is neither, or something else stands between two layers.
    ValueError
        If `masks` do not fit the hidden layers, or one keeps no node; if the sizes of layers
        do not chain, or a layer is called twice.

    See Also
    --------
    mask_nodes : Switch the same nodes off.
    grow : The way back, to more nodes.

    Examples
    --------
    >>> import torch
    >>> from skspectral.nn import SpectralMLP, mask_nodes, shrink
    >>> module, masks = SpectralMLP((3, 4, 1)), [[True, False, True, False]]
    >>> small = shrink(module, masks)
    >>> small.layer_sizes
    (3, 2, 1)
    >>> x = torch.ones(5, 3)
    >>> torch.allclose(small(x), mask_nodes(module, masks)(x), atol=1e-6)
    True
    """
    chain = Chain.of(module)
    layers = chain.layers
    checked = check_masks(layers[:-1], masks)
    sides = kept_sides(checked, matrix_of(layers[0]).device)
    return cast(AnyModule, chain.with_layers(cut_layers(chain, sides)))


Nodes = Tensor | None
"""Indices of the nodes that are kept; None: all of them."""
Sides = Sequence[tuple[Nodes, Nodes]]
"""For each layer the nodes that are kept below it and above it."""


def cut_layers(chain: Chain, sides: Sides) -> list[nn.Module]:
    """Return the layers between the nodes that are kept; biases hold what the others emit."""
    activations: list[Any] = [*chain.activations, nn.Identity()]
    small: list[nn.Module] = []
    emitted: Tensor | None = None
    for layer, activation, (below, above) in zip(chain.layers, activations, sides, strict=True):
        small.append(_part(layer, below, above, _folded_bias(layer, emitted)))
        # of the old bias: a cut node has no inputs, so nothing was folded into its own
        emitted = None if above is None else _emitted(layer, activation, above)
    return small


def kept_sides(masks: Sequence[Tensor], device: torch.device) -> Sides:
    """Return for each layer the nodes that are kept below it and above it.

    Parameters
    ----------
    masks : sequence of bool Tensor of shape (n_nodes,)
        One per hidden layer, on the CPU: a GPU would have to be waited for.
    device : torch.device
        Of the indices.
    """
    kept = [None if mask.all() else torch.nonzero(mask).ravel().to(device) for mask in masks]
    return list(itertools.pairwise([None, *kept, None]))


def kept_entries(name: str, values: Tensor, below: Nodes, above: Nodes) -> Tensor:
    """Return a copy of what belongs to kept nodes, of a parameter or of values of its shape.

    Parameters
    ----------
    name : {"phi", "weight", "lambda_in", "lambda_out", "bias"}
    values : Tensor
    below, above : Nodes
        As :func:`kept_sides` returns them for the layer.
    """
    axes = {"lambda_in": (below,), "lambda_out": (above,), "bias": (above,)}
    chosen = axes.get(name, (above, below))
    kept = values.detach()
    for axis, nodes in enumerate(chosen):
        if nodes is not None:
            kept = kept.index_select(axis, nodes)
    is_copy = any(nodes is not None for nodes in chosen)
    return kept if is_copy else kept.clone(memory_format=torch.contiguous_format)


def _bias(layer: Any) -> Tensor:
    """Return a copy of the bias, or zeros, as float64 Tensor of shape (out_features,)."""
    matrix = matrix_of(layer).detach()
    if layer.bias is None:
        return matrix.new_zeros(layer.out_features, dtype=torch.float64)
    bias: Tensor = layer.bias.detach().to(torch.float64, copy=True)
    return bias


def _emitted(layer: Any, activation: Any, above: Tensor) -> Tensor:
    """Return the constants that cut nodes emit, and zero for those that stay.

    They are float64: the sum over many cut nodes must not cost the digits of float32.
    """
    constants: Tensor = activation(_bias(layer))
    return constants.index_fill(0, above, 0.0)


def _folded_bias(layer: Any, emitted: Tensor | None) -> Tensor | None:
    """Return the bias plus what constant inputs add, or None where there is neither.

    Parameters
    ----------
    layer : SpectralLinear or torch.nn.Linear
    emitted : float64 Tensor of shape (in_features,) or None
        The constants; zero for inputs that stay. None: all inputs stay.
    """
    if emitted is None:
        unchanged: Tensor | None = layer.bias
        return unchanged
    shift: Tensor = layer.weight.detach().double() @ emitted
    if layer.bias is None and not shift.any():
        return None
    return _bias(layer) + shift


def _part(layer: Any, below: Nodes, above: Nodes, bias: Tensor | None) -> nn.Module:
    """Return the part of `layer` between kept nodes, with the given bias."""
    is_spectral = isinstance(layer, SpectralLinear)
    names = ("phi", "lambda_in", "lambda_out") if is_spectral else ("weight",)
    tensors = {name: kept_entries(name, getattr(layer, name), below, above) for name in names}
    if bias is not None:
        kept = kept_entries("bias", bias, below, above)
        tensors["bias"] = kept.to(matrix_of(layer).dtype)
    part = like_with(layer, tensors)
    factors = factors_of(layer)
    if factors is not None:
        put_factors(part)
        _copy_factors(part, factors, below, above)
    return part


def _copy_factors(
    part: nn.Module, factors: tuple[Tensor, Tensor], below: Nodes, above: Nodes
) -> None:
    """Fill the factors of a part with those of the layer that it is from."""
    of_part: Any = factors_of(part)
    with torch.no_grad():
        for own, name, factor in zip(of_part, ("weight", "lambda_out"), factors, strict=True):
            own.copy_(kept_entries(name, factor, below, above))
