"""What is known of torch's optimisers."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
from typing import Any

import torch

ADAM_BETAS = (0.9, 0.99)
"""A shorter memory of squared gradients than torch's 0.999: sizes settle in fewer steps."""
COUPLED_OPTIMIZERS = (torch.optim.Adam, torch.optim.SGD)
"""Their `weight_decay` adds to the gradient, so it is the penalty exactly."""
FUSED_OPTIMIZERS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


def optimizer_class(solver: Any) -> Any:
    """Return the class behind an optimiser class or a ``functools.partial`` of one."""
    return solver.func if isinstance(solver, functools.partial) else solver
