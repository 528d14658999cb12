"""What a path tells of its networks, as arrays."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch


def alive_features(estimator):
    """Tell which columns are alive, bool ndarray of shape (n_features,).

    As for nodes, those whose importance exceeds the share of the largest that
    `relevance_threshold` names.
    """
    importances = estimator.feature_importances_
    return importances > estimator.relevance_threshold * importances.max(initial=0.0)


def describe(estimator):
    """Return what a path tells of one of its networks."""
    return {
        "alphas": estimator.alpha,
        "n_alive_nodes": estimator.n_alive_nodes_,
        "alive_features": alive_features(estimator),
        "feature_importances": estimator.feature_importances_,
        "size_settled": bool(estimator.size_settled_),
        "train_loss": float(estimator.net_.history[-1]["train_loss"]),
    }


def gather(descriptions):
    """Return arrays with one entry per penalty, and the bracket of the largest penalty.

    Parameters
    ----------
    descriptions : list of dict
        As :func:`describe` returns them.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
    """
    path = Bunch(
        **{name: np.array([entry[name] for entry in descriptions]) for name in descriptions[0]}
    )
    path.alpha_max = alpha_bracket(path.alphas, path.n_alive_nodes)
    return path


def warn_if_alive(path):
    """Warn where a grid that was to end with every node dead did not."""
    if path.n_alive_nodes[-1].any():
        warnings.warn(
            f"The path ends at alpha={path.alphas[-1]:g} with nodes alive: none of its penalties "
            "is large enough, or training too short for nodes to die. Scale X, raise "
            "`path_max_iter`, or give `alphas`.",
            ConvergenceWarning,
            stacklevel=4,
        )


def alpha_bracket(alphas, n_alive_nodes):
    """Return the largest penalty with nodes alive and the next, at which all have died.

    Where the path has none such, 0 or infinity take its place.
    """
    n_alive = int((n_alive_nodes.sum(axis=1) > 0).sum())
    lower = alphas[n_alive - 1] if n_alive else 0.0
    upper = alphas[n_alive] if n_alive < len(alphas) else np.inf
    return float(lower), float(upper)


def order_of_leaving(path):
    """Return columns in the order in which they leave a path, int ndarray of shape (n_features,).

    A column has left for good at the first penalty from which on it is not
    alive. Those that leave together, or stay, come by importance before that.
    """
    alive = path.alive_features & (path.n_alive_nodes.sum(axis=1) > 0)[:, None]
    n_features = alive.shape[1]
    last = len(alive) - 1 - np.argmax(alive[::-1], axis=0)
    last = np.where(alive.any(axis=0), last, 0)
    return np.lexsort((path.feature_importances[last, np.arange(n_features)], last))
