"""The private skorch net that does the training: penalty, schedule and lean epochs."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import contextlib
import copy
import copyreg
import functools
import inspect
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from skorch.dataset import unpack_data
from skorch.history import History
from skorch.utils import TeeGenerator
from torch import Tensor

from skspectral._training.backpropagation import Backpropagation, has_hooks
from skspectral._training.batches import FixedSplit, RowBatches, RowDataset
from skspectral._training.device import choose_threads, on_host
from skspectral._training.history import last_row
from skspectral._training.hooks import overrides
from skspectral._training.interrupts import Interrupts, StopTraining
from skspectral._training.lean_update import GraphedUpdate, LeanUpdate, Update, lean_update
from skspectral._training.losses import OUTPUT_ACTIVATIONS, DataTerm, weight_of
from skspectral._training.optimizers import (
    build_optimizer,
    decays_by_penalty,
    parameter_groups,
    set_decay,
)
from skspectral._training.orders import OrdersFollowed
from skspectral._training.penalty import Penalty, add_penalty_gradient
from skspectral._training.schedule import HORIZON_SCHEDULES, SCHEDULES, in_cycles
from skspectral._training.scorable import ScorableNet
from skspectral._training.sparse_rows import SparseRows, as_tensors
from skspectral._training.torch_state import training_state
from skspectral.nn._architecture import Architecture
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._relevance import alive_masks, hidden_relevances


class SpectralNet(ScorableNet):
    """skorch net with the spectral penalty and whole-tensor batches.

    Parameters
    ----------
    module : Architecture
        That of the module to build.
    out_activation : {"identity", "logistic", "softmax"}
        Activation of the outputs; it also chooses the loss.
    penalty : Penalty
    optimizer : torch optimiser class or ``functools.partial`` of one
    lr : float
        The largest learning rate of the schedule.
    batch_size : int
    seed : int
        Seed of the initial weights.
    random_state : numpy.random.RandomState, OrdersFollowed or None
        Source of the order of rows; None keeps them in order.
    relevance_threshold : float
        See :func:`skspectral.nn._relevance.alive_masks`.
    callbacks : list
    dtype : torch.dtype
    device : str
    n_threads : int, "auto" or None
        As in :func:`choose_threads`.
    verbose : int
        2: print a table of the epochs.
    """

    callbacks_: list[tuple[str, Callback]]
    first_epoch_: int
    module: Architecture
    lean_: LeanUpdate | GraphedUpdate | None
    schedule_: Callable[[float], float] | None

    def __init__(
        self,
        module: Architecture,
        *,
        out_activation: str,
        penalty: Penalty,
        optimizer: Any,
        lr: float,
        batch_size: int,
        seed: int,
        random_state: np.random.RandomState | OrdersFollowed | None,
        relevance_threshold: float,
        callbacks: list[Any] | None = None,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
        n_threads: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_threads = n_threads
        self.out_activation = out_activation
        self.penalty = penalty
        self.seed = seed
        self.random_state = random_state
        self.relevance_threshold = relevance_threshold
        self.dtype = dtype
        super().__init__(
            module,
            functools.partial(DataTerm, out_activation),
            optimizer=optimizer,
            lr=lr,
            batch_size=batch_size,
            iterator_train=RowBatches,
            iterator_valid=RowBatches,
            dataset=RowDataset,
            train_split=None,
            callbacks=callbacks,
            predict_nonlinearity=OUTPUT_ACTIVATIONS[out_activation],
            device=device,
            verbose=verbose,
        )

    def _get_param_names(self) -> list[str]:
        """Return the parameters of ``__init__``, so that the net can be cloned."""
        # skorch takes them from __dict__, which here holds more
        return [name for name in inspect.signature(type(self)).parameters]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Be copied and pickled as usual."""
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]

    def __reduce__(self) -> Any:
        """Refuse skops, the only one to ask here: it would write a file that it cannot read."""
        raise TypeError(
            "skops cannot save a torch network. Save what `to_sklearn()` returns, which goes in "
            "place of the last step of a pipeline, or write a file with `to_onnx(path)`."
        )

    def get_default_callbacks(self) -> list[Any]:
        """Leave out the table of epochs, which takes time even if it is not printed."""
        return [
            (name, callback)
            for name, callback in super().get_default_callbacks()
            if self.verbose > 1 or name != "print_log"
        ]

    def initialize_callbacks(self) -> SpectralNet:
        """Build the callbacks."""
        # noted now: which are skorch's own depends on `verbose`, which may change later
        self.default_callbacks_ = {name for name, _ in self.get_default_callbacks()}
        super().initialize_callbacks()
        return self

    def _given_callbacks(self) -> list[tuple[str, Callback]]:
        """Return the callbacks that are not skorch's own, with their names."""
        return [(name, cb) for name, cb in self.callbacks_ if name not in self.default_callbacks_]

    def initialize_module(self) -> SpectralNet:
        """Build the module from the net's seed, without torch's global generator."""
        generator = torch.Generator().manual_seed(self.seed)
        self.module_ = self.module.build(generator)
        self.node_indices_ = [np.arange(size) for size in self.module_.layer_sizes[1:-1]]
        self.rows_seen_ = 0
        self.schedule_, self.seconds_planned_ = None, math.inf
        self.interrupts_ = Interrupts()
        # alive_masks compares with it: a layer that has shrunk as a whole has died
        self.start_relevance_ = [float(r.max()) for r in hidden_relevances(self.module_)]
        return self

    def initialize_optimizer(self, triggered_directly: Any = None) -> SpectralNet:
        """Build the optimiser, with the penalty as its weight decay if that is equivalent."""
        # callbacks that see gradients expect the penalty in them, so decay must not replace it
        self.decay_is_penalty_ = decays_by_penalty(self.optimizer) and not overrides(
            self.callbacks_, "on_grad_computed"
        )
        self.optimizer_ = build_optimizer(self.optimizer, self._parameter_groups(), self.lr)
        return self

    def _parameter_groups(self) -> list[dict[str, Any]]:
        return parameter_groups(
            self.module_, self.penalty, self.optimizer, decays=self.decay_is_penalty_
        )

    def get_dataset(self, X: Any, y: Any = None) -> RowDataset:
        """Wrap arrays; use datasets as they are."""
        if isinstance(X, RowDataset):
            return X
        X = X.to(self.device, self.dtype) if isinstance(X, Tensor) else X
        if y is not None and not isinstance(y, Tensor):
            y = torch.as_tensor(np.asarray(y))
            if self.out_activation != "softmax":
                y = y.to(self.dtype).reshape(len(y), -1)  # (n, n_outputs), as the outputs
        return RowDataset(X, y, None, self.dtype, self.device)

    def get_iterator(self, dataset: RowDataset, training: bool = False) -> RowBatches:
        """Return batches: shuffled for training, otherwise large and in order."""
        if training:
            return RowBatches(dataset, self.batch_size, self.random_state)
        return RowBatches(dataset, dataset.prediction_rows)

    def infer(self, x: Any, **fit_params: Any) -> Tensor:
        """Return the linear outputs for a batch, Tensor of shape (n, n_outputs)."""
        output: Tensor = self.module_(self.as_input(x))
        return output

    def as_input(self, x: Any) -> Any:
        """Return the rows of a batch as the module takes them, Tensor or SparseRows."""
        rows = x["X"] if isinstance(x, Mapping) else x
        if isinstance(rows, SparseRows) and has_hooks(self.module_):
            return rows.dense()  # hooks expect Tensors
        return rows.to(self.device, self.dtype)

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the data term of the loss; the penalty acts on the gradients."""
        loss: Tensor = self.criterion_(y_pred, y_true, weight_of(X))
        return loss

    def plan(
        self,
        dataset: RowDataset,
        *,
        ends: Sequence[int],
        schedule: str,
        seconds: float = math.inf,
    ) -> None:
        """Plan to train up to the last of the epochs `ends`, or for so many `seconds`.

        A schedule with an end runs once up to each of them.
        """
        self.epoch_steps_ = len(self.get_iterator(dataset, training=True))
        self.steps_planned_ = ends[-1] * self.epoch_steps_
        self.seconds_planned_ = seconds
        has_end = schedule in HORIZON_SCHEDULES
        self.schedule_ = in_cycles(SCHEDULES[schedule], ends) if has_end else None

    def train(
        self,
        dataset: RowDataset,
        dataset_valid: RowDataset | None,
        epochs: int,
        interrupts: Interrupts | None = None,
    ) -> SpectralNet:
        """Train as planned; end early if `interrupts` is asked to."""
        self._run(dataset, dataset_valid, epochs, interrupts)
        return self

    def train_one_epoch(
        self, dataset: RowDataset, interrupts: Interrupts | None = None, **settings: Any
    ) -> SpectralNet:
        """Pass once over `dataset` at the constant rate `lr`; keep the optimiser's state."""
        self._take(settings)
        # new groups, as the penalty may have changed; the state is kept by parameter and stays
        options = {**self.optimizer_.param_groups[0], "lr": self.lr}
        self.optimizer_.param_groups = [{**options, **group} for group in self._parameter_groups()]
        self._run(dataset, None, 1, interrupts)
        return self

    def with_module(self, module: SpectralMLP) -> SpectralNet:
        """Return a copy with another module, whose optimiser and callbacks start anew."""
        changed = object.__new__(type(self))
        changed.__dict__.update(self.__dict__)  # skorch would copy through a pickle, which is slow
        changed.history_ = History(self.history_)  # the two go on separately
        # the defaults are built anew below; safe=False deep-copies non-estimators
        changed.callbacks = [
            (name, clone(callback, safe=False)) for name, callback in self._given_callbacks()
        ]
        changed.initialize_callbacks()
        changed.module_ = module
        changed.criterion_ = copy.copy(self.criterion_)  # its moments are those of one training
        changed.node_indices_ = [np.arange(size) for size in module.layer_sizes[1:-1]]
        changed.module = replace(self.module, layer_sizes=module.layer_sizes)
        changed.restart_optimizer()
        return changed

    def threads(self) -> int | None:
        """Return the number of threads to train with now, None for that of torch."""
        return choose_threads(self.n_threads, self.module_.layer_sizes, self.batch_size)

    def set_penalty(self, penalty: Penalty) -> None:
        """Train on with another penalty; the state of the optimiser stays."""
        self.penalty = penalty
        if self.decay_is_penalty_:
            set_decay(self.optimizer_, penalty)
        else:
            self.lean_ = None  # it holds the terms of the penalty that was

    def set_trainable(self, trainable: str) -> None:
        """Change which parameters are trained from now on; see :class:`SpectralMLP`."""
        self.module_.set_trainable(trainable)
        self.module = replace(self.module, trainable=trainable)
        self.restart_optimizer()

    def restart(self, *, callbacks: list[Any], **settings: Any) -> SpectralNet:
        """Take new settings and restart the optimiser and the callbacks; keep the weights."""
        self._take({**settings, "callbacks": callbacks})
        self.initialize_callbacks()
        self.restart_optimizer()
        return self

    def _take(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            setattr(self, name, value)

    def restart_optimizer(self) -> None:
        """Build a new optimiser for the current parameters."""
        with self._current_init_context("optimizer"):
            self.initialize_optimizer()

    def forget_earlier_fits(self) -> None:
        """Keep the history of the last training alone."""
        rows = list(self.history)[self.first_epoch_ :]
        self.history_ = History([{**row, "epoch": epoch} for epoch, row in enumerate(rows, 1)])
        self.first_epoch_ = 0

    def drop_callbacks(self, dropped: Sequence[Callback]) -> None:
        """Forget the callbacks of one fit: they hold its data and must not act on later ones."""
        gone = {id(callback) for callback in dropped}
        self.callbacks_ = [(name, cb) for name, cb in self.callbacks_ if id(cb) not in gone]
        self.callbacks = self._given_callbacks()

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Reset the counts for one call of training."""
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.needs_batches_ = overrides(self.callbacks_, "on_batch_begin", "on_batch_end")
        self.needs_gradients_ = overrides(self.callbacks_, "on_grad_computed")
        self.steps_done_ = 0
        self.started_ = time.monotonic()  # a change of the system clock must not end a fit
        self.learning_rate_sum_ = 0.0
        self.first_epoch_ = len(self.history)
        self.diverged_ = self.interrupted_ = False
        self.lean_ = None
        self.last_finite_ = [p.detach().clone() for p in self.module_.parameters()]

    def _run(
        self,
        dataset: RowDataset,
        dataset_valid: RowDataset | None,
        epochs: int,
        interrupts: Interrupts | None,
    ) -> None:
        self.train_split = None if dataset_valid is None else FixedSplit(dataset_valid)
        self.interrupts_ = interrupts or Interrupts()
        try:
            with training_state(self.threads()):
                self._run_epochs(dataset, epochs)
        except Exception:
            # after divergence: a callback looked for the row of an epoch that never ended
            if not self.diverged_:
                raise
        finally:
            self.tidy()

    def _run_epochs(self, dataset: RowDataset, epochs: int) -> None:
        # not skorch's partial_fit, which keeps every KeyboardInterrupt to itself
        self.notify("on_train_begin", X=dataset, y=None)
        try:
            self.fit_loop(dataset, epochs=epochs)
        except KeyboardInterrupt:
            if not self._stops_for_callback():
                raise
        self.notify("on_train_end", X=dataset, y=None)

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **options: Any) -> Any:
        """Run skorch's loop over epochs, up to a planned stop."""
        with contextlib.suppress(StopTraining):
            super().fit_loop(X, y, epochs, **options)
        return self

    def _stops_for_callback(self) -> bool:
        """Tell whether a KeyboardInterrupt is a callback's, as those of skorch stop training.

        At the end of an epoch that is a stop as planned, in its midst it counts as Ctrl-C.
        """
        is_whole = bool(self.history) and "train_loss" in last_row(self)
        if self.interrupts_.raised or (self.interrupts_.at_once and not is_whole):
            return False
        if not is_whole:
            self._restore_finite()
            del self.history[-1]
            self.interrupted_ = True
        return True

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin an epoch, or stop where training is over before its last one."""
        if self.steps_done_ and self.is_over():  # at least one step, for a loss to report
            raise StopTraining
        super().on_epoch_begin(net, **kwargs)

    def is_over(self) -> bool:
        """Tell whether to stop between two steps: after Ctrl-C, or as time is up."""
        return self.interrupts_.stop_here() or self.seconds() >= self.seconds_planned_

    def _until_over(self, iterator: RowBatches) -> Iterator[Any]:
        """Yield batches up to the end of the epoch or to where training is over, at least one."""
        for k, batch in enumerate(iterator):
            if k and self.is_over():
                return
            yield batch

    def seconds(self) -> float:
        """Return the time since training began."""
        return time.monotonic() - self.started_

    def progress(self, steps: float) -> float:
        """Return the share of training that is over after so many steps, or by now in time."""
        share = steps / self.steps_planned_
        if self.seconds_planned_ < math.inf:
            seconds = self.seconds()
            if seconds >= self.seconds_planned_:  # also where that is a denormal, and flushed to 0
                return 1.0
            share = max(share, seconds / self.seconds_planned_)
        return min(1.0, share)

    def tidy(self) -> None:
        """Forget data and buffers of a training, which a fitted estimator should not keep."""
        self.train_split = self.schedule_ = self.lean_ = self.criterion_.moments = None
        self.last_finite_, self.seconds_planned_ = [], math.inf
        self.interrupts_ = Interrupts()

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        if self.schedule_ is None:
            return float(self.optimizer_.param_groups[0]["lr"])
        # the middle of the step: at its ends the first or the last rate would be 0
        return float(self.lr * self.schedule_(self.progress(step + 0.5)))

    def _set_learning_rate(self) -> None:
        rate = self.rate_at(self.steps_done_)
        for group in self.optimizer_.param_groups:
            group["lr"] = rate
        self.learning_rate_sum_ += rate  # the clock by which sizes are judged

    def step(self, batch: Any, update: Update | None = None) -> dict[str, Tensor]:
        """Make one step, by default with :meth:`update`; every way of training ends here."""
        self._set_learning_rate()
        output, loss = (update or self.update)(*unpack_data(batch))
        self.steps_done_ += 1
        return {"loss": loss, "y_pred": output}

    def update(self, X: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """Change the weights by one batch with torch's autograd; return outputs and loss."""
        self.optimizer_.zero_grad()
        output = self.infer(X)
        loss = self.get_loss(output, y, X=X, training=True)
        loss.backward()
        if not self.decay_is_penalty_:
            add_penalty_gradient(self.penalty.terms(self.module_))
        if self.needs_gradients_:
            # skorch hands callbacks a generator; each of them must be able to go through it
            parameters = TeeGenerator(self.get_all_learnable_params())
            self.notify(
                "on_grad_computed",
                named_parameters=parameters,
                batch=(as_tensors(X), y),
                training=True,
            )
        self.optimizer_.step()
        self.criterion_.watch(
            output.detach(), y, X["sample_weight"] if isinstance(X, Mapping) else None
        )
        return output.detach(), loss.detach()

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Make one step of skorch's own loop, which runs if callbacks need batches."""
        self._set_training(True)
        return self.step(batch)

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch, without skorch's loop if no callback asks for batches."""
        if iterator is None:
            return
        batches = self._until_over(iterator) if training else iterator
        if self.needs_batches_:
            batches = ((as_tensors(X), y) for X, y in batches)
            super().run_single_epoch(batches, training, prefix, step_fn, **fit_params)
        else:
            step = self.validation_step
            if training:
                step = functools.partial(self.step, update=self._choose_update(iterator))
            self._run_lean_epoch(batches, step, training, prefix)
        if training:
            self._close_epoch()  # here: callbacks on the end of an epoch read what it records
            self.rows_seen_ += sum(row["train_batch_size"] for row in last_row(self)["batches"])

    def _run_lean_epoch(
        self, batches: Iterable[Any], step: Callable[..., Any], training: bool, prefix: str
    ) -> None:
        """Sum the losses on the device, read them once and leave skorch one row."""
        self._set_training(training)
        total = torch.zeros((), dtype=self.dtype, device=self.device)
        n_rows = n_batches = 0
        for batch in batches:
            total += step(batch)["loss"] * len(batch[1])  # reading it would wait for the GPU
            n_rows += len(batch[1])
            n_batches += 1
        self.history.new_batch()
        self.history.record_batch(f"{prefix}_loss", float(total) / n_rows)
        self.history.record_batch(f"{prefix}_batch_size", n_rows)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def _choose_update(self, iterator: RowBatches) -> Update:
        """Return the lean update if it covers the module and no callback needs gradients."""
        watched = self.needs_gradients_ or self.criterion_._forward_hooks
        if watched or not Backpropagation.serves(self.module_):
            return self.update
        if self.lean_ is None or not self.lean_.is_current(self.module_, self.optimizer_):
            terms = [] if self.decay_is_penalty_ else self.penalty.terms(self.module_)
            n_rows = min(iterator.batch_size, len(iterator.dataset))
            self.lean_ = lean_update(self.module_, self.criterion_, terms, self.optimizer_, n_rows)
        return self.lean_

    def _close_epoch(self) -> None:
        """Record what sizes are judged by; on divergence restore the last finite weights."""
        if self._restore_finite():
            self.diverged_ = True
            del self.history[-1]
            raise StopTraining
        torch._foreach_copy_(self.last_finite_, [p.detach() for p in self.module_.parameters()])
        last_row(self).update(
            penalty=self.penalty.value(self.module_),
            learning_rate_sum=self.learning_rate_sum_,
            n_alive_nodes=[int(mask.sum()) for mask in self.alive_masks()],
        )

    def _restore_finite(self) -> bool:
        """Go back to the last finite weights if these are not; tell whether they were not."""
        # one norm for each parameter: a value that is not finite shows in their sum; relevances,
        # as phi times eigenvalues may overflow where neither does
        parameters = [p.detach() for p in self.module_.parameters()]
        measured = [*parameters, *hidden_relevances(self.module_)]
        if math.isfinite(torch.stack(torch._foreach_norm(measured)).sum()):
            return False
        torch._foreach_copy_(parameters, self.last_finite_)
        self.restart_optimizer()  # the moments are not finite either
        return True

    def alive_masks(self) -> list[Tensor]:
        """Return which nodes of each hidden layer are alive, as tensors on the CPU."""
        relevances = on_host(hidden_relevances(self.module_))
        return alive_masks(relevances, self.relevance_threshold, self.start_relevance_)
