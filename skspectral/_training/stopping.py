"""Private skorch callbacks that stop training and choose the epoch to keep."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, r2_score
from skorch.callbacks import Callback

from skspectral._training.history import last_row
from skspectral._training.interrupts import StopTraining

MIN_LEARNING_RATE = 1e-6
"""Rate below which the adaptive schedule stops, as in scikit-learn's MLP."""


class BestEpoch(Callback):
    """Score the validation rows after each epoch and restore the best epoch at the end.

    Parameters
    ----------
    score : callable
        ``score(net, dataset) -> float``; larger is better.
    margin : float
        The best epoch replaces the last one only if its score is higher by more
        than this.
    earliest : float, default=0.0
        Share of the planned training before which no epoch is the best.
    """

    def __init__(
        self, score: Callable[[Any, Any], float], margin: float = 0.0, earliest: float = 0.0
    ) -> None:
        self.score = score
        self.margin = margin
        self.earliest = earliest

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget an earlier fit."""
        self.best_score_ = self.last_score_ = -np.inf
        self.best_epoch_: int | None = None
        self.best_network_: tuple[Any, Any] | None = None

    def on_epoch_end(self, net: Any, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Record the score, and keep the network if it is the best so far."""
        score = self.last_score_ = self.score(net, dataset_valid)
        last_row(net)["valid_score"] = score
        is_late = self.earliest == 0 or net.progress(net.steps_done_) >= self.earliest
        if is_late and score > self.best_score_:
            self.best_score_ = score
            self.best_epoch_ = len(net.history)
            # a deep copy: steps change the weights in place. The indices go with it, as later
            # epochs may remove nodes
            self.best_network_ = copy.deepcopy((net.module_, net.node_indices_))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Restore the best epoch if it beats the last one by more than the margin."""
        if self.best_network_ is not None and self.best_score_ > self.last_score_ + self.margin:
            net.module_, net.node_indices_ = self.best_network_
            # the old optimiser holds the tensors of the last epoch
            net.restart_optimizer()
        else:
            self.best_epoch_ = len(net.history)
        self.best_network_ = None  # frees a second copy of the network


class StopOnPlateau(Callback):
    """Stop training, or lower the learning rate, when a monitored value no longer falls.

    Parameters
    ----------
    value : callable
        ``value(row) -> float``, computed from a row of the history; lower is better.
    tol : float
        Smallest fall that counts.
    n_iter_no_change : int or inf
        Number of epochs in a row without such a fall that are allowed.
    adaptive : bool
        Whether to divide the learning rate by 5 first, and to stop only below 1e-6.
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
        """Count epochs without progress; stop where none is left."""
        value = self.value(last_row(net))
        self.n_no_change_ = 0 if value < self.best_ - self.tol else self.n_no_change_ + 1
        # also after a fall below tol, as in scikit-learn: many small falls are no progress
        self.best_ = min(self.best_, value)
        # one epoch more than n_iter_no_change, again as in scikit-learn
        if self.n_no_change_ <= self.n_iter_no_change:
            return
        if self.adaptive and net.optimizer_.param_groups[0]["lr"] > MIN_LEARNING_RATE:
            for group in net.optimizer_.param_groups:
                group["lr"] /= 5.0
            self.n_no_change_ = 0
            return
        self.stopped_ = True
        raise StopTraining


def validation_score(net: Any, dataset: Any) -> float:
    """Return the weighted R2 or accuracy, as the estimator's own ``score`` would."""
    # encoded values serve: neither score changes when targets are standardised or classes numbered
    predicted = net.predict(dataset)
    weight = None if dataset.sample_weight is None else dataset.sample_weight.cpu().numpy()
    metric = r2_score if net.out_activation == "identity" else accuracy_score
    target = _most_likely(dataset.y.cpu().numpy(), net.out_activation)
    return float(metric(target.reshape(predicted.shape), predicted, sample_weight=weight))


def _most_likely(target: np.ndarray, out_activation: str) -> np.ndarray:
    """Return encoded classes where the target holds their probabilities, else the target."""
    if out_activation == "logistic":
        return target > 0.5
    return target.argmax(axis=1) if out_activation == "softmax" and target.ndim == 2 else target
