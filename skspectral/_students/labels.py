"""Kinds of labels that a teacher gives: numbers, or probabilities of classes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.metrics import accuracy_score, r2_score

from skspectral._estimators.soft_targets import fit_to_probabilities
from skspectral._students.by_parts import last_step
from skspectral._training.counts import count_of


def mean_divergence(
    proba: np.ndarray, log_proba: np.ndarray, weight: np.ndarray | None = None
) -> float:
    r"""Return the mean Kullback-Leibler divergence of one model from another, in nats.

    .. math::

        \frac{1}{n} \sum_i \sum_k p_{ik} \log \frac{p_{ik}}{q_{ik}}

    Parameters
    ----------
    proba : ndarray of shape (n, n_classes)
        Probabilities p, which may be 0.
    log_proba : ndarray of shape (n, n_classes)
        Logarithms of the probabilities q.
    weight : ndarray of shape (n,) or None, default=None
    """
    of_rows = (xlogy(proba, proba) - proba * log_proba).sum(axis=1)
    return float(np.average(of_rows, weights=weight))


def r2(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return R2, NaN for a single row."""
    return float(r2_score(y, predicted, sample_weight=weight)) if len(y) > 1 else float("nan")


def check_finite(labels: np.ndarray, teacher: Any) -> None:
    """Raise ValueError if a teacher says NaN or infinity of a row."""
    wrong = ~np.isfinite(labels.reshape(len(labels), -1)).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"`teacher` {type(last_step(teacher)).__name__} must predict finite numbers; it "
            f"predicted NaN or infinity for {wrong.sum()} of {count_of(len(wrong), 'row')}."
        )


@dataclass(frozen=True)
class NumberLabels:
    """Numbers, as a regressor predicts them."""

    stratifies = False

    def of(self, teacher: Any, X: Any) -> np.ndarray:
        """Return what a teacher predicts, float ndarray of shape (n,) or (n, n_outputs)."""
        labels = np.asarray(teacher.predict(X), dtype=np.float64)
        check_finite(labels, teacher)
        # some regressors keep the dimension of a single output
        return labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels

    def plain(self, labels: np.ndarray) -> np.ndarray:
        """Return targets for steps in front of the network."""
        return labels

    def fit(self, network: Any, X: Any, labels: np.ndarray, weight: np.ndarray | None) -> Any:
        """Fit a network to labels."""
        return network.fit(X, labels, weight)

    def fidelity(
        self, labels: np.ndarray, student: Any, X: Any, weight: np.ndarray | None = None
    ) -> float:
        """Return R2 of the student's predictions, with the teacher's in place of y."""
        return r2(labels, student.predict(X), weight)

    def score(
        self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None = None
    ) -> float:
        """Return R2 of predictions."""
        return r2(y, predicted, weight)

    def fidelity_text(self, fidelity: float) -> str:
        """Return a fidelity in words."""
        return f"R2 {fidelity:.3f} of the student against its teacher"

    score_name = "R2"
    fidelity_name = "R2 against the teacher"


@dataclass(frozen=True)
class ClassLabels:
    """Probabilities of classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    """

    classes: np.ndarray

    stratifies = True

    def of(self, teacher: Any, X: Any) -> np.ndarray:
        """Return a teacher's probabilities, ndarray of shape (n, n_classes).

        Classes that the teacher has not seen have probability 0.
        """
        proba = np.asarray(teacher.predict_proba(X), dtype=np.float64)
        check_finite(proba, teacher)
        labels = np.zeros((len(proba), len(self.classes)))
        labels[:, np.searchsorted(self.classes, teacher.classes_)] = proba
        # those of float32 models sum to 1 up to its rounding only
        shares: np.ndarray = labels / labels.sum(axis=1, keepdims=True)
        return shares

    def plain(self, labels: np.ndarray) -> np.ndarray:
        """Return the likeliest classes."""
        likeliest: np.ndarray = self.classes[labels.argmax(axis=1)]
        return likeliest

    def fit(self, network: Any, X: Any, labels: np.ndarray, weight: np.ndarray | None) -> Any:
        """Fit a network to probabilities."""
        return fit_to_probabilities(network, X, labels, self.classes, weight)

    def fidelity(
        self, labels: np.ndarray, student: Any, X: Any, weight: np.ndarray | None = None
    ) -> float:
        """Return the mean divergence of the student from the teacher, in nats."""
        return mean_divergence(labels, student.predict_log_proba(X), weight)

    def score(
        self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None = None
    ) -> float:
        """Return the accuracy of predictions."""
        return float(accuracy_score(y, predicted, sample_weight=weight))

    def fidelity_text(self, fidelity: float) -> str:
        """Return a fidelity in words."""
        return f"{fidelity:.3g} nats of divergence of the student from its teacher"

    score_name = "accuracy"
    fidelity_name = "divergence from the teacher (nats)"


Labels = NumberLabels | ClassLabels
