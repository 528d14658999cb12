"""One network whose output is the mean of the outputs of several."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skspectral.nn._linear import SpectralLinear, empty_like, matrix_of
from skspectral.nn._mlp import SpectralMLP

SKIP_LABEL = "linear skip"
"""Name, in messages, of what all networks must have, or none of them."""


def merge(modules: Sequence[SpectralMLP]) -> SpectralMLP:
    r"""Fold several networks into one, whose output is the mean of theirs.

    The hidden layers stand side by side. The first takes all inputs, deeper ones are
    block-diagonal, and the output adds up what the networks say,

    .. math::

        W_1 = \begin{pmatrix} W_1^{(1)} \\ \vdots \\ W_1^{(k)} \end{pmatrix}, \qquad
        W_l = \begin{pmatrix} W_l^{(1)} & & \\ & \ddots & \\ & & W_l^{(k)} \end{pmatrix},
        \qquad
        W_L = \tfrac{1}{k} \begin{pmatrix} W_L^{(1)} & \cdots & W_L^{(k)} \end{pmatrix}

    with the biases of the hidden layers one after the other, and those of the output,
    as well as linear skips, averaged.

    Parameters
    ----------
    modules : sequence of SpectralMLP
        The networks, at least one; they are not changed. They have the same inputs,
        outputs, activation and number of layers, and layers of the same kinds. All of
        them have a linear skip, or none.

    Returns
    -------
    SpectralMLP
        A new network on the device of the first, in the widest dtype of all. Its
        hidden layers have as many nodes as those of all networks, in their order.

    Raises
    ------
    TypeError
        If one of `modules` is not a SpectralMLP.
    ValueError
        If there is none, or if they differ in more than hidden nodes and weights.

    See Also
    --------
    shrink : Cut nodes out of a network.

    Notes
    -----
    Spectral layers keep their eigenvectors and eigenvalues. Only where networks
    differ in the eigenvalues of nodes that they share, as in the trained `lambda_in`
    of the inputs, `phi` becomes the effective weight, and the eigenvalues start anew.

    Examples
    --------
    >>> import torch
    >>> from skspectral.nn import SpectralMLP, merge
    >>> a, b = SpectralMLP((3, 4, 1)), SpectralMLP((3, 2, 1))
    >>> both = merge([a, b])
    >>> both.layer_sizes
    (3, 6, 1)
    >>> x = torch.ones(5, 3)
    >>> torch.allclose(both(x), (a(x) + b(x)) / 2, atol=1e-6)
    True
    """
    _check_alike(modules)
    matrices = [next(module.parameters()) for module in modules]
    dtype = functools.reduce(torch.promote_types, (matrix.dtype for matrix in matrices))
    modules = [_moved(module, dtype, matrices[0].device) for module in modules]
    stacks = zip(*(module.layers for module in modules), strict=True)
    last = len(modules[0].layers) - 1
    whole = modules[0].with_layers(
        [
            _merged(layers, is_first=index == 0, is_last=index == last)
            for index, layers in enumerate(stacks)
        ]
    )
    skips: list[Tensor] = [module.skip.weight for module in modules if module.skip is not None]
    if whole.skip is not None:
        with torch.no_grad():
            whole.skip.weight.copy_(torch.stack(skips).mean(dim=0))
    return whole


def _moved(module: SpectralMLP, dtype: torch.dtype, device: torch.device) -> SpectralMLP:
    """Return the module itself if it is in place, otherwise a copy that is."""
    first = next(module.parameters())
    if (first.dtype, first.device) == (dtype, device):
        return module
    return copy.deepcopy(module).to(device, dtype)


def _check_alike(modules: Any) -> None:
    if not isinstance(modules, (list, tuple)) or not modules:
        raise ValueError(f"`modules` must be a list of at least one SpectralMLP; got {modules!r}.")
    for index, module in enumerate(modules):
        if not isinstance(module, SpectralMLP):
            raise TypeError(
                f"`modules[{index}]` must be a SpectralMLP; got {type(module).__name__}."
            )
    expected = _form(modules[0])
    for index, module in enumerate(modules):
        for (name, wanted), found in zip(expected.items(), _form(module).values(), strict=True):
            if found != wanted:
                advice = " Train all of them with the same `skip`." if name == SKIP_LABEL else ""
                raise ValueError(
                    f"`modules` must have the same {name}; modules[0] has {wanted}, and "
                    f"modules[{index}] has {found}.{advice}"
                )


def _form(module: SpectralMLP) -> dict[str, Any]:
    """Return by name what networks must have in common."""
    return {
        "number of inputs": module.layer_sizes[0],
        "number of outputs": module.layer_sizes[-1],
        "number of hidden layers": len(module.hidden_layers),
        "activation": type(module.activation).__name__,
        "eigenvalues": module.eigenvalues,
        SKIP_LABEL: "one" if module.skip is not None else "none",
        "kinds of layers": [
            "spectral" if isinstance(layer, SpectralLinear) else "dense" for layer in module.layers
        ],
    }


def _merged(layers: Sequence[Any], *, is_first: bool, is_last: bool) -> nn.Module:
    """Return the layer that computes what these do side by side, or at the output their mean."""
    n_in = layers[0].in_features if is_first else sum(layer.in_features for layer in layers)
    n_out = layers[0].out_features if is_last else sum(layer.out_features for layer in layers)
    bias = _bias(layers, is_last=is_last)
    whole: Any = empty_like(layers[0], n_in, n_out, bias=bias is not None)
    with torch.no_grad():
        matrices = _matrices(layers, whole, is_first=is_first, is_last=is_last)
        matrix_of(whole).copy_(_laid_out(matrices, is_first=is_first, is_last=is_last))
        if bias is not None:
            whole.bias.copy_(bias)
    merged: nn.Module = whole
    return merged


def _matrices(layers: Sequence[Any], whole: Any, *, is_first: bool, is_last: bool) -> list[Tensor]:
    """Fill the eigenvalues of `whole`; return the matrices of the layers that go with them."""
    if not isinstance(whole, SpectralLinear):
        return [layer.weight for layer in layers]
    for name, is_shared in (("lambda_in", is_first), ("lambda_out", is_last)):
        values = [getattr(layer, name) for layer in layers]
        # of a node that all networks share there is one eigenvalue
        if is_shared and not all(torch.equal(values[0], value) for value in values):
            whole.reset_eigenvalues()  # their difference is 1
            return [layer.weight for layer in layers]
        getattr(whole, name).copy_(values[0] if is_shared else torch.cat(values))
    return [layer.phi for layer in layers]


def _laid_out(parts: list[Tensor], *, is_first: bool, is_last: bool) -> Tensor:
    """Return one matrix of several: inputs are shared in the first layer, outputs in the last."""
    if is_last:
        parts = [part / len(parts) for part in parts]
        return torch.stack(parts).sum(dim=0) if is_first else torch.cat(parts, dim=1)
    return torch.cat(parts) if is_first else torch.block_diag(*parts)


def _bias(layers: Sequence[Any], *, is_last: bool) -> Tensor | None:
    """Return the biases in a row, at the output their mean, or None where no layer has any."""
    if all(layer.bias is None for layer in layers):
        return None
    biases = [
        # `shrink` gives one to a layer that had none
        matrix_of(layer).new_zeros(layer.out_features) if layer.bias is None else layer.bias
        for layer in layers
    ]
    return torch.stack(biases).mean(dim=0) if is_last else torch.cat(biases)
