"""Check what scikit-learn's parameter constraints cannot express."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data
from skorch.callbacks import Callback

from skspectral._compat import _get_adapter_from_container
from skspectral._estimators.rows import Rows, check_weights
from skspectral._estimators.targets import Target, target_kind
from skspectral._tables.uneven import uneven_named
from skspectral._training.mapped_rows import read_later
from skspectral._training.optimizers import fault_of_optimizer, optimizer_class
from skspectral._warn import warn_caller
from skspectral.nn._architecture import Architecture

RESERVED = ("lr", "maximize", "params", "weight_decay")
"""Options of an optimiser that the estimator sets, not the user's ``functools.partial``."""

# float32 is kept: a copy in float64 would double the memory of a large table
NUMBERS = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
"""What scikit-learn makes of the columns."""


def check_hidden_layer_sizes(sizes: Any, name: str = "hidden_layer_sizes") -> tuple[int, ...]:
    """Return the nodes per hidden layer; raise ValueError unless all are integers >= 1."""
    with uneven_named(**{name: sizes}):
        listed = (sizes,) if np.ndim(sizes) == 0 else tuple(sizes)
    # True is an Integral to Python, but not a number of nodes
    whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in listed)
    # no hidden layer at all, (), is a linear model and allowed
    if not whole or min(listed, default=1) < 1:
        raise ValueError(f"`{name}` must hold integers >= 1, one per hidden layer; got {sizes!r}.")
    return tuple(int(size) for size in listed)


def check_sparse(X: Any) -> Any:
    """Return `X`; raise ValueError if it is a sparse matrix whose indices point outside it.

    Neither scipy nor scikit-learn looks at the indices, and products with such a matrix read
    and write memory that is not theirs.
    """
    if not sparse.issparse(X) or X.ndim != 2:
        return X
    try:
        if X.format == "coo":
            type(X)((X.data, (X.row, X.col)), shape=X.shape)  # which checks
            return X
        # other formats are converted to CSR anyway, and that without writing by index
        rows = X if X.format in ("csr", "csc", "bsr") else X.tocsr()
        # on a second matrix of the same arrays: the check trims what it is called on
        twin = type(rows)((rows.data, rows.indices, rows.indptr), shape=rows.shape)
        twin.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(
            f"The sparse matrix of shape {X.shape} is not valid: {error}. Build it anew, with "
            "indices below its shape."
        ) from error
    return rows


def read_rows(estimator: Any, X: Any) -> Any:
    """Return rows to predict, an array or CSR matrix checked against the fit of `estimator`.

    Parameters
    ----------
    estimator : fitted estimator
    X : {array-like, sparse matrix} of shape (n, n_features)
    """
    with encoding_advised(X), uneven_named(X=X):
        return validate_data(estimator, check_sparse(X), reset=False, **NUMBERS)


def check_table(estimator: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, np.ndarray]:
    """Return X and y as arrays, checked for `estimator` and its kind of target.

    Parameters
    ----------
    estimator : estimator
        Fitted if `reset` is False; otherwise it gets `n_features_in_` and `feature_names_in_`.
    X : {array-like, sparse matrix} of shape (n, n_features)
    y : array-like of shape (n,) or (n, n_outputs)
    reset : bool
        Whether the columns are new, or must be those of the fit.

    Raises
    ------
    ValueError
        If they are not as the estimator's ``fit`` describes.
    """
    with encoding_advised(X), uneven_named(X=X, y=y):
        try:
            X, y = validate_data(
                estimator,
                check_sparse(X),
                check_sparse(y),
                multi_output=True,  # one column or several: the target checks y by its kind
                reset=reset,
                **NUMBERS,
            )
        except np.exceptions.DTypePromotionError as error:
            raise ValueError(
                "X and y must hold numbers; got columns of numbers and times."
            ) from error
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()  # scikit-learn's moments of columns would count each as a value
    return X, target_kind(estimator).check(y)


def with_names(X: Any, checked: Any, estimator: Any) -> Any:
    """Return checked values as a frame where `estimator` knows the names of their columns.

    Networks fitted or scored one after the other each check their rows. A frame of plain numbers
    takes next to no time there; one of other column types is converted anew each time.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n, n_features)
        The rows as they came.
    checked : ndarray or CSR matrix of shape (n, n_features)
        What :func:`check_table` made of them.
    estimator : estimator
        Which that function gave the names, if there are any.
    """
    if not (hasattr(estimator, "feature_names_in_") and hasattr(X, "columns")):
        return checked
    if sparse.issparse(checked):  # from a frame of sparse columns
        return X
    try:
        adapter = _get_adapter_from_container(X)
    except ValueError:  # a frame that scikit-learn reads, but cannot make
        return X
    return adapter.create_container(checked, X, list(X.columns))


@contextmanager
def encoding_advised(X: Any) -> Iterator[None]:
    """Add to an error about X how to encode it, where it holds text, dates or gaps."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not _wants_encoding(X):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{error}\nskspectral.preprocessing.make_tabular_preprocessor makes numbers of text, "
            "dates and missing values: put it in front, in a pipeline."
        ) from error


def _wants_encoding(X: Any) -> bool:
    """Tell whether X holds anything but numbers."""
    if sparse.issparse(X):
        X = X.data
    try:
        values = np.asarray(X)
        # c: complex numbers, which nothing encodes
        return bool(np.isnan(values).any()) if values.dtype.kind in "biufc" else values.ndim > 0
    except (TypeError, ValueError):
        return False


def check_both_given(X_val: Any, y_val: Any) -> None:
    """Raise ValueError if one of the two validation arrays is missing."""
    if (X_val is None) != (y_val is None):
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"`X_val` and `y_val` belong together; `{missing}` was not given.")


def check_validation(
    estimator: Any, target: Target, counted: Rows, X_val: Any, y_val: Any, sample_weight_val: Any
) -> Rows | None:
    """Return the validation rows of a ``fit``, or None if none are given.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        Which knows the columns of the training rows.
    target : NumberTarget or ClassTarget
        Of the training rows.
    counted : Rows
        The training rows, which tell how frequent the classes are.
    X_val, y_val, sample_weight_val : as given to ``fit``

    Raises
    ------
    ValueError
        If one of the two arrays is missing, or they do not go with the training rows.
    """
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("`sample_weight_val` weighs `X_val`, which was not given.")
        return None
    check_both_given(X_val, y_val)
    with _of_validation():
        X_val, y_val = check_table(estimator, X_val, y_val, reset=False)
        # validation rows may lack a class, but may not bring a new one
        target.check_same(y_val, subset=True, other="the training rows")
        weight = check_weights(sample_weight_val, X_val)
        rows = Rows(read_later(X_val), y_val, weight).positive()
        weighted: Rows = estimator._weighted(rows, target, counted)
    return weighted


@contextmanager
def _of_validation() -> Iterator[None]:
    """Make errors about `X`, `y` and `sample_weight` speak of the validation rows.

    The checks are scikit-learn's, which knows no other names.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        # whole words, not in quotes: those are values
        text = re.sub(r"(?<![\w'])(X|y|sample_weight)(?![\w'])", r"\1_val", str(error))
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Validation rows: {text}") from error


def check_members(n_members: int, warm_start: bool) -> None:
    """Raise ValueError if several networks are to go on from the one that they became."""
    if n_members > 1 and warm_start:
        raise ValueError(
            f"n_members={n_members} and warm_start=True exclude each other: the networks are "
            "folded into one, and cannot be trained on as several. Set warm_start=False, or go "
            "on with what `prune` returns."
        )


def check_restarts(n_restarts: int, warm_start: bool) -> None:
    """Raise ValueError if a network is to start anew and to go on from where it is."""
    if n_restarts and warm_start:
        raise ValueError(
            f"n_restarts={n_restarts} and warm_start=True exclude each other: restarts begin with "
            "a new network. Set warm_start=False, or n_restarts=0 to go on from the fitted one."
        )


def trains_several(estimator: Any) -> bool:
    """Tell whether several networks are trained; what is no number of them is refused by `fit`."""
    n_members = estimator.n_members
    return isinstance(n_members, Integral) and int(n_members) > 1


def goes_on_from_one_network(estimator: Any) -> bool:
    """Tell that `partial_fit` is there; raise AttributeError for restarts and several networks."""
    if estimator.n_restarts:
        raise AttributeError(
            f"partial_fit is not available with n_restarts={estimator.n_restarts}: restarts go "
            "through all rows many times. Set n_restarts=0."
        )
    if trains_several(estimator):
        raise AttributeError(
            f"partial_fit is not available with n_members={estimator.n_members}: the networks are "
            "folded into one, and cannot be trained on as several. Set n_members=1, or go on "
            "with what `prune` returns."
        )
    return True


def check_one_network(estimator: Any, advice: str) -> None:
    """Raise ValueError where several networks would be trained, whose size is not one number."""
    if trains_several(estimator):
        raise ValueError(
            f"`estimator` must have n_members=1, as its size is looked for; got "
            f"n_members={estimator.n_members}. {advice}"
        )


PARAMETERS = {"layer_sizes": "hidden_layer_sizes", "bias": "fit_intercept"}
"""The parameters of the estimators whose names differ from those of an architecture."""


def check_same_architecture(wanted: Architecture, fitted: Architecture) -> None:
    """Raise ValueError if a warm start would need another network.

    Parameters
    ----------
    wanted, fitted : Architecture
        As the parameters describe it now, and as it was fitted. Inputs, outputs and dtype are
        equal.
    """
    for field in fields(Architecture):
        now, before = getattr(wanted, field.name), getattr(fitted, field.name)
        if now == before:
            continue
        # users know the hidden layers only, and by their parameter's name
        if field.name == "layer_sizes":
            now, before = list(now[1:-1]), list(before[1:-1])
        raise ValueError(
            f"A warm start must keep the network: `{PARAMETERS.get(field.name, field.name)}` was "
            f"{before!r} and is now {now!r}. Set warm_start=False to start anew."
        )


def check_seed(random_state: Any) -> np.random.RandomState:
    """Return the generator of a `random_state`; raise ValueError if it is none."""
    try:
        return check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            "`random_state` must be an integer from 0 to 2**32 - 1, a RandomState or None; got "
            f"{random_state!r}."
        ) from error


def check_alphas(alphas: Any) -> np.ndarray:
    """Return penalties as float64 array; raise ValueError unless they increase from >= 0."""
    try:
        values = np.asarray(alphas, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`alphas` must hold numbers; got {alphas!r}.") from error
    if values.ndim != 1 or not len(values):
        raise ValueError(
            f"`alphas` must be a list of at least one penalty; got shape {values.shape}."
        )
    if not np.isfinite(values).all() or (values < 0).any():
        wrong = values[~np.isfinite(values) | (values < 0)][0]
        raise ValueError(f"`alphas` must be finite and >= 0; got {wrong:g}.")
    # each network of a path starts from the one before, so it can only lose nodes
    if (np.diff(values) <= 0).any():
        raise ValueError(
            "`alphas` must increase, as nodes that have died do not come back; got "
            f"{values.tolist()}. Give np.unique(alphas)."
        )
    return values


def warn_of_full_batch(batch_size: Any, n_rows: int) -> None:
    """Warn if a batch would hold more rows than there are."""
    # a warning, as in scikit-learn's MLP: a grid over batch sizes should not fail on a small fold
    if batch_size != "auto" and batch_size > n_rows:
        warn_caller(
            f"`batch_size` is {batch_size}, more than the {n_rows} training rows; "
            "all rows form one batch."
        )


def check_numbers(estimator: Any, names: Iterable[str]) -> None:
    """Raise ValueError where a parameter is an integer beyond the range of float64."""
    for name in names:
        value = getattr(estimator, name)
        if isinstance(value, Integral) and abs(int(value)) > sys.float_info.max:
            raise ValueError(f"`{name}` is beyond the range of floating-point numbers.")


def check_n_threads(n_threads: Any) -> None:
    """Raise ValueError unless torch can hold the number of threads."""
    # True is an Integral to Python and to scikit-learn, but not a number of threads
    is_number = isinstance(n_threads, Integral) and not isinstance(n_threads, bool)
    if n_threads not in (None, "auto") and not (is_number and n_threads < 2**31):
        raise ValueError(
            f"`n_threads` must be an integer from 1 to {2**31 - 1}, 'auto' or None; got "
            f"{n_threads!r}."
        )


def check_one_alpha(alpha: Any, alpha_phi: Any, alpha_lambda: Any) -> None:
    """Raise ValueError where "auto", which is one penalty for all, has others beside it."""
    for name, given in (("alpha_phi", alpha_phi), ("alpha_lambda", alpha_lambda)):
        if isinstance(alpha, str) and given is not None:
            raise ValueError(
                f"`{name}` must be None beside alpha='auto', which sets one penalty for all; got "
                f"{given!r}. Give `alpha` as a number too."
            )


def check_solver(solver: Any) -> None:
    """Raise ValueError unless `solver` is an optimiser that works with the penalty."""
    cls = optimizer_class(solver)
    if not (inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer)):
        raise ValueError(
            "`solver` must be 'adam', 'sgd', a torch optimiser class or a "
            f"functools.partial of one; got {solver!r}."
        )
    # LBFGS evaluates the loss several times a step, while training gives each step one gradient
    if issubclass(cls, torch.optim.LBFGS):
        raise ValueError(
            "`solver` must not be LBFGS, which computes the loss several times per step; use "
            "'adam' or another optimiser that makes one step per gradient."
        )
    # their values would be overwritten without a word
    keywords = solver.keywords if isinstance(solver, functools.partial) else {}
    refused = sorted(set(RESERVED) & set(keywords))
    if refused:
        raise ValueError(
            f"`solver` must not set {refused}: the penalty is set by `alpha`, the "
            "learning rate by `learning_rate_init`."
        )
    fault = fault_of_optimizer(solver)
    if fault:
        raise ValueError(
            f"`solver` cannot train a network here; got {solver!r}: {fault} Use 'adam' or another "
            "optimiser that takes matrices and vectors."
        )


def check_callbacks(callbacks: Iterable[Any] | None) -> None:
    """Raise ValueError unless all are skorch callbacks, their classes, or pairs with a name."""
    for entry in callbacks or ():
        is_pair = isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)
        callback = entry[1] if is_pair else entry
        # skorch itself takes classes, and makes an instance of each
        is_class = inspect.isclass(callback) and issubclass(callback, Callback)
        if not (is_class or isinstance(callback, Callback)):
            raise ValueError(
                "`callbacks` must hold skorch callbacks or (name, callback) pairs; got "
                f"{entry!r}. scikit-learn's callbacks are given to `set_callbacks`."
            )


def check_has_hidden_layer(estimator, purpose="prune"):
    """Raise ValueError unless the estimator, fitted or not, has valid hidden layers."""
    sizes = estimator.hidden_layer_sizes
    if not isinstance(sizes, str):  # "auto" is one hidden layer
        check_has_nodes(check_hidden_layer_sizes(sizes), purpose)


def check_has_nodes(layers, purpose="prune"):
    """Raise ValueError if there is no hidden layer."""
    if not len(layers):
        raise ValueError(f"The network has no hidden layer, so there are no nodes to {purpose}.")
