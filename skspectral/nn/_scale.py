"""Change the unit in which a network tells its outputs."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skspectral.nn._linear import SpectralLinear, empty_like, matrix_of
from skspectral.nn._mlp import SpectralMLP


def with_scaled_output(module: SpectralMLP, factor: Tensor, shift: Tensor) -> SpectralMLP:
    """Return a network whose outputs are those of `module`, times a factor, plus a shift.

    Parameters
    ----------
    module : SpectralMLP
        The network; it is not changed.
    factor, shift : float64 Tensor of shape (n_outputs,)

    Returns
    -------
    SpectralMLP
        With hidden layers that it shares with `module`, and with a bias of the output if the
        shift is not zero.
    """
    last: Any = module.layers[-1]
    device = matrix_of(last).device
    factor, shift = factor.to(device), shift.to(device)
    has_bias = last.bias is not None or bool(shift.any())
    scaled: Any = empty_like(last, last.in_features, last.out_features, bias=has_bias)
    with torch.no_grad():
        # in float64: the factor is not rounded before the product is
        matrix_of(scaled).copy_(matrix_of(last).double() * factor[:, None])
        if isinstance(last, SpectralLinear):
            scaled.lambda_in.copy_(last.lambda_in)
            scaled.lambda_out.copy_(last.lambda_out)
        if has_bias:
            bias = shift if last.bias is None else last.bias.double() * factor + shift
            scaled.bias.copy_(bias)
    whole = module.with_layers([*module.hidden_layers, scaled])
    if whole.skip is not None:
        with torch.no_grad():
            whole.skip.weight.copy_(whole.skip.weight.double() * factor[:, None])
    return whole
