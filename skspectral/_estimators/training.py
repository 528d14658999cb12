"""Train the network of an estimator: its callbacks, its noise, and what it has come to."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math

import numpy as np
from sklearn.base import BaseEstimator, clone

from skspectral._estimators.auto_alpha import noise_table, noise_variance, penalty_of_pass
from skspectral._estimators.noise_folds import course_of_noise, ends_of_fold
from skspectral._estimators.recipe import (
    batch_rows,
    factor_of,
    fit_callbacks,
    is_scheduler,
    optimizer_of,
    penalty_of,
    planned_ends,
    schedule_name,
)
from skspectral._estimators.resizing import forget_other_networks
from skspectral._estimators.restarting import Restarts
from skspectral._estimators.rows import total_weight
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
from skspectral._training.history import data_loss, penalised_loss
from skspectral._training.interrupts import Interrupts
from skspectral._training.memory import enough_memory
from skspectral._training.net import SpectralNet
from skspectral._training.noise import RAMP, FollowNoise, NoiseCourse, columns_have_eigenvalues
from skspectral._training.schedule import HORIZON_SCHEDULES
from skspectral._training.seeds import new_seed
from skspectral._training.sklearn_callbacks import follow_fit
from skspectral._training.together import Training
from skspectral._training.torch_state import training_state


class BaseTraining(BaseEstimator):
    """An estimator that trains networks as its parameters ask for it."""

    _noise_course: NoiseCourse | None

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
        self._target_variance = scale * noise_variance(table.constant, self._target)
        is_told = noise is not table.constant
        self.noise_variance_ = (1.0 if is_told else scale) * noise_variance(noise, self._target)

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
