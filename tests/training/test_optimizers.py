"""Optimisers: groups by decay, a decay that moves, and the same decay given as tensors."""

import copy

import pytest
import torch

from skspectral._training.optimizers import (
    FusedAdamSteps,
    build_optimizer,
    parameter_groups,
    set_decay,
)
from skspectral._training.penalty import Penalty
from skspectral.nn import SpectralMLP

PENALTY = Penalty(0.1, 0.1, 0.1)


def trained(module, decays_given, n_steps=5):
    solver = torch.optim.Adam
    groups = parameter_groups(module, Penalty(0.0, 0.0, 0.0), solver, decays=True)
    optimizer = build_optimizer(solver, groups, 0.01)
    set_decay(optimizer, PENALTY)
    step = FusedAdamSteps(optimizer)
    x = torch.randn(20, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for _ in range(n_steps):
        optimizer.zero_grad(set_to_none=False)
        module(x).square().mean().backward()
        decays = [torch.tensor(g["weight_decay"]) for g in optimizer.param_groups]
        step(decays=decays if decays_given and step.lists is not None else None)
    return module


def test_decay_as_tensors_equals_decay_as_numbers():
    module = SpectralMLP((4, 6, 2), dtype=torch.float64)
    numbers, tensors = (trained(copy.deepcopy(module), given) for given in (False, True))
    for one, other in zip(numbers.parameters(), tensors.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("start", [0.0, 0.3])
def test_decay_moves_and_spares_biases(start):
    module = SpectralMLP((4, 6, 2), eigenvalues="out-in")
    solver = torch.optim.Adam
    groups = parameter_groups(module, Penalty(start, start, start), solver, decays=True)
    optimizer = build_optimizer(solver, groups, 0.01)
    set_decay(optimizer, PENALTY)
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            assert decay[id(parameter)] == (0.0 if name.endswith("bias") else 0.2)
