"""The penalty of a loop is the sum of squares that training subtracts."""

import math

import pytest
import torch
from torch import nn

from skspectral._training.penalty import Penalty
from skspectral.nn import SpectralLinear, SpectralMLP, mask_nodes, penalty, reparametrize
from skspectral.nn._mlp import EIGENVALUES, TRAINABLE
from skspectral.nn._reparametrize import factors_of


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 4 * 4, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )


def test_penalty_is_the_sum_over_factors_and_dense_weights():
    module = reparametrize(network())
    expected = module[6].weight.square().sum()
    for layer in (module[0], module[4]):
        expected = expected + sum(factor.square().sum() for factor in factors_of(layer))
    torch.testing.assert_close(penalty(module, 0.3), 0.3 * expected)
    assert penalty(module, 0.0) == 0.0


def test_penalty_of_dense_layers_is_that_of_weights():
    module = network()
    squares = [module[i].weight.square().sum() for i in (0, 4, 6)]
    torch.testing.assert_close(penalty(module, 2.0), 2 * sum(squares))


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
@pytest.mark.parametrize("trainable", TRAINABLE)
@pytest.mark.parametrize("parametrization", ["spectral", "dense"])
def test_penalty_is_that_of_the_estimators(random_module, eigenvalues, trainable, parametrization):
    module = random_module(
        0,
        (4, 8, 6, 2),
        eigenvalues=eigenvalues,
        trainable=trainable,
        parametrization=parametrization,
    )
    expected = Penalty(0.1, 0.1, 0.1).value(module)
    assert penalty(module, 0.1).item() == pytest.approx(expected, rel=1e-6)


def test_start_is_the_cheapest_split_of_given_weights():
    module = reparametrize(network())
    cheapest = penalty(module, 1.0).item()
    for layer in (module[0], module[4]):
        phi, lambda_out = factors_of(layer)
        for factor in (0.5, 0.9, 1.1, 2.0):
            with torch.no_grad():
                phi.mul_(factor)
                lambda_out.div_(factor)
                assert penalty(module, 1.0).item() > cheapest
                phi.div_(factor)
                lambda_out.mul_(factor)


def test_start_costs_the_group_lasso():
    module = reparametrize(network())
    norms = sum(module[i].weight.flatten(1).norm(dim=1).sum() for i in (0, 4))
    expected = 2 * norms + module[6].weight.square().sum()
    torch.testing.assert_close(penalty(module, 1.0), expected)


def test_gradient_is_twice_alpha_times_the_parameter():
    module = reparametrize(network())
    penalty(module, 0.3).backward()
    phi, lambda_out = factors_of(module[0])
    for parameter in (phi, lambda_out, module[6].weight):
        torch.testing.assert_close(parameter.grad, 0.6 * parameter.detach())
    assert module[0].bias.grad is None
    assert module[1].weight.grad is None


def test_what_is_not_trained_is_not_penalised():
    module = reparametrize(network())
    factors_of(module[0])[0].requires_grad_(False)
    module[6].weight.requires_grad_(False)
    expected = factors_of(module[0])[1].square().sum()
    expected = expected + sum(factor.square().sum() for factor in factors_of(module[4]))
    torch.testing.assert_close(penalty(module, 1.0), expected)
    assert penalty(module.requires_grad_(False), 1.0) == 0.0


def test_penalty_without_gradients_has_the_same_value():
    module = reparametrize(network())
    nn.utils.parametrizations.weight_norm(module[6])
    with torch.no_grad():
        silent = penalty(module, 1.0)
    torch.testing.assert_close(silent, penalty(module, 1.0).detach())
    assert not silent.requires_grad


def test_masked_nodes_cost_nothing():
    module = reparametrize(network())
    masked = mask_nodes(module, [[True] * 3 + [False], [False] + [True] * 4])
    norms = sum(masked[i].weight.flatten(1).norm(dim=1).sum() for i in (0, 4))
    expected = 2 * norms + module[6].weight.square().sum()
    torch.testing.assert_close(penalty(masked, 1.0), expected)
    spectral = mask_nodes(SpectralMLP((3, 4, 1)), [[True, False, False, True]])
    layer, last = spectral.layers
    expected = layer.weight.square().sum() + 2 + last.weight.square().sum()
    torch.testing.assert_close(penalty(spectral, 1.0), expected)


@pytest.mark.parametrize("alpha", [-1, -1e-9, math.nan, math.inf, "auto", None, torch.ones(2)])
def test_wrong_alphas_are_refused(alpha):
    with pytest.raises(ValueError, match=r"`alpha` must be a finite number >= 0; got"):
        penalty(network(), alpha)


@pytest.mark.parametrize("module", ["a", None, 3, SpectralLinear])
def test_other_objects_are_refused(module):
    with pytest.raises(TypeError, match=r"`module` must be a torch.nn.Module; got"):
        penalty(module, 0.1)


@pytest.mark.parametrize("module", [nn.ReLU(), nn.LSTM(3, 2), nn.Sequential()])
def test_modules_without_layers_are_refused(module):
    with pytest.raises(ValueError, match="must have Linear or convolutional layers"):
        penalty(module, 0.1)
