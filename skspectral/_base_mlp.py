"""What the spectral regressor and classifier share."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
import inspect
import warnings
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import Callback, LRScheduler

from skspectral._batches import RowDataset
from skspectral._compat import CallbackSupportMixin, Interval, Options, StrOptions, _fit_context
from skspectral._device import choose_device
from skspectral._net import ADAM_BETAS, SpectralNet, optimizer_class
from skspectral._penalty import Penalty
from skspectral._rows import Rows, check_weights
from skspectral._schedule import HORIZON_SCHEDULES, auto_epochs
from skspectral._stopping import BestEpoch, SklearnCallbacks, StopOnPlateau
from skspectral._torch_state import training_state
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES, PARAMETRIZATIONS, TRAINABLE, SpectralMLP
from skspectral.nn._relevance import hidden_relevances

SOLVERS = {"adam": functools.partial(torch.optim.Adam, betas=ADAM_BETAS), "sgd": torch.optim.SGD}
SMALL_TABLE = 1000
"""Rows below which dtype="auto" computes in float64 on a CPU."""
OWN_CALLBACKS = ("best_epoch", "sklearn_callbacks", "plateau")
MAX_INT = np.iinfo(np.int32).max


class BaseSpectralMLP(CallbackSupportMixin, BaseEstimator):
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
        "device": [str],
        "dtype": [StrOptions({"auto", "float32", "float64"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
    }

    # Seams for the two tasks ----------------------------------------------------

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

    # Fitting --------------------------------------------------------------------

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
        return self._train(rows, validation, continuing, X, y, sample_weight)

    def _check_settings(self):
        """Check parameters that constrain one another."""
        sizes = self._hidden_layer_sizes()
        if any(not isinstance(size, Integral) or size < 1 for size in sizes):
            raise ValueError(
                "`hidden_layer_sizes` must hold integers >= 1, one per hidden layer; "
                f"got {self.hidden_layer_sizes!r}."
            )
        solver = self._optimizer()
        if not (
            inspect.isclass(cls := optimizer_class(solver))
            and issubclass(cls, torch.optim.Optimizer)
        ):
            raise ValueError(
                "`solver` must be 'adam', 'sgd', a torch optimiser class or a "
                f"functools.partial of one; got {self.solver!r}."
            )
        if issubclass(cls, torch.optim.LBFGS):
            raise ValueError(
                "`solver` must not need a closure, as LBFGS does; use 'adam' or another "
                "optimiser that steps on given gradients."
            )
        for callback in self.callbacks or ():
            callback = callback[1] if isinstance(callback, tuple) else callback
            if not (isinstance(callback, Callback) or callback is None) and not (
                inspect.isclass(callback) and issubclass(callback, Callback)
            ):
                raise ValueError(
                    "`callbacks` must hold skorch callbacks or (name, callback) pairs; got "
                    f"{callback!r}. scikit-learn's callbacks are given to `set_callbacks`."
                )
        refused = {"weight_decay", "lr", "params", "maximize"} & set(
            getattr(solver, "keywords", {})
        )
        if refused:
            raise ValueError(
                f"`solver` must not set {sorted(refused)}: the penalty is set by `alpha`, the "
                "learning rate by `learning_rate_init`."
            )

    def _hidden_layer_sizes(self):
        sizes = self.hidden_layer_sizes
        return (sizes,) if isinstance(sizes, Integral) else tuple(sizes)

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

    def _train(self, rows, validation, continuing, X, y, sample_weight):
        """Build or continue the net, run it, judge it."""
        self._fit_batch_size = self._batch_size(len(rows))
        dataset = self._dataset(rows)
        dataset_valid = None if validation is None else self._dataset(validation)
        epochs = self._planned_epochs(len(rows))
        context = self._begin_callbacks(epochs, X, y, sample_weight)
        if continuing:
            self._continue_net(context)
        else:
            self._start_net(context)
        scheduled = any(isinstance(callback, LRScheduler) for _, callback in self.net_.callbacks_)
        schedule = "constant" if scheduled else self.learning_rate
        if continuing and schedule == "onecycle":
            schedule = "cosine"
        with training_state(self.n_threads):
            self.net_.train(dataset, dataset_valid, epochs=epochs, schedule=schedule)
            self._set_curves()
            settling = self.net_.judge_size(dataset)
        self.size_settled_ = None if settling is None else settling.settled
        complaint = self._complaint(settling, epochs)
        self.net_.drop_callbacks(OWN_CALLBACKS)
        self._end_callbacks(context)
        if complaint:
            warnings.warn(complaint, ConvergenceWarning, stacklevel=4)
        return self

    def _planned_epochs(self, n_rows):
        if self.max_iter != "auto":
            return self.max_iter
        if self.learning_rate in HORIZON_SCHEDULES:
            return auto_epochs(n_rows, self._batch_size(n_rows))
        return 200

    def _batch_size(self, n_rows):
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warnings.warn(
                f"`batch_size` is {self.batch_size}, more than the {n_rows} training rows; "
                "all rows form one batch.",
                UserWarning,
                stacklevel=2,
            )
        return min(self.batch_size, n_rows)

    def _hold_out(self, rows):
        stratify = getattr(self, "out_activation_", None) != "identity" and rows.y.ndim == 1
        try:
            return rows.split(self.validation_fraction, stratify, self._random_state)
        except ValueError as error:
            raise ValueError(
                f"Early stopping cannot hold out `validation_fraction`="
                f"{self.validation_fraction} of {len(rows)} rows: {error} Give X_val and y_val, "
                "or set early_stopping=False."
            ) from error

    def _start(self, rows):
        """Fix what later fits keep: scale of the target, sizes, device and dtype."""
        self._start_scale(rows)
        self._layer_sizes = (rows.X.shape[1], *self._hidden_layer_sizes(), self.n_outputs_)
        self.device_ = choose_device(self.device, self._layer_sizes, self._batch_size(len(rows)))
        exact = len(rows) < SMALL_TABLE and self.device_ == "cpu"
        self._dtype = ("float64" if exact else "float32") if self.dtype == "auto" else self.dtype
        self._input_scaler = StandardScaler(with_mean=False)

    def _measure_columns(self, rows):
        """Take the spread of the columns, for `feature_importances_`; refuse what overflows."""
        largest = np.abs(rows.X).max()
        if largest > np.finfo(self._dtype).max:
            raise ValueError(
                f"X holds values up to {largest:g}, beyond {self._dtype}. Scale X, for example "
                "with StandardScaler, or set dtype='float64'."
            )
        with np.errstate(over="ignore"):
            self._input_scaler.partial_fit(rows.X, sample_weight=rows.weight)

    def _dataset(self, rows):
        target = torch.as_tensor(self._encode(rows.y))
        if target.is_floating_point():
            target = target.to(self._torch_dtype)
        weight = rows.scaled_weight()
        if weight is not None:
            weight = torch.as_tensor(weight, dtype=self._torch_dtype).to(self.device_)
        return RowDataset(rows.X, target.to(self.device_), weight, self._torch_dtype, self.device_)

    @property
    def _torch_dtype(self):
        return getattr(torch, self._dtype)

    def _start_net(self, context):
        self._fitted_architecture = self._architecture()
        module = functools.partial(
            SpectralMLP,
            self._layer_sizes,
            self.activation,
            self.parametrization
            if isinstance(self.parametrization, str)
            else list(self.parametrization),
            eigenvalues=self.eigenvalues,
            trainable=self.trainable,
            bias=self.fit_intercept,
            dtype=self._torch_dtype,
        )
        self.t_ = 0
        self.net_ = SpectralNet(
            module,
            out_activation=self.out_activation_,
            penalty=self._penalty(),
            optimizer=self._optimizer(),
            lr=self.learning_rate_init,
            batch_size=self._fit_batch_size,
            seed=self._random_state.randint(MAX_INT),
            random_state=self._random_state if self.shuffle else None,
            relevance_threshold=self.relevance_threshold,
            callbacks=self._callbacks(context),
            dtype=self._torch_dtype,
            device=self.device_,
            verbose=int(self.verbose),
        )
        self.net_.initialize()

    def _continue_net(self, context):
        """Take over parameters that may change; weights stay, the optimiser starts anew."""
        self.net_.verbose = int(self.verbose)
        self.net_.restart(
            callbacks=self._callbacks(context),
            penalty=self._penalty(),
            optimizer=self._optimizer(),
            lr=self.learning_rate_init,
            batch_size=self._fit_batch_size,
            random_state=self._random_state if self.shuffle else None,
            relevance_threshold=self.relevance_threshold,
        )

    def _penalty(self):
        return Penalty(
            weight=self.alpha,
            phi=self.alpha if self.alpha_phi is None else self.alpha_phi,
            lambda_=self.alpha if self.alpha_lambda is None else self.alpha_lambda,
        )

    def _callbacks(self, context):
        """Order skorch's callbacks: scores first, the user's, then what may stop training."""
        ends = self.learning_rate in HORIZON_SCHEDULES
        callbacks = []
        if self.early_stopping:
            margin = self.tol if ends else 0.0
            callbacks.append(("best_epoch", BestEpoch(_validation_score, margin)))
        callbacks += [clone(callback, safe=False) for callback in self.callbacks or ()]
        if context is not None:
            callbacks.append(("sklearn_callbacks", context))
        if not ends:
            value = _negative_score if self.early_stopping else _penalised_loss
            adaptive = self.learning_rate == "adaptive"
            plateau = StopOnPlateau(value, self.tol, self.n_iter_no_change, adaptive)
            callbacks.append(("plateau", plateau))
        return callbacks

    # scikit-learn's callbacks -----------------------------------------------------

    def _begin_callbacks(self, epochs, X, y, sample_weight):
        """Open the fit's task for scikit-learn's callbacks; None where there are none."""
        if not hasattr(self, "_init_callback_context"):
            return None
        context = self._init_callback_context(max_subtasks=epochs)
        weights = None if sample_weight is None else {"sample_weight": sample_weight}
        task = {"X": X, "y": y, "metadata": weights}
        context.call_on_fit_task_begin(estimator=self, **task)
        return SklearnCallbacks(context, self, task, self._reconstruction_attributes)

    def _reconstruction_attributes(self):
        return {"net_": self.net_}

    def _end_callbacks(self, callback):
        if callback is not None:
            callback.context.call_on_fit_task_end(
                estimator=self, reconstruction_attributes=dict, **callback.metadata
            )

    # One pass -------------------------------------------------------------------

    def _partial_fit(self, X, y, sample_weight, classes=None):
        self._check_settings()
        first = not hasattr(self, "net_")
        X, y = self._check_rows(X, y, reset=first)
        sample_weight = check_weights(sample_weight, X)
        if first:
            self._random_state = check_random_state(self.random_state)
            self._start_target(y, classes)
        self._check_same_target(y, subset=True)
        rows = self._class_weights(Rows(X, y, sample_weight).positive())
        if first:
            self._start(rows)
        self._measure_columns(rows)
        self._fit_batch_size = self._batch_size(len(rows))
        dataset = self._dataset(rows)
        if rows.weight is not None:  # as given: a mean of one batch is not that of all
            dataset.sample_weight = torch.as_tensor(rows.weight, dtype=self._torch_dtype).to(
                self.device_
            )
        if first:
            self._start_net(None)
        self.net_.batch_size = self._fit_batch_size
        with training_state(self.n_threads):
            self.net_.train_one_epoch(dataset, lr=self.learning_rate_init)
            self._set_curves()
        self.size_settled_ = None
        return self

    # After training -----------------------------------------------------------------

    def _set_curves(self):
        history = self.net_.history
        self.loss_curve_ = [_penalised_loss(row) for row in history]
        self.n_iter_ = len(history)
        self.t_ = int(self.net_.rows_seen_)
        scores = [row["valid_score"] for row in history if "valid_score" in row]
        self.validation_scores_ = scores or None
        self.best_validation_score_ = max(scores) if scores else None
        self.best_loss_ = None if scores else min(self.loss_curve_, default=np.inf)
        self.n_layers_ = len(self._layer_sizes)
        self.node_indices_ = [np.arange(size) for size in self._hidden_layer_sizes()]

    def _complaint(self, settling, epochs):
        """Say where training failed, died or stopped too early to tell the size; else None."""
        if self.net_.diverged_:
            return (
                f"Training diverged in epoch {self.n_iter_ + 1}: the weights were no longer "
                "finite. The last finite weights are kept. Lower `learning_rate_init` "
                f"(now {self.learning_rate_init:g}), and scale X, for example with StandardScaler."
            )
        if self.n_alive_nodes_ and not any(self.n_alive_nodes_):
            return (
                "Every node died: lower alpha. The penalty outweighs what the data tell, and "
                f"the network predicts a constant at alpha={self.alpha:g}."
            )
        if settling is not None and not settling.settled:
            return (
                f"The size has not settled: {settling.n_alive} nodes are alive, of which the "
                f"data still feed {settling.n_fed}; half-way through training "
                f"{settling.n_half_way} were alive. Raise `max_iter` (now {epochs} epochs), or "
                "`learning_rate_init`, or do not read `n_alive_nodes_` as a size."
            )
        plateau = dict(self.net_.callbacks_).get("plateau")
        if plateau is not None and not plateau.stopped_ and self.n_iter_ >= epochs:
            return (
                f"Maximum iterations ({epochs}) reached and the loss still falls by more than "
                "`tol`. Raise `max_iter`."
            )
        return None

    @property
    def module_(self):
        """The trained :class:`skspectral.nn.SpectralMLP`."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def feature_relevance_(self):
        """Relevance of each node, list of ndarray of shape (n_nodes,)."""
        return [r.cpu().numpy() for r in hidden_relevances(self.module_)]

    @property
    def n_alive_nodes_(self):
        """Number of alive nodes per hidden layer, list of int."""
        check_is_fitted(self, "net_")
        return [int(mask.sum()) for mask in self.net_.alive_masks()]

    def _output_scale(self):
        """Return centre and scale of the outputs, arrays of shape (n_outputs,)."""
        return np.zeros(self.n_outputs_), np.ones(self.n_outputs_)

    @property
    def coefs_(self):
        """Effective weights in units of y, list of ndarray of shape (n_in, n_out)."""
        weights = [layer.weight.detach().cpu().numpy().T.copy() for layer in self.module_.layers]
        _, scale = self._output_scale()
        weights[-1] = weights[-1] * scale.astype(weights[-1].dtype)
        return weights

    @property
    def intercepts_(self):
        """Biases in units of y, list of ndarray of shape (n_out,)."""
        biases = [
            np.zeros(layer.out_features, dtype=self._dtype)
            if layer.bias is None
            else layer.bias.detach().cpu().numpy().copy()
            for layer in self.module_.layers
        ]
        centre, scale = self._output_scale()
        biases[-1] = (biases[-1] * scale + centre).astype(biases[-1].dtype)
        return biases

    @property
    def feature_importances_(self):
        """Share of each column in the absolute paths to the outputs, ndarray of sum 1."""
        paths = np.ones(self.n_outputs_)
        for weights in reversed(self.coefs_):
            paths = np.abs(weights).astype(np.float64) @ paths
        paths *= np.sqrt(self._input_scaler.var_)
        total = paths.sum()
        return (
            paths / total
            if total > 0 and any(self.n_alive_nodes_ or [1])
            else np.zeros_like(paths)
        )

    def _outputs(self, X):
        """Return the linear outputs of the network, float64 array of shape (n, n_outputs)."""
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False
        )
        dataset = RowDataset(X, None, None, self._torch_dtype, self.net_.device)
        return self.net_.forward(dataset).numpy().astype(np.float64)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")


def _penalised_loss(row):
    return row["train_loss"] + row["penalty"]


def _negative_score(row):
    return -row["valid_score"]


def _validation_score(net, dataset):
    """Return R2 or accuracy, weighted, as the estimator's own ``score`` would."""
    predicted = net.predict(dataset)
    weight = None if dataset.sample_weight is None else dataset.sample_weight.cpu().numpy()
    metric = r2_score if net.out_activation == "identity" else accuracy_score
    target = dataset.y.cpu().numpy().reshape(predicted.shape)
    return float(metric(target, predicted, sample_weight=weight))
