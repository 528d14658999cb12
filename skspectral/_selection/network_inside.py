"""What an estimator does with the fitted network inside it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _network_has(method):
    """Tell whether the network, fitted or not, has a method."""

    def check(self):
        getattr(self.estimator_ if hasattr(self, "estimator_") else self._inner(), method)
        return True

    return check


class NetworkInsideMixin:
    """Predictions and exports of `estimator_`."""

    estimator_: Any

    @available_if(_network_has("predict"))
    def predict(self, X):
        """Predict with the network inside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As the network's own ``predict``.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(_network_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities with the network inside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_network_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Predict logarithms of probabilities with the network inside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms of :meth:`predict_proba`.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    def score(self, X, y, sample_weight=None):
        """Return R2 or accuracy of the network inside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Their weights.

        Returns
        -------
        float
            As the network's own ``score``.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.score(X, y, sample_weight)

    def to_sklearn(self):
        """Return the network inside as a scikit-learn MLP.

        Returns
        -------
        MLPRegressor or MLPClassifier of :mod:`sklearn.neural_network`
            As the network's own ``to_sklearn``.

        Raises
        ------
        ValueError
            If scikit-learn does not have the activation.
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.to_sklearn()

    @property
    def classes_(self):
        """Class labels, ndarray of shape (n_classes,)."""
        check_is_fitted(self)
        return self.estimator_.classes_
