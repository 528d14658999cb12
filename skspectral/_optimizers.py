"""What is known of torch's optimisers."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.optim.adam import adam

ADAM_BETAS = (0.9, 0.99)
"""A shorter memory of squared gradients than torch's 0.999: sizes settle in fewer steps."""
COUPLED_OPTIMIZERS = (torch.optim.Adam, torch.optim.SGD)
"""Their `weight_decay` adds to the gradient, so it is the penalty exactly."""
FUSED_OPTIMIZERS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


def optimizer_class(solver: Any) -> Any:
    """Return the class behind an optimiser class or a ``functools.partial`` of one."""
    return solver.func if isinstance(solver, functools.partial) else solver


class FusedAdamSteps:
    """Steps of torch's fused Adam, with its lists of tensors gathered once for many steps.

    At every step :class:`torch.optim.Adam` gathers them anew, which takes as long as
    the matrix products of a small network. Its state stays where it is.

    Parameters
    ----------
    optimizer : torch.optim.Adam
        One that :meth:`serves` accepts; the first step is its own if it has no state yet.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.updates: list[Callable[..., None]] = []

    @staticmethod
    def serves(optimizer: torch.optim.Optimizer) -> bool:
        """Tell whether steps of `optimizer` are nothing but those of fused Adam."""
        variants = ("amsgrad", "maximize", "capturable", "differentiable")
        return (
            type(optimizer) is torch.optim.Adam
            and "step" not in vars(optimizer)  # torch's schedulers count steps
            and not optimizer._optimizer_step_pre_hooks
            and not optimizer._optimizer_step_post_hooks
            and all(
                group["fused"]
                and not group.get("decoupled_weight_decay")
                and not any(group[variant] for variant in variants)
                for group in optimizer.param_groups
            )
        )

    def __call__(self) -> None:
        """Make one step at the learning rates that the groups have now."""
        if not self.updates:
            self.optimizer.step()
            self.updates = [self._update(group) for group in self.optimizer.param_groups]
            return
        for update, group in zip(self.updates, self.optimizer.param_groups, strict=True):
            update(lr=group["lr"])

    def _update(self, group: dict[str, Any]) -> Callable[..., None]:
        parameters = [p for p in group["params"] if p.grad is not None]
        states = [self.optimizer.state[p] for p in parameters]
        beta1, beta2 = group["betas"]
        return functools.partial(
            adam,
            [p.detach() for p in parameters],
            [p.grad for p in parameters],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            foreach=False,
            fused=True,
            amsgrad=False,
            maximize=False,
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
        )
