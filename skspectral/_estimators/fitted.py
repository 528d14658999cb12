"""What a fitted network tells: relevances, sizes, weights, importances, outputs."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._training.batches import RowDataset
from skspectral._training.net import SpectralNet
from skspectral._training.torch_state import training_state
from skspectral.nn._relevance import hidden_relevances


class FittedNetworkMixin:
    """Attributes and outputs that are read off the trained network on demand."""

    hidden_layer_sizes: Any
    net_: SpectralNet
    n_outputs_: int
    size_settled_: bool | None
    _dtype: str
    _fitted_architecture: dict[str, Any]
    _input_scaler: StandardScaler
    _layer_sizes: tuple[int, ...]
    _random_state: np.random.RandomState

    @property
    def _torch_dtype(self):
        return getattr(torch, self._dtype)

    @property
    def module_(self):
        """The trained :class:`skspectral.nn.SpectralMLP`."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def feature_relevance_(self):
        """Relevance of each node, list of ndarray of shape (n_nodes,); zero where it is gone."""
        return self._of_all_nodes([r.cpu().numpy() for r in hidden_relevances(self.module_)])

    @property
    def node_indices_(self):
        """Index in `hidden_layer_sizes` of each node that is there, list of int ndarray."""
        check_is_fitted(self, "net_")
        return [index.copy() for index in self.net_.node_indices_]

    def _of_all_nodes(self, arrays):
        """Return one value per node that there ever was, zero (False) for those that are gone."""
        filled = []
        for array, index, size in zip(
            arrays, self.net_.node_indices_, self._layer_sizes[1:-1], strict=True
        ):
            filled.append(np.zeros(size, dtype=array.dtype))
            filled[-1][index] = array
        return filled

    @property
    def n_alive_nodes_(self):
        """Number of alive nodes per hidden layer, list of int."""
        check_is_fitted(self, "net_")
        return [int(mask.sum()) for mask in self.net_.alive_masks()]

    def _output_scale(self):
        """Return centre and scale of the outputs, arrays of shape (n_outputs,)."""
        return np.zeros(self.n_outputs_), np.ones(self.n_outputs_)

    @property
    def coefs_(self):
        """Effective weights in units of y, list of ndarray of shape (n_in, n_out)."""
        weights = [layer.weight.detach().cpu().numpy().T.copy() for layer in self.module_.layers]
        _, scale = self._output_scale()
        weights[-1] = weights[-1] * scale
        return weights

    @property
    def intercepts_(self):
        """Biases in units of y, list of ndarray of shape (n_out,)."""
        biases = [
            np.zeros(layer.out_features, dtype=self._dtype)
            if layer.bias is None
            else layer.bias.detach().cpu().numpy().copy()
            for layer in self.module_.layers
        ]
        centre, scale = self._output_scale()
        biases[-1] = biases[-1] * scale + centre
        return biases

    @property
    def feature_importances_(self):
        """Share of each column in the absolute paths to the outputs, ndarray of sum 1."""
        paths = np.ones(self.n_outputs_)
        for weights in reversed(self.coefs_):
            paths = np.abs(weights).astype(np.float64) @ paths
        paths *= np.sqrt(self._input_scaler.var_)
        constant = paths.sum() == 0 or not all(self.n_alive_nodes_)
        return np.zeros_like(paths) if constant else paths / paths.sum()

    def _dataset_of(self, X):
        """Check rows to predict for, RowDataset on the device of the network."""
        X = validate_data(
            self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False
        )
        return RowDataset(X, None, None, self._torch_dtype, self.net_.device, in_parts=True)

    def _outputs(self, X):
        """Return the linear outputs of the network, float64 array of shape (n, n_outputs)."""
        check_is_fitted(self)
        return self._map_rows(X, self.module_, self.module_.layer_sizes[-1])

    def _last_hidden(self, X):
        """Return activations of the last hidden layer, float64 array of shape (n, n_nodes)."""
        check_is_fitted(self)
        return self._map_rows(X, self.module_.last_hidden, self.module_.layer_sizes[-2])

    def _map_rows(self, X, function, width):
        """Apply `function` to the rows, part by part, into one float64 array."""
        dataset = self._dataset_of(X)
        mapped = np.empty((len(dataset), width))
        start = 0
        with training_state(n_threads=None), torch.no_grad():  # dead nodes hold denormal numbers
            for rows, _ in self.net_.get_iterator(dataset):
                mapped[start : start + len(rows)] = function(rows.to(self.net_.device)).cpu()
                start += len(rows)
        return mapped
