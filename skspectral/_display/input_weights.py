"""Which inputs the nodes of the first hidden layer respond to, how strongly and in what sign."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._display.cells import TINY
from skspectral._display.columns import checked_names, input_names, read_table
from skspectral._display.node_responses import response_to, strengths_of


@dataclass(frozen=True)
class InputWeights:
    """Weights between inputs and the nodes of the first hidden layer.

    Those of a linear skip to the outputs stand behind them.

    Parameters
    ----------
    names : list of str
        Of the inputs.
    strengths : ndarray of shape (n_inputs, n_nodes) or (n_inputs, n_nodes + n_outputs)
    signs : int ndarray of the same shape
        0 where a node responds in both directions.
    n_all : int
        Inputs in all, as only the leading ones are listed.
    """

    names: list[str]
    strengths: np.ndarray
    signs: np.ndarray
    n_all: int


def weights_of_inputs(estimator: Any, network: Any, names: Any, most: int) -> InputWeights:
    """Return the weights of the leading inputs of a network, times their standard deviations.

    Parameters
    ----------
    estimator : object
        What holds the network.
    network : fitted SpectralMLPRegressor or SpectralMLPClassifier
    names : array-like of str or None
        Of all inputs, in place of their own.
    most : int
        Inputs to return.
    """
    weights = _first_weights(network)
    n_all = len(weights)
    names = input_names(estimator, n_all) if names is None else checked_names(names, n_all)
    strengths = np.abs(weights) * np.sqrt(network._input_scaler.var_)[:, np.newaxis]
    kept = strongest(strengths, most)
    signs = np.sign(weights[kept])
    return InputWeights([names[index] for index in kept], strengths[kept], signs, n_all)


def weights_of_columns(
    estimator: Any, network: Any, X: Any, names: Any, most: int
) -> InputWeights:
    """Return how strongly nodes respond to the leading columns of a table.

    Parameters are those of :func:`weights_of_inputs`, and `X`, the table.
    """
    inputs, columns = read_table(estimator, X, names)
    weights = _first_weights(network)
    kept = strongest(strengths_of(columns, inputs, weights), most)
    responses = [response_to(columns[index], inputs, weights) for index in kept]
    return InputWeights(
        [response.name for response in responses],
        np.array([response.strengths for response in responses]),
        np.array([response.signs for response in responses]),
        len(columns),
    )


def _first_weights(network: Any) -> np.ndarray:
    """Return the weights that inputs have to nodes, and behind them those of a linear skip."""
    skip = network.skip_coef_
    ways = [network.coefs_[0]] if skip is None else [network.coefs_[0], skip.T]
    return np.hstack(ways).astype(np.float64)


def strongest(strengths: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of the rows of largest norm, in increasing order."""
    norms = np.linalg.norm(strengths, axis=1)
    return np.sort(np.argsort(-norms, kind="stable")[:most])


def leading(strengths: np.ndarray, shares: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of the columns that nodes of large shares respond to, increasing.

    Parameters
    ----------
    strengths : ndarray of shape (n_columns, n_nodes)
    shares : ndarray of shape (n_nodes,)
        Of the variance of the prediction.
    most : int
    """
    squares = strengths**2
    of_nodes = squares / np.maximum(squares.sum(axis=0), TINY)
    of_columns = of_nodes @ np.maximum(shares, 0)
    return np.sort(np.argsort(-of_columns, kind="stable")[:most])
