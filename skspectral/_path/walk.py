"""One network trained on from penalty to penalty."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import contextlib
import math

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skspectral._compat import _num_samples
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import check_has_hidden_layer, check_one_network
from skspectral._estimators.parts import fit_part
from skspectral._estimators.recipe import batch_rows
from skspectral._estimators.rows import Rows
from skspectral._warn import warn_caller

STEPS_PER_ROOT = 4
"""Steps of a later fit of a path, divided by the square root of the number of rows.

With so few steps nodes lag behind the penalty, but networks of one size score as well as after
several times the steps.
"""
LEAST_STEPS, MOST_STEPS = 100, 500
"""Bounds of these steps."""
FIRST_FACTOR = 4
"""Steps of the first fit, which starts from random weights, over those of a later one."""


def check_path_estimator(estimator):
    """Raise unless `estimator` is a network with hidden nodes and one penalty."""
    if not isinstance(estimator, BaseSpectralMLP):
        raise TypeError(
            "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier; got "
            f"{type(estimator).__name__}. If it is a step of a pipeline, transform X first."
        )
    check_one_network(estimator, "Find the size with one network, then fit several.")
    # A path ends where no node is alive, so without hidden nodes there is none to follow.
    check_has_hidden_layer(estimator, "penalise")
    for name in ("alpha_phi", "alpha_lambda"):
        if getattr(estimator, name) is not None:
            raise ValueError(
                f"`{name}` must be None, as a path has one penalty for all weights; got "
                f"{getattr(estimator, name)!r}."
            )


def path_epochs(estimator, n_rows, path_max_iter="auto"):
    """Return the epochs of the first fit of a path, and those of each later one.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
    n_rows : int
    path_max_iter : int or "auto"
    """
    # Steps, not epochs, are what training needs: an epoch of a large table has more of them.
    steps = np.clip(STEPS_PER_ROOT * math.sqrt(n_rows), LEAST_STEPS, MOST_STEPS)
    epochs = steps / math.ceil(n_rows / batch_rows(estimator.batch_size, n_rows))
    first, later = estimator.max_iter, path_max_iter
    if first == "auto":
        first = math.ceil(FIRST_FACTOR * epochs)
    if later == "auto":
        later = min(first, math.ceil(epochs))
    return first, later


def count_rows(X, sample_weight=None):
    """Return the number of rows of positive weight: the others are not trained on."""
    return _num_samples(X) if sample_weight is None else int(np.count_nonzero(sample_weight))


def steps(estimator, X, y, penalties, *, sample_weight=None, classes=None, epochs=None):
    """Fit at each penalty, starting from the weights of the one before, as a coroutine.

    Dead nodes do not come back, so the penalties must rise. Once all nodes have died
    there is nothing left to train, unless there is a linear skip: the same network is
    yielded at the later penalties.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        Not changed.
    X, y : arrays
        Training rows.
    penalties : iterable of dict
        Parameters that set the penalty, as :mod:`skspectral._path.penalties` makes them.
    sample_weight : ndarray of shape (n,) or None
    classes : ndarray of shape (n_classes,) or None, default=None
        All classes, of which the rows may lack some; None: those of `y`.
    epochs : tuple of two (int or "auto") or None, default=None
        Of the first fit, and of each later one; None: as the estimator says.

    Yields
    ------
    tuple of Training, or estimator
        First the trainings that a fit needs, then the same object each time, fitted at the
        next penalty. Copy it to keep a state.
    """
    first, later = epochs or (estimator.max_iter, estimator.max_iter)
    network = clone(estimator).set_params(warm_start=False, max_iter=first)
    rows = Rows(X, y, sample_weight, classes)
    for penalty in penalties:
        network.set_params(**penalty)
        # Only a fit tells a penalty that follows the noise.
        is_known = network.alpha != "auto"
        if not hasattr(network, "net_") or not is_dead(network) or network.skip or not is_known:
            complaint = yield from fit_part(network, rows)
            # Sizes that have not settled are told by `size_settled` of the path. "Training
            # diverged" makes the whole path doubtful.
            if complaint and complaint.startswith("Training"):
                warn_caller(complaint, ConvergenceWarning)
            # From here on the weights are trained already.
            network.set_params(max_iter=later, warm_start=True, n_restarts=0)
        else:
            network.alpha_ = network.alpha
        yield network


def until(walked, is_last):
    """Walk up to the first network for which ``is_last(network)``."""
    with contextlib.closing(walked):
        for step in walked:
            yield step
            if not isinstance(step, tuple) and is_last(step):
                return


def is_dead(network):
    """Tell whether no node of a fitted network is alive."""
    return not any(network.n_alive_nodes_)


def visit(walked, look):
    """Walk as a coroutine that yields trainings; return what `look` returned for each network.

    Parameters
    ----------
    walked : generator
        As :func:`steps` returns it.
    look : callable
        ``look(network)``; the network changes after it has returned.
    """
    seen = []
    with contextlib.closing(walked):
        for step in walked:
            if isinstance(step, tuple):
                yield step
            else:
                seen.append(look(step))
    return seen
