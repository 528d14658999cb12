"""Forward and backward pass of networks side by side, in buffers that are reused."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skspectral._training.backpropagation import ACTIVATIONS
from skspectral._training.stack import Stack


class _StackedLayer:
    """Passes through one layer of all networks."""

    def __init__(self, blocks: dict[str, Any], spectral: bool, n_rows: int) -> None:
        self.spectral, self.n_rows = spectral, n_rows
        self.matrix, self.matrix_gradient = blocks["phi" if spectral else "weight"]
        self.bias, self.bias_gradient = blocks.get("bias", (None, None))
        n_networks, n_in, n_out = self.matrix.shape
        new = self.matrix.new_empty
        self.output = new(n_networks, n_rows, n_out)
        self.input_gradient = new(n_networks, n_rows, n_in)
        self.weight = new(n_networks, n_in, n_out) if spectral else self.matrix
        # views take as long as a small product, and sums longer than products with ones
        self.output_t, self.weight_t = self.output.transpose(1, 2), self.weight.transpose(1, 2)
        self.ones = new(n_networks, 1, n_rows).fill_(1.0)
        self.minus_ones = new(n_networks, 1, n_in).fill_(-1.0)
        self.scratch = new(n_networks, n_in, n_out)
        # of the effective weights first, then of the matrix
        self.product = self.scratch if self.matrix_gradient is None else self.matrix_gradient
        zero = self.matrix.new_zeros(1, 1, 1)
        self.lambda_in, self.lambda_in_gradient = blocks.get("lambda_in", (zero, None))
        self.lambda_out, self.lambda_out_gradient = blocks.get("lambda_out", (zero, None))

    def prepare(self) -> None:
        """Compute the effective weights."""
        if self.spectral:
            self.factor = self.lambda_in - self.lambda_out
            torch.mul(self.matrix, self.factor, out=self.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the linear outputs of shape (K, n, out), in a buffer."""
        n_rows = inputs.shape[1]
        output = self.output if n_rows == self.n_rows else self.output[:, :n_rows]
        if self.bias is None:
            return torch.bmm(inputs, self.weight, out=output)
        return torch.baddbmm(self.bias, inputs, self.weight, out=output)

    def backward(self, inputs_t: Tensor, gradient: Tensor) -> None:
        """Write the gradients of the parameters.

        Parameters
        ----------
        inputs_t : Tensor of shape (K, in, n)
        gradient : Tensor of shape (K, n, out)
            Of the outputs.
        """
        if self.bias_gradient is not None:
            n_rows = gradient.shape[1]
            ones = self.ones if n_rows == self.n_rows else self.ones[:, :, :n_rows]
            torch.bmm(ones, gradient, out=self.bias_gradient)
        # transposed, (in, out): several times as fast as (out, in) if there are few inputs
        torch.bmm(inputs_t, gradient, out=self.product)
        if not self.spectral:
            return
        # chain rule for w_ij = phi_ij (lambda_in_j - lambda_out_i)
        product = torch.mul(self.product, self.matrix, out=self.scratch)
        if self.lambda_in_gradient is not None:
            torch.sum(product, 2, keepdim=True, out=self.lambda_in_gradient)
        if self.lambda_out_gradient is not None:
            torch.bmm(self.minus_ones, product, out=self.lambda_out_gradient)
        if self.matrix_gradient is not None:
            self.matrix_gradient.mul_(self.factor)

    def to_inputs(self, gradient: Tensor) -> Tensor:
        """Return the gradient of the inputs, given the gradient of the outputs."""
        n_rows = gradient.shape[1]
        whole = n_rows == self.n_rows
        buffer = self.input_gradient if whole else self.input_gradient[:, :n_rows]
        if gradient.shape[2] == 1:  # an outer product
            return torch.mul(gradient, self.weight_t, out=buffer)
        return torch.bmm(gradient, self.weight_t, out=buffer)


class StackedPasses:
    """Forward and backward passes of all networks of a stack.

    Parameters
    ----------
    stack : Stack
    n_rows : int
        Largest number of rows in a batch.
    """

    def __init__(self, stack: Stack, n_rows: int) -> None:
        self.activate, self.go_back = ACTIVATIONS[type(stack.modules[0].activation)]
        self.layers = [
            _StackedLayer(blocks, spectral, n_rows)
            for blocks, spectral in zip(stack.layers(), stack.spectral(), strict=True)
        ]

    def forward(self, X: Tensor) -> Tensor:
        """Map Tensor of shape (K, n, n_inputs) to outputs of shape (K, n, n_outputs)."""
        self.inputs = [X]
        for layer in self.layers:
            layer.prepare()
        for layer in self.layers[:-1]:
            output = layer.forward(self.inputs[-1])
            self.activate(output)
            self.inputs.append(output)
        return self.layers[-1].forward(self.inputs[-1])

    def backward(self, gradient: Tensor) -> None:
        """Write the gradients of the losses, given those of the last outputs."""
        for index in range(len(self.layers) - 1, 0, -1):
            layer, inputs, below = self.layers[index], self.inputs[index], self.layers[index - 1]
            whole = inputs.shape[1] == below.n_rows
            layer.backward(below.output_t if whole else inputs.transpose(1, 2), gradient)
            gradient = layer.to_inputs(gradient)
            self.go_back(gradient, inputs)
        self.layers[0].backward(self.inputs[0].transpose(1, 2), gradient)

    def relevances(self) -> list[Tensor]:
        """Return the relevance of each hidden node, list of Tensor of shape (K, n_nodes)."""
        for layer in self.layers[:-1]:
            layer.prepare()
        return [torch.linalg.vector_norm(layer.weight, dim=1) for layer in self.layers[:-1]]

    def biases(self) -> list[Tensor | None]:
        """Return the biases of hidden nodes, list of Tensor of shape (K, n_nodes) or None."""
        return [None if layer.bias is None else layer.bias[:, 0] for layer in self.layers[:-1]]
