"""Attributes and outputs of a fitted network: relevances, sizes, weights, importances."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skspectral._estimators.checks import read_rows
from skspectral._estimators.rows import Rows
from skspectral._estimators.targets import Target
from skspectral._training.batches import RowDataset, to_tensor
from skspectral._training.comparing import loss_at
from skspectral._training.net import SpectralNet
from skspectral._training.torch_state import outside_of_modes, training_state
from skspectral.nn._relevance import hidden_relevances


def of_all_nodes(net: SpectralNet, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return one value per node of `hidden_layer_sizes`, zero (False) for removed nodes.

    Parameters
    ----------
    net : SpectralNet
    arrays : sequence of ndarray of shape (n_nodes,)
        One per hidden layer, for the nodes that are left.
    """
    filled = []
    for array, index, size in zip(
        arrays, net.node_indices_, net.module.hidden_layer_sizes, strict=True
    ):
        # the one index of the public attributes; `module` keeps the sizes of the start
        filled.append(np.zeros(size, dtype=array.dtype))
        filled[-1][index] = array
    return filled


def alive_nodes(net: SpectralNet) -> list[np.ndarray]:
    """Tell which nodes are alive, list of bool ndarray of shape (n_nodes,), one per layer."""
    return of_all_nodes(net, [mask.numpy() for mask in net.alive_masks()])


def present_nodes(net: SpectralNet) -> list[np.ndarray]:
    """Tell which nodes are still in the network, list of bool ndarray of shape (n_nodes,)."""
    return of_all_nodes(net, [np.ones(len(index), dtype=bool) for index in net.node_indices_])


def last_hidden(estimator: Any, X: Any) -> np.ndarray:
    """Return the activations of the last hidden layer, float64 array of shape (n, n_nodes)."""
    check_is_fitted(estimator)
    return map_rows(estimator, X, estimator.module_.last_hidden)


def map_rows(
    estimator: Any,
    X: Any,
    function: Callable[[Any], Tensor],
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Apply `function`, then `decode`, to rows, part by part, into one array.

    Parameters
    ----------
    estimator : fitted SpectralMLPRegressor or SpectralMLPClassifier
    X : {array-like, sparse matrix} of shape (n, n_features)
    function : callable
        From rows, a Tensor or SparseRows, to a Tensor of shape (n_rows, width).
    decode : callable or None, default=None
        From a float64 array of shape (n_rows, width) to an array of as many rows.

    Returns
    -------
    ndarray of shape (n, ...)
    """
    X = read_rows(estimator, X)
    net = estimator.net_
    # in parts: a single pass needs no second copy of X in the dtype of the network
    dataset = RowDataset(X, None, None, net.dtype, net.device, in_parts=True)
    # written part by part into one array, as a list of parts would need twice the memory
    mapped, start = np.empty(0), 0
    # dead nodes hold denormal numbers, which slow a CPU severely unless they are flushed;
    # `n_threads` is for training: predictions leave torch's setting
    with outside_of_modes(), training_state(n_threads=None), torch.no_grad():
        for rows, _ in net.get_iterator(dataset):
            part = function(net.as_input(rows)).cpu().double().numpy()
            # decoded here: probabilities of all rows at once take several arrays of that size
            part = part if decode is None else decode(part)
            if not start:
                mapped = np.empty((len(dataset), *part.shape[1:]), dtype=part.dtype)
            mapped[start : start + len(part)] = part
            start += len(part)
    return mapped


def loss_of_rows(estimator: Any, rows: Rows) -> float:
    """Return the data term of the loss over checked rows, in the units of training."""
    with outside_of_modes(), training_state(n_threads=None):
        return loss_at(estimator.net_, estimator._dataset(rows), None)


def _shares(values: np.ndarray) -> np.ndarray:
    """Return values >= 0 as shares of the largest, so that products of them stay finite.

    Those that have overflowed are taken for equal, and for so much larger than the others that
    these count as zero.
    """
    largest = values.max(initial=0.0)
    if np.isfinite(largest):
        return values / largest if largest else values
    return (~np.isfinite(values)).astype(np.float64)


def _sum_of_paths(ways: Sequence[Sequence[np.ndarray]], n_features: int) -> np.ndarray:
    """Return the sum of absolute paths from each column, as shares of the largest.

    Parameters
    ----------
    ways : sequence of list of ndarray of shape (n_in, n_out)
        Weights of the layers on each way from the columns to the outputs.
    n_features : int
    """
    sums = [_paths(weights) for weights in ways]
    largest = max((scale for _, scale in sums), default=0.0)
    total = np.zeros(n_features)
    for paths, scale in sums:
        # of a single way the scale may be infinite
        total += paths if scale == largest else paths * np.exp(scale - largest)
    return _shares(total)


def _paths(layers: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return |W_1| ... |W_L| 1 as shares of the largest, and the logarithm of that."""
    # from the right: vectors only, no product of two matrices
    paths, scale = np.ones(layers[-1].shape[1]), 0.0
    for weights in reversed(layers):
        magnitudes = np.abs(weights).astype(np.float64)
        paths = _shares(magnitudes) @ paths
        scale += _logarithm(magnitudes.max(initial=0.0))
    return _shares(paths), scale + _logarithm(paths.max(initial=0.0))


def _logarithm(value: float) -> float:
    return float(np.log(value)) if value > 0 else -np.inf


class FittedNetworkMixin:
    """Attributes and outputs that are computed from the trained network on demand."""

    hidden_layer_sizes: Any
    net_: SpectralNet
    n_outputs_: int
    n_features_in_: int
    relevance_threshold: float
    size_settled_: bool | None
    _input_scaler: StandardScaler
    _random_state: np.random.RandomState
    _target: Target

    @property
    def module_(self):
        """The trained :class:`skspectral.nn.SpectralMLP`."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def feature_relevance_(self):
        """Relevance of each node, list of ndarray of shape (n_nodes,); zero for removed nodes."""
        present = [relevance.cpu().numpy() for relevance in hidden_relevances(self.module_)]
        return of_all_nodes(self.net_, present)

    @property
    def node_indices_(self):
        """Numbers of the nodes that are left, as in `hidden_layer_sizes`, list of int ndarray."""
        check_is_fitted(self, "net_")
        # copies: a user who writes into one must not renumber the network
        return [index.copy() for index in self.net_.node_indices_]

    @property
    def n_alive_nodes_(self):
        """Number of alive nodes per hidden layer, list of int."""
        check_is_fitted(self, "net_")
        return [int(mask.sum()) for mask in self.net_.alive_masks()]

    @property
    def coefs_(self):
        """Effective weights in units of y, list of ndarray of shape (n_in, n_out)."""
        # copies, as numpy() shares the memory of the network; (n_in, n_out) as in scikit-learn
        weights = [layer.weight.detach().cpu().numpy().T.copy() for layer in self.module_.layers]
        # outputs are linear, so the scale of y goes into the last layer
        _, scale = self._target.scale
        weights[-1] = weights[-1] * scale
        return weights

    @property
    def intercepts_(self):
        """Biases in units of y, list of ndarray of shape (n_out,)."""
        biases = [
            layer.weight.new_zeros(layer.out_features).cpu().numpy()
            if layer.bias is None
            else layer.bias.detach().cpu().numpy().copy()
            for layer in self.module_.layers
        ]
        shift, scale = self._target.scale
        biases[-1] = biases[-1] * scale + shift
        return biases

    @property
    def skip_coef_(self):
        """Linear skip in units of y, ndarray of shape (n_outputs, n_features) or None."""
        skip = self.module_.skip
        if skip is None:
            return None
        _, scale = self._target.scale
        return skip.weight.detach().cpu().numpy() * np.reshape(scale, (-1, 1))

    @property
    def feature_importances_(self):
        """Share of each column in the absolute paths to the outputs, ndarray of sum 1."""
        # a layer that has died leaves small weights, whose shares would mean nothing
        ways = [self.coefs_] if all(self.n_alive_nodes_) else []
        if self.module_.skip is not None:
            ways.append([self.skip_coef_.T])
        paths = _sum_of_paths(ways, self.n_features_in_)
        # weights are per unit of the column; its spread makes columns comparable
        paths = _shares(paths * _shares(np.sqrt(self._input_scaler.var_)))
        return paths / paths.sum() if paths.any() else np.zeros_like(paths)

    @property
    def alive_features_(self):
        """Tell which columns are alive, bool ndarray of shape (n_features,).

        A column is alive if its importance exceeds the share `relevance_threshold` of the
        largest, however small that is.
        """
        # strictly above: no column is alive in a network whose importances are all zero
        importances = self.feature_importances_
        threshold = self.net_.relevance_threshold  # that of the fit, as of nodes
        return importances > threshold * importances.max(initial=0.0)

    def _dataset(self, rows, weight=None):
        """Move rows to the device of the network; weights are scaled to mean 1 unless given."""
        net = self.net_
        # codes of classes stay integers, which torch's cross-entropy asks for
        target = torch.as_tensor(self._target.encode(rows.y)).to(net.device)
        if target.is_floating_point():
            target = target.to(net.dtype)
        weight = rows.scaled_weight() if weight is None else weight
        if weight is not None:
            weight = to_tensor(weight, net.dtype, net.device)
        return RowDataset(rows.X, target, weight, net.dtype, net.device)

    def _decoded(self, X, decode):
        """Return what `decode` makes of outputs, float64 arrays of shape (n_rows, n_outputs)."""
        return map_rows(self, X, self.module_, decode)
