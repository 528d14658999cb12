"""Export of fitted networks, alone or behind preprocessing, to scikit-learn."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from skspectral._tables.cleaner import TableCleaner
from skspectral._tables.tree_splines import TreeSplines

PACKAGE = __name__.partition(".")[0]


def to_sklearn(model):
    """Export a fitted network, alone or at the end of a pipeline, to scikit-learn.

    Parameters
    ----------
    model : SpectralMLPRegressor, SpectralMLPClassifier, scikit-learn MLP or Pipeline
        Fitted; a fitted SpectralPruner, CV estimator or student of another model will do,
        too. A pipeline must end with one of these.

    Returns
    -------
    MLPRegressor, MLPClassifier or :class:`~sklearn.pipeline.Pipeline`
        A fitted model whose predictions equal those of `model` up to rounding. It can
        be saved and loaded without torch and this package. A pipeline has the same
        names of steps, and copies of the steps.

    Raises
    ------
    TypeError
        If `model` is not one of those described.
    ValueError
        If scikit-learn's MLP does not have the activation, the activation cannot pass a
        linear skip on, or a step in front of the network needs this package.
    NotFittedError
        If `model` is not fitted.

    See Also
    --------
    to_onnx : Export to other runtimes.

    Notes
    -----
    What :func:`~skspectral.preprocessing.make_tabular_preprocessor` made becomes a pipeline
    of scikit-learn's transformers and pandas' functions. It takes what its `fit` was
    given: data frames of pandas with columns of these names, or arrays; not frames of
    polars.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from skspectral import SpectralMLPClassifier, to_sklearn
    >>> from skspectral.preprocessing import make_tabular_preprocessor
    >>> X = pd.DataFrame({"age": range(200), "deck": ["B", "C"] * 100})
    >>> network = SpectralMLPClassifier(8, alpha=1e-2, random_state=0)
    >>> model = make_pipeline(make_tabular_preprocessor(n_knots=None), network)
    >>> exported = to_sklearn(model.fit(X, X["age"] > 120))
    >>> type(exported[-1])
    <class 'sklearn.neural_network._multilayer_perceptron.MLPClassifier'>
    >>> bool((exported.predict(X) == model.predict(X)).all())
    True
    """
    model = held_student(model)
    if not isinstance(model, Pipeline):
        return network_of(model)
    *before, (name, last) = model.steps
    network = to_sklearn(last)
    before = [(name, _without_package(name, copy.deepcopy(step))) for name, step in before]
    return Pipeline([*before, (name, network)], verbose=model.verbose)


def held_student(model):
    """Return the network or pipeline that a student of another model has become, else `model`."""
    return model if isinstance(model, type) else getattr(model, "student_", model)


def network_of(model):
    """Return the scikit-learn MLP that a fitted network, or what holds one, is exported as.

    Raises
    ------
    TypeError
        If `model` has no such export.
    NotFittedError
        If it is not fitted.
    """
    # a class has the method too, and nothing to export
    if hasattr(model, "to_sklearn") and not isinstance(model, type):
        return model.to_sklearn()
    if not isinstance(model, (MLPClassifier, MLPRegressor)):
        raise TypeError(
            "`model` must be a SpectralMLPRegressor, SpectralMLPClassifier, MLPRegressor or "
            f"MLPClassifier, or a Pipeline that ends with one; got {type(model).__name__}."
        )
    check_is_fitted(model)
    return model


def network_and_skip(model):
    """Return the scikit-learn MLP of the layers of a network, and its linear skip or None.

    Where there is one, the MLP computes less than the network.

    Returns
    -------
    MLPRegressor or MLPClassifier
    ndarray of shape (n_features, n_outputs) or None

    Raises
    ------
    TypeError, NotFittedError
        As :func:`network_of`.
    """
    if hasattr(model, "_mlp_and_skip") and not isinstance(model, type):
        return model._mlp_and_skip()
    return network_of(model), None


def _is_empty(columns):
    """Tell whether fitted columns of a ColumnTransformer are none."""
    if isinstance(columns, (slice, str, int)):
        return False
    mask = np.asarray(columns)
    return not mask.any() if mask.dtype == bool else mask.size == 0


def _without_package(name, step):
    """Return a step that does the same and can be loaded without this package."""
    if isinstance(step, (TableCleaner, TreeSplines)):
        return step.to_sklearn()
    if isinstance(step, Pipeline):
        step.steps = [(inner, _without_package(name, one)) for inner, one in step.steps]
    elif isinstance(step, FeatureUnion):
        parts = step.transformer_list
        step.transformer_list = [(inner, _without_package(name, one)) for inner, one in parts]
    elif isinstance(step, ColumnTransformer):
        step.transformers_ = [
            (inner, _without_package(name, one), columns)
            for inner, one, columns in step.transformers_
            if not _is_empty(columns)  # else it is not fitted
        ]
        # what is not fitted is of no use any more
        step.transformers = [part for part in step.transformers_ if part[0] != "remainder"]
        if not isinstance(step.remainder, str):
            fitted = {inner: one for inner, one, _ in step.transformers_}
            step.remainder = fitted.get("remainder", "drop")
            step._remainder = (*step._remainder[:1], step.remainder, *step._remainder[2:])
    parts = step.get_params().values() if hasattr(step, "get_params") else ()
    for part in (step, *parts):
        if type(part).__module__.partition(".")[0] == PACKAGE:
            raise ValueError(
                f"Step {name!r} of the pipeline needs {type(part).__name__}, which scikit-learn "
                "does not have. Export the last step alone, and run the steps before it here."
            )
    return step
