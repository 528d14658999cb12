"""Networks as a chain: fully connected layers, and what stands between them."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from skspectral.nn._hidden import WITH_ROWS
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP

ELEMENTWISE = (
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh),
    *(nn.Identity, nn.LeakyReLU, nn.LogSigmoid, nn.Mish, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU),
    *(nn.Sigmoid, nn.Softplus, nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold),
)
"""Modules that do the same to each node, without parameters."""


@dataclass(frozen=True)
class Chain:
    """The layers of a network in their order.

    Parameters
    ----------
    layers : list of SpectralLinear or torch.nn.Linear
    activations : list of callable
        What happens to the nodes of each layer but the last.
    with_layers : callable
        Maps other layers to a copy of the network that has them.
    """

    layers: list[Any]
    activations: list[Callable[[Tensor], Tensor]]
    with_layers: Callable[[Sequence[nn.Module]], nn.Module]

    @classmethod
    def of(cls, module: Any) -> Chain:
        """Read a network as a chain.

        Raises
        ------
        TypeError
            If `module` is neither a SpectralMLP nor a torch.nn.Sequential, or holds between
            two layers what is not known to do the same to each node.
        ValueError
            If there is no layer, one is there twice, or the sizes of two do not fit.
        """
        if isinstance(module, SpectralMLP):
            layers = list(module.layers)
            return cls(layers, [module.activation] * (len(layers) - 1), module.with_layers)
        if not _is_sequential(module):
            raise TypeError(
                "`module` must be a SpectralMLP or a torch.nn.Sequential of Linear layers and "
                f"activations; got {type(module).__name__}. Call this on the chains inside other "
                "modules, or mask them by `mask_nodes`."
            )
        return _chain_of(module)


def _is_sequential(module: Any) -> bool:
    # a subclass may call its parts as it likes
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _parts(module: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield what a Sequential calls, in order and with names, also of those inside it."""
    for name, part in module._modules.items():
        if part is None:
            continue
        if isinstance(part, nn.Sequential) and _is_sequential(part):
            yield from _parts(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def _chain_of(module: nn.Sequential) -> Chain:
    parts = list(_parts(module))
    places = [
        i for i, (_, part) in enumerate(parts) if isinstance(part, (nn.Linear, SpectralLinear))
    ]
    layers = [parts[place][1] for place in places]
    if not layers:
        raise ValueError("`module` must have Linear or SpectralLinear layers; got none.")
    if len(set(map(id, layers))) < len(layers):
        raise ValueError("`module` must hold each layer once; it calls one twice.")
    for name, part in parts:
        is_other = isinstance(part, WITH_ROWS) and not isinstance(part, nn.Linear)
        if is_other:
            raise TypeError(_stranger(name, part, "is a convolution"))
    activations = []
    for place, following in itertools.pairwise(places):
        between = parts[place + 1 : following]
        for name, part in between:
            if type(part) not in (*ELEMENTWISE, nn.Dropout, nn.AlphaDropout):
                raise TypeError(_stranger(name, part, "stands between two layers"))
        _check_sizes(parts[place], parts[following])
        # what a node that is cut emits is what it emits in evaluation: dropout leaves it
        activations.append(_composed([p for _, p in between if type(p) in ELEMENTWISE]))

    def with_layers(new: Sequence[nn.Module]) -> nn.Module:
        # the memo makes deepcopy take the new layers where it would copy the old ones
        pairs = list(zip(layers, new, strict=True))
        for old, layer in pairs:
            layer.train(old.training)
        return copy.deepcopy(module, {id(old): layer for old, layer in pairs})

    return Chain(layers, activations, with_layers)


def _stranger(name: str, part: nn.Module, what: str) -> str:
    return (
        f"Part {name!r} of `module`, a {type(part).__name__}, {what}. Nodes can be cut from a "
        "chain of Linear layers with activations such as torch.nn.ReLU between them; "
        "`mask_nodes` takes other modules."
    )


def _check_sizes(lower: tuple[str, Any], upper: tuple[str, Any]) -> None:
    (name, layer), (next_name, following) = lower, upper
    if layer.out_features != following.in_features:
        raise ValueError(
            f"The layers of `module` must chain; {name!r} has {layer.out_features} nodes and "
            f"{next_name!r} takes {following.in_features}."
        )


def _composed(functions: Sequence[nn.Module]) -> Callable[[Tensor], Tensor]:
    def call(x: Tensor) -> Tensor:
        for function in functions:
            x = function(x)
        return x

    return call
