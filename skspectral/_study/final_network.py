"""Find the network in what a study fitted."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import MetaEstimatorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.classifier import SpectralMLPClassifier
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._path.classifier_cv import SpectralMLPClassifierCV
from skspectral._path.regressor_cv import SpectralMLPRegressorCV

NETWORKS = (SpectralMLPRegressor, SpectralMLPClassifier)
PATH_ESTIMATORS = (SpectralMLPRegressorCV, SpectralMLPClassifierCV)
# TransformedTargetRegressor keeps a regressor inside, but is no MetaEstimatorMixin
HOLDERS = (MetaEstimatorMixin, TransformedTargetRegressor, *PATH_ESTIMATORS)
INNER = ("best_estimator_", "estimator_", "regressor_", "student_")
"""Where searches, meta-estimators, a transformed target and students keep what they fitted."""


def layers_around(estimator: Any, kinds: tuple[type, ...] = NETWORKS) -> list[Any]:
    """Return what is wrapped around the fitted network, from the outside in, and the network.

    Parameters
    ----------
    estimator : object
        Fitted network, or a Pipeline or meta-estimator that holds one.
    kinds : tuple of type, default=NETWORKS
        Classes that are looked for.

    Raises
    ------
    TypeError
        If there is none.
    NotFittedError
        If it is not fitted.
    """
    if isinstance(estimator, kinds):
        check_is_fitted(estimator)
        return [estimator]
    if isinstance(estimator, Pipeline):
        return [estimator, *layers_around(estimator[-1], kinds)]
    if isinstance(estimator, FrozenEstimator):
        return [estimator, *layers_around(estimator.estimator, kinds)]
    if isinstance(estimator, HOLDERS):
        check_is_fitted(estimator)  # else what is inside would seem to be missing
    inner = next((name for name in INNER if hasattr(estimator, name)), None)
    if inner is None:
        raise TypeError(
            f"`estimator` must be one of {', '.join(cls.__name__ for cls in kinds)}, or hold one, "
            "as a Pipeline, a search with refit=True or another meta-estimator does; got "
            f"{type(estimator).__name__}."
        )
    return [estimator, *layers_around(getattr(estimator, inner), kinds)]


def final_network(estimator: Any, kinds: tuple[type, ...] = NETWORKS) -> Any:
    """Return the fitted network at the end of a pipeline, or inside a meta-estimator.

    Parameters and exceptions are those of :func:`layers_around`.
    """
    return layers_around(estimator, kinds)[-1]


def rows_of_network(estimator: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return X and y as the network inside `estimator` gets them, transformed on the way.

    Raises
    ------
    TypeError, NotFittedError
        As :func:`layers_around`.
    """
    return encoded_rows(estimator, X), targets_of_network(estimator, y)


def targets_of_network(estimator: Any, y: Any) -> Any:
    """Return y as the network inside `estimator` gets it, transformed on the way."""
    for layer in layers_around(estimator):
        if isinstance(layer, TransformedTargetRegressor):
            columns = np.asarray(y).reshape(len(y), -1)  # transformers take tables only
            y = np.asarray(layer.transformer_.transform(columns)).reshape(np.shape(y))
    return y


def encoders_before(estimator: Any) -> list[Pipeline]:
    """Return what transforms rows on their way to the network, from the outside in.

    Raises
    ------
    TypeError, NotFittedError
        As :func:`layers_around`.
    """
    around = layers_around(estimator)
    return [layer[:-1] for layer in around if isinstance(layer, Pipeline) and len(layer) > 1]


def encoded_rows(estimator: Any, X: Any) -> Any:
    """Return X as the network inside `estimator` gets it; see :func:`encoders_before`."""
    for encoder in encoders_before(estimator):
        X = encoder.transform(X)
    return X
