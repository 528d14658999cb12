"""The layers of any module whose nodes can be ranked, masked and cut."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any, TypeVar

from torch import nn

from skspectral.nn._linear import SpectralLinear

AnyModule = TypeVar("AnyModule", bound=nn.Module)
"""The class that comes in goes out."""
WITH_ROWS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weights have one row, or one kernel, for each of their nodes or channels."""

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Layers whose weights have the inputs first."""


def named_layers(module: Any) -> dict[str, nn.Module]:
    """Return the Linear, SpectralLinear and convolutional layers, by name, as they are defined.

    A layer that stands in several places is there once.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module, or has no such layer.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"`module` must be a torch.nn.Module; got {type(module).__name__}.")
    layers: dict[str, nn.Module] = {
        name: layer
        for name, layer in module.named_modules()
        if isinstance(layer, (*WITH_ROWS, SpectralLinear))
    }
    if not layers:
        raise TypeError(
            "`module` must be a SpectralMLP, or a layer with a weight matrix such as "
            "SpectralLinear or torch.nn.Linear, or hold Linear or convolutional layers; got "
            f"{type(module).__name__}."
        )
    return layers


def hidden_layers(module: Any) -> list[nn.Module]:
    """Return the layers of :func:`named_layers` without the last, which is the output."""
    return list(named_layers(module).values())[:-1]
