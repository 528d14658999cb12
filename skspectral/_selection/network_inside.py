"""Attributes and methods of an estimator that come from the fitted network inside it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.summary import (
    SummaryMixin,
    network_caption,
    penalty_rows,
    size_rows,
)
from skspectral._selection.choice_text import (
    cross_validation_rows,
    identification_caption,
    identification_rows,
)
from skspectral._training.seeds import new_seed

TAGS = ("estimator_type", "classifier_tags", "regressor_tags", "target_tags", "input_tags")
"""Tags that an estimator takes over from its network."""


def seeded(network: Any, rng: np.random.RandomState) -> Any:
    """Return an unfitted copy of the network with a seed drawn from `rng`."""
    # A number, not `rng` itself: networks that share a generator depend on the order of fits.
    return clone(network).set_params(random_state=new_seed(rng))


def of_network(name: str, description: str) -> property:
    """Return a property that reads a fitted attribute of `estimator_`.

    Before the fit it raises NotFittedError. As that is an AttributeError, ``hasattr``
    is False then.
    """
    # Not `__getattr__`: `dir`, tab completion and the HTML view list properties only.

    def read(self):
        check_is_fitted(self)
        return getattr(self.estimator_, name)

    return property(read, doc=description)


def _network_has(method):
    """Tell whether the network, fitted or not, has a method."""

    def check(self):
        # getattr, not hasattr: its AttributeError names what the network lacks.
        getattr(self.estimator_ if hasattr(self, "estimator_") else self._inner(), method)
        return True

    return check


class NetworkAttributesMixin:
    """Fitted attributes of `estimator_`, as properties, so that ``dir`` lists them."""

    estimator_: Any

    feature_relevance_ = of_network(
        "feature_relevance_", "Relevance of each node, list of ndarray of shape (n_nodes,)."
    )
    n_alive_nodes_ = of_network("n_alive_nodes_", "Alive nodes per hidden layer, list of int.")
    size_settled_ = of_network(
        "size_settled_",
        "Whether training was long enough for this penalty, bool; None if not judged.",
    )
    noise_variance_ = of_network(
        "noise_variance_", 'Noise that alpha="auto" found, float, ndarray or None.'
    )
    node_indices_ = of_network(
        "node_indices_",
        "Index of each node that is still in the network, list of int ndarray.",
    )
    feature_importances_ = of_network(
        "feature_importances_", "Importance of each column, ndarray whose sum is 1."
    )
    alive_features_ = of_network(
        "alive_features_", "Which columns are alive, bool ndarray of shape (n_features,)."
    )
    coefs_ = of_network(
        "coefs_", "Effective weights in units of y, list of ndarray of shape (n_in, n_out)."
    )
    intercepts_ = of_network(
        "intercepts_", "Biases in units of y, list of ndarray of shape (n_out,)."
    )
    skip_coef_ = of_network(
        "skip_coef_", "Linear skip, ndarray of shape (n_outputs, n_features), or None."
    )
    restart_gain_ = of_network(
        "restart_gain_", "Share of the penalised loss that restarts saved, float or None."
    )
    loss_curve_ = of_network("loss_curve_", "Penalised loss per epoch, list of float.")
    best_loss_ = of_network("best_loss_", "Smallest loss that training went by, float or None.")
    validation_scores_ = of_network(
        "validation_scores_", "Score of the validation rows per epoch, list of float or None."
    )
    best_validation_score_ = of_network(
        "best_validation_score_", "Largest score of the validation rows, float or None."
    )
    n_iter_ = of_network("n_iter_", "Number of epochs trained.")
    t_ = of_network("t_", "Number of rows seen in training.")
    n_layers_ = of_network("n_layers_", "Number of layers, with input and output.")
    n_outputs_ = of_network("n_outputs_", "Number of outputs.")
    out_activation_ = of_network("out_activation_", "Activation of the output.")
    # Classifiers have the first, regressors the others: reading one that the network lacks
    # raises AttributeError, as on the network itself.
    classes_ = of_network("classes_", "Class labels, ndarray of shape (n_classes,).")
    y_mean_ = of_network(
        "y_mean_", "What is subtracted from targets in training, ndarray of shape (n_outputs,)."
    )
    y_scale_ = of_network(
        "y_scale_", "What targets are then divided by, ndarray of shape (n_outputs,)."
    )
    device_ = of_network("device_", "Device on which the network was trained.")
    net_ = of_network("net_", "The skorch net, with its history and callbacks.")
    module_ = of_network("module_", "The trained :class:`skspectral.nn.SpectralMLP`.")


class NetworkInsideMixin(NetworkAttributesMixin, SummaryMixin):
    """Add the attributes, summary, predictions, exports and tags of `estimator_`.

    The estimator has a method ``_inner()``, which returns its network before the fit.
    """

    _inner: Any

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
            As from the network's own ``predict``.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
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
            If this estimator is not fitted.
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
            If this estimator is not fitted.
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
            Targets of the rows.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows.

        Returns
        -------
        float
            As from the network's own ``score``.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.score(X, y, sample_weight)

    def to_sklearn(self):
        """Return the network inside as a scikit-learn MLP.

        Returns
        -------
        MLPRegressor or MLPClassifier of :mod:`sklearn.neural_network`
            As from the network's own ``to_sklearn``.

        Raises
        ------
        ValueError
            If scikit-learn does not know the activation, or it cannot pass a linear
            skip on.
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.to_sklearn()

    def _mlp_and_skip(self):
        check_is_fitted(self)
        return self.estimator_._mlp_and_skip()

    def to_onnx(self, path=None):
        """Return the network inside as an ONNX model.

        Parameters
        ----------
        path : str, path-like or None, default=None
            File to write; None: no file is written.

        Returns
        -------
        onnx.ModelProto
            As from the network's own ``to_onnx``.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.to_onnx(path)

    def _summary_rows(self):
        return [
            *size_rows(self.estimator_),
            *identification_rows(*self._identification()),
            *penalty_rows(self.estimator_, chosen="chosen by cross-validation"),
            *cross_validation_rows(self),
        ]

    def _caption(self):
        _, identified = self._identification()
        return network_caption(self.estimator_) + identification_caption(identified)

    def _identification(self):
        """Return the interval of sizes and whether it is narrow, None where not known."""
        return getattr(self, "size_interval_", None), getattr(self, "size_identified_", None)

    def __sklearn_is_fitted__(self):
        # Not by trailing underscores, as scikit-learn does: the checks set some before the fit.
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        # Of the unfitted network, as tags are asked for before the fit too.
        network = self._inner()
        # `fit` refuses anything else, but the HTML view and check_is_fitted come before it
        if isinstance(network, type) or not hasattr(network, "__sklearn_tags__"):
            return tags
        network = get_tags(network)
        for name in TAGS:
            setattr(tags, name, deepcopy(getattr(network, name)))
        return tags
