"""Pipelines fitted by parts: first the steps before the last, then the last one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


def last_step(model: Any) -> Any:
    """Return the last step of a pipeline, or of a pipeline inside it; else the model itself."""
    return last_step(model.steps[-1][1]) if isinstance(model, Pipeline) else model


def fit_by_parts(model: Any, X: Any, y: Any, fit_last: Callable[[Any, Any], Any]) -> Any:
    """Fit the steps before the last one of a pipeline to X and y, and the last one in its own way.

    Parameters
    ----------
    model : estimator or Pipeline
        Not fitted yet.
    X, y : as the first step takes them
    fit_last : callable
        ``fit_last(step, X)``, with X as the last step gets it; returns the step, fitted.

    Returns
    -------
    estimator or Pipeline
        Fitted.
    """
    if not isinstance(model, Pipeline):
        return fit_last(model, X)
    before, (name, last) = model[:-1], model.steps[-1]
    X = before.fit_transform(X, y) if len(before) else X
    last = fit_by_parts(last, X, y, fit_last)
    # `steps` are new ones where the pipeline caches those that it fits
    return Pipeline([*before.steps, (name, last)], memory=model.memory, verbose=model.verbose)


def with_last_step(model: Any, last: Any) -> Any:
    """Return a fitted pipeline with another last step; else that step."""
    if not isinstance(model, Pipeline):
        return last
    *before, (name, step) = model.steps
    steps = [*before, (name, with_last_step(step, last))]
    return Pipeline(steps, memory=model.memory, verbose=model.verbose)


def fit_weighted(model: Any, X: Any, y: Any, weight: np.ndarray | None) -> Any:
    """Fit a model, a pipeline with the weights for its last step."""
    if weight is None:
        return model.fit(X, y)
    return fit_by_parts(model, X, y, lambda last, X: last.fit(X, y, sample_weight=weight))


def takes_weights(model: Any) -> bool:
    """Tell whether a model, or the last step of a pipeline, can be fitted with weights."""
    last = last_step(model)
    return bool(has_fit_parameter(last, "sample_weight")) or _hands_weights_on(last)


def _hands_weights_on(model: Any) -> bool:
    """Tell whether a search or a stack hands weights on to models that take them.

    A pipeline inside takes the weights of a step only.
    """
    kinds = [parameter.kind for parameter in signature(model.fit).parameters.values()]
    listed = [part for _, part in getattr(model, "estimators", ())]
    # not those that are dropped
    parts = [part for part in (getattr(model, "estimator", None), *listed) if hasattr(part, "fit")]
    return (
        Parameter.VAR_KEYWORD in kinds
        and bool(parts)
        and all(not isinstance(part, Pipeline) and takes_weights(part) for part in parts)
    )
