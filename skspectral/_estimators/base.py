"""What the spectral regressor and classifier share."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
import warnings
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import validate_data
from skorch.callbacks import LRScheduler

from skspectral._compat import CallbackSupportMixin, Interval, Options, StrOptions, _fit_context
from skspectral._estimators.checks import check_callbacks, check_hidden_layer_sizes, check_solver
from skspectral._estimators.exportable import ExportableMixin
from skspectral._estimators.resizing import GrowableMixin
from skspectral._estimators.rows import Rows, check_weights
from skspectral._training.batches import RowDataset, to_tensor
from skspectral._training.convergence import (
    describe_failure,
    describe_plateau,
    describe_size,
    judge_size,
)
from skspectral._training.device import choose_device, choose_threads
from skspectral._training.history import negative_score, penalised_loss
from skspectral._training.net import SpectralNet
from skspectral._training.optimizers import ADAM_BETAS
from skspectral._training.penalty import Penalty
from skspectral._training.progress import Progress
from skspectral._training.schedule import HORIZON_SCHEDULES, auto_epochs
from skspectral._training.shrinking import DropSilent
from skspectral._training.sklearn_callbacks import SklearnCallbacks
from skspectral._training.stopping import BestEpoch, StopAtTime, StopOnPlateau, validation_score
from skspectral._training.torch_state import training_state
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES, PARAMETRIZATIONS, TRAINABLE, SpectralMLP

SOLVERS = {"adam": functools.partial(torch.optim.Adam, betas=ADAM_BETAS), "sgd": torch.optim.SGD}
SMALL_TABLE = 1000
"""Rows below which dtype="auto" computes in float64 on a CPU."""
OWN_CALLBACKS = (
    "_best_epoch",
    "_sklearn_callbacks",
    "_plateau",
    "_time_limit",
    "_shrink",
    "_progress",
)
CHUNK = 10_000
"""Rows at a time whose spread is taken, which bounds the memory it needs."""
MAX_INT = np.iinfo(np.int32).max


class BaseSpectralMLP(ExportableMixin, GrowableMixin, CallbackSupportMixin, BaseEstimator):
    """Training, relevance and the fitted attributes of both estimators."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "fit_intercept": ["boolean"],
        "parametrization": [StrOptions(set(PARAMETRIZATIONS)), "array-like"],
        "eigenvalues": [StrOptions(set(EIGENVALUES))],
        "trainable": [StrOptions(set(TRAINABLE))],
        "alpha": [Interval(Real, 0, None, closed="left")],
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

    @abstractmethod
    def _check_target(self, y):
        """Return `y` in the form the task expects; raise where it is of another kind."""

    @abstractmethod
    def _start_target(self, y, classes=None):
        """Set what describes the target, from every row given to the first fit."""

    @abstractmethod
    def _check_same_target(self, y, subset=False):
        """Raise where `y` does not go on from an earlier fit; `subset`: it may lack classes."""

    @abstractmethod
    def _start_scale(self, rows):
        """Set the centre and scale of the target, from the rows that are trained on."""

    @abstractmethod
    def _encode(self, y):
        """Return the array that the loss compares outputs with."""

    def _class_weights(self, rows):
        return rows

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; scale them in a pipeline.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights, scaled to mean 1. Rows of weight zero are
            dropped. A mini-batch fit with integer weights equals one with
            repeated rows only in expectation, a full-batch fit exactly.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features) or None, default=None
            Validation rows for `early_stopping`, in place of a held-out fraction.
        y_val : array-like or None, default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,) or None, default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described, or a `warm_start`
            fit changes the network, the columns or the target.
        """
        self._check_settings()
        given = {"X": X, "y": y}
        continuing = self.warm_start and hasattr(self, "net_")
        X, y = self._check_rows(X, y, reset=not continuing)
        sample_weight = check_weights(sample_weight, X)
        if continuing:
            self._check_same_architecture()
            self._check_same_target(y)
        else:
            self._random_state = check_random_state(self.random_state)
            self._start_target(y)
        rows = self._class_weights(Rows(X, y, sample_weight).positive())
        validation = self._check_validation(X_val, y_val, sample_weight_val)
        if not continuing:
            self._start(rows)
        self._measure_columns(rows)
        if self.early_stopping and validation is None:
            rows, validation = self._hold_out(rows)
        self._check_batch_size(len(rows))
        if validation is not None and len(validation) < 2:
            raise ValueError(
                "Early stopping needs at least 2 validation rows to score; got "
                f"{len(validation)}. Raise `validation_fraction` or give X_val and y_val."
            )
        given["metadata"] = None if sample_weight is None else {"sample_weight": sample_weight}
        return self._train(rows, validation, continuing, given)

    def _check_settings(self):
        """Check what the parameter constraints leave open."""
        check_hidden_layer_sizes(self.hidden_layer_sizes)
        check_solver(self._optimizer())
        check_callbacks(self.callbacks)

    def _hidden_layer_sizes(self):
        return check_hidden_layer_sizes(self.hidden_layer_sizes)

    def _optimizer(self):
        return SOLVERS[self.solver] if isinstance(self.solver, str) else self.solver

    def _check_rows(self, X, y, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        return X, self._check_target(y)

    def _check_validation(self, X_val, y_val, sample_weight_val):
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("`sample_weight_val` weighs `X_val`, which was not given.")
            return None
        if X_val is None or y_val is None:
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"`X_val` and `y_val` belong together; `{missing}` was not given.")
        if not self.early_stopping:
            raise ValueError(
                "`X_val` and `y_val` are used by early stopping only; set early_stopping=True."
            )
        X_val, y_val = self._check_rows(X_val, y_val, reset=False)
        self._check_same_target(y_val, subset=True)
        return Rows(
            X_val, y_val, check_weights(sample_weight_val, X_val, "sample_weight_val")
        ).positive()

    def _architecture(self):
        """Return what a warm start may not change."""
        names = ("activation", "fit_intercept", "parametrization", "eigenvalues", "trainable")
        settings = {name: getattr(self, name) for name in names}
        if not isinstance(self.parametrization, str):
            settings["parametrization"] = list(self.parametrization)
        return {"hidden_layer_sizes": list(self._hidden_layer_sizes()), **settings}

    def _check_same_architecture(self):
        for name, value in self._architecture().items():
            if value != self._fitted_architecture[name]:
                raise ValueError(
                    f"A warm start must keep the network: `{name}` was "
                    f"{self._fitted_architecture[name]!r} and is now {value!r}. Set "
                    "warm_start=False to start anew."
                )

    def _train(self, rows, validation, continuing, given):
        """Build or continue the net, run it, judge it; `given` is what callbacks are shown."""
        self._fit_batch_size = self._batch_size(len(rows))
        dataset = self._dataset(rows)
        dataset_valid = None if validation is None else self._dataset(validation)
        epochs = self._planned_epochs(len(rows))
        follow = self._follow_fit(epochs, given)
        callbacks = self._fit_callbacks(follow, epochs)
        if continuing:
            self.net_.restart(callbacks=callbacks, **self._net_settings())
        else:
            self._start_net(callbacks)
        net = self.net_
        try:
            with training_state(self._threads()):
                schedule = self._schedule(continuing)
                seconds = np.inf if self.time_limit is None else self.time_limit
                net.train(
                    dataset, dataset_valid, epochs=epochs, schedule=schedule, seconds=seconds
                )
                settling = judge_size(net, dataset)
            self._set_fitted_attributes()
            self.size_settled_ = None if settling is None else settling.settled
            complaint = (
                describe_failure(net, dataset, self.learning_rate_init)
                or describe_size(net, settling, epochs, self.alpha)
                or describe_plateau(net, epochs)
            )
        except BaseException:
            if not continuing:
                del self.net_
            raise
        finally:
            net.drop_callbacks(OWN_CALLBACKS)
        if follow is not None:
            follow.end_fit()
        if complaint:
            warnings.warn(complaint, ConvergenceWarning, stacklevel=4)
        return self

    def _threads(self):
        sizes = self.net_.module_.layer_sizes
        return choose_threads(self.n_threads, sizes, self._fit_batch_size)

    def _schedule(self, continuing):
        """Name the schedule: none beside a user's, no warm-up for weights that are trained."""
        if any(isinstance(callback, LRScheduler) for _, callback in self.net_.callbacks_):
            return "constant"
        return "cosine" if continuing and self.learning_rate == "onecycle" else self.learning_rate

    def _planned_epochs(self, n_rows):
        if self.max_iter != "auto":
            return self.max_iter
        if self.learning_rate in HORIZON_SCHEDULES:
            return auto_epochs(n_rows, self._batch_size(n_rows))
        return 200

    def _batch_size(self, n_rows):
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)

    def _check_batch_size(self, n_rows):
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warnings.warn(
                f"`batch_size` is {self.batch_size}, more than the {n_rows} training rows; "
                "all rows form one batch.",
                UserWarning,
                stacklevel=4,
            )

    def _hold_out(self, rows):
        stratify = self.out_activation_ != "identity" and rows.y.ndim == 1
        try:
            return rows.split(self.validation_fraction, stratify, self._random_state)
        except ValueError as error:
            raise ValueError(
                f"Early stopping cannot hold out `validation_fraction`="
                f"{self.validation_fraction} of {len(rows)} rows: {error} Give X_val and y_val, "
                "or set early_stopping=False."
            ) from error

    def _start(self, rows):
        """Forget an earlier fit; fix what later ones keep: target scale, sizes, device, dtype."""
        self.__dict__.pop("net_", None)
        self._start_scale(rows)
        self._layer_sizes = (rows.X.shape[1], *self._hidden_layer_sizes(), self.n_outputs_)
        self.device_ = choose_device(self.device, self._layer_sizes, self._batch_size(len(rows)))
        exact = len(rows) < SMALL_TABLE and self.device_ == "cpu"
        self._dtype = ("float64" if exact else "float32") if self.dtype == "auto" else self.dtype
        self._input_scaler = StandardScaler(with_mean=False)

    def _measure_columns(self, rows):
        """Take the spread of the columns, for `feature_importances_`."""
        with np.errstate(over="ignore", invalid="ignore"):
            for chunk in gen_batches(len(rows), CHUNK):
                weight = None if rows.weight is None else rows.weight[chunk]
                self._input_scaler.partial_fit(rows.X[chunk], sample_weight=weight)

    def _dataset(self, rows, weight=None):
        """Move rows to the device; weights are scaled to mean 1 unless given."""
        device = self.net_.device if hasattr(self, "net_") else self.device_
        target = torch.as_tensor(self._encode(rows.y)).to(device)
        if target.is_floating_point():
            target = target.to(self._torch_dtype)
        weight = rows.scaled_weight() if weight is None else weight
        if weight is not None:
            weight = to_tensor(weight, self._torch_dtype, device)
        return RowDataset(rows.X, target, weight, self._torch_dtype, device)

    def _start_net(self, callbacks):
        """Build the net from the parameters, with new weights."""
        architecture = self._architecture()
        module = functools.partial(
            SpectralMLP,
            self._layer_sizes,
            self.activation,
            architecture["parametrization"],
            eigenvalues=self.eigenvalues,
            trainable=self.trainable,
            bias=self.fit_intercept,
            dtype=self._torch_dtype,
        )
        net = SpectralNet(
            module,
            out_activation=self.out_activation_,
            seed=self._random_state.randint(MAX_INT),
            dtype=self._torch_dtype,
            device=self.device_,
            callbacks=callbacks,
            **self._net_settings(),
        )
        self.net_ = net.initialize()
        self._fitted_architecture = architecture

    def _net_settings(self):
        """Return what a warm start may change."""
        return {
            "penalty": self._penalty(),
            "optimizer": self._optimizer(),
            "lr": self.learning_rate_init,
            "batch_size": self._fit_batch_size,
            "random_state": self._random_state if self.shuffle else None,
            "relevance_threshold": self.relevance_threshold,
            "verbose": int(self.verbose),
        }

    def _penalty(self):
        return Penalty(
            weight=self.alpha,
            phi=self.alpha if self.alpha_phi is None else self.alpha_phi,
            lambda_=self.alpha if self.alpha_lambda is None else self.alpha_lambda,
        )

    def _user_callbacks(self):
        return [clone(callback, safe=False) for callback in self.callbacks or ()]

    def _fit_callbacks(self, follow, epochs):
        """Order skorch's callbacks: scores first, the user's, then what may stop training."""
        ends = self.learning_rate in HORIZON_SCHEDULES
        callbacks = []
        if self.early_stopping:
            margin = self.tol if ends else 0.0
            callbacks.append(("_best_epoch", BestEpoch(validation_score, margin)))
        if self.verbose == 1:
            callbacks.append(("_progress", Progress(epochs, self.time_limit)))
        callbacks += self._user_callbacks()
        if hasattr(self, "_skl_callbacks"):
            callbacks.append(("_sklearn_callbacks", follow))
        if not ends:
            value = negative_score if self.early_stopping else penalised_loss
            adaptive = self.learning_rate == "adaptive"
            plateau = StopOnPlateau(value, self.tol, self.n_iter_no_change, adaptive)
            callbacks.append(("_plateau", plateau))
        if self.time_limit is not None:
            callbacks.append(("_time_limit", StopAtTime(self.time_limit)))
        if self.shrink and not self.callbacks:  # those of the user may hold on to parameters
            callbacks.append(("_shrink", DropSilent(self.n_threads)))
        return callbacks

    def _follow_fit(self, epochs, given):
        """Open the task of this fit for scikit-learn's callbacks, where it has any."""
        if not hasattr(self, "_init_callback_context"):  # scikit-learn < 1.9
            return None
        context = self._init_callback_context(max_subtasks=epochs)
        task = {"estimator": self, **given}
        context.call_on_fit_task_begin(**task)
        return SklearnCallbacks(context, task, lambda: {"net_": self.net_})

    def _partial_fit(self, X, y, sample_weight, classes=None):
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True, as one pass has nothing to "
                "stop. Score held-out rows between calls instead."
            )
        self._check_settings()
        first = not hasattr(self, "net_")
        X, y = self._check_rows(X, y, reset=first)
        sample_weight = check_weights(sample_weight, X)
        if first:
            self._random_state = check_random_state(self.random_state)
            self._start_target(y, classes)
        else:
            self._check_same_architecture()
        self._check_same_target(y, subset=True)
        rows = self._class_weights(Rows(X, y, sample_weight).positive())
        if first:
            self._start(rows)
        self._measure_columns(rows)
        self._fit_batch_size = self._batch_size(len(rows))
        dataset = self._dataset(rows, rows.weight)  # as given: one batch is not all rows
        if first:
            self._start_net(self._user_callbacks())
        settings = self._net_settings()
        del settings["optimizer"]  # its state is kept
        with training_state(self._threads()):
            self.net_.train_one_epoch(dataset, **settings)
        self._set_fitted_attributes()
        self.size_settled_ = None
        failure = describe_failure(self.net_, dataset, self.learning_rate_init)
        if failure:
            warnings.warn(failure, ConvergenceWarning, stacklevel=4)
        return self

    def _set_fitted_attributes(self):
        history = self.net_.history
        self.loss_curve_ = [penalised_loss(row) for row in history]
        self.n_iter_ = len(history)
        self.t_ = int(self.net_.rows_seen_)
        scores = [row["valid_score"] for row in history if "valid_score" in row]
        scores = scores if self.early_stopping else []
        self.validation_scores_ = scores or None
        self.best_validation_score_ = max(scores) if scores else None
        self.best_loss_ = None if scores else min(self.loss_curve_, default=np.inf)
        self.n_layers_ = len(self._layer_sizes)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")
