"""What the spectral regressor and classifier share."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skspectral._compat import CallbackSupportMixin, Interval, Options, StrOptions, _fit_context
from skspectral._estimators.auto_alpha import noise_table, noise_variance, penalty_of_pass
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
from skspectral._estimators.noise_folds import (
    check_noise_folds,
    course_of_noise,
    ends_of_fold,
    noise_folds,
)
from skspectral._estimators.recipe import (
    SOLVERS,
    batch_rows,
    dtype_of,
    factor_of,
    fit_callbacks,
    hidden_widths,
    is_scheduler,
    optimizer_of,
    penalty_of,
    planned_ends,
    schedule_name,
)
from skspectral._estimators.resizing import ResizableMixin, forget_other_networks
from skspectral._estimators.restarting import Restarts
from skspectral._estimators.rollback import unchanged_on_failure
from skspectral._estimators.rows import (
    Rows,
    check_weights,
    hold_out,
    measure_columns,
    total_weight,
)
from skspectral._estimators.shared import Shared
from skspectral._estimators.spreads import warn_of_spreads
from skspectral._estimators.summary import SummaryMixin
from skspectral._estimators.targets import Target
from skspectral._training.convergence import (
    describe_failure,
    describe_plateau,
    describe_size,
    judge_size,
)
from skspectral._training.cycles import (
    StopWhenLossSettled,
    StopWhenNoiseSettled,
    StopWhenSettled,
)
from skspectral._training.device import choose_device
from skspectral._training.history import data_loss, penalised_loss
from skspectral._training.interrupts import Interrupts
from skspectral._training.mapped_rows import read_later
from skspectral._training.memory import check_room, enough_memory
from skspectral._training.net import SpectralNet
from skspectral._training.noise import RAMP, FollowNoise, columns_have_eigenvalues
from skspectral._training.progress import JointProgress
from skspectral._training.schedule import HORIZON_SCHEDULES
from skspectral._training.seeds import new_seed
from skspectral._training.sklearn_callbacks import follow_fit
from skspectral._training.together import Training, finish
from skspectral._training.torch_state import outside_of_modes, training_state
from skspectral._warn import warn_caller
from skspectral.nn._architecture import Architecture
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES, PARAMETRIZATIONS, TRAINABLE

NUMBERS = (
    "alpha",
    "alpha_factor",
    "alpha_phi",
    "alpha_lambda",
    "learning_rate_init",
    "time_limit",
    "tol",
)
"""Parameters that are computed with in floating point; Python's integers know no bounds."""


class BaseSpectralMLP(
    ExportableMixin, ResizableMixin, SummaryMixin, CallbackSupportMixin, BaseEstimator
):
    """Parameters, training and fitted attributes of both estimators."""

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
        tells = X_val is not None and not self.early_stopping
        check_noise_folds(self.noise_cv, groups, self.alpha, has_validation=tells)
        given = {"X": X, "y": y}  # scikit-learn's callbacks expect what the user passed
        is_warm = self.warm_start and hasattr(self, "net_")
        if is_warm and self.noise_cv is not None and self._noise_course is None:
            raise ValueError(
                "A warm start keeps the noise that the folds of the first fit told, and that fit "
                "had none: leave `noise_cv` at None, or set warm_start=False."
            )
        with unchanged_on_failure(self, self.net_ if is_warm else None):
            X, y = check_table(self, X, y, reset=not is_warm)
            sample_weight = check_weights(sample_weight, X)
            if is_warm:
                self._check_same_architecture()
            target = self._target if is_warm else self._new_target(y, self._known_classes)
            if is_warm or self._known_classes is not None:
                target.check_same(y, subset=self._known_classes is not None)
            # only now: classes come from all rows, whatever their weight
            rows = Rows(read_later(X), y, sample_weight)
            folds = (
                None if is_warm else noise_folds(self.noise_cv, rows, target.stratifies, groups)
            )
            counted = replace(rows, folds=folds).positive()
            rows = self._weighted(counted, target)
            if X_val is not None and not (self.early_stopping or self.alpha == "auto"):
                raise ValueError(
                    "`X_val` and `y_val` are used by early stopping, and by alpha='auto' to tell "
                    "the noise; set early_stopping=True or alpha='auto'."
                )
            validation = check_validation(self, target, counted, X_val, y_val, sample_weight_val)
            self._fitted_class_weight = getattr(self, "class_weight", None)  # `summary` tells
            # before rows are held out, so that scale and importances do not depend on that draw
            architecture = None if is_warm else self._start(rows, target)
            self._input_scaler = measure_columns(self._input_scaler, rows)
            if not (is_warm or quiet):
                names = getattr(self, "feature_names_in_", None)
                warn_of_spreads(self._input_scaler, rows.X, names)
            if self.early_stopping and validation is None:
                rows, validation = hold_out(
                    rows,
                    self.validation_fraction,
                    stratify=self._target.stratifies,
                    random_state=self._generator_of_split(),
                    who="Early stopping",
                    advice="Change `validation_fraction`, give `X_val` and `y_val`, or set "
                    "early_stopping=False.",
                )
            warn_of_full_batch(self.batch_size, len(rows))
            # R2 of a single row is not defined
            if validation is not None and self.early_stopping and len(validation) < 2:
                raise ValueError(
                    "Early stopping needs at least 2 validation rows to score; got "
                    f"{len(validation)}. Raise `validation_fraction` or give X_val and y_val."
                )
            given["metadata"] = None if sample_weight is None else {"sample_weight": sample_weight}
            if self.n_members > 1:
                return (yield from train_members(self, rows, validation, architecture, given))
            shared = Shared(self.time_limit)
            return (yield from self._fit_network(rows, validation, architecture, given, shared))

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
        """Return what draws the rows to hold out, in a warm start the same as before.

        Others would be rows that the network has been trained on.
        """
        if self._before_split is not None:
            return copy.deepcopy(self._before_split)
        self._before_split = copy.deepcopy(self._random_state)
        return self._random_state

    def _new_net(self, architecture, n_rows, callbacks=None):
        """Return a net with new weights, ready to train."""
        net = SpectralNet(
            architecture,
            out_activation=self.out_activation_,
            seed=new_seed(self._random_state),  # leaves torch's global generator alone
            dtype=architecture.dtype,
            device=self.device_,
            callbacks=callbacks,
            **self._net_settings(n_rows),
        )
        with enough_memory(architecture.layer_sizes):
            return net.initialize()

    def _net_settings(self, n_rows):
        """Return the settings of the net that a warm start may change."""
        return {
            "penalty": penalty_of(self.alpha, self.alpha_phi, self.alpha_lambda),
            "optimizer": optimizer_of(self.solver),
            "lr": float(self.learning_rate_init),  # torch takes no integer beyond 64 bits
            "batch_size": batch_rows(self.batch_size, n_rows),
            # shared with the net: one stream of numbers over all fits of a warm start
            "random_state": self._random_state if self.shuffle else None,
            "relevance_threshold": self.relevance_threshold,
            "n_threads": self.n_threads,
            "verbose": int(self.verbose),
        }

    def _follow_noise(self, rows, dataset, held_out=None, is_warm=False, course=None):
        """Return what moves the penalty, None where it is a number."""
        depth = len(self.net_.module.hidden_layer_sizes)
        if self.alpha != "auto" or not depth:  # without hidden nodes there is no size to find
            return None
        may_miss = depth > 1 or columns_have_eigenvalues(self.net_.module_)
        # a penalty that rises looks like a plateau to schedules without an end
        ramps = may_miss and not is_warm and self.learning_rate in HORIZON_SCHEDULES
        return FollowNoise(
            noise_table(rows, dataset, self._target),
            factor_of(self),
            self.alpha_ if is_warm else None,
            held_out,
            ramp=RAMP if ramps else 0.0,
            course=course,
        )

    def _noise_of_folds(self, rows, ends, is_warm, shared):
        """Return what the folds tell of the noise, as a coroutine, and the seconds that are left.

        Trained weights know the rows of all folds: a warm start keeps the noise of the first fit.
        """
        if self.noise_cv is None or not self.net_.module.hidden_layer_sizes:
            return None, shared.time_limit
        if is_warm:
            return self._noise_course, shared.time_limit
        share = None
        if shared.time_limit is not None:
            share = shared.time_limit / (rows.folds.shape[1] + 1)
        course = yield from course_of_noise(self, rows, rows.folds, ends, share, shared)
        self._noise_course = None if course is None else course.final()
        return course, share

    def _fold_training(self, train, test, n_rows, ends, time_limit, interrupts):
        """Return the training of a network without a fold, and what follows its noise.

        Parameters
        ----------
        train, test : Rows
            To train on, and to tell the noise.
        n_rows : int
            Rows of the whole fit.
        ends : sequence of int
            Epochs after which the whole fit may end.
        time_limit : float or None
            Seconds of this training.
        interrupts : Interrupts
        """
        # orders of its own, so that they do not depend on which trainings go side by side
        orders = np.random.RandomState(new_seed(self._random_state)) if self.shuffle else None
        settings = {**self._net_settings(n_rows), "random_state": orders, "verbose": 0}
        batch = settings["batch_size"]
        ends = ends_of_fold(ends, math.ceil(n_rows / batch), math.ceil(len(train) / batch))
        net = self._new_net(self.net_.module, n_rows)
        dataset = self._dataset(train)
        noise = self._follow_noise(train, dataset, self._dataset(test))
        callbacks = self._fit_callbacks(ends, noise, time_limit, is_fold=True)
        net.restart(callbacks=callbacks.in_order(), **settings)
        training = self._training(net, dataset, None, ends, time_limit, interrupts)
        return training, noise

    def _training(self, net, dataset, dataset_valid, ends, time_limit, interrupts, is_warm=False):
        """Return the training of a net as the parameters ask for it."""
        return Training(
            net,
            dataset,
            dataset_valid,
            ends=ends,
            schedule=schedule_name(self.learning_rate, is_warm, net.callbacks_),
            seconds=np.inf if time_limit is None else time_limit,
            interrupts=interrupts,
        )

    def _fit_callbacks(self, ends, noise, time_limit, follow=None, *, is_fold=False):
        """Return the callbacks of one training.

        A fold has those of the user's that set its learning rate.
        """
        # copies, as fit must not change a parameter; safe=False for names and classes
        users = [
            clone(callback, safe=False)
            for callback in self.callbacks or ()
            if not is_fold or is_scheduler(callback)
        ]
        stop = StopWhenSettled if self.n_members == 1 else StopWhenLossSettled
        if is_fold:  # which tells the noise, and no more
            stop = StopWhenNoiseSettled
        return fit_callbacks(
            ends=ends,
            noise=noise,
            users=users,
            sklearn=follow if hasattr(self, "_skl_callbacks") else None,
            learning_rate=self.learning_rate,
            early_stopping=self.early_stopping and not is_fold,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            time_limit=time_limit,
            shrink=self.shrink,
            verbose=0 if is_fold else self.verbose,
            stop=stop,
        )

    def _fit_network(self, rows, validation, architecture, given, shared):
        """Train one network, with restarts if they are asked for; see :meth:`_train`."""
        if self.n_restarts:
            restarts = Restarts(self, rows, validation, architecture, given, shared)
            return (yield from restarts.run())
        return (yield from self._train(rows, validation, architecture, given, shared))

    def _train(self, rows, validation, architecture, given, shared):
        """Train, set the fitted attributes, judge the result, and return what to warn of, or None.

        Parameters
        ----------
        rows : Rows
        validation : Rows or None
        architecture : Architecture or None
            Of a new network. None trains the fitted one on.
        given : dict
            What scikit-learn's callbacks are told of the fit.
        shared : Shared
        """
        n_rows, is_warm = len(rows), architecture is None
        batch = batch_rows(self.batch_size, n_rows)
        ends = planned_ends(self.max_iter, self.learning_rate, n_rows, batch, self.n_members)
        follow = follow_fit(self, ends[-1], given)
        if not is_warm:
            self.net_ = self._new_net(architecture, n_rows)
        net = self.net_
        callbacks = None
        try:
            dataset = shared.dataset(self, rows)
            dataset_valid = None if validation is None else shared.dataset(self, validation)
            held_out = None if self.early_stopping else dataset_valid
            course, time_limit = yield from self._noise_of_folds(rows, ends, is_warm, shared)
            noise = self._follow_noise(rows, dataset, held_out, is_warm, course)
            callbacks = self._fit_callbacks(ends, noise, time_limit, follow)
            net.restart(callbacks=callbacks.in_order(), **shared.settings(self, n_rows))
            dataset_valid = dataset_valid if self.early_stopping else None
            # Ctrl-C is kept for the end of the step, also while the result is judged
            with shared.interrupts() as interrupts:
                training = self._training(
                    net, dataset, dataset_valid, ends, time_limit, interrupts, is_warm
                )
                yield (training,)
                with training_state(net.threads()):
                    if noise is not None and callbacks.best_epoch is not None:
                        noise.go_back(net, callbacks.best_epoch.best_epoch_)
                    # inside: it is a backward pass, which also wants denormals flushed
                    settling = judge_size(
                        net, dataset, callbacks.best_epoch, training.seconds, interrupts
                    )
            self._rows_known = total_weight(rows)
            complaint = self._conclude(dataset, callbacks, settling, ends[-1], interrupts)
        finally:
            # they hold the rows, and would act on a later partial_fit
            if callbacks is not None:
                net.drop_callbacks(callbacks.own())
        if follow is not None:
            follow.end_fit()
        return complaint

    def _conclude(self, dataset, callbacks, settling, epochs, interrupts):
        """Set the fitted attributes; return what to warn of, or None."""
        net, noise = self.net_, callbacks.noise
        self.alpha_, self.noise_variance_ = self.net_.penalty.weight, None
        self.alpha_factor_ = None
        if noise is not None:
            self._take_noise(noise.noise_, noise.table)
        self._set_fitted_attributes()
        self.size_settled_ = None if settling is None else settling.settled
        if callbacks.settled is not None and callbacks.settled.left_open_:  # of several networks
            settling = None
        # the first that applies: a diverged fit says nothing of its size
        return (
            describe_failure(net, dataset, self.learning_rate_init, interrupts.asked)
            or describe_size(net, settling, epochs, self.alpha_, noise)
            or describe_plateau(net, epochs, callbacks.plateau)
        )

    def _partial_fit(self, X, y, sample_weight, classes=None):
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True, as it trains for one epoch "
                "only. Score held-out rows between calls instead."
            )
        self._check_settings()
        is_first = not hasattr(self, "net_")
        with outside_of_modes(), unchanged_on_failure(self, None if is_first else self.net_):
            X, y = check_table(self, X, y, reset=is_first)
            sample_weight = check_weights(sample_weight, X)
            if not is_first:
                self._check_same_architecture()
            target = self._new_target(y, classes) if is_first else self._target
            # a batch may lack classes that the first call named
            target.check_same(y, subset=True)
            rows = self._weighted(Rows(read_later(X), y, sample_weight).positive(), target)
            architecture = self._start(rows, target) if is_first else None
            self._input_scaler = measure_columns(self._input_scaler, rows)
            if is_first:
                names = getattr(self, "feature_names_in_", None)
                warn_of_spreads(self._input_scaler, rows.X, names)
            if is_first:
                # the user's alone: one epoch has no schedule, no end and no plateau to watch
                users = [clone(callback, safe=False) for callback in self.callbacks or ()]
                self.net_ = self._new_net(architecture, len(rows), users)
            failure = self._pass_once(rows, 0.0 if is_first else self._rows_known)
        if failure:
            warn_caller(failure, ConvergenceWarning)
        return self

    def _pass_once(self, rows, n_known):
        """Train for one epoch, set the fitted attributes, and return what to warn of, or None.

        Parameters
        ----------
        rows : Rows
        n_known : float
            Rows of earlier calls, or the sum of their weights.
        """
        # weights as given: the mean over one batch is not that over all rows
        dataset = self._dataset(rows, rows.weight)
        settings = self._net_settings(len(rows))
        self.alpha_, self.noise_variance_ = settings["penalty"].weight, None
        self.alpha_factor_ = None
        if self.alpha == "auto" and self.net_.module.hidden_layer_sizes:
            table = noise_table(rows, dataset, self._target)
            factor = factor_of(self)
            self.alpha_, noise = penalty_of_pass(self.net_, table, dataset, factor, n_known)
            self._take_noise(noise, table)
            settings["penalty"] = penalty_of(self.alpha_, None, None)
        del settings["optimizer"]  # its state is kept from call to call
        with Interrupts() as interrupts:
            self.net_.train_one_epoch(dataset, interrupts, **settings)
        self._rows_known = n_known + total_weight(rows)
        self._set_fitted_attributes()
        # one epoch is too short a run to judge the size by
        self.size_settled_ = None
        return describe_failure(self.net_, dataset, self.learning_rate_init, interrupts.asked)

    def _take_noise(self, noise, table):
        """Keep the noise, and the variance of the target that `summary` compares it with."""
        self.alpha_factor_ = factor_of(self)
        # a constant has none; the rule takes another scale there, which is not that of y
        scale = 0.0 if table.constant_is_exact else 1.0
        self.noise_variance_ = scale * noise_variance(noise, self._target)
        self._target_variance = scale * noise_variance(table.constant, self._target)

    def _set_fitted_attributes(self):
        forget_other_networks(self)
        history = self.net_.history
        self.loss_curve_ = [penalised_loss(row) for row in history]
        self.n_iter_ = len(history)
        self.t_ = int(self.net_.rows_seen_)
        scores = [row["valid_score"] for row in history if "valid_score" in row]
        # a warm start may have switched early stopping off, and the history goes back further
        scores = scores if self.early_stopping else []
        self.validation_scores_ = scores or None
        self.best_validation_score_ = max(scores) if scores else None
        losses = self.loss_curve_
        if self.alpha == "auto":  # the penalty moves, so only the data term tells what is better
            losses = [data_loss(row) for row in history]
        self.best_loss_ = None if scores else min(losses, default=np.inf)
        self.n_layers_ = len(self.net_.module.layer_sizes)  # as in scikit-learn's MLP

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # at most a few batches at a time are made dense
        return tags

    def __sklearn_is_fitted__(self):
        # not by trailing underscores: classes_ and others are set before training begins
        return hasattr(self, "net_")
