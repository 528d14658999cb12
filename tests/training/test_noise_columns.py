"""Columns of noise: the penalty at which they do not pay, by brute force, and that of the rule."""

import math

import numpy as np
import pytest
import torch

from skspectral._training.noise import NoiseTable, columns_seen, penalised_factors
from skspectral._training.noise_rule import Spectrum
from skspectral._training.penalty import Penalty
from skspectral.nn import SpectralMLP
from skspectral.nn._noise_threshold import noise_threshold

N_ROWS, N_COLUMNS, N_NODES = 1000, 8, 12
N_SEEDS = 30


def balanced_network(n_outputs, seed, eigenvalues="inputs"):
    """Return a network as training leaves it: its three kinds of factors have equal norms."""
    generator = torch.Generator().manual_seed(seed)
    module = SpectralMLP(
        (N_COLUMNS + 1, N_NODES, n_outputs),
        eigenvalues=eigenvalues,
        generator=generator,
        dtype=torch.float64,
    )
    first, output = module.layers
    with torch.no_grad():
        first.lambda_in.copy_(torch.rand(N_COLUMNS + 1, generator=generator) + 0.2)
        first.lambda_in[-1] = 0.0  # the column of noise is not read
        first.phi[:, -1] = 0.0
        outgoing = output.weight.norm(dim=0)
        first.phi.mul_((outgoing / first.phi.norm(dim=1))[:, None])
        first.lambda_in.mul_(outgoing.norm() / first.lambda_in.norm())
        first.bias.zero_()
    return module


def brute_force(module, X, residual, n_steps=20):
    """Return the largest penalty at which the last column pays: gain over twice the norm.

    The eigenvalue and the eigenvectors of the column cost at least 2 alpha |w| for weights w.
    """
    pre, last = module.layers[0](X).detach(), X[:, -1:]
    outgoing = module.layers[1].weight.detach()
    before = torch.relu(pre) @ outgoing.T

    def ratio(w):
        added = torch.relu(pre + last * w) @ outgoing.T - before
        gain = residual.square().mean() - (residual - added).square().mean()
        return gain / (2 * w.norm())

    w = torch.full((N_NODES,), 1e-9, dtype=torch.float64, requires_grad=True)
    added = torch.relu(pre + last * w) @ outgoing.T - before
    (slope,) = torch.autograd.grad((residual - added).square().mean(), w)
    length = 1e-3 * float(residual.std())
    w = (-length * slope / slope.norm()).requires_grad_()
    optimizer, best = torch.optim.Adam([w], lr=0.1 * length), 0.0
    for _ in range(n_steps):
        value = ratio(w)
        best = max(best, float(value.detach()))
        optimizer.zero_grad()
        (-value).backward()
        optimizer.step()
    return best


def rule(module, X, residual):
    """Return the penalty of the rule, which is about nodes."""
    n_outputs = residual.shape[1]
    constant = (residual.T @ residual / len(residual)).numpy()
    table = NoiseTable.of(X.numpy(), None, constant)
    return noise_threshold(
        columns_seen(module, table),
        Spectrum.of(constant),
        len(X),
        order=penalised_factors(module),
        activation="relu",
        loss="identity",
        n_outputs=n_outputs,
    )


def thresholds(n_outputs, noise, seed):
    """Return the threshold by brute force, that by formula, and the penalty of the rule."""
    rng = np.random.default_rng(seed)
    X = torch.as_tensor(rng.normal(size=(N_ROWS, N_COLUMNS + 1)))
    residual = torch.as_tensor(noise * rng.normal(size=(N_ROWS, n_outputs)))
    module = balanced_network(n_outputs, seed)
    outgoing = float(module.layers[1].weight.detach().square().sum())
    formula = noise / n_outputs * math.sqrt(outgoing / 2 / N_ROWS)
    return brute_force(module, X, residual), formula, rule(module, X, residual)


def root_mean_square(values):
    return np.sqrt(np.mean(np.square(values)))


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_column_of_noise_stops_paying_at_the_formula(n_outputs):
    found = np.array([thresholds(n_outputs, 0.5, seed) for seed in range(N_SEEDS)])
    brute, formula, _ = found.T
    assert root_mean_square(brute / formula) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(("n_outputs", "least"), [(1, 0.5), (3, 0.35)])
def test_rule_for_nodes_is_that_of_a_typical_column_whatever_the_noise(n_outputs, least):
    ratios = []
    for noise in (0.01, 1.0):
        found = np.array([thresholds(n_outputs, noise, seed) for seed in range(N_SEEDS)])
        brute, _, of_rule = found.T
        ratios.append(root_mean_square(brute / of_rule))
        assert least < ratios[-1] < 1
        assert np.mean(brute < of_rule) > 0.7
    assert ratios[0] == pytest.approx(ratios[1], rel=0.1)


def test_coefficient_of_the_eigenvalues_alone_is_a_change_of_unit():
    module, scale = balanced_network(2, 0), 1.7
    other = balanced_network(2, 0)
    with torch.no_grad():
        other.layers[0].bias.normal_(generator=torch.Generator().manual_seed(1))
        module.layers[0].bias.copy_(other.layers[0].bias / scale)
        other.layers[0].lambda_in.mul_(scale**2)
        other.layers[0].phi.div_(scale)
        other.layers[1].weight.div_(scale)
    x = torch.as_tensor(np.random.default_rng(0).normal(size=(50, N_COLUMNS + 1)))
    torch.testing.assert_close(other(x), module(x))
    # so of two coefficients only alpha_lambda alpha^2 counts, and not their ratio
    strong, weak = Penalty(1e-2, 1e-2, 3e-2), Penalty(*[1e-2 * scale**2] * 2, 3e-2 / scale**4)
    assert weak.value(other) == pytest.approx(strong.value(module))
