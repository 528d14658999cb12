"""Scores that are means over rows, given row by row, so that networks are compared in pairs."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.base import is_classifier

SMALLEST_LOG = np.log(np.finfo(np.float64).eps)
"""Least log-probability, also of a class that the network does not know."""


def _columns(y):
    # One output may come as a vector: both forms get the shape (n, n_outputs).
    return np.asarray(y, dtype=float).reshape(len(y), -1)


def _r2(network, X, y, weight):
    """Return one term per row; their mean is the R2, averaged over outputs."""
    if len(y) < 2:
        raise ValueError(
            "R2 needs at least 2 rows to score, as it compares with their mean; got "
            f"{len(y)}. Give larger folds, or scoring='neg_mean_squared_error'."
        )
    # R2 = 1 - (mean squared error) / variance, so each row adds 1 - (its error) / variance.
    y, predicted = _columns(y), _columns(network.predict(X))
    mean = np.average(y, axis=0, weights=weight)
    variance = np.average((y - mean) ** 2, axis=0, weights=weight)
    errors = (y - predicted) ** 2
    constant = np.where(errors.any(axis=0), 0.0, 1.0)  # as scikit-learn's, where y is
    shares = np.where(variance > 0, 1 - errors / np.where(variance > 0, variance, 1.0), constant)
    return shares.mean(axis=1)


def _squared_error(network, X, y, weight):
    return -((_columns(y) - _columns(network.predict(X))) ** 2).mean(axis=1)


def _absolute_error(network, X, y, weight):
    return -np.abs(_columns(y) - _columns(network.predict(X))).mean(axis=1)


def _accuracy(network, X, y, weight):
    # Of several labels all must be right, which is the accuracy of scikit-learn.
    right = network.predict(X) == y
    return (right if right.ndim == 1 else right.all(axis=1)).astype(float)


def _log_loss(network, X, y, weight):
    """Return the log-probability of the true class in nats, or its mean over several labels."""
    log_proba = network.predict_log_proba(X)
    # Bounded as in scikit-learn: one row of probability 0 must not make the mean infinite.
    if np.ndim(y) == 2:
        log_proba = np.maximum(log_proba, SMALLEST_LOG)
        # log(1 - p) from log(p): expm1 keeps the digits that 1 - p loses where p is tiny.
        log_not = np.log(np.maximum(-np.expm1(log_proba), np.exp(SMALLEST_LOG)))
        return np.where(y > 0, log_proba, log_not).mean(axis=1)
    # A class beyond the last has no place in `classes_`; clipped, it is found to be unknown.
    code = np.searchsorted(network.classes_, y).clip(max=len(network.classes_) - 1)
    known = network.classes_[code] == y
    # Bounded after the choice: with many classes a second array of their size is much.
    of_class = np.maximum(log_proba[np.arange(len(y)), code], SMALLEST_LOG)
    return np.where(known, of_class, SMALLEST_LOG)


REGRESSION_SCORES = {
    "r2": _r2,
    "neg_mean_squared_error": _squared_error,
    "neg_mean_absolute_error": _absolute_error,
}
CLASSIFICATION_SCORES = {"accuracy": _accuracy, "neg_log_loss": _log_loss}
ROW_SCORES = {**REGRESSION_SCORES, **CLASSIFICATION_SCORES}
"""``score(network, X, y, weight) -> ndarray of shape (n,)``; its mean is scikit-learn's score."""


def named_scoring(scoring, estimator):
    """Return `scoring`, or for None the name of the score that it stands for."""
    # Log loss, not accuracy: sure and unsure networks of one accuracy differ in it.
    if scoring is not None:
        return scoring
    return "neg_log_loss" if is_classifier(estimator) else "r2"


def row_score(scoring, estimator):
    """Return the row-wise form of `scoring`, or None if it has none.

    Parameters
    ----------
    scoring : str, callable or None
        None: R2 for a regressor, the negative log loss for a classifier.
    estimator : estimator
        A classifier or a regressor.

    Raises
    ------
    ValueError
        If the score is for the other kind of estimator.
    """
    scores = _scores_for(estimator)
    scoring = named_scoring(scoring, estimator)
    if not isinstance(scoring, str):
        return None
    # Refused here, as scikit-learn computes even an R2 of class labels if they are numbers.
    if scoring in ROW_SCORES and scoring not in scores:
        raise ValueError(unsuitable(scoring, estimator))
    return scores.get(scoring)


def unsuitable(scoring, estimator):
    """Return what to say of a score that is for the other kind of estimator."""
    return (
        f"`scoring` must suit {type(estimator).__name__}, for example one of "
        f"{sorted(_scores_for(estimator))}; got {scoring!r}."
    )


def _scores_for(estimator):
    return CLASSIFICATION_SCORES if is_classifier(estimator) else REGRESSION_SCORES
