"""A network with a linear skip in ONNX, where it needs no more nodes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import BaseEstimator, TransformerMixin

from skspectral._export.onnx_steps import Writer

OPERATORS = {"identity": "Identity", "logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
"""Operators of the hidden activations."""


class NetworkWithSkip(TransformerMixin, BaseEstimator):
    """The linear outputs of an MLP beside a linear skip, as a step that is written to ONNX.

    Parameters
    ----------
    mlp : MLPRegressor or MLPClassifier
        Fitted.
    skip : ndarray of shape (n_features, n_outputs)
    """

    def __init__(self, mlp, skip):
        self.mlp = mlp
        self.skip = skip


def _width(step):
    return step.skip.shape[1]


def _write(scope, operator, container):
    """Write the layers, and beside them the skip, in the precision of the input."""
    from onnx import helper

    write, step = Writer(scope, operator, container), operator.raw_operator
    number = operator.outputs[0].type.to_onnx_type().tensor_type.elem_type
    dtype = helper.tensor_dtype_to_np_dtype(number)
    values = inputs = write.node("Cast", write.numbers(), to=number)

    def product(values, weights):
        return write.node("MatMul", values, weights.astype(dtype))

    *hidden, last = zip(step.mlp.coefs_, step.mlp.intercepts_, strict=True)
    for weights, biases in hidden:
        sums = write.node("Add", product(values, weights), biases.astype(dtype))
        values = write.node(OPERATORS[step.mlp.activation], sums)
    outputs = write.node("Add", product(values, last[0]), last[1].astype(dtype))
    write.end(write.node("Add", outputs, product(inputs, step.skip)))


NETWORKS = {NetworkWithSkip: (_width, _write)}
"""Width of the output and converter."""
