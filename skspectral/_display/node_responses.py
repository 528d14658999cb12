"""What the nodes of the first hidden layer respond to, and what they do to the prediction."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from skspectral._display.columns import TableColumn
from skspectral._tables.kinds import KINDS

MONOTONE = 0.9
"""Least absolute correlation of a monotone response."""
DIGITS = 9
"""Digits to which responses are compared."""
POINTS = 60
"""Points of a curve."""
TAIL = 0.01
"""Share of the rows at either end of a column over which a curve does not go."""


@dataclass(frozen=True)
class ColumnResponse:
    """How nodes respond to one column.

    Parameters
    ----------
    name : str
        Of the column.
    values : ndarray of shape (n_values,)
        Increasing numbers, or labels of categories.
    responses : ndarray of shape (n_nodes, n_values)
        What the column adds to the input of each node at these values, less the mean over rows.
    strengths : ndarray of shape (n_nodes,)
        Its standard deviation over rows.
    signs : int ndarray of shape (n_nodes,)
        1 where it rises with the column, -1 where it falls, 0 where it does neither.
    """

    name: str
    values: np.ndarray
    responses: np.ndarray
    strengths: np.ndarray
    signs: np.ndarray

    @property
    def has_numbers(self) -> bool:
        """Whether the values are numbers, with an order."""
        return self.values.dtype.kind == "f"


def response_to(column: TableColumn, inputs: np.ndarray, weights: np.ndarray) -> ColumnResponse:
    """Return how nodes respond to a column.

    Parameters
    ----------
    column : TableColumn
    inputs : ndarray of shape (n_rows, n_inputs)
    weights : ndarray of shape (n_inputs, n_nodes)
    """
    added = added_by(column, inputs, weights)
    strengths, numbers = added.std(axis=0), as_numbers(column.values)
    if numbers is None:
        labels, responses = means_of_labels(column.values, added)
        signs = np.zeros(len(strengths), dtype=int)
        return ColumnResponse(column.name, labels, responses, strengths, signs)
    known = ~np.isnan(numbers)
    grid, responses = curves(numbers[known], added[known])
    signs = np.array([sign_of(numbers[known], of_node) for of_node in added[known].T])
    return ColumnResponse(column.name, grid, responses, strengths, signs)


def added_by(column: TableColumn, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what a column adds to the input of each node, less the mean over rows.

    Parameters are those of :func:`response_to`.

    Returns
    -------
    ndarray of shape (n_rows, n_nodes)
    """
    added: np.ndarray = inputs[:, column.inputs] @ weights[column.inputs]
    return added - added.mean(axis=0)


def strengths_of(
    columns: Sequence[TableColumn], inputs: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the strengths of the responses to several columns, shape (n_columns, n_nodes)."""
    # without the rest of a response, which takes much longer than to see which columns matter
    return np.array([added_by(column, inputs, weights).std(axis=0) for column in columns])


def as_numbers(values: np.ndarray) -> np.ndarray | None:
    """Return a column as float64: dates in years, time spans in days.

    None if it holds neither numbers nor times, or but one of them.
    """
    kind = KINDS.get(pd.api.types.infer_dtype(values, skipna=True))
    if kind == "dates":
        since_1970 = pd.to_datetime(pd.Series(values), utc=True) - pd.Timestamp(0, tz="UTC")
        numbers = (1970 + since_1970 / pd.Timedelta(days=365.2425)).to_numpy()
    elif kind == "durations":
        numbers = (pd.to_timedelta(pd.Series(values)) / pd.Timedelta(days=1)).to_numpy()
    elif kind == "numbers":
        numbers = np.where(pd.isna(values), np.nan, values).astype(np.float64)
    else:
        return None
    return numbers if len(np.unique(numbers[~np.isnan(numbers)])) > 1 else None


def means_of_labels(values: np.ndarray, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels, and the mean of each in all nodes, shape (n_nodes, n_labels)."""
    named = np.where(pd.isna(values), "missing", values.astype(str))
    labels, codes = np.unique(named, return_inverse=True)
    sums = np.zeros((added.shape[1], len(labels)))
    for sum_of_node, of_node in zip(sums, added.T, strict=True):
        np.add.at(sum_of_node, codes, of_node)
    return labels, sums / np.bincount(codes)


def curves(numbers: np.ndarray, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values between the tails of a column, and what is added there to each node."""
    low, high = np.quantile(numbers, [TAIL, 1 - TAIL])
    if low == high:  # nearly all rows have one value
        low, high = numbers.min(), numbers.max()
    grid = np.linspace(low, high, POINTS)
    known, first = np.unique(numbers, return_index=True)
    return grid, np.array([np.interp(grid, known, of_node[first]) for of_node in added.T])


def sign_of(values: np.ndarray, response: np.ndarray) -> int:
    """Return 1 or -1 if the response is monotone in the values, else 0."""
    span = np.ptp(response)
    if not span > 0:
        return 0
    # else differences by rounding would rank what is equal, as where a relu node is off
    rounded = np.round((response - response.min()) / span, DIGITS)
    ranks, of_response = (rankdata(v) - (len(v) + 1) / 2 for v in (values, rounded))
    size = np.sqrt((ranks @ ranks) * (of_response @ of_response))
    product = ranks @ of_response
    return int(np.sign(product)) if size > 0 and abs(product) >= MONOTONE * size else 0


@dataclass(frozen=True)
class NodeEffects:
    """What nodes do to the outputs.

    Parameters
    ----------
    shares : ndarray of shape (n_nodes,)
        Share of the variance of the outputs.
    strengths : ndarray of shape (n_nodes, n_outputs)
        Standard deviation of the part of each output that comes from the node.
    signs : int ndarray of shape (n_nodes, n_outputs)
        1 where that part rises with the activation of the node, -1 where it falls, else 0.
    """

    shares: np.ndarray
    strengths: np.ndarray
    signs: np.ndarray


def effects_of(network: Any, inputs: np.ndarray) -> NodeEffects:
    r"""Measure what each node of the first hidden layer does to the outputs.

    The part of node i is what changes when its activation is set to its mean. Its share is

    .. math::

        \sum_k \mathrm{Cov}(g_{ik}, f_k) \Big/ \sum_k \mathrm{Var}(f_k)

    with :math:`g_{ik}` its part of output k. With one hidden layer shares add up to 1,
    less the share of a linear skip.

    Parameters
    ----------
    network : fitted SpectralMLPRegressor or SpectralMLPClassifier
    inputs : ndarray of shape (n_rows, n_inputs)

    Raises
    ------
    ValueError
        If the outputs are the same for all rows.
    """
    hidden = activated(network, inputs @ network.coefs_[0] + network.intercepts_[0])
    outputs = outputs_of(network, hidden) + skipped(network, inputs)
    outputs -= outputs.mean(axis=0)
    total = np.sum(outputs**2)
    if not total > 0:
        raise ValueError(
            "The prediction is the same for all rows of `X`, so there is no variance to share "
            "out; give rows that differ, such as those of the training."
        )
    parts = list(parts_of_nodes(network, hidden))
    return NodeEffects(
        np.array([np.sum(part * outputs) / total for part in parts]),
        np.array([part.std(axis=0) for part in parts]),
        np.array(
            [
                [sign_of(activation, of_output) for of_output in part.T]
                for activation, part in zip(hidden.T, parts, strict=True)
            ]
        ),
    )


def parts_of_nodes(network: Any, hidden: np.ndarray) -> Iterator[np.ndarray]:
    """Yield by how much each node moves the outputs, ndarray of shape (n_rows, n_outputs)."""
    outputs = outputs_of(network, hidden)
    for index, activation in enumerate(hidden.T):
        without = hidden.copy()
        without[:, index] = activation.mean()
        part = outputs - outputs_of(network, without)
        yield part - part.mean(axis=0)


def outputs_of(network: Any, hidden: np.ndarray) -> np.ndarray:
    """Return linear outputs, each in units of its target's spread, shape (n_rows, n_outputs)."""
    *layers, last = zip(network.coefs_[1:], network.intercepts_[1:], strict=True)
    for weights, biases in layers:
        hidden = activated(network, hidden @ weights + biases)
    return seen_by_loss(network, hidden @ last[0] + last[1])


def skipped(network: Any, inputs: np.ndarray) -> np.ndarray | float:
    """Return what a linear skip adds to the outputs of :func:`outputs_of`, 0 without one."""
    if network.skip_coef_ is None:
        return 0.0
    return seen_by_loss(network, inputs @ network.skip_coef_.T)


def seen_by_loss(network: Any, outputs: np.ndarray) -> np.ndarray:
    """Return outputs in units of their target's spread, without what the loss does not see."""
    outputs = np.asarray(outputs / network._target.scale[1], dtype=np.float64)
    if network.out_activation_ == "softmax":  # which does not see what all classes share
        outputs -= outputs.mean(axis=1, keepdims=True)
    return outputs


def activated(network: Any, sums: np.ndarray) -> np.ndarray:
    """Return the activations of hidden nodes."""
    sums = np.asarray(sums, dtype=np.float64)
    activations: np.ndarray = network.module_.activation(torch.from_numpy(sums)).numpy()
    return activations
