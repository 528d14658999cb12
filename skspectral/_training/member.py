"""One network on its way through training, which may pause between any two steps."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch.callbacks import EpochTimer, PassthroughScoring

from skspectral._training.backpropagation import Backpropagation
from skspectral._training.batches import RowBatches, RowDataset
from skspectral._training.hooks import overrides
from skspectral._training.interrupts import Interrupts, StopTraining
from skspectral._training.net import SpectralNet
from skspectral._training.optimizers import FusedAdamSteps
from skspectral._training.shrinking import DropSilent
from skspectral._training.stack import kind_of


@dataclass(frozen=True)
class Reading:
    """What an epoch of one network came to.

    Parameters
    ----------
    is_finite : bool
        Whether all parameters and relevances are.
    penalty : float
        Its value, in the unit of the loss.
    n_alive : list of int
        Alive nodes of each hidden layer.
    n_silent : int
    products : ndarray of shape (n_outputs, n_outputs)
        Sum over rows of the products of residuals.
    loss : float
        Mean over the rows.
    """

    is_finite: bool
    penalty: float
    n_alive: list[int]
    n_silent: int
    products: np.ndarray
    loss: float


@dataclass(frozen=True)
class Pause:
    """What the steps of an epoch came to before its member changed fleets.

    Parameters
    ----------
    products : Tensor of shape (n_outputs, n_outputs)
    entropy : Tensor of shape ()
    last_finite : list of Tensor
        Trained parameters at the last end of an epoch.
    """

    products: torch.Tensor
    entropy: torch.Tensor
    last_finite: list[torch.Tensor]


class HostMoments:
    """Products of residuals, summed over epochs as they are read from the device."""

    def __init__(self) -> None:
        self.products: Any = 0.0
        self.weight = 0.0

    def add(self, products: np.ndarray, weight: float) -> None:
        """Count an epoch whose rows have this sum of weights."""
        self.products = self.products + products
        self.weight += weight

    def take(self) -> np.ndarray:
        """Return the mean product, and start anew."""
        mean: np.ndarray = self.products / self.weight
        self.products, self.weight = 0.0, 0.0
        return mean


class Member:
    """A net, its rows, and how far its training has come.

    Parameters
    ----------
    net : SpectralNet
        With the schedule that :meth:`SpectralNet.plan` sets.
    dataset : RowDataset
    epochs : int
    interrupts : Interrupts or None, default=None
        Those of the fit.
    """

    def __init__(
        self,
        net: SpectralNet,
        dataset: RowDataset,
        epochs: int,
        interrupts: Interrupts | None = None,
    ) -> None:
        self.interrupts = interrupts or Interrupts()
        self.net, self.dataset, self.epochs = net, dataset, epochs
        self.n_rows = len(dataset)
        self.batch = min(net.batch_size, self.n_rows)
        weight = dataset.sample_weight
        self.total_weight = float(self.n_rows if weight is None else weight.sum())
        self.iterator = RowBatches(dataset, self.batch, net.random_state)
        self.done = False
        self.pause: Pause | None = None

    @staticmethod
    def serves(net: SpectralNet, dataset: RowDataset) -> bool:
        """Tell whether a fleet trains this net as skorch's own loop would."""
        known = (EpochTimer, PassthroughScoring)
        callbacks = [pair for pair in net.callbacks_ if type(pair[1]) not in known]
        return (
            net.decay_is_penalty_
            and FusedAdamSteps.serves(net.optimizer_)
            and Backpropagation.serves(net.module_)
            and not net.criterion_._forward_hooks
            and isinstance(dataset.X, torch.Tensor)
            and all(type(cb).__module__.startswith("skspectral._training") for _, cb in callbacks)
            and not overrides(callbacks, "on_epoch_begin", "on_batch_begin", "on_batch_end")
        )

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether Ctrl-C ends training after this step."""
        return self.interrupts.stop_here()

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Sizes of the network as it is now."""
        return self.net.module_.layer_sizes

    @property
    def largest_input(self) -> float:
        """Largest norm of a row; 0 if silent nodes stay."""
        return 0.0 if self.drop is None else self.drop.largest_input_

    @property
    def may_drop(self) -> bool:
        """Whether nodes that are silent now would leave the network."""
        return self.drop is not None and self.net.steps_done_ >= self.drop.due_

    @property
    def kind(self) -> tuple[Any, ...]:
        """What members of a fleet have in common."""
        group = self.net.optimizer_.param_groups[0]
        net = self.net
        adam = group["betas"], group["eps"]
        return (*kind_of(net.module_), net.out_activation, *adam, net.n_threads)

    def begin(self) -> None:
        """Start the clock and the callbacks."""
        net = self.net
        net.interrupts_ = self.interrupts
        net.notify("on_train_begin", X=self.dataset, y=None)
        if net.criterion_.moments is not None:
            net.criterion_.moments = HostMoments()
        ours = [cb for _, cb in net.callbacks_ if overrides([("", cb)], "on_epoch_end")]
        self.callbacks = [cb for cb in ours if type(cb) not in (EpochTimer, PassthroughScoring)]
        self.drop = next((cb for cb in self.callbacks if isinstance(cb, DropSilent)), None)
        self.n_epochs, self.best_loss = 0, math.inf
        self.new_epoch()

    def new_epoch(self) -> None:
        """Draw the order of the rows."""
        self.order = self.iterator.draw_order()
        self.position = 0
        self.started = time.perf_counter()

    @property
    def weight_seen(self) -> float:
        """Sum of the weights of the rows of this epoch so far; Ctrl-C may end it early."""
        if self.position >= self.n_rows:
            return self.total_weight
        weight = self.dataset.sample_weight
        if weight is None:
            return float(self.position)
        seen = slice(self.position) if self.order is None else self.order[: self.position]
        return float(weight[seen].sum())

    @property
    def steps_left(self) -> int:
        """Steps to the end of the epoch."""
        return math.ceil((self.n_rows - self.position) / self.batch)

    def size_of_step(self, ahead: int) -> int:
        """Return the number of rows of the step that comes after so many others."""
        return min(self.batch, self.n_rows - self.position - ahead * self.batch)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """What members that are given the same rows now, and will be, have in common."""
        return id(self.dataset), self.batch, id(self.order), self.position

    def advance(self, n_steps: int) -> Any:
        """Return which rows the next steps take, and go on."""
        part = slice(self.position, min(self.position + n_steps * self.batch, self.n_rows))
        self.position = part.stop
        return part if self.order is None else self.order[part]

    @property
    def clock(self) -> tuple[Any, ...]:
        """What members have in common whose next steps have the same learning rates."""
        net = self.net
        rates = net.lr, net.optimizer_.param_groups[0]["lr"]
        return net.schedule_, net.steps_planned_, net.steps_done_, *rates

    def rates(self, n_steps: int) -> list[float]:
        """Return the learning rates of the next steps."""
        net = self.net
        return [net.rate_at(net.steps_done_ + i) for i in range(n_steps)]

    def count(self, rates: Sequence[float]) -> None:
        """Count the steps that are made with these learning rates."""
        self.net.steps_done_ += len(rates)
        self.net.learning_rate_sum_ += sum(rates)

    def end_epoch(self, reading: Reading) -> None:
        """Record the epoch, and let the callbacks act on it."""
        net = self.net
        list.append(
            net.history_,
            {
                "batches": [],
                "epoch": len(net.history_) + 1,
                "penalty": reading.penalty,
                "learning_rate_sum": net.learning_rate_sum_,
                "n_alive_nodes": reading.n_alive,
                "dur": time.perf_counter() - self.started,
                "train_loss": reading.loss,
                "train_loss_best": reading.loss <= self.best_loss,
            },
        )
        self.best_loss = min(self.best_loss, reading.loss)
        net.rows_seen_ += self.position
        if net.criterion_.moments is not None:
            net.criterion_.moments.add(reading.products, self.weight_seen)
        try:
            for callback in self.callbacks:
                if isinstance(callback, DropSilent):
                    if callback.is_due(net, reading.n_silent):
                        callback.drop_many(net)
                else:
                    callback.on_epoch_end(net, dataset_train=self.dataset, dataset_valid=None)
        except StopTraining:
            self.done = True
        self.n_epochs += 1
        self.done = self.done or self.n_epochs == self.epochs or self.is_asked_to_stop

    def diverge(self) -> None:
        """Stop; the weights are again those of the last epoch whose weights were finite."""
        self.net.diverged_ = self.done = True

    def finish(self) -> None:
        """Let the callbacks end, once the net has tensors of its own again."""
        if self.net.diverged_:
            self.net.restart_optimizer()  # its moments are not finite either
        self.net.notify("on_train_end", X=self.dataset, y=None)
        self.net.tidy()
