"""Which inputs the nodes of the first hidden layer respond to, how strongly and in what sign."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._display.cells import TINY
from skspectral._display.columns import checked_names, input_names, read_table
from skspectral._display.node_responses import response_to

Weights = tuple[list[str], np.ndarray, np.ndarray]
"""Names of inputs; strengths and signs of their weights, of shape (n_inputs, n_nodes)."""


def weights_of_inputs(estimator: Any, network: Any, feature_names: Any) -> Weights:
    """Return the weights of each input of a network, times its standard deviation."""
    weights = network.coefs_[0].astype(np.float64)
    spreads = np.sqrt(network._input_scaler.var_)[:, np.newaxis]
    names = input_names(estimator, len(weights))
    if feature_names is not None:
        names = checked_names(feature_names, len(weights))
    return names, np.abs(weights) * spreads, np.sign(weights)


def weights_of_columns(estimator: Any, network: Any, X: Any, feature_names: Any) -> Weights:
    """Return how strongly nodes respond to the columns of a table, and in which direction."""
    inputs, columns = read_table(estimator, X, feature_names)
    weights = network.coefs_[0].astype(np.float64)
    responses = [response_to(column, inputs, weights) for column in columns]
    strengths = np.array([response.strengths for response in responses])
    signs = np.array([response.signs for response in responses])
    return [response.name for response in responses], strengths, signs


def strongest(strengths: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of the rows of largest norm, in increasing order."""
    norms = np.linalg.norm(strengths, axis=1)
    return np.sort(np.argsort(-norms, kind="stable")[:most])


def leading(strengths: np.ndarray, shares: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of the columns that nodes of large shares respond to, increasing.

    Parameters
    ----------
    strengths : ndarray of shape (n_nodes, n_columns)
    shares : ndarray of shape (n_nodes,)
        Of the variance of the prediction.
    most : int
    """
    squares = strengths**2
    of_nodes = squares / np.maximum(squares.sum(axis=1, keepdims=True), TINY)
    of_columns = np.maximum(shares, 0) @ of_nodes
    return np.sort(np.argsort(-of_columns, kind="stable")[:most])
