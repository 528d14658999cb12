"""The penalty added to gradients equals the penalty added to the loss."""

import functools

import numpy as np
import pytest
import torch
from skorch.callbacks import GradientNormClipping

from skspectral._training.batches import RowBatches, RowDataset
from skspectral._training.net import SpectralNet
from skspectral._training.penalty import Penalty, add_penalty_gradient
from skspectral.nn import SpectralMLP
from skspectral.nn._architecture import Architecture

PENALTY = Penalty(weight=3e-2, phi=1e-2, lambda_=2e-2)
N_STEPS = 200


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(96, 4))
    return X, np.abs(X[:, :1]) + X[:, 1:2]


def build(eigenvalues="out-in"):
    return Architecture((4, 12, 6, 1), eigenvalues=eigenvalues, dtype=torch.float64)


def penalty_in_the_loss(module):
    total = 0.0
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            total = total + PENALTY.coefficient(name) * parameter.square().sum()
    return total


def reference_trajectory(X, y, optimizer, clip):
    """Plain torch: the penalty is a term of the loss, batches in order."""
    module = build().build(generator=torch.Generator().manual_seed(3))
    optimizer = optimizer(module.parameters(), lr=1e-2)
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    for step in range(N_STEPS):
        rows = slice(32 * (step % 3), 32 * (step % 3 + 1))
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(X[rows]), y[rows])
        (loss + penalty_in_the_loss(module)).backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
    return module


def net_trajectory(X, y, optimizer, clip):
    net = SpectralNet(
        build(),
        out_activation="identity",
        penalty=PENALTY,
        optimizer=optimizer,
        lr=1e-2,
        batch_size=32,
        seed=3,
        random_state=None,
        relevance_threshold=0.05,
        callbacks=[GradientNormClipping(clip)] if clip else [],
        dtype=torch.float64,
    ).initialize()
    dataset = RowDataset(X, torch.as_tensor(y), None, torch.float64)
    epochs = N_STEPS // 3
    net.plan(dataset, ends=(epochs,), schedule="constant")
    net.train(dataset, None, epochs)
    batches = iter(RowBatches(dataset, 32))
    net.needs_gradients_ = clip is not None
    for _ in range(N_STEPS % 3):
        net.step(next(batches))
    return net.module_


@pytest.mark.parametrize("clip", [None, 0.3])
@pytest.mark.parametrize(
    "optimizer",
    [
        torch.optim.Adam,
        functools.partial(torch.optim.Adam, amsgrad=True),
        torch.optim.SGD,
        functools.partial(torch.optim.SGD, momentum=0.9),
        functools.partial(torch.optim.AdamW, weight_decay=0.0),
        torch.optim.Adagrad,
    ],
)
def test_penalty_in_gradients_equals_penalty_in_loss(table, optimizer, clip):
    expected = reference_trajectory(*table, optimizer, clip)
    actual = net_trajectory(*table, optimizer, clip)
    for (name, a), b in zip(actual.named_parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(
            a, b, rtol=1e-9, atol=1e-11, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_penalty_value_is_the_sum_of_squares():
    module = build().build()
    assert PENALTY.value(module) == pytest.approx(penalty_in_the_loss(module).item())


def test_penalty_spares_biases_and_frozen_parameters():
    module = SpectralMLP((4, 12, 1), eigenvalues="out", trainable="eigenvalues")
    penalised = {id(p) for p, _ in PENALTY.terms(module)}
    assert penalised == {id(module.layers[0].lambda_out), id(module.layers[1].weight)}


def test_penalty_reaches_the_output_layer():
    for eigenvalues in ("out", "in", "out-in", "both", "inputs"):
        module = build(eigenvalues).build()
        output = {id(p) for p in module.layers[-1].parameters()}
        assert output & {id(p) for p, _ in PENALTY.terms(module)}


def test_add_penalty_gradient_adds_twice_the_parameter():
    a, b = (torch.nn.Parameter(torch.tensor([1.0, 2.0])) for _ in range(2))
    a.grad, b.grad = torch.ones(2), torch.zeros(2)
    add_penalty_gradient([(a, 0.5), (b, 0.25)])
    assert a.grad.tolist() == [2.0, 3.0]
    assert b.grad.tolist() == [0.5, 1.0]


def test_penalty_of_nothing_is_zero():
    assert Penalty(0, 0, 0).value(build().build()) == 0
