"""Gradients by hand equal those of torch."""

import copy
import functools

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skspectral._training.backpropagation import ACTIVATIONS, Backpropagation
from skspectral._training.losses import DataTerm
from skspectral.nn import SpectralMLP, mask_nodes
from skspectral.nn._mlp import EIGENVALUES, TRAINABLE

NAMES = ("relu", "tanh", "logistic", "identity")


def network(sizes=(4, 6, 5, 2), seed=0, **options):
    """Return a float64 network in general position: no factor is zero."""
    generator = torch.Generator().manual_seed(seed)
    module = SpectralMLP(sizes, generator=generator, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(
                parameter.shape, generator=generator, dtype=torch.float64
            )
    return module


def gradients(module):
    return {
        name: None if p.grad is None else p.grad.clone() for name, p in module.named_parameters()
    }


def assert_same_gradients(module, x):
    twin = copy.deepcopy(module)
    expected = twin(x)
    cotangent = torch.randn_like(expected)
    expected.backward(cotangent)
    passes = Backpropagation(module, len(x) + 3)
    torch.testing.assert_close(passes.forward(x), expected, rtol=1e-12, atol=1e-12)
    passes.backward(cotangent)
    torch.testing.assert_close(gradients(module), gradients(twin), rtol=1e-11, atol=1e-11)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.integers(1, 7), st.sampled_from(["spectral", "dense"])), max_size=3),
    st.sampled_from(EIGENVALUES),
    st.sampled_from(TRAINABLE),
    st.booleans(),
    st.booleans(),
    st.integers(1, 9),
)
def test_gradients_equal_autograd(
    seed, activation, layers, eigenvalues, trainable, bias, skip, n_rows
):
    kinds = [kind for _, kind in layers]
    # spectral layers above a dense first one would have no eigenvalues
    assume(eigenvalues != "inputs" or kinds[:1] == ["spectral"] or "spectral" not in kinds)
    module = network(
        (3, *(width for width, _ in layers), 2),
        seed,
        activation=activation,
        parametrization=kinds,
        eigenvalues=eigenvalues,
        trainable=trainable,
        bias=bias,
        skip=skip,
    )
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n_rows, 3, generator=generator, dtype=torch.float64)
    assert_same_gradients(module, x)


class ByHand(torch.autograd.Function):
    """Both passes as an autograd function of all trained parameters, for gradcheck."""

    @staticmethod
    def forward(ctx, module, x, *parameters):
        ctx.module, ctx.passes = module, Backpropagation(module, len(x))
        return ctx.passes.forward(x).clone()

    @staticmethod
    def backward(ctx, cotangent):
        ctx.passes.backward(cotangent.contiguous())
        trained = [p for p in ctx.module.parameters() if p.requires_grad]
        return None, None, *(p.grad.clone() for p in trained)


@pytest.mark.parametrize("activation", NAMES)
@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
@pytest.mark.parametrize("skip", [False, True])
def test_gradcheck(activation, eigenvalues, skip):
    module = network(activation=activation, eigenvalues=eigenvalues, skip=skip)
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    trained = [p for p in module.parameters() if p.requires_grad]
    assert torch.autograd.gradcheck(functools.partial(ByHand.apply, module, x), trained)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("out_activation", ["identity", "logistic", "softmax"])
def test_gradients_of_the_losses(out_activation, n_outputs, weighted):
    criterion = DataTerm(out_activation)
    generator = torch.Generator().manual_seed(0)
    output = torch.randn(7, n_outputs, generator=generator, dtype=torch.float64)
    target = torch.rand(7, n_outputs, generator=generator, dtype=torch.float64)
    if out_activation == "softmax":
        target = target.argmax(dim=1)
    weight = torch.rand(7, generator=generator, dtype=torch.float64) if weighted else None
    output.requires_grad_()
    loss = criterion(output, target, weight)
    loss.backward()
    value, gradient = criterion.value_and_gradient(output.detach(), target, weight)
    torch.testing.assert_close(value, loss.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gradient, output.grad, rtol=1e-13, atol=1e-13)


def test_a_frozen_layer_gets_no_gradient():
    module = network()
    module.layers[0].phi.grad = torch.ones_like(module.layers[0].phi)
    module.layers[0].requires_grad_(False)
    module.layers[2].requires_grad_(False)
    assert_same_gradients(module, torch.randn(5, 4, dtype=torch.float64))
    assert module.layers[0].phi.grad is None


def test_gradient_tensors_are_used_again():
    module = network()
    x = torch.randn(5, 4, dtype=torch.float64)
    passes = Backpropagation(module, 5)
    before = [p.grad for p in module.parameters()]
    for _ in range(2):
        passes.backward(torch.ones_like(passes.forward(x)))
    assert all(a is p.grad for a, p in zip(before, module.parameters(), strict=True))


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_activations_that_need_their_input_are_not_served(activation):
    assert not Backpropagation.serves(SpectralMLP((2, 3, 1), activation))


def test_masks_hooks_and_other_modules_are_not_served():
    module = SpectralMLP((2, 3, 1))
    assert Backpropagation.serves(module)
    assert not Backpropagation.serves(mask_nodes(module, [[True, False, True]]))
    handle = module.layers[0].register_forward_hook(lambda *args: None)
    assert not Backpropagation.serves(module)
    handle.remove()
    assert Backpropagation.serves(module)
    module.layers[1] = torch.nn.Sequential(torch.nn.Linear(3, 1))
    assert not Backpropagation.serves(module)
    assert not Backpropagation.serves(torch.nn.Linear(2, 1))


def test_every_served_activation_is_tested():
    assert {type(SpectralMLP((1, 1, 1), name).activation) for name in NAMES} == set(ACTIVATIONS)
