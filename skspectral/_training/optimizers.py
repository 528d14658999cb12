"""Torch's optimisers: how they are built, and steps of Adam without its bookkeeping."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skspectral._training.penalty import SKIP_WEIGHT, Penalty

ADAM_BETAS = (0.9, 0.99)
"""A shorter memory of squared gradients than torch's 0.999: sizes settle in fewer steps."""
COUPLED_OPTIMIZERS = (torch.optim.Adam, torch.optim.SGD)
"""Their `weight_decay` is added to the gradient, so it is exactly the penalty."""
PENALISED_AS = "penalised_as"
"""Entry of a group: the name of one of its parameters, which tells their common penalty."""
FUSED_OPTIMIZERS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


def optimizer_class(solver: Any) -> Any:
    """Return the class behind an optimiser class or a ``functools.partial`` of one."""
    return solver.func if isinstance(solver, functools.partial) else solver


def decays_by_penalty(solver: Any) -> bool:
    """Tell whether the weight decay of the optimiser is the gradient of an L2 penalty."""
    given = getattr(solver, "keywords", {})
    # decoupled decay bypasses Adam's scaling (Loshchilov and Hutter, 2019): not an L2 penalty
    coupled = optimizer_class(solver) in COUPLED_OPTIMIZERS
    return coupled and not given.get("decoupled_weight_decay")


@functools.cache
def _has_decay(optimizer: Any) -> bool:
    """Tell whether an optimiser class has a weight decay: LBFGS and Rprop have none."""
    return "weight_decay" in inspect.signature(optimizer).parameters


def parameter_groups(
    module: nn.Module, penalty: Penalty, solver: Any, *, decays: bool
) -> list[dict[str, Any]]:
    """Group the trained parameters by the weight decay that the optimiser applies to them.

    Parameters
    ----------
    module : Module
    penalty : Penalty
    solver : torch optimiser class or ``functools.partial`` of one
    decays : bool
        Whether the optimiser's decay is the penalty; otherwise it is zero.
    """
    groups: dict[tuple[float, bool, bool], tuple[str, list[Tensor]]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            # the gradient of alpha ||p||^2 is 2 alpha p
            decay = 2 * penalty.coefficient(name) if decays else 0.0
            # biases and skips apart even where alpha is 0 now, as it may change
            key = decay, name.endswith("bias"), name == SKIP_WEIGHT
            groups.setdefault(key, (name, []))[1].append(parameter)
    if not _has_decay(optimizer_class(solver)):
        return [{"params": params} for _, params in groups.values()]
    return [
        {"params": params, "weight_decay": decay, PENALISED_AS: name}
        for (decay, *_), (name, params) in groups.items()
    ]


def set_decay(optimizer: torch.optim.Optimizer, penalty: Penalty) -> None:
    """Change the weight decay of an optimiser whose groups :func:`parameter_groups` made."""
    for group in optimizer.param_groups:
        group["weight_decay"] = 2 * penalty.coefficient(group[PENALISED_AS])


def build_optimizer(solver: Any, groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
    """Return the optimiser for the groups of :func:`parameter_groups`."""
    given = getattr(solver, "keywords", {})
    options: dict[str, Any] = {"lr": lr}
    # torch refuses fused=True together with either of these two
    if optimizer_class(solver) in FUSED_OPTIMIZERS and not {"foreach", "differentiable"} & set(
        given
    ):
        options["fused"] = given.get("fused", True)
    optimizer: torch.optim.Optimizer = solver(groups, **options)
    for group in optimizer.param_groups:
        group["initial_lr"] = lr  # torch's schedulers look for it when they resume
    return optimizer


def fault_of_optimizer(solver: Any) -> str:
    """Return why an optimiser cannot make a step for a network, "" where it can.

    Parameters
    ----------
    solver : torch optimiser class or ``functools.partial`` of one
    """
    # a matrix, and a vector as biases and eigenvalues are: some optimisers take one of them only
    parameters = [nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    try:
        build_optimizer(solver, [{"params": parameters}], 1e-3).step()
    except Exception as error:  # each refuses in its own way
        return f"{str(error).splitlines()[0].rstrip('.')}." if str(error) else repr(error)
    return ""


class FusedAdamSteps:
    """Steps of torch's fused Adam that gather its lists of tensors once for many steps.

    :class:`torch.optim.Adam` gathers and sorts them at every step, which takes as long
    as the matrix products of a small network. The state stays in the optimiser.

    Parameters
    ----------
    optimizer : torch.optim.Adam
        One that :meth:`serves` accepts. If it has no state yet, it makes the first
        step itself.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.lists = self._gather()

    @staticmethod
    def serves(optimizer: torch.optim.Optimizer) -> bool:
        """Tell whether a step of `optimizer` is a step of fused Adam and nothing else."""
        variants = ("amsgrad", "maximize", "capturable", "differentiable")
        return (
            type(optimizer) is torch.optim.Adam
            and hasattr(torch, "_fused_adam_")  # what fused=True calls
            and "step" not in vars(optimizer)  # schedulers put a counting one there
            and not optimizer._optimizer_step_pre_hooks
            and not optimizer._optimizer_step_post_hooks
            and all(
                group["fused"]
                and not group.get("decoupled_weight_decay")
                and not any(group[variant] for variant in variants)
                for group in optimizer.param_groups
            )
        )

    def __call__(
        self, rates: Sequence[Any] | None = None, decays: Sequence[Tensor] | None = None
    ) -> None:
        """Make one step with the current settings of the groups.

        Parameters
        ----------
        rates : sequence of float or Tensor, default=None
            Learning rate of each group. None takes the rates of the groups.
        decays : sequence of Tensor, default=None
            Weight decay of each group, for a CUDA graph, in which numbers cannot
            change. None takes those of the groups.
        """
        groups = self.optimizer.param_groups
        if self.lists is None:
            self.optimizer.step()
            self.lists = self._gather()
            return
        rates = rates or [group["lr"] for group in groups]
        for k, (lists, group, rate) in enumerate(zip(self.lists, groups, rates, strict=True)):
            if not lists[0]:  # all parameters of the group are frozen
                continue
            if decays is not None:
                torch._foreach_add_(lists[1], torch._foreach_mul(lists[0], decays[k]))
            beta1, beta2 = group["betas"]
            # the kernel reads the counts of steps for its bias correction, and leaves them
            torch._foreach_add_(lists[-1], 1)
            torch._fused_adam_(
                *lists,
                lr=rate,
                beta1=beta1,
                beta2=beta2,
                weight_decay=0.0 if decays is not None else group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def _gather(self) -> list[list[list[Any]]] | None:
        """Return the lists of each group, or None if there is no state yet."""
        # in the order in which torch._fused_adam_ takes them
        gathered = []
        for group in self.optimizer.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            states = [self.optimizer.state.get(p, {}) for p in parameters]
            if not all(states):
                return None
            gathered.append(
                [
                    [p.detach() for p in parameters],
                    [p.grad for p in parameters],
                    [state["exp_avg"] for state in states],
                    [state["exp_avg_sq"] for state in states],
                    [],  # only the amsgrad variant has these
                    [state["step"] for state in states],
                ]
            )
        return gathered
