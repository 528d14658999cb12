"""Remove nodes from a network: masked, so that its shape stays, or cut out."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from skspectral.nn._chain import Chain
from skspectral.nn._hidden import AnyModule, hidden_layers
from skspectral.nn._linear import SpectralLinear, empty_like, matrix_of
from skspectral.nn._reparametrize import factors_of, per_row, put_factors


def check_masks(layers: Sequence[Any], masks: Sequence[Any]) -> list[Tensor]:
    """Return `masks` as boolean tensors on the device of hidden layers.

    Raises
    ------
    ValueError
        If there is not one mask per hidden layer, of the layer's length and
        boolean, or if a mask keeps no node.
    """
    sizes = [len(layer.weight) for layer in layers]
    listed = _listed(masks)
    if listed is None or len(listed) != len(sizes):
        found = f"{masks!r}" if listed is None else len(listed)
        raise ValueError(
            f"`masks` must hold one mask per hidden layer, {len(sizes)} in all; got {found}."
        )
    checked = [
        _mask(index, mask, layer.weight.device)
        for index, (mask, layer) in enumerate(zip(listed, layers, strict=True))
    ]
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


def _mask(index: int, mask: Any, device: torch.device) -> Tensor:
    """Return a mask as it came, but as a tensor."""
    if isinstance(mask, Tensor):
        return mask.to(device)
    try:
        return torch.tensor(mask, device=device)
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
    for layer, keep in zip(layers, checked, strict=True):
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
    first, last = layers[0], layers[-1]
    columns = [_all_of(first.in_features, first), *checked]
    rows = [*checked, _all_of(last.out_features, last)]
    activations: list[Any] = [*chain.activations, nn.Identity()]
    small: list[nn.Module] = []
    # float64: the sum over many cut nodes must not cost the digits of float32
    emitted = first.weight.new_zeros(first.in_features, dtype=torch.float64).detach()
    for layer, activation, keep_in, keep_out in zip(
        layers, activations, columns, rows, strict=True
    ):
        bias = _folded_bias(layer, emitted.masked_fill(keep_in, 0.0))
        small.append(_part(layer, keep_in, keep_out, bias))
        # of the old bias: a cut node has no inputs, so nothing was folded into its own
        emitted = activation(_bias(layer).clone())  # which an activation may change in place
    return cast(AnyModule, chain.with_layers(small))


def _all_of(size: int, layer: Any) -> Tensor:
    """Return a mask that keeps all nodes, bool Tensor of shape (size,)."""
    return torch.ones(size, dtype=torch.bool, device=layer.weight.device)


def _bias(layer: Any) -> Tensor:
    """Return the bias, or zeros, as detached float64 Tensor of shape (out_features,)."""
    if layer.bias is None:
        zeros: Tensor = layer.weight.new_zeros(layer.out_features, dtype=torch.float64)
        return zeros.detach()
    bias: Tensor = layer.bias.detach().double()
    return bias


def _folded_bias(layer: Any, emitted: Tensor) -> Tensor | None:
    """Return the bias plus what constant inputs add, or None where there is neither.

    Parameters
    ----------
    layer : SpectralLinear or torch.nn.Linear
    emitted : float64 Tensor of shape (in_features,)
        The constants; zero for inputs that stay.
    """
    shift: Tensor = layer.weight.detach().double() @ emitted
    if layer.bias is None and not shift.any():
        return None
    return _bias(layer) + shift


def _part(layer: Any, keep_in: Tensor, keep_out: Tensor, bias: Tensor | None) -> nn.Module:
    """Return the part of `layer` between kept nodes, with the given bias."""
    sizes = int(keep_in.sum()), int(keep_out.sum())
    part: Any = empty_like(layer, *sizes, bias=bias is not None)
    with torch.no_grad():
        matrix_of(part).copy_(matrix_of(layer)[keep_out][:, keep_in])
        if isinstance(layer, SpectralLinear):
            part.lambda_in.copy_(layer.lambda_in[keep_in])
            part.lambda_out.copy_(layer.lambda_out[keep_out])
        if bias is not None:
            part.bias.copy_(bias[keep_out])
        factors, of_part = factors_of(layer), None
        if factors is not None:
            put_factors(part)
            of_part = factors_of(part)
        if factors is not None and of_part is not None:
            of_part[0].copy_(factors[0][keep_out][:, keep_in])
            of_part[1].copy_(factors[1][keep_out])
    small: nn.Module = part
    return small
