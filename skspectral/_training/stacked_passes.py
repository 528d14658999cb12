"""Forward and backward pass of networks side by side, in buffers that are reused.

Rows are columns here: activations have the shape (K, nodes, n). A product is several times as slow
if its result has few columns, and unlike rows, nodes are few in the end.
"""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from skspectral._training.backpropagation import ACTIVATIONS
from skspectral._training.stack import Stack


class _Views(NamedTuple):
    """Activations of all networks, or their gradients, and the transposed view.

    A view takes as long as a small product, so those of buffers are kept.
    """

    plain: Tensor
    """Tensor of shape (K, nodes, n)."""
    t: Tensor
    """Tensor of shape (K, n, nodes)."""

    @classmethod
    def of(cls, plain: Tensor) -> _Views:
        return cls(plain, plain.transpose(1, 2))


class _Buffer:
    """Memory for activations or their gradients, contiguous for a smaller last batch, too."""

    def __init__(self, whole: Tensor) -> None:
        self.n_rows = whole.shape[2]
        self.whole = _Views.of(whole)

    def of(self, n_rows: int) -> _Views:
        """Return the views for so many rows."""
        if n_rows == self.n_rows:
            return self.whole
        n_networks, n_nodes, _ = self.whole.plain.shape
        part = self.whole.plain.view(-1)[: n_networks * n_nodes * n_rows]
        return _Views.of(part.view(n_networks, n_nodes, n_rows))


class _StackedLayer:
    """Passes through one layer of all networks.

    Matrices have the shape (K, in, out), whichever way they lie in memory.
    """

    def __init__(self, blocks: dict[str, Any], spectral: bool, n_rows: int) -> None:
        self.spectral = spectral
        self.matrix, self.matrix_gradient = blocks["phi" if spectral else "weight"]
        self.bias, bias_gradient = blocks.get("bias", (None, None))
        n_networks, n_in, n_out = self.matrix.shape
        new = self.matrix.new_empty
        self.output = _Buffer(new(n_networks, n_out, n_rows))
        self.input_gradient = _Buffer(new(n_networks, n_in, n_rows))
        self.is_transposed = _is_transposed(self.matrix)
        self.scratch = _dense_like(self.matrix)
        self._allocate()
        self.weight_t = self.weight.transpose(1, 2)
        self.bias_t = None if self.bias is None else self.bias.transpose(1, 2)
        self.bias_gradient_t = None if bias_gradient is None else bias_gradient.transpose(1, 2)
        zero = self.matrix.new_zeros(1, 1, 1)
        self.lambda_in, self.lambda_in_gradient = blocks.get("lambda_in", (zero, None))
        self.lambda_out, self.lambda_out_gradient = blocks.get("lambda_out", (zero, None))

    def _allocate(self) -> None:
        """Set the tensors of the effective weights and of their gradients."""
        self.weight = _dense_like(self.matrix) if self.spectral else self.matrix
        self.product = self.scratch if self.matrix_gradient is None else self.matrix_gradient
        self.product_t = self.product.transpose(1, 2)

    def prepare(self) -> None:
        """Compute the effective weights."""
        if self.spectral:
            self.factor = self.lambda_in - self.lambda_out
            torch.mul(self.matrix, self.factor, out=self.weight)

    def forward(self, inputs: _Views) -> _Views:
        """Return the linear outputs, in a buffer."""
        output = self.output.of(inputs.plain.shape[2])
        if self.bias_t is None:
            torch.bmm(self.weight_t, inputs.plain, out=output.plain)
        else:
            torch.baddbmm(self.bias_t, self.weight_t, inputs.plain, out=output.plain)
        return output

    def backward(self, inputs: _Views, gradient: _Views) -> None:
        """Write the gradients of the parameters, given the gradient of the outputs."""
        if self.bias_gradient_t is not None:
            torch.sum(gradient.plain, 2, keepdim=True, out=self.bias_gradient_t)
        self._differentiate(inputs, gradient)
        if not self.spectral:
            return
        # chain rule for w_ij = phi_ij (lambda_in_j - lambda_out_i)
        product = torch.mul(self.product, self.matrix, out=self.scratch)
        if self.lambda_in_gradient is not None:
            torch.sum(product, 2, keepdim=True, out=self.lambda_in_gradient)
        if self.lambda_out_gradient is not None:
            torch.sum(product, 1, keepdim=True, out=self.lambda_out_gradient).neg_()
        if self.matrix_gradient is not None:
            torch.mul(self.product, self.factor, out=self.matrix_gradient)

    def _differentiate(self, inputs: _Views, gradient: _Views) -> None:
        """Write the gradient of the effective weights."""
        if self.is_transposed:
            torch.bmm(gradient.plain, inputs.t, out=self.product_t)
        else:
            torch.bmm(inputs.plain, gradient.t, out=self.product)

    def to_inputs(self, gradient: _Views) -> _Views:
        """Return the gradient of the inputs, given the gradient of the outputs."""
        result = self.input_gradient.of(gradient.plain.shape[2])
        if gradient.plain.shape[1] == 1:  # an outer product
            torch.mul(self.weight, gradient.plain, out=result.plain)
        else:
            torch.bmm(self.weight, gradient.plain, out=result.plain)
        return result


class _SharedRowsLayer(_StackedLayer):
    """First layer of networks that are given the same rows.

    One product with the weights of all networks, side by side, takes the place of K.
    """

    def _allocate(self) -> None:
        n_networks, n_in, n_out = self.matrix.shape
        self.is_wide = n_in >= n_networks * n_out
        self.weight, self.flat_weight = self._side_by_side()
        self.product, self.flat_product = self._side_by_side()

    def _side_by_side(self) -> tuple[Tensor, Tensor]:
        """Return a tensor of shape (K, in, out), and as a matrix of shape (K * out, in)."""
        n_networks, n_in, n_out = self.matrix.shape
        if self.is_wide:
            rows = self.matrix.new_empty(n_networks * n_out, n_in)
            return rows.view(n_networks, n_out, n_in).transpose(1, 2), rows
        columns = self.matrix.new_empty(n_in, n_networks * n_out)
        return columns.view(n_in, n_networks, n_out).transpose(0, 1), columns.t()

    def prepare(self) -> None:
        """Compute the effective weights."""
        super().prepare()
        if not self.spectral:
            self.weight.copy_(self.matrix)

    def forward(self, inputs: _Views) -> _Views:
        """Return the linear outputs, in a buffer, for inputs with K = 1."""
        output = self.output.of(inputs.plain.shape[2])
        flat = output.plain.view(len(self.flat_weight), -1)
        if self.bias_t is None:
            torch.mm(self.flat_weight, inputs.plain[0], out=flat)
        else:
            bias = self.bias_t.reshape(-1, 1)
            torch.addmm(bias, self.flat_weight, inputs.plain[0], out=flat)
        return output

    def _differentiate(self, inputs: _Views, gradient: _Views) -> None:
        # a copy where the gradient is the transpose of a softmax, without hidden layers
        flat = gradient.plain.reshape(len(self.flat_product), -1)
        if self.is_wide:
            torch.mm(flat, inputs.t[0], out=self.flat_product)
        else:
            torch.mm(inputs.plain[0], flat.t(), out=self.flat_product.t())
        if not self.spectral and self.matrix_gradient is not None:
            self.matrix_gradient.copy_(self.product)


def _is_transposed(matrix: Tensor) -> bool:
    """Tell whether a tensor of shape (K, in, out) lies in memory as (K, out, in)."""
    return matrix.stride(1) == 1


def _dense_like(matrix: Tensor) -> Tensor:
    """Return a new contiguous tensor that lies in memory the same way."""
    if _is_transposed(matrix):
        return matrix.new_empty(matrix.transpose(1, 2).shape).transpose(1, 2)
    return matrix.new_empty(matrix.shape)


class StackedPasses:
    """Forward and backward passes of all networks of a stack.

    Parameters
    ----------
    stack : Stack
    n_rows : int
        Largest number of rows in a batch.
    shares_rows : bool, default=False
        Whether each batch is one for all networks.
    """

    def __init__(self, stack: Stack, n_rows: int, *, shares_rows: bool = False) -> None:
        self.activate, self.go_back = ACTIVATIONS[type(stack.modules[0].activation)]
        first = _SharedRowsLayer if shares_rows else _StackedLayer
        blocks = stack.layers()
        self.skip = first(blocks.pop(), False, n_rows) if stack.has_skip else None
        self.layers = [
            (_StackedLayer if index else first)(of_layer, spectral, n_rows)
            for index, (of_layer, spectral) in enumerate(
                zip(blocks, stack.spectral(), strict=True)
            )
        ]

    def forward(self, X: Tensor) -> Tensor:
        """Map rows to outputs of shape (K, n, n_outputs).

        Parameters
        ----------
        X : Tensor of shape (K, n, n_inputs), or (1, n, n_inputs) if all networks share the rows
        """
        inputs = _Views(X.transpose(1, 2), X)
        self.inputs = [inputs]
        for layer in self.layers:
            layer.prepare()
        for layer in self.layers[:-1]:
            inputs = layer.forward(inputs)
            self.activate(inputs.plain)
            self.inputs.append(inputs)
        output = self.layers[-1].forward(inputs)
        if self.skip is not None:
            self.skip.prepare()
            output.plain.add_(self.skip.forward(self.inputs[0]).plain)
        return output.t

    def backward(self, gradient: Tensor) -> None:
        """Write the gradients of the losses, given those of the last outputs."""
        views = _Views(gradient.transpose(1, 2), gradient)
        if self.skip is not None:
            self.skip.backward(self.inputs[0], views)
        for layer, inputs in zip(self.layers[:0:-1], self.inputs[:0:-1], strict=True):
            layer.backward(inputs, views)
            views = layer.to_inputs(views)
            self.go_back(views.plain, inputs.plain)
        self.layers[0].backward(self.inputs[0], views)

    def relevances(self) -> list[Tensor]:
        """Return the relevance of each hidden node, list of Tensor of shape (K, n_nodes)."""
        for layer in self.layers[:-1]:
            layer.prepare()
        return [torch.linalg.vector_norm(layer.weight, dim=1) for layer in self.layers[:-1]]

    def biases(self) -> list[Tensor | None]:
        """Return the biases of hidden nodes, list of Tensor of shape (K, n_nodes) or None."""
        return [None if layer.bias is None else layer.bias[:, 0] for layer in self.layers[:-1]]
