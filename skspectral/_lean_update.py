"""One update of the weights without torch's bookkeeping, and the same captured in a CUDA graph."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skspectral._losses import DataTerm
from skspectral._optimizers import FusedAdamSteps
from skspectral._penalty import add_penalty_gradient
from skspectral.nn._backpropagation import Backpropagation
from skspectral.nn._mlp import SpectralMLP

Update = Callable[[Any, Tensor], tuple[Tensor, Tensor]]
"""From the rows of a batch, in skorch's form, and their targets to outputs and loss."""


class LeanUpdate:
    """Change the weights by one batch; gradients are formed by hand.

    Parameters
    ----------
    module : SpectralMLP
        One that :meth:`Backpropagation.serves` accepts.
    criterion : DataTerm
    penalty_terms : list of (Tensor, float)
        What to add to the gradients; empty where the optimiser decays the weights.
    optimizer : torch.optim.Optimizer
    n_rows : int
        Most rows of a batch.
    """

    def __init__(
        self,
        module: SpectralMLP,
        criterion: DataTerm,
        penalty_terms: list[tuple[Tensor, float]],
        optimizer: torch.optim.Optimizer,
        n_rows: int,
    ) -> None:
        self.passes = Backpropagation(module, n_rows)
        self.module, self.optimizer = module, optimizer
        self.criterion = criterion
        self.penalty_terms = penalty_terms
        fused = FusedAdamSteps.serves(optimizer)
        self.step: Any = FusedAdamSteps(optimizer) if fused else optimizer.step

        self.tensors = _tensors(module, optimizer)

    def is_current(self, module: SpectralMLP, optimizer: torch.optim.Optimizer) -> bool:
        """Tell whether these are the tensors that the update was made for."""
        return self.tensors == _tensors(module, optimizer)

    def __call__(self, X: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs, in a buffer, and loss, both before the update."""
        rows, weight = (X["X"], X["sample_weight"]) if isinstance(X, dict) else (X, None)
        output = self.passes.forward(rows)
        loss = self.criterion.forward(output, y, weight)
        self.passes.backward(self.criterion.gradient(output, y, weight))
        if self.penalty_terms:
            add_penalty_gradient(self.penalty_terms)
        self.step()
        return output, loss


def _tensors(module: SpectralMLP, optimizer: torch.optim.Optimizer) -> list[int]:
    """Return what identifies all tensors that a step changes, and which of them are trained."""
    parameters = list(module.parameters())
    states = (optimizer.state.get(parameter, {}) for parameter in parameters)
    return [
        id(optimizer),
        *(len(group["params"]) for group in optimizer.param_groups),
        *(id(p) for p in parameters),
        *(p.requires_grad for p in parameters),
        *(p._version for p in parameters if not p.requires_grad),
        *(id(p.grad) for p in parameters),
        *(id(tensor) for state in states for tensor in state.values()),
    ]
