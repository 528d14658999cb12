"""The penalties of a path: the largest, and the grid below it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

from skspectral._path.penalties import fixed
from skspectral._path.walk import steps, until, visit

SCOUT_START = 1e-3
"""First penalty of the search for the largest one."""
SCOUT_FACTOR = 2.0
"""Ratio of neighbouring penalties in that search."""
SMALLEST_ALPHA, LARGEST_ALPHA = 1e-9, 1e6
"""Where the search gives up: every node dies at the first, or some survive the second."""
SCOUT_COLLAPSED = 1e-2
"""A layer counts as dead in the search below this share of its largest relevance so far.

Noise in the gradient can keep the weights of a dense layer from vanishing altogether.
"""
BEYOND = 10.0
"""While nodes are alive, a path goes on up to this multiple of the penalty that was found."""


def find_alpha_max(estimator, X, y, *, epochs, sample_weight=None):
    """Return a penalty at which a layer has died, by doubling it along a path, as a coroutine.

    There is no formula for it, as there is for the lasso: zero weights are a local
    minimum of the loss at every penalty, so it depends on the path where nodes die.

    Parameters
    ----------
    estimator, X, y, sample_weight
        As in :func:`steps`.
    epochs : int
        Of each fit.
    """
    start = SCOUT_START
    # The scout's first fit is as short as the later ones: it looks for an order of magnitude.
    options = {"sample_weight": sample_weight, "epochs": (epochs, epochs)}
    while start > SMALLEST_ALPHA:
        walked = steps(estimator, X, y, fixed(_doubling(start)), **options)
        alpha = yield from _last_of_scout(walked)
        if alpha > start:
            return alpha
        # The first penalty was already too large, so the largest useful one lies below.
        start /= 100
    # Nodes die at every penalty that was tried; the path from here will show as much.
    return SCOUT_START


def _doubling(start):
    n_steps = math.ceil(math.log(LARGEST_ALPHA / start, SCOUT_FACTOR))
    return (start * SCOUT_FACTOR**step for step in range(n_steps + 1))


def _last_of_scout(walked):
    """Return the penalty at which a layer has died or collapsed, as a coroutine."""
    strongest = 0.0

    def has_collapsed(network):
        nonlocal strongest
        # Nothing passes through a dead layer, so the weakest one decides.
        relevance = min(layer.max() for layer in network.feature_relevance_)
        strongest = max(strongest, relevance)
        return not any(network.n_alive_nodes_) or relevance < SCOUT_COLLAPSED * strongest

    alphas = yield from visit(until(walked, has_collapsed), lambda network: network.alpha)
    return alphas[-1]


def alpha_grid(estimator, X, y, n_alphas, eps, **options):
    """Return an iterator of penalties in geometric steps, from `eps` times the largest one.

    A coroutine, as the largest has to be found. The first `n_alphas` reach the penalty that
    :func:`find_alpha_max` found on a quick path. The others continue beyond it: on a path with
    more training nodes may still be alive there.

    Parameters
    ----------
    estimator, X, y
        As in :func:`steps`.
    n_alphas : int
        Penalties up to the largest.
    eps : float
        Smallest penalty as a share of the largest.
    **options : dict
        `epochs` and `sample_weight` of :func:`find_alpha_max`.
    """
    alpha_max = yield from find_alpha_max(estimator, X, y, **options)
    ratio = eps ** (-1 / (n_alphas - 1))
    # The bound by `n_alphas` keeps a fine grid from growing to many times its length.
    n_beyond = min(n_alphas, math.ceil(math.log(BEYOND, ratio)))
    return (alpha_max * eps * ratio**step for step in range(n_alphas + n_beyond))
