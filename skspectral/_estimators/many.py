"""Fit several estimators to the same rows, side by side."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from contextlib import ExitStack

from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from skspectral._compat import callback_management_context
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.rollback import unchanged_on_failure
from skspectral._training.interrupts import interrupts_reach_the_caller
from skspectral._training.progress import JointProgress
from skspectral._training.together import Fit, finish_all
from skspectral._warn import warn_caller


def fit_many(estimators, X, y, sample_weight=None):
    """Fit several estimators to the same rows, trained side by side as one program.

    Small networks take their time in the steps, not in their arithmetic. So networks that differ
    in width, penalty, seed or parametrisation are stacked, and each step is made for all of a kind
    at once: a few times as fast as one after the other on a CPU, twice on a GPU, where the CPU
    remains the better place for small ones. Each estimator ends as its own ``fit`` would have
    left it, to rounding. What cannot be stacked (callbacks, early stopping, `time_limit`, sparse
    rows, other solvers than Adam, large networks) is fitted as always. With ``verbose=1`` in one
    of them, one bar or plain lines show the progress of all.

    Parameters
    ----------
    estimators : sequence of SpectralMLPRegressor, or of SpectralMLPClassifier
        Not fitted yet; changed in place.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training rows. Scale them first.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        As in ``fit``.

    Returns
    -------
    list
        The estimators, fitted.

    Raises
    ------
    TypeError
        If an estimator is of another class.
    ValueError
        If there is none, or one stands there twice, is fitted already, or if parameters or data
        are not as ``fit`` wants them. No estimator is fitted then.

    See Also
    --------
    merge : Fold fitted estimators into one.
    sklearn.model_selection.GridSearchCV : Searches with folds, one fit after the other.

    Examples
    --------
    >>> from skspectral import SpectralMLPRegressor, fit_many
    >>> from skspectral.datasets import make_teacher_student
    >>> data = make_teacher_student(500, 5, (3,), noise=0.1, random_state=0)
    >>> students = [SpectralMLPRegressor(w, alpha_factor=1, random_state=0) for w in (8, 32)]
    >>> [student.n_alive_nodes_ for student in fit_many(students, data.X, data.y)]
    [[3], [3]]
    """
    estimators = check_several(estimators, "estimators")
    for index, estimator in enumerate(estimators):
        if hasattr(estimator, "net_"):
            raise ValueError(
                f"`estimators` must not be fitted yet; the one at index {index} is. Give "
                "sklearn.base.clone(estimator)."
            )
    fits: list[Fit] = []
    for estimator in estimators:
        estimator._validate_params()
        fits.append(estimator._fit(X, y, sample_weight, quiet=bool(fits)))  # one tells
    with interrupts_reach_the_caller(), ExitStack() as around:
        for estimator in estimators:
            around.enter_context(unchanged_on_failure(estimator))
            around.enter_context(callback_management_context(estimator))
        complaints = finish_all(fits, shown_together(estimators))
    for complaint in dict.fromkeys(complaints):
        if complaint:
            warn_caller(complaint, ConvergenceWarning)
    return estimators


def shown_together(estimators, n_trainings=1):
    """Return the one display of several estimators, None where none or but one is to be shown.

    Parameters
    ----------
    estimators : list of SpectralMLPRegressor or SpectralMLPClassifier
    n_trainings : int, default=1
        Of each fit, about.
    """
    n_networks = sum(estimator.n_members for estimator in estimators)
    if n_networks > 1 and any(estimator.verbose == 1 for estimator in estimators):
        return JointProgress(n_networks, n_trainings)
    return None


def check_several(estimators, name):
    """Return estimators as a list of different ones, all of one task.

    Parameters
    ----------
    estimators : object
    name : str
        Of the parameter, for the message.

    Raises
    ------
    TypeError
        If an estimator is of another class.
    ValueError
        If there is none, one is there twice, or regressors and classifiers are mixed.
    """
    if not isinstance(estimators, (list, tuple)) or not estimators:
        raise ValueError(
            f"`{name}` must be a list of SpectralMLPRegressor or SpectralMLPClassifier, with "
            f"at least one; got {estimators!r}."
        )
    for index, estimator in enumerate(estimators):
        if not isinstance(estimator, BaseSpectralMLP):
            raise TypeError(
                f"`{name}` must be SpectralMLPRegressor or SpectralMLPClassifier; got "
                f"{type(estimator).__name__} at index {index}."
            )
    if len({id(estimator) for estimator in estimators}) < len(estimators):
        raise ValueError(f"Each of `{name}` must be an object of its own; one is there twice.")
    kinds = {is_classifier(estimator) for estimator in estimators}
    if len(kinds) > 1:
        raise ValueError(
            f"`{name}` must be all regressors or all classifiers, as they share y; got both."
        )
    return list(estimators)
