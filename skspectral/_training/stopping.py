"""When training stops, and which epoch is kept: private skorch callbacks."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score
from skorch.callbacks import Callback

MIN_LEARNING_RATE = 1e-6
"""The adaptive schedule stops below this rate, as in scikit-learn's MLP."""


class BestEpoch(Callback):
    """Score the validation rows after each epoch and restore the best epoch at the end.

    Parameters
    ----------
    score : callable
        ``score(net, dataset) -> float``, larger is better.
    margin : float
        The best epoch replaces the last only if it scored better by more.
    """

    def __init__(self, score: Callable[[Any, Any], float], margin: float = 0.0) -> None:
        self.score = score
        self.margin = margin

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget an earlier fit."""
        self.best_score_ = -np.inf
        self.best_epoch_: int | None = None
        self.best_network_: tuple[Any, Any] | None = None

    def on_epoch_end(self, net: Any, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Record the score, keep the network if it is the best so far."""
        score = self.score(net, dataset_valid)
        net.history.record("valid_score", score)
        if score > self.best_score_:
            self.best_score_ = score
            self.best_epoch_ = len(net.history)
            self.best_network_ = copy.deepcopy((net.module_, net.node_indices_))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Restore the best epoch where it beats the last by more than the margin."""
        scores = [row["valid_score"] for row in net.history if "valid_score" in row]
        if self.best_network_ is not None and self.best_score_ > scores[-1] + self.margin:
            net.module_, net.node_indices_ = self.best_network_
            net.restart_optimizer()
        else:
            self.best_epoch_ = len(net.history)
        self.best_network_ = None


class StopOnPlateau(Callback):
    """Stop, or divide the learning rate, once the monitored quantity has stopped falling.

    Parameters
    ----------
    value : callable
        ``value(row) -> float``, falling is better, from a row of the history.
    tol : float
        Smallest fall that counts.
    n_iter_no_change : int or inf
        Epochs without such a fall that are put up with.
    adaptive : bool
        Divide the learning rate by 5 first, and stop below 1e-6.
    """

    def __init__(
        self,
        value: Callable[[dict[str, Any]], float],
        tol: float,
        n_iter_no_change: float,
        adaptive: bool = False,
    ) -> None:
        self.value = value
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.adaptive = adaptive

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget an earlier fit."""
        self.best_ = np.inf
        self.n_no_change_ = 0
        self.stopped_ = False

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Count epochs without progress; raise KeyboardInterrupt, skorch's way, to stop."""
        value = self.value(net.history[-1])
        self.n_no_change_ = 0 if value < self.best_ - self.tol else self.n_no_change_ + 1
        self.best_ = min(self.best_, value)
        if self.n_no_change_ <= self.n_iter_no_change:
            return
        if self.adaptive and net.optimizer_.param_groups[0]["lr"] > MIN_LEARNING_RATE:
            for group in net.optimizer_.param_groups:
                group["lr"] /= 5.0
            self.n_no_change_ = 0
            return
        self.stopped_ = True
        raise KeyboardInterrupt


class StopAtTime(Callback):
    """Stop after the epoch in which the time is up.

    Parameters
    ----------
    seconds : float
        Since training began.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Raise KeyboardInterrupt, skorch's way, to stop."""
        if net.seconds() >= self.seconds:
            raise KeyboardInterrupt


def validation_score(net: Any, dataset: Any) -> float:
    """Return R2 or accuracy, weighted, as the estimator's own ``score`` would."""
    predicted = net.predict(dataset)
    weight = None if dataset.sample_weight is None else dataset.sample_weight.cpu().numpy()
    metric = r2_score if net.out_activation == "identity" else accuracy_score
    target = dataset.y.cpu().numpy().reshape(predicted.shape)
    return float(metric(target, predicted, sample_weight=weight))
