"""Size of a network as a score, for searches."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral

from skspectral._study.final_network import final_network
from skspectral._training.counts import count_of


def n_alive_nodes_score(estimator, X=None, y=None, *, layer=None):
    """Return the number of alive hidden nodes, to be used as a scorer.

    A grid search over widths that records it beside the usual score is a study of
    sizes; :class:`EffectiveSizeDisplay` draws it. Do not choose a model by it: a
    search that maximised it would look for large networks.

    Parameters
    ----------
    estimator : object
        Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
        Pipeline, a SpectralPruner or a search does.
    X, y : ignored
        Not used; a search passes them to every scorer.
    layer : int or None, default=None
        Hidden layer to count in, from 0, negative from the end; None: all. Set it
        with ``functools.partial(n_alive_nodes_score, layer=0)``.

    Returns
    -------
    int
        Number of alive nodes; 0 if a layer has died. With `n_members` above 1 it is that
        of the network of median size (the smaller of two), not of the one that all were
        folded into.

    Raises
    ------
    TypeError
        If there is no network of this package in `estimator`, or `layer` is not an
        integer.
    ValueError
        If the network has no such layer.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    EffectiveSizeDisplay : Alive nodes against width.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, n_alive_nodes_score
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> reg = SpectralMLPRegressor(32, alpha=1e-2, random_state=0).fit(X, np.abs(X[:, 0]))
    >>> n_alive_nodes_score(reg)
    2

    In a search: ``scoring={"r2": "r2", "n_nodes": n_alive_nodes_score}, refit=False``.
    """
    sizes = typical_sizes(final_network(estimator))
    if layer is None:
        return sum(sizes)
    return sizes[check_layer(layer, len(sizes))]


def typical_sizes(network):
    """Return alive nodes per hidden layer; of several networks those of the median one."""
    members = getattr(network, "member_sizes_", None)
    if members is None:
        return network.n_alive_nodes_
    return sorted(members, key=sum)[(len(members) - 1) // 2]


def check_layer(layer, n_layers):
    """Return the index of a hidden layer; raise unless the network has it."""
    # True would be layer 1
    if not isinstance(layer, Integral) or isinstance(layer, bool):
        raise TypeError(f"`layer` must be an integer or None; got {layer!r}.")
    if not -n_layers <= int(layer) < n_layers:
        raise ValueError(
            f"`layer` must be from {-n_layers} to {n_layers - 1}, as the network has "
            f"{count_of(n_layers, 'hidden layer')}; got {layer}."
        )
    return int(layer)
