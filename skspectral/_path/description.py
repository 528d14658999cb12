"""Describe the networks of a path, as arrays."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from skspectral._warn import warn_caller


def describe(estimator):
    """Return the entries of a path for one of its networks."""
    history = estimator.net_.history
    # A fit that diverged in its first epoch has no loss.
    losses = [row["train_loss"] for row in history[estimator.net_.first_epoch_ :]]
    return {
        "alphas": estimator.alpha_,
        "n_alive_nodes": estimator.n_alive_nodes_,
        "alive_features": estimator.alive_features_,
        "feature_importances": estimator.feature_importances_,
        # None, a size that was not judged, becomes False to fit into an array of bool.
        "size_settled": bool(estimator.size_settled_),
        "train_loss": float(losses[-1]) if losses else np.nan,
    }


def gather(descriptions):
    """Return arrays with one entry per penalty, and where the last node died.

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
    """Warn if nodes are alive at the end of a grid that should end without any."""
    if path.n_alive_nodes[-1].any():
        warn_caller(
            f"The path ends at alpha={path.alphas[-1]:g} with nodes alive: none of its penalties "
            "is large enough, or training is too short for nodes to die. Scale X, raise "
            "`path_max_iter`, or give `alphas`.",
            ConvergenceWarning,
        )


def alpha_bracket(alphas, n_alive_nodes):
    """Return the largest penalty with nodes alive, and the next one, at which all have died.

    If the path lacks the first it is 0, if it lacks the second it is infinity.
    """
    # Nodes do not come back, so the number of networks with nodes is also the place of the cut.
    n_alive = int((n_alive_nodes.sum(axis=1) > 0).sum())
    lower = alphas[n_alive - 1] if n_alive else 0.0
    upper = alphas[n_alive] if n_alive < len(alphas) else np.inf
    return float(lower), float(upper)


def order_of_leaving(path):
    """Return columns in the order in which they leave a path, int ndarray of shape (n_features,).

    A column leaves at the penalty after the last one at which it is alive. Columns that
    leave together, or stay, are ordered by their importance at that last penalty.
    """
    # Importances of a dead network, and those of a constant one, rank nothing.
    alive = path.alive_features & path.feature_importances.any(axis=1, keepdims=True)
    n_features = alive.shape[1]
    # The last True of each column is the first of the column read backwards.
    last = len(alive) - 1 - np.argmax(alive[::-1], axis=0)
    last = np.where(alive.any(axis=0), last, 0)
    # lexsort sorts by its last key first: by penalty, then by importance.
    return np.lexsort((path.feature_importances[last, np.arange(n_features)], last))
