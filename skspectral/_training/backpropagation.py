"""Forward and backward pass of a SpectralMLP without autograd, in buffers that are reused."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cached_property
from types import NoneType
from typing import Any

import torch
from torch import Tensor, nn

from skspectral._training.sparse_rows import SparseRows
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._skip import LinearSkip

aten = torch.ops.aten

ACTIVATIONS: dict[type[nn.Module], tuple[Callable[..., object], Callable[..., object]]] = {
    nn.ReLU: (torch.relu_, lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g)),
    nn.Tanh: (torch.tanh_, lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g)),
    nn.Sigmoid: (
        torch.sigmoid_,
        lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g),
    ),
    nn.Identity: (lambda y: y, lambda g, y: g),
}
"""In-place activations, each with its backward pass.

Only those whose derivative follows from their output: the input is overwritten.
"""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Attributes where a module keeps the hooks that others registered."""


def has_hooks(module: nn.Module) -> bool:
    """Tell whether anybody watches what goes in and out of `module` or its parts."""
    return any(getattr(part, hooks) for part in module.modules() for hooks in HOOKS)


def _gradient(parameter: Tensor | None) -> Tensor | None:
    """Return the tensor for the gradient, a new one if there is none; None if not trained."""
    if parameter is None:
        return None
    if not parameter.requires_grad:
        parameter.grad = None  # an optimiser would keep stepping along an old gradient
        return None
    # the passes write into it with out=, so it must exist before the first step
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


class _LayerPass:
    """Passes through one layer with its own buffers; the weights are ready to use."""

    def __init__(self, layer: Any, weight_gradient: Tensor | None, n_rows: int) -> None:
        # detached tensors share memory with the parameters: they follow every step
        self.weight, self.weight_gradient = layer.weight.detach(), weight_gradient
        self.bias = None if layer.bias is None else layer.bias.detach()
        self.bias_gradient = _gradient(layer.bias)
        self.output = self.weight.new_empty(n_rows, layer.out_features)
        self.input_gradient = self.weight.new_empty(n_rows, layer.in_features)

    def forward(self, inputs: Any) -> Tensor:
        """Return the linear outputs of shape (n, out_features), in a buffer."""
        # the last batch of an epoch may be smaller than the buffer
        output, transposed = self.output[: len(inputs)], self.weight.t()
        if isinstance(inputs, SparseRows):
            product = inputs.times(self.transposed.copy_(transposed))
            return output.copy_(product if self.bias is None else product.add_(self.bias))
        if self.bias is None:
            return torch.mm(inputs, transposed, out=output)
        return torch.addmm(self.bias, inputs, transposed, out=output)

    @cached_property
    def transposed(self) -> Tensor:
        """Buffer of shape (in_features, out_features), which only sparse rows need."""
        return self.weight.new_empty(self.weight.shape[::-1])

    def backward(self, inputs: Any, gradient: Tensor) -> None:
        """Write the gradients of the parameters, given the gradient of the outputs."""
        if self.bias_gradient is not None:
            torch.sum(gradient, 0, out=self.bias_gradient)
        if self.weight_gradient is None:
            return
        if isinstance(inputs, SparseRows):
            self.weight_gradient.copy_(inputs.weight_gradient(gradient))
        else:
            torch.mm(gradient.t(), inputs, out=self.weight_gradient)

    def to_inputs(self, gradient: Tensor) -> Tensor:
        """Return the gradient of the inputs, given the gradient of the outputs."""
        return torch.mm(gradient, self.weight, out=self.input_gradient[: len(gradient)])


def _or_zero(eigenvalues: Tensor) -> Tensor:
    """Return the eigenvalues, or a single zero if all are zero and not trained."""
    # one zero broadcasts: the factor of the weights is then a row or a column, not a matrix
    stay_zero = not eigenvalues.requires_grad and not eigenvalues.any()
    return eigenvalues.new_zeros(1) if stay_zero else eigenvalues.detach()


class _SpectralPass(_LayerPass):
    """Passes through one :class:`SpectralLinear`."""

    def __init__(self, layer: SpectralLinear, scratch: Tensor, n_rows: int) -> None:
        self.phi = layer.phi.detach()
        self.phi_gradient = _gradient(layer.phi)
        # one buffer for two gradients: of the effective weight first, then of phi
        in_place = self.phi_gradient
        self.product = torch.empty_like(self.phi) if in_place is None else in_place
        self.lambda_in_gradient = _gradient(layer.lambda_in)
        self.lambda_out_gradient = _gradient(layer.lambda_out)
        self.lambda_in = _or_zero(layer.lambda_in)
        self.lambda_out = _or_zero(layer.lambda_out)[:, None]
        self.factor = self.lambda_in - self.lambda_out
        self.scratch = scratch[: self.phi.numel()].view_as(self.phi)
        # layer.weight is a new tensor at each access; it becomes the buffer of effective weights
        super().__init__(layer, self.product, n_rows)

    def forward(self, inputs: Any) -> Tensor:
        """Compute the effective weights, then go on as a dense layer."""
        torch.sub(self.lambda_in, self.lambda_out, out=self.factor)
        torch.mul(self.phi, self.factor, out=self.weight)
        return super().forward(inputs)

    def backward(self, inputs: Any, gradient: Tensor) -> None:
        """Pass the gradient G of the effective weights on to their factors."""
        super().backward(inputs, gradient)
        # chain rule for w_ij = phi_ij (lambda_in_j - lambda_out_i)
        product = torch.mul(self.product, self.phi, out=self.scratch)
        if self.lambda_in_gradient is not None:
            torch.sum(product, 0, out=self.lambda_in_gradient)
        if self.lambda_out_gradient is not None:
            torch.sum(product, 1, out=self.lambda_out_gradient).neg_()
        # last, as it overwrites G
        if self.phi_gradient is not None:
            self.phi_gradient.mul_(self.factor)


def _layer_pass(layer: Any, scratch: Tensor, n_rows: int) -> _LayerPass:
    if isinstance(layer, SpectralLinear):
        return _SpectralPass(layer, scratch, n_rows)
    return _LayerPass(layer, _gradient(layer.weight), n_rows)


class Backpropagation:
    """Forward and backward passes without torch's graph, for the innermost loop of training.

    Torch's autograd gives the same gradients up to rounding. But it allocates every
    tensor anew, and on small networks that costs as much as the matrix products.

    Parameters
    ----------
    module : SpectralMLP
        One that :meth:`serves` accepts. Gradients are written to the ``grad`` of its
        trained parameters.
    n_rows : int
        Largest number of rows in a batch.
    """

    def __init__(self, module: SpectralMLP, n_rows: int) -> None:
        self.activate, self.go_back = ACTIVATIONS[type(module.activation)]
        sizes = module.layer_sizes
        largest = max(n_in * n_out for n_in, n_out in itertools.pairwise(sizes))
        scratch = next(module.parameters()).new_empty(
            largest
        )  # shared by all layers: it stays in cache
        self.passes = [_layer_pass(layer, scratch, n_rows) for layer in module.layers]
        self.skip = None if module.skip is None else _layer_pass(module.skip, scratch, n_rows)

    @staticmethod
    def serves(module: nn.Module) -> bool:
        """Tell whether the passes cover all of `module`: no masks, hooks or other layers."""
        # exact types: a subclass may compute something else
        return (
            type(module) is SpectralMLP
            and type(module.activation) in ACTIVATIONS
            and all(type(layer) in (SpectralLinear, nn.Linear) for layer in module.layers)
            and type(module.skip) in (NoneType, LinearSkip)
            and not has_hooks(module)
            and not any(
                p._backward_hooks or p._post_accumulate_grad_hooks for p in module.parameters()
            )
        )

    def forward(self, X: Tensor | SparseRows) -> Tensor:
        """Map rows of shape (n, n_inputs) to outputs of shape (n, n_outputs), in a buffer."""
        # what each layer was given; the backward pass needs it
        self.inputs: list[Any] = [X]
        for layer in self.passes[:-1]:
            output = layer.forward(self.inputs[-1])
            self.activate(output)
            self.inputs.append(output)
        output = self.passes[-1].forward(self.inputs[-1])
        return output if self.skip is None else output.add_(self.skip.forward(X))

    def backward(self, gradient: Tensor) -> None:
        """Write the gradients of a loss, given its gradient for the last outputs."""
        if self.skip is not None:
            self.skip.backward(self.inputs[0], gradient)
        for layer, inputs in zip(self.passes[:0:-1], self.inputs[:0:-1], strict=True):
            layer.backward(inputs, gradient)
            gradient = layer.to_inputs(gradient)
            self.go_back(gradient, inputs)
        # nobody asks for the gradient of X, so the first layer stops here
        self.passes[0].backward(self.inputs[0], gradient)
