"""Check the teacher, the student and the rows that they are given."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._estimators.targets import ClassTarget, NumberTarget
from skspectral._students.by_parts import last_step, takes_weights
from skspectral._students.near_rows import is_frame
from skspectral._tables.uneven import uneven_named

FLOATS = (np.float64, np.float32)


def check_columns(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return a frame of pandas as it is, anything else as an array of numbers, maybe missing.

    Parameters
    ----------
    estimator : estimator
        It gets `n_features_in_` and `feature_names_in_`, or has them if `reset` is False.
    X : array-like or DataFrame of shape (n, n_features)
    reset : bool
    """
    if is_frame(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if not X.shape[1] or not len(X):
            check_array(np.empty(X.shape))  # which says so
        return X
    with uneven_named(X=X):
        return validate_data(
            estimator, X, reset=reset, dtype=FLOATS, ensure_all_finite="allow-nan"
        )


def check_targets(X: Any, y: Any, target: type[NumberTarget] | type[ClassTarget]) -> np.ndarray:
    """Return targets, one for each row of checked X.

    Raises
    ------
    ValueError
        If they are not numbers, or not one class a row.
    """
    if y is None:
        raise ValueError("A student requires y to be passed, but the target y is None.")
    with uneven_named(y=y):
        y = check_array(y, dtype=None, ensure_2d=False, allow_nd=False, input_name="y")
    check_consistent_length(X, y)
    y = target.check(y)
    if target is ClassTarget and y.ndim > 1:
        raise ValueError(
            "`y` must hold one class per row; got several labels. Fit a student for each label."
        )
    return y


def check_unlabelled(estimator: Any, X: Any, X_unlabelled: Any) -> Any:
    """Return unlabelled rows in the form of the others, or None if there are none.

    Raises
    ------
    ValueError
        If the columns are others.
    """
    if X_unlabelled is None:
        return None
    if is_frame(X) != is_frame(X_unlabelled):
        forms = ["a DataFrame" if is_frame(table) else "an array" for table in (X, X_unlabelled)]
        raise ValueError(f"`X_unlabelled` must be in the form of X, {forms[0]}; got {forms[1]}.")
    if is_frame(X) and list(X.columns) != list(X_unlabelled.columns):  # also if not all are text
        raise ValueError(
            f"`X_unlabelled` must have the columns of X in the same order: {list(X.columns)}; got "
            f"{list(X_unlabelled.columns)}."
        )
    try:
        return check_columns(estimator, X_unlabelled, reset=False)
    except ValueError as error:
        raise ValueError(f"`X_unlabelled` must have the columns of X: {error}") from error


def check_teacher(teacher: Any, *, for_classes: bool, weighted: bool) -> None:
    """Raise TypeError or ValueError if a model cannot be the teacher.

    Parameters
    ----------
    teacher : object
    for_classes : bool
        Whether a classifier is wanted.
    weighted : bool
        Whether there are weights of the rows.
    """
    wanted = "a classifier" if for_classes else "a regressor"
    is_wanted = is_classifier if for_classes else is_regressor
    if isinstance(teacher, type) or not hasattr(teacher, "fit") or not is_wanted(teacher):
        raise TypeError(
            f"`teacher` must be {wanted} of scikit-learn's kind, such as "
            f"HistGradientBoosting{'Classifier' if for_classes else 'Regressor'}(); got "
            f"{teacher!r}."
        )
    if for_classes and not hasattr(teacher, "predict_proba"):
        raise TypeError(
            "`teacher` must have `predict_proba`, as the student learns from probabilities; "
            f"{type(teacher).__name__} has none as it is. Put it into "
            "sklearn.calibration.CalibratedClassifierCV."
        )
    is_frozen = isinstance(teacher, FrozenEstimator)
    if weighted and not is_frozen and not takes_weights(teacher):
        raise ValueError(
            f"`teacher` {type(last_step(teacher)).__name__} takes no `sample_weight`: leave the "
            "weights out, or take another teacher."
        )


def check_frozen(teacher: FrozenEstimator, estimator: Any) -> None:
    """Raise an error if a fitted teacher is not for the rows of this fit.

    Parameters
    ----------
    teacher : FrozenEstimator
    estimator : SpectralStudentRegressor or SpectralStudentClassifier
        Which knows the columns, and the classes.

    Raises
    ------
    NotFittedError
        If the teacher is not fitted.
    ValueError
        If its columns or classes are others.
    """
    check_is_fitted(teacher.estimator)
    n_columns = getattr(teacher, "n_features_in_", estimator.n_features_in_)
    names = getattr(teacher, "feature_names_in_", None)
    own = getattr(estimator, "feature_names_in_", None)
    if n_columns != estimator.n_features_in_:
        raise ValueError(
            f"The frozen `teacher` was fitted to {n_columns} columns; X has "
            f"{estimator.n_features_in_}."
        )
    if names is not None and own is not None and list(names) != list(own):
        raise ValueError(
            "The frozen `teacher` was fitted to other columns than those of X, or in another "
            f"order: {list(names)} against {list(own)}."
        )
    if is_classifier(teacher):
        unknown = np.setdiff1d(teacher.classes_, estimator.classes_)
        if len(unknown):
            raise ValueError(
                f"The frozen `teacher` knows the classes {teacher.classes_.tolist()}; `y` has "
                f"{estimator.classes_.tolist()} alone. Give rows of all classes."
            )


def check_student(student: Any, network_class: type) -> None:
    """Raise TypeError or ValueError unless a student is a network of this package.

    Parameters
    ----------
    student : object
    network_class : type
        SpectralMLPRegressor or SpectralMLPClassifier.
    """
    network = last_step(student)
    if not isinstance(network, network_class):
        found = type(network).__name__ if not isinstance(network, type) else repr(network)
        raise TypeError(
            f"`student` must be {network_class.__name__}, or a Pipeline that ends in one; got "
            f"{found}."
        )
    class_weight = getattr(network, "class_weight", None)
    if class_weight is not None:
        raise ValueError(
            "`class_weight` of the student must be None, as it learns the probabilities of its "
            f"teacher; got {class_weight!r}. Give it to the teacher."
        )
