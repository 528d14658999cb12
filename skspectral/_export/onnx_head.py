"""The end of an ONNX graph: predictions from the linear outputs of a network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.base import is_classifier

LINKS = {"identity": "Identity", "exp": "Exp"}
"""Operators of the output activations of regressors."""
# "exp" is the output of scikit-learn's MLPRegressor with a Poisson loss


def append_predictions(graph, network):
    """Replace the output of `graph`, the linear outputs of `network`, by predictions.

    Parameters
    ----------
    graph : onnx.GraphProto
        Changed in place. Its output has shape (n, n_outputs) or, as skl2onnx
        leaves it, (n * n_outputs, 1).
    network : MLPRegressor or MLPClassifier
        Fitted.

    Raises
    ------
    ValueError
        If ONNX has no type for the classes.
    """
    end = _GraphEnd(graph)
    # skl2onnx flattens several outputs to one column
    linear = end.node("Reshape", end.source, end.constant([-1, network.n_outputs_]))
    if not is_classifier(network):
        prediction = end.node(LINKS[network.out_activation_], linear)
        end.output("variable", prediction, end.number, network.n_outputs_)
    elif network.out_activation_ == "logistic" and network.n_outputs_ > 1:
        _append_labels(end, linear, network.n_outputs_)
    else:
        _append_classes(end, linear, network)


def _append_labels(end, linear, n_labels):
    """Append 0 and 1 per label, as int64, and the probabilities of the labels."""
    # a logit above 0 is a probability above one half
    positive = end.node("Greater", linear, end.constant(0, end.number))
    integer = end.type_of(np.int64)
    end.output("label", end.node("Cast", positive, to=integer), integer, n_labels)
    end.output("probabilities", _logistic(end, linear), end.number, n_labels)


def _append_classes(end, linear, network):
    """Append the most probable class and the probabilities of all."""
    classes = check_classes(network.classes_)
    if network.out_activation_ == "softmax":
        scores, proba = linear, end.node("Softmax", linear, axis=1)
    else:
        scores = end.node("Concat", end.node("Neg", linear), linear, axis=1)
        proba = _logistic(end, scores)  # of both signs, as 1 - p would lose small probabilities
    # of the scores: probabilities of sure classes round to the same 1
    best = end.node("ArgMax", scores, axis=1, keepdims=0)
    label = end.node("Gather", end.constant(classes), best)
    end.output("label", label, end.type_of(classes.dtype))
    end.output("probabilities", proba, end.number, len(classes))


def _logistic(end, values):
    """Append 1 / (1 + exp(-x)); onnxruntime's Sigmoid gives 0 for probabilities below 1e-8."""
    one = end.constant(1, end.number)
    return end.node("Reciprocal", end.node("Add", one, end.node("Exp", end.node("Neg", values))))


def check_classes(classes):
    """Return `classes` with the dtype they have in ONNX, ndarray of shape (n_classes,).

    Raises
    ------
    ValueError
        If there is only one class, or no tensor holds them.
    """
    if len(classes) < 2:
        raise ValueError(f"A network of one class, {classes}, cannot be exported; fit two.")
    kind = classes.dtype.kind  # U: strings, O: objects, b: booleans, i and u: integers, f: floats
    if kind == "U" or (kind == "O" and all(isinstance(c, str) for c in classes)):
        return classes.astype(object)
    if kind == "b" or (kind in "iu" and classes.max() <= np.iinfo(np.int64).max):
        return classes.astype(bool if kind == "b" else np.int64)
    if kind == "f":
        return classes.astype(np.float64)
    raise ValueError(
        "Classes must be strings, booleans, floats or integers that int64 holds, to be exported; "
        f"got {classes} of dtype {classes.dtype}. Encode them, for example with "
        "sklearn.preprocessing.LabelEncoder, and fit again."
    )


class _GraphEnd:
    """Appends nodes to a graph and gives it new outputs.

    Parameters
    ----------
    graph : onnx.GraphProto
        A graph with one output, of numbers; it is changed in place.

    Attributes
    ----------
    source : str
        Name of what was that output.
    number : int
        Its ONNX element type.
    """

    def __init__(self, graph):
        self.graph = graph
        self.source = self._new_name("source")  # an output may want the old name
        for node in graph.node:
            if graph.output[0].name in node.output:
                node.output[list(node.output).index(graph.output[0].name)] = self.source
        self.number = graph.output[0].type.tensor_type.elem_type
        # in ONNX inputs and outputs share one space of names
        self.taken = {entry.name for entry in graph.input}
        del graph.output[:]

    def type_of(self, dtype):
        """Return the ONNX element type of a NumPy dtype."""
        from onnx import helper

        return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def constant(self, values, element_type=None):
        """Add a constant and return its name."""
        from onnx import helper, numpy_helper

        if element_type is not None:
            values = np.array(values, dtype=helper.tensor_dtype_to_np_dtype(element_type))
        name = self._new_name("constant")
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, operator, *inputs, **attributes):
        """Append an operator and return the name of what it computes."""
        from onnx import helper

        name = self._new_name(operator)
        self.graph.node.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def output(self, name, value, element_type, n_columns=None):
        """Make the value an output of shape (n,) or (n, n_columns)."""
        from onnx import helper

        while name in self.taken:  # by a column
            name += "_"
        shape = [None] if n_columns is None else [None, n_columns]
        self.graph.node.append(helper.make_node("Identity", [value], [name], name))
        self.graph.output.append(helper.make_tensor_value_info(name, element_type, shape))

    def _new_name(self, stem):
        # each call is followed by a node or a constant, so the pair of counts is new
        return f"end/{stem}{len(self.graph.node)}_{len(self.graph.initializer)}"
