"""One update of the weights without torch's bookkeeping, on a GPU captured in a CUDA graph."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from skspectral._training.backpropagation import Backpropagation
from skspectral._training.cuda_graph import WARM_UP, try_to_capture
from skspectral._training.losses import DataTerm
from skspectral._training.optimizers import FusedAdamSteps
from skspectral._training.penalty import add_penalty_gradient
from skspectral.nn._mlp import SpectralMLP

Update = Callable[[Any, Tensor], tuple[Tensor, Tensor]]
"""Takes the rows of a batch, in the form that skorch uses, and their targets.

Returns outputs and loss.
"""


class LeanUpdate:
    """Change the weights by one batch, with gradients from the hand-written passes.

    Parameters
    ----------
    module : SpectralMLP
        One that :meth:`Backpropagation.serves` accepts.
    criterion : DataTerm
    penalty_terms : list of (Tensor, float)
        Whose gradients to add; empty if the optimiser's weight decay is the penalty.
    optimizer : torch.optim.Optimizer
    n_rows : int
        Largest number of rows in a batch.
    """

    def __init__(
        self,
        module: SpectralMLP,
        criterion: DataTerm,
        penalty_terms: list[tuple[Tensor, float]],
        optimizer: torch.optim.Optimizer,
        n_rows: int,
    ) -> None:
        self.module, self.optimizer, self.criterion = module, optimizer, criterion
        self.penalty_terms = penalty_terms
        self.passes = Backpropagation(module, n_rows)
        self.fused = FusedAdamSteps(optimizer) if FusedAdamSteps.serves(optimizer) else None
        self.identity: list[Any] | None = None

    def is_current(self, module: SpectralMLP, optimizer: torch.optim.Optimizer) -> bool:
        """Tell whether tensors and settings are still those of the first update."""
        # pruning, frozen parameters or another optimiser leave the buffers pointing at old tensors
        return self.identity == _identity(module, optimizer)

    def __call__(
        self,
        X: Any,
        y: Tensor,
        rates: Sequence[Tensor] | None = None,
        decays: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return outputs (in a buffer) and loss, both from before the update."""
        rows, weight = (X["X"], X["sample_weight"]) if isinstance(X, dict) else (X, None)
        output = self.passes.forward(rows)
        loss, gradient = self.criterion.value_and_gradient(output, y, weight)
        self.passes.backward(gradient)
        if self.penalty_terms:
            add_penalty_gradient(self.penalty_terms)
        if self.fused is None:
            self.optimizer.step()
        else:
            self.fused(rates, decays)
        # only now: the optimiser creates its state in its first step
        if self.identity is None:
            self.identity = _identity(self.module, self.optimizer)
        return output, loss

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave no trace in pickles and copies of a net in training: it is built anew."""
        # a copy would hold the tensors of the old net; called without arguments, NoneType is None
        return type(None), ()


def _identity(module: SpectralMLP, optimizer: torch.optim.Optimizer) -> list[Any]:
    """Return what identifies the tensors that a step reads or changes, and its settings."""
    parameters = list(module.parameters())
    states = (optimizer.state.get(parameter, {}) for parameter in parameters)
    # not rate and decay: they change while the update lives, and each step looks them up
    options = ("betas", "eps")
    return [
        id(optimizer),
        FusedAdamSteps.serves(optimizer),
        *([group.get(name) for name in options] for group in optimizer.param_groups),
        *([id(p) for p in group["params"]] for group in optimizer.param_groups),
        # the address as well: an assignment to .data leaves the id as it is
        *((id(p), p.data_ptr(), p.requires_grad, id(p.grad)) for p in parameters),
        # the passes take frozen eigenvalues of zero as one number; are they still zero?
        *(not p.requires_grad and bool(p.any()) for p in parameters),
        *(id(tensor) for state in states for tensor in state.values()),
    ]


class GraphedUpdate:
    """A lean update captured in a CUDA graph: one launch a step instead of dozens.

    The first updates are ordinary ones, and so are those of batches of another
    size. If capture fails, all are.

    Parameters
    ----------
    update : LeanUpdate
        Its optimiser is one that :class:`FusedAdamSteps` serves.
    n_rows : int
        Rows of the batches to capture.
    """

    def __init__(self, update: LeanUpdate, n_rows: int) -> None:
        self.update, self.n_rows = update, n_rows
        self.is_current = update.is_current
        self.n_ordinary = 0
        self.tried = False
        self.replay: Callable[[], None] | None = None
        self.results: tuple[Tensor, Tensor] | None = None

    def __call__(self, X: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and loss from before the update, both in buffers."""
        if len(y) == self.n_rows and self.n_ordinary >= WARM_UP and not self.tried:
            self._try_to_capture(X, y)
        if len(y) != self.n_rows or self.replay is None or self.results is None:
            self.n_ordinary += 1
            return self.update(X, y)
        # a graph repeats its kernels on fixed addresses: batch and rates must be put there
        for buffer, value in zip(_flat(self.X, self.y), _flat(X, y), strict=True):
            buffer.copy_(value)
        for k, group in enumerate(self.update.optimizer.param_groups):
            self.rates[k].fill_(group["lr"])
            self.decays[k].fill_(group["weight_decay"])
        self.replay()
        return self.results

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave no trace in pickles and copies; graphs cannot be pickled."""
        return type(None), ()

    def _try_to_capture(self, X: Any, y: Tensor) -> None:
        weighted = isinstance(X, dict)
        self.X = {name: value.clone() for name, value in X.items()} if weighted else X.clone()
        self.y = y.clone()
        groups = self.update.optimizer.param_groups
        # as tensors: a number would be fixed in the graph as it was at capture
        self.rates, self.decays = (
            [torch.zeros((), dtype=torch.float32, device=y.device) for _ in groups]
            for _ in range(2)
        )
        self.tried = True  # before the attempt: a second one would fail, and warn, again
        self.replay, self.results = try_to_capture(
            lambda: self.update(self.X, self.y, self.rates, self.decays), y.device
        )


def _flat(X: Any, y: Tensor) -> list[Tensor]:
    return [*X.values(), y] if isinstance(X, dict) else [X, y]


def lean_update(
    module: SpectralMLP,
    criterion: DataTerm,
    penalty_terms: list[tuple[Tensor, float]],
    optimizer: torch.optim.Optimizer,
    n_rows: int,
) -> LeanUpdate | GraphedUpdate:
    """Return the fastest update for the device of `module`; see the classes for the parameters."""
    update = LeanUpdate(module, criterion, penalty_terms, optimizer, n_rows)
    if update.fused is not None and next(module.parameters()).is_cuda:
        return GraphedUpdate(update, n_rows)
    return update
