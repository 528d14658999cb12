"""What the spectral regressor and classifier share."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skspectral._compat import CallbackSupportMixin, Interval, Options, StrOptions, _fit_context
from skspectral._estimators.checks import (
    check_callbacks,
    check_hidden_layer_sizes,
    check_members,
    check_n_threads,
    check_numbers,
    check_one_alpha,
    check_restarts,
    check_same_architecture,
    check_solver,
    check_table,
    check_validation,
    warn_of_full_batch,
)
from skspectral._estimators.exportable import ExportableMixin
from skspectral._estimators.members import train_members
from skspectral._estimators.noise_folds import check_noise_folds, noise_folds
from skspectral._estimators.recipe import SOLVERS, batch_rows, dtype_of, hidden_widths
from skspectral._estimators.resizing import ResizableMixin
from skspectral._estimators.rollback import unchanged_on_failure
from skspectral._estimators.rows import Rows, check_weights, hold_out, measure_columns
from skspectral._estimators.shared import Shared
from skspectral._estimators.spreads import warn_of_spreads
from skspectral._estimators.summary import SummaryMixin
from skspectral._estimators.targets import Target
from skspectral._estimators.training import BaseTraining
from skspectral._training.device import choose_device
from skspectral._training.mapped_rows import read_later
from skspectral._training.memory import check_room
from skspectral._training.progress import JointProgress
from skspectral._training.together import finish
from skspectral._training.torch_state import outside_of_modes
from skspectral._warn import warn_caller
from skspectral.nn._architecture import Architecture
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES, PARAMETRIZATIONS, TRAINABLE

NUMBERS = (
    "alpha",
    "alpha_factor",
    "alpha_phi",
    "alpha_lambda",
    "learning_rate_init",
    "max_iter",
    "time_limit",
    "tol",
)
"""Parameters that are computed with in floating point; Python's integers know no bounds."""


class BaseSpectralMLP(
    ExportableMixin, ResizableMixin, SummaryMixin, CallbackSupportMixin, BaseTraining
):
    """Parameters and rows of both estimators."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "fit_intercept": ["boolean"],
        "skip": ["boolean"],
        "parametrization": [StrOptions(set(PARAMETRIZATIONS)), "array-like"],
        "eigenvalues": [StrOptions(set(EIGENVALUES))],
        "trainable": [StrOptions(set(TRAINABLE))],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "alpha_factor": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "noise_cv": ["cv_object"],
        "alpha_phi": [Interval(Real, 0, None, closed="left"), None],
        "alpha_lambda": [Interval(Real, 0, None, closed="left"), None],
        "relevance_threshold": [Interval(Real, 0, 1, closed="left")],
        "solver": [StrOptions(set(SOLVERS)), callable],
        "learning_rate": [StrOptions({"onecycle", "constant", "adaptive", "cosine"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "shrink": ["boolean"],
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "float64"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
    }

    # asked for by `noise_cv` alone: folds of a search around it need not share their groups
    __metadata_request__fit = {"groups": False}
    _target: Target
    # of a fit to a part of a table, which may lack some of them; see `fit_part`
    _known_classes: np.ndarray | None = None
    alpha_: float

    @abstractmethod
    def _new_target(self, y, classes=None):
        """Return the target that checked `y` describes, where `y` has every row of the first fit.

        Rows of zero weight count too: a class that only they have is still a class.
        """

    def _scaled_target(self, target, rows):
        """Return the target with the scale of the given rows."""
        return target

    def _weighted(self, rows, target, counted=None):
        """Return the rows with the weights of their classes, where the parameters set any.

        The rows that are counted tell how frequent the classes are; by default these rows.
        """
        return rows

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. Scale them first, in a pipeline.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights, which are scaled to mean 1 in the loss. Rows of
            weight zero are dropped. Integer weights have the same effect as
            repeated rows: exactly if all rows form one batch, on average with
            smaller batches. For alpha="auto" their sum is the number of rows.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features) or None, default=None
            Validation rows for `early_stopping`. None holds out a fraction of the
            training rows. Without early stopping they tell alpha="auto" the
            noise, as the folds of `noise_cv` do without keeping rows from training.
        y_val : array-like or None, default=None
            Targets of the validation rows.
        sample_weight_val : array-like of shape (n_val,) or None, default=None
            Weights of the validation rows; a classifier's `class_weight` multiplies them.
        groups : array-like of shape (n_samples,) or None, default=None
            Labels of rows that belong together, for the splitter in `noise_cv`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described, or if a `warm_start`
            fit changes the network, the columns or the target.

        Warns
        -----
        UserWarning
            If the spreads of two columns differ by more than a factor of 30.
            One-hot and constant columns do not count.
        """
        validation = X_val, y_val, sample_weight_val
        progress = None
        if self.n_members > 1 and self.verbose == 1:
            progress = JointProgress(self.n_members)
        complaint = finish(self._fit(X, y, sample_weight, *validation, groups), progress)
        # last: where warnings are errors, the fit is complete when it is raised
        if complaint:
            warn_caller(complaint, ConvergenceWarning)
        return self

    def _fit(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
        *,
        quiet=False,
    ):
        """Fit as :meth:`fit` does, as a coroutine that yields its training.

        With `quiet` nothing is said of the columns, as the whole table has told.

        Returns
        -------
        str or None
            What to warn of.
        """
        self._check_settings()
        given = {"X": X, "y": y}  # scikit-learn's callbacks expect what the user passed
        is_warm = self.warm_start and hasattr(self, "net_")
        self._check_beside_rows(X_val, groups, is_warm)
        with unchanged_on_failure(self, self.net_ if is_warm else None):
            known = self._known_classes
            rows, target = self._checked(
                X, y, sample_weight, is_new=not is_warm, classes=known, subset=known is not None
            )
            weight = rows.weight
            given["metadata"] = None if weight is None else {"sample_weight": weight}
            if not is_warm:
                folds = noise_folds(self.noise_cv, rows, target.stratifies, groups)
                rows = replace(rows, folds=folds)
            counted = rows.positive()
            rows = self._weighted(counted, target)
            validation = check_validation(self, target, counted, X_val, y_val, sample_weight_val)
            self._fitted_class_weight = getattr(self, "class_weight", None)  # `summary` tells
            # before rows are held out, so that scale and importances do not depend on that draw
            architecture = self._begin(rows, target, is_new=not is_warm, quiet=quiet)
            if self.early_stopping:
                rows, validation = self._validated(rows, validation)
            warn_of_full_batch(self.batch_size, len(rows))
            if self.n_members > 1:
                return (yield from train_members(self, rows, validation, architecture, given))
            shared = Shared(self.time_limit)
            return (yield from self._fit_network(rows, validation, architecture, given, shared))

    def _check_beside_rows(self, X_val, groups, is_warm):
        """Raise ValueError where the parameters leave no use for what is given beside the rows."""
        tells = X_val is not None and not self.early_stopping
        check_noise_folds(self.noise_cv, groups, self.alpha, has_validation=tells)
        if is_warm and self.noise_cv is not None and self._noise_course is None:
            raise ValueError(
                "A warm start keeps the noise that the folds of the first fit told, and that fit "
                "had none: leave `noise_cv` at None, or set warm_start=False."
            )
        if tells and self.alpha != "auto":
            raise ValueError(
                "`X_val` and `y_val` are used by early stopping, and by alpha='auto' to tell "
                "the noise; set early_stopping=True or alpha='auto'."
            )

    def _checked(self, X, y, sample_weight, *, is_new, classes, subset):
        """Return checked rows, and the target: that of the network where it is trained on.

        Parameters
        ----------
        X, y, sample_weight : as given to ``fit``
        is_new : bool
            Whether a new network is trained.
        classes : ndarray or None
            All classes of a new network; None: those of the rows.
        subset : bool
            Whether the rows may lack some of them.
        """
        X, y = check_table(self, X, y, reset=is_new)
        weight = check_weights(sample_weight, X)
        if not is_new:
            self._check_same_architecture()
        # of all rows, whatever their weight
        target = self._new_target(y, classes) if is_new else self._target
        if subset or not is_new:
            target.check_same(y, subset=subset)
        return Rows(read_later(X), y, weight), target

    def _begin(self, rows, target, *, is_new, quiet=False):
        """Measure the columns; of a new network set what later fits keep, too.

        Returns
        -------
        Architecture or None
            Of a new network.
        """
        architecture = self._start(rows, target) if is_new else None
        self._input_scaler = measure_columns(self._input_scaler, rows)
        if is_new and not quiet:
            warn_of_spreads(self._input_scaler, rows.X, getattr(self, "feature_names_in_", None))
        return architecture

    def _validated(self, rows, validation):
        """Return the rows to train on, and those to score; None holds some of the rows out."""
        if validation is None:
            rows, validation = hold_out(
                rows,
                self.validation_fraction,
                stratify=self._target.stratifies,
                random_state=self._generator_of_split(),
                who="Early stopping",
                advice="Change `validation_fraction`, give `X_val` and `y_val`, or set "
                "early_stopping=False.",
            )
        if len(validation) < 2:  # R2 of a single row is not defined
            raise ValueError(
                "Early stopping needs at least 2 validation rows to score; got "
                f"{len(validation)}. Raise `validation_fraction` or give X_val and y_val."
            )
        return rows, validation

    def _check_settings(self):
        """Check what the parameter constraints cannot express."""
        if not isinstance(self.hidden_layer_sizes, str):
            check_hidden_layer_sizes(self.hidden_layer_sizes)
        if not isinstance(self.solver, str):  # those named here work, and a trial takes time
            check_solver(self.solver)
        check_numbers(self, NUMBERS)
        check_n_threads(self.n_threads)
        check_callbacks(self.callbacks)
        check_one_alpha(self.alpha, self.alpha_phi, self.alpha_lambda)
        check_members(self.n_members, self.warm_start)
        check_restarts(self.n_restarts, self.warm_start)

    def _architecture(self, layer_sizes, dtype):
        """Return the architecture of these sizes that the parameters describe."""
        is_name = isinstance(self.parametrization, str)
        return Architecture(
            layer_sizes,
            activation=self.activation,
            # a tuple, as architectures are compared and a list equals no tuple
            parametrization=self.parametrization if is_name else tuple(self.parametrization),
            eigenvalues=self.eigenvalues,
            trainable=self.trainable,
            bias=self.fit_intercept,
            skip=bool(self.skip),
            dtype=dtype,
        )

    def _check_same_architecture(self):
        """Raise ValueError if the parameters no longer describe the fitted network."""
        fitted = self.net_.module
        # as fitted: the data's checks compare inputs and outputs, and the dtype is kept
        n_features, *hidden, n_outputs = fitted.layer_sizes
        if not isinstance(self.hidden_layer_sizes, str):  # "auto" holds for the first fit
            hidden = list(check_hidden_layer_sizes(self.hidden_layer_sizes))
        wanted = self._architecture((n_features, *hidden, n_outputs), fitted.dtype)
        check_same_architecture(wanted, fitted)

    def _take_target(self, target):
        """Keep the target, and set the fitted attributes that describe it."""
        self._target = target
        for name, value in target.fitted_attributes().items():
            setattr(self, name, value)

    def _start(self, rows, target):
        """Set what later fits keep, and return the architecture."""
        self._take_target(self._scaled_target(target, rows))
        # kept, so that a warm start draws new orders instead of repeating the first ones
        self._random_state = check_random_state(self.random_state)
        self._has_own_generator = isinstance(self.random_state, Integral)
        self._noise_course = self._before_split = None
        # without the mean, as only the spread is needed and sparse rows cannot be centred
        self._input_scaler = StandardScaler(with_mean=False)
        n_rows, n_features = len(rows), rows.X.shape[1]
        hidden = hidden_widths(self.hidden_layer_sizes, n_rows, self.n_members)
        sizes = (n_features, *hidden, self.n_outputs_)
        self.device_ = choose_device(self.device, sizes, batch_rows(self.batch_size, n_rows))
        dtype = dtype_of(self.dtype, n_rows, n_features, self.device_)
        check_room(self.n_members, sizes, dtype)
        return self._architecture(sizes, dtype)

    def _generator_of_split(self):
        """Return what draws the rows to hold out, in a warm start to the same rows as before.

        Others would be rows that the network has been trained on.
        """
        if self._before_split is not None:
            return copy.deepcopy(self._before_split)
        self._before_split = copy.deepcopy(self._random_state)
        return self._random_state

    def _partial_fit(self, X, y, sample_weight, classes=None):
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True, as it trains for one epoch "
                "only. Score held-out rows between calls instead."
            )
        self._check_settings()
        is_first = not hasattr(self, "net_")
        with outside_of_modes(), unchanged_on_failure(self, None if is_first else self.net_):
            # a batch may lack classes that the first call named
            rows, target = self._checked(
                X, y, sample_weight, is_new=is_first, classes=classes, subset=True
            )
            rows = self._weighted(rows.positive(), target)
            architecture = self._begin(rows, target, is_new=is_first)
            if is_first:
                # the user's alone: one epoch has no schedule, no end and no plateau to watch
                users = [clone(callback, safe=False) for callback in self.callbacks or ()]
                self.net_ = self._new_net(architecture, len(rows), users)
            failure = self._pass_once(rows, 0.0 if is_first else self._rows_known)
        if failure:
            warn_caller(failure, ConvergenceWarning)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # at most a few batches at a time are made dense
        return tags

    def __sklearn_is_fitted__(self):
        # not by trailing underscores: classes_ and others are set before training begins
        return hasattr(self, "net_")
