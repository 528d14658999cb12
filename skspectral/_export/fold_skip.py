"""A linear skip written as nodes of an ordinary network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np

PASSING = {"relu": (1.0, -1.0), "identity": (1.0,)}
"""Signs of the nodes that pass a number v on from layer to layer: v is their signed sum."""


def fold_skip(coefs, intercepts, skip, activation):
    r"""Return the layers of an MLP without a skip that computes the same as one with it.

    In each hidden layer nodes are added for each output, which hold

    .. math::

        \max(v, 0), \; \max(-v, 0), \qquad v = \max(v, 0) - \max(-v, 0)

    for relu, and v itself for the identity.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights, first layer to last.
    intercepts : list of ndarray of shape (n_out,)
        Biases.
    skip : ndarray of shape (n_features, n_outputs)
        Weights of the linear skip.
    activation : str
        Of the hidden nodes.

    Returns
    -------
    coefs, intercepts : list of ndarray
        As given, with the added nodes behind those of each layer.

    Raises
    ------
    ValueError
        If there are hidden nodes whose activation does not pass a number on as it is.
    """
    first, *others = coefs
    if not others:
        return [first + skip], intercepts
    if activation not in PASSING:
        raise ValueError(
            "`activation` must be 'relu' or 'identity' for a linear skip to be written as nodes "
            f"of scikit-learn's MLP; got {activation!r}. Export with to_onnx, which has the skip "
            "as it is for each activation of scikit-learn's MLP, or fit with skip=False."
        )
    signs = np.kron(PASSING[activation], np.eye(skip.shape[1]))  # (n_outputs, n_added)
    n_added = signs.shape[1]
    *between, last = others
    folded = [np.hstack([first, skip @ signs])]
    folded += [_beside(layer, n_added) for layer in between]
    folded.append(np.vstack([last, signs.T]))
    zeros = np.zeros(n_added)
    biases = [np.append(bias, zeros) for bias in intercepts[:-1]]
    return folded, [*biases, intercepts[-1]]


def _beside(layer, n_added):
    """Return the weights of a layer with added nodes, each of which takes the one before."""
    n_in, n_out = layer.shape
    whole = np.zeros((n_in + n_added, n_out + n_added))
    whole[:n_in, :n_out] = layer
    whole[n_in:, n_out:] = np.eye(n_added)
    return whole
