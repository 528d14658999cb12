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
        self.criterion = criterion
        self.penalty_terms = penalty_terms
        fused = FusedAdamSteps.serves(optimizer)
        self.step: Any = FusedAdamSteps(optimizer) if fused else optimizer.step

    def __call__(self, X: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs, in a buffer, and loss, both before the update."""
        rows, weight = (X["X"], X["sample_weight"]) if isinstance(X, dict) else (X, None)
        output = self.passes.forward(rows)
        loss = self.criterion(output, y, weight)
        self.passes.backward(self.criterion.gradient(output, y, weight))
        if self.penalty_terms:
            add_penalty_gradient(self.penalty_terms)
        self.step()
        return output, loss
