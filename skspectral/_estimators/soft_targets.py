"""Probabilities of classes as a target, such as another model gives them."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._estimators.targets import ClassTarget

ROUNDING = 1e-12
"""Differences of probabilities that are rounding."""


@dataclass(frozen=True)
class ProbabilityTarget(ClassTarget):
    r"""Classes that are known by their probabilities.

    The loss of a row is the cross-entropy :math:`-\sum_k p_k \log q_k` between the target p and
    the prediction q, which hard classes have with p = 1 for one of them.
    """

    @staticmethod
    def check(y: Any) -> np.ndarray:
        """Return probabilities as float64 array of shape (n, n_classes)."""
        return np.asarray(y, dtype=np.float64)

    @property
    def stratifies(self) -> bool:
        """Whether rows that are held out should have the classes in equal shares."""
        return False

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return probabilities as the loss compares them, ndarray of shape (n, n_outputs)."""
        return y[:, 1:] if self.n_outputs == 1 else y

    def constant_outputs(self, rows: Rows) -> np.ndarray:
        """Tell which outputs are the same in all rows, bool ndarray of shape (n_outputs,)."""
        p = self.encode(rows.y)
        return np.asarray(np.ptp(p, axis=0) <= ROUNDING)

    def covariance(self, rows: Rows) -> np.ndarray:
        """Return the mean covariance of classes that are drawn from the probabilities.

        Returns
        -------
        ndarray of shape (n_outputs, n_outputs)
        """
        p = self.encode(rows.y)
        mean = np.average(p, axis=0, weights=rows.weight)
        share = np.full(len(p), 1 / len(p)) if rows.weight is None else rows.weight
        covariance: np.ndarray = np.diag(mean) - (p.T * (share / share.sum())) @ p
        # of probabilities that are 0 and 1 it is rounding, which may be negative
        return covariance if np.trace(covariance) > ROUNDING else np.zeros_like(covariance)


def fit_to_probabilities(
    classifier: Any,
    X: Any,
    proba: np.ndarray,
    classes: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> Any:
    """Fit a classifier to probabilities in place of classes.

    Parameters
    ----------
    classifier : SpectralMLPClassifier
        Not fitted yet.
    X : array-like of shape (n, n_features)
    proba : ndarray of shape (n, n_classes)
        Of sum 1.
    classes : ndarray of shape (n_classes,)
        Sorted.
    sample_weight : ndarray of shape (n,) or None, default=None

    Returns
    -------
    SpectralMLPClassifier
        The classifier, as if it had been fitted to classes.
    """
    target = ClassTarget.of(classes)
    classifier._soft_target = ProbabilityTarget(
        target.classes, target.n_outputs, target.is_multilabel
    )
    try:
        classifier.fit(X, proba, sample_weight)
    finally:
        del classifier._soft_target  # of this fit alone: the next one has classes
    classifier._take_target(target)
    return classifier
