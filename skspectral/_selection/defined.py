"""Find out before the first fit whether a score is defined on the rows of every fold."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.utils.multiclass import unique_labels

from skspectral._estimators.rows import Rows, sentence
from skspectral._selection.folds import Fold
from skspectral._selection.row_scores import named_scoring
from skspectral._selection.scoring import Score

DRAWS = 5
"""Predictions that are tried: a likelihood ratio, for one, is not defined for each of them."""


class RandomNumbers(RegressorMixin, BaseEstimator):
    """Predict the targets that are given, in another order.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs)
        So that a score which asks for, say, positive numbers gets them.
    draw : int, default=0
        Number of the prediction.
    """

    def __init__(self, y, draw=0):
        self.y = y
        self.draw = draw

    def predict(self, X):
        """Return an array of the shape of `y`."""
        return np.roll(self.y, 1 + self.draw, axis=0)


class RandomClasses(ClassifierMixin, BaseEstimator):
    """Predict at random, in the form in which a network does.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_labels)
        Targets of the rows that are scored.
    classes : ndarray of shape (n_classes,)
        All classes, or the numbers of the labels.
    draw : int, default=0
        Number of the prediction.
    """

    def __init__(self, y, classes, draw=0):
        self.y = y
        self.classes = classes
        self.draw = draw

    @property
    def classes_(self):
        """All classes."""
        return self.classes

    def predict_proba(self, X):
        """Return random probabilities, ndarray of shape (n, n_classes)."""
        rng = np.random.default_rng(self.draw)
        share = rng.uniform(0.1, 0.9, size=(len(self.y), len(self.classes)))
        return share if self.y.ndim == 2 else share / share.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        """Return their natural logarithms."""
        return np.log(self.predict_proba(X))

    def predict(self, X):
        """Return the class of the largest, or the labels above one half."""
        proba = self.predict_proba(X)
        return (
            (proba > 0.5).astype(int) if self.y.ndim == 2 else self.classes[proba.argmax(axis=1)]
        )


def check_defined(score: Score, folds: Sequence[Fold], network: Any, scoring: Any) -> None:
    """Raise ValueError, naming the fold, where a score is not defined on the rows it holds out.

    A stand-in for the network is scored. A function of the user's own may need more of a
    network, so it is not tried.

    Parameters
    ----------
    score : callable
        As :func:`network_score` returns it.
    folds : sequence of Fold
    network : estimator
    scoring : str, callable or None
        What `score` was made of.
    """
    if not (scoring is None or isinstance(scoring, str) or hasattr(scoring, "_score_func")):
        return
    stand_in = _random_classes if is_classifier(network) else _random_numbers
    for k, (_, rows) in enumerate(folds):
        faults = [_fault(score, stand_in(rows, 0), rows)]
        if faults[0]:
            faults += [_fault(score, stand_in(rows, draw), rows) for draw in range(1, DRAWS)]
        if not all(faults):
            continue
        absent = _absent_classes(rows)
        lacking = f", without the classes {absent}" if absent else ""
        others = "folds with all classes, such as those of StratifiedKFold"
        raise ValueError(
            f"scoring={named_scoring(scoring, network)!r} is not defined on the rows that "
            f"{f'fold {k} of `cv` holds out' if len(folds) > 1 else 'are scored'}{lacking}: "
            f"{faults[0]} Choose another score, or {others if absent else 'other rows'}."
        )


def _random_numbers(rows: Rows, draw: int) -> RandomNumbers:
    return RandomNumbers(rows.y, draw)


def _random_classes(rows: Rows, draw: int) -> RandomClasses:
    classes = unique_labels(rows.y) if rows.classes is None else rows.classes
    return RandomClasses(rows.y, classes, draw)


def _fault(score: Score, network: Any, rows: Rows) -> str:
    """Return what is wrong with the score, in a sentence; nothing where it is a number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again with the network
        try:
            value, _ = score(network, rows)
        except Exception as error:  # each metric refuses in its own way
            return sentence(error)
    return "it gives NaN." if np.isnan(value) else ""


def _absent_classes(rows: Rows) -> list[Any]:
    """Return the classes of the table that the rows lack; labels are columns, so none lacks."""
    if rows.classes is None or rows.y.ndim == 2:
        return []
    absent: list[Any] = np.setdiff1d(rows.classes, rows.y).tolist()
    return absent
