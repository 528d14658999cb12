"""The penalties of a path: the largest, and the grid below it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

from sklearn.base import clone

from skspectral._path.walk import count_rows, path_epochs, walk

SCOUT_START = 1e-3


SCOUT_FACTOR = 2.0
"""Where the search for the largest penalty starts, and by what it goes on."""


SMALLEST_ALPHA, LARGEST_ALPHA = 1e-9, 1e6
"""Where the search gives up: not a node survives, or some survive, any penalty."""


SCOUT_COLLAPSED = 1e-2
"""Share of its first relevance below which the search takes a layer for dead: noise can keep
weights of a dense layer from vanishing altogether."""


BEYOND = 10.0
"""So many times the largest penalty of its search a path goes on while nodes are alive."""


def find_alpha_max(estimator, X, y, **options):
    """Return a penalty at which every node has died, by doubling it along a path.

    Parameters
    ----------
    estimator, X, y
        As in :func:`walk`.
    **options : dict
        `sample_weight` and `path_max_iter` of :func:`walk`.
    """
    start = SCOUT_START
    _, epochs = path_epochs(estimator, count_rows(X, options.get("sample_weight")))
    scout = clone(estimator).set_params(max_iter=epochs)
    while start > SMALLEST_ALPHA:
        alpha = _last_of_scout(walk(scout, X, y, _doubling(start), **options))
        if alpha > start:
            return alpha
        start /= 100
    return SCOUT_START


def _doubling(start):
    n_steps = math.ceil(math.log(LARGEST_ALPHA / start, SCOUT_FACTOR))
    return (start * SCOUT_FACTOR**step for step in range(n_steps + 1))


def _last_of_scout(networks):
    """Return the penalty at which a layer has died or collapsed."""
    strongest = 0.0
    for network in networks:
        relevance = min(layer.max() for layer in network.feature_relevance_)
        strongest = max(strongest, relevance)
        if not any(network.n_alive_nodes_) or relevance < SCOUT_COLLAPSED * strongest:
            break
    return network.alpha


def alpha_grid(estimator, X, y, n_alphas, eps, **options):
    """Yield penalties from `eps` times the largest one on, geometrically.

    The first `n_alphas` reach the penalty that kills every node of a quick path; the
    others are for a thorough one, which may go on beyond.

    Parameters
    ----------
    estimator, X, y
        As in :func:`walk`.
    n_alphas : int
    eps : float
    **options : dict
        As in :func:`find_alpha_max`.
    """
    alpha_max = find_alpha_max(estimator, X, y, **options)
    ratio = eps ** (-1 / (n_alphas - 1))
    n_beyond = min(n_alphas, math.ceil(math.log(BEYOND, ratio)))
    return (alpha_max * eps * ratio**step for step in range(n_alphas + n_beyond))
