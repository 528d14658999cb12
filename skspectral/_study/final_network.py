"""Find the network in what a study fitted."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

from sklearn.base import MetaEstimatorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.base import BaseSpectralMLP

INNER = ("best_estimator_", "estimator_", "regressor_")
"""Where searches, meta-estimators and a transformed target keep what they fitted."""


def final_network(estimator: Any, *, or_of: tuple[type, ...] = ()) -> Any:
    """Return the fitted network at the end of a pipeline, or inside a meta-estimator.

    Parameters
    ----------
    estimator : object
    or_of : tuple of type, default=()
        Classes whose objects will do beside the networks of this package.

    Raises
    ------
    TypeError
        If there is none.
    NotFittedError
        If it is not fitted.
    """
    if isinstance(estimator, Pipeline):
        return final_network(estimator[-1], or_of=or_of)
    if isinstance(estimator, (MetaEstimatorMixin, TransformedTargetRegressor)):
        check_is_fitted(estimator)
    inner = next((name for name in INNER if hasattr(estimator, name)), None)
    if inner is not None:
        return final_network(getattr(estimator, inner), or_of=or_of)
    if not isinstance(estimator, (BaseSpectralMLP, *or_of)):
        names = ["SpectralMLPRegressor", "SpectralMLPClassifier", *(cls.__name__ for cls in or_of)]
        raise TypeError(
            f"`estimator` must be one of {', '.join(names)}, or hold one as a Pipeline, a "
            f"SpectralPruner or a search does; got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    return estimator
