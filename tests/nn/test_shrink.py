"""Cutting nodes out computes what masking them does."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skspectral.nn import SpectralLinear, SpectralMLP, mask_nodes, node_relevance, shrink
from skspectral.nn._mlp import EIGENVALUES, TRAINABLE

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


@st.composite
def networks_and_masks(draw):
    module = draw(st.from_type(SpectralMLP))
    masks = []
    for size in module.layer_sizes[1:-1]:
        mask = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        mask[draw(st.integers(0, size - 1))] = True
        masks.append(np.array(mask))
    return module, masks


@settings(max_examples=150, deadline=None)
@given(networks_and_masks())
def test_shrink_equals_mask(case):
    module, masks = case
    small, masked = shrink(module, masks), mask_nodes(module, masks)
    assert small.layer_sizes[1:-1] == tuple(mask.sum() for mask in masks)
    dtype = next(module.parameters()).dtype
    x = torch.randn(50, module.layer_sizes[0], dtype=dtype, generator=torch.Generator())
    with torch.no_grad():
        expected, got = masked(x), small(x)
        # rounding is relative to what is summed, which may cancel
        last = module.layers[-1]
        terms = masked.last_hidden(x).abs() @ last.weight.abs().T
        scale = (terms + (0 if last.bias is None else last.bias.abs())).max().clamp_min(1.0)
    assert float((got - expected).abs().max()) <= TOLERANCE[dtype] * float(scale)
    for layer, keep in zip(masked.hidden_layers, masks, strict=True):
        assert (layer.weight[~torch.from_numpy(keep)] == 0).all()


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
@pytest.mark.parametrize("trainable", TRAINABLE)
@pytest.mark.parametrize("parametrization", ["spectral", "dense"])
def test_masked_rows_stay_zero_under_training(
    random_module, eigenvalues, trainable, parametrization
):
    module = random_module(
        0,
        (4, 8, 6, 2),
        activation="tanh",
        eigenvalues=eigenvalues,
        trainable=trainable,
        parametrization=parametrization,
    )
    masks = [[True] * 5 + [False] * 3, [False, True] * 3]
    masked = mask_nodes(module, masks)
    before = copy.deepcopy(masked.state_dict())
    trained = [p for p in masked.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.05, weight_decay=0.01)
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(1))
    for _ in range(10):
        optimizer.zero_grad()
        (masked(x) - 1).square().mean().backward()
        optimizer.step()
    assert any(not torch.equal(before[k], v) for k, v in masked.state_dict().items())
    for layer, keep in zip(masked.hidden_layers, masks, strict=True):
        rows = layer.weight[~torch.tensor(keep)]
        assert torch.equal(rows, torch.zeros_like(rows))


def test_masking_zeroes_eigenvector_and_eigenvalue():
    masked = mask_nodes(SpectralMLP((3, 4, 1)), [[True, False, True, True]])
    layer = masked.layers[0]
    assert layer.lambda_out[1] == 0
    assert (layer.phi[1] == 0).all()
    assert layer.lambda_out[0] == -1


def test_pure_functions_leave_the_module(random_module):
    module = random_module(0, (3, 5, 2))
    before = copy.deepcopy(module.state_dict())
    masks = [[True, False, True, False, True]]
    mask_nodes(module, masks)
    small = shrink(module, masks)
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.zero_()
    assert module.layer_sizes == (3, 5, 2)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("masks", [[[True, False] * 3, [True] * 4], [[True] * 6, [True] * 4]])
def test_parts_have_memory_of_their_own_in_the_usual_order(random_module, masks):
    module = random_module(0, (3, 6, 4, 2), eigenvalues="both")
    for layer in module.layers:  # as views of a transposed matrix
        layer.phi.data = layer.phi.detach().t().contiguous().t()
    given = {parameter.data_ptr() for parameter in module.parameters()}
    for parameter in shrink(module, masks).parameters():
        assert parameter.is_contiguous()
        assert parameter.data_ptr() not in given
        assert parameter.untyped_storage().nbytes() == parameter.nbytes


def test_full_mask_changes_nothing(random_module):
    module = random_module(0, (3, 5, 4, 2), eigenvalues="both")
    small = shrink(module, [[True] * 5, [True] * 4])
    assert small.state_dict().keys() == module.state_dict().keys()
    for name, value in module.state_dict().items():
        assert torch.equal(small.state_dict()[name], value)


def test_shrinking_in_two_steps_equals_one(random_module):
    module = random_module(0, (3, 6, 2), dtype=torch.float64)
    first = [[True, True, False, True, True, False]]
    second = [[True, False, True, True]]
    both = [[True, False, False, True, True, False]]
    x = torch.randn(9, 3, dtype=torch.float64)
    torch.testing.assert_close(shrink(shrink(module, first), second)(x), shrink(module, both)(x))


@pytest.mark.parametrize(
    ("activation", "has_bias"), [("logistic", True), ("relu", False), ("tanh", False)]
)
def test_bias_is_created_only_where_it_is_needed(activation, has_bias):
    module = SpectralMLP((3, 4, 2), activation, bias=False)
    small = shrink(module, [[True, False, True, True]])
    assert small.layers[0].bias is None
    assert (small.layers[1].bias is not None) == has_bias


@pytest.mark.parametrize("trainable", TRAINABLE)
def test_small_network_trains_what_the_large_one_did(trainable):
    module = SpectralMLP(
        (3, 4, 2), eigenvalues="out-in", trainable=trainable, dtype=torch.float64
    ).eval()
    small = shrink(module, [[True, False, True, True]])
    trained = {name: p.requires_grad for name, p in module.named_parameters()}
    assert {name: p.requires_grad for name, p in small.named_parameters()} == trained
    assert repr(small.layers[1]) == repr(module.layers[1]).replace("features=4", "features=3")
    assert not any(part.training for part in small.modules())


def test_masked_network_can_be_shrunk(random_module):
    module, masks = random_module(0, (3, 6, 2), dtype=torch.float64), [[True] * 3 + [False] * 3]
    masked = mask_nodes(module, masks)
    small = shrink(masked, masks)
    assert isinstance(small.layers[0], SpectralLinear)
    assert not hasattr(small.layers[0], "parametrizations")
    x = torch.randn(9, 3, dtype=torch.float64)
    torch.testing.assert_close(small(x), masked(x))
    assert len(node_relevance(small)[0]) == 3


@pytest.mark.parametrize("function", [mask_nodes, shrink])
@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([], "one mask per hidden layer, 2 in all; got 0"),
        ([[True] * 4], "one mask per hidden layer, 2 in all; got 1"),
        ([[True] * 3, [True] * 3], r"`masks\[0\]` must be boolean of shape \(4,\)"),
        ([[True] * 4, [1, 0, 1]], r"`masks\[1\]` must be boolean .* got int64"),
        ([[True] * 4, [[True] * 3]], r"`masks\[1\]` must be boolean of shape \(3,\)"),
        ([[True] * 4, [False] * 3], r"`masks\[1\]` is False everywhere"),
        (None, "one mask per hidden layer, 2 in all; got None"),
        (3, "one mask per hidden layer, 2 in all; got 3"),
        (torch.tensor(True), "one mask per hidden layer, 2 in all; got tensor"),
        ("ab", "one mask per hidden layer, 2 in all; got 'ab'"),
        ([[True] * 4, None], r"`masks\[1\]` must be boolean, one entry per node; got None"),
        ([[True] * 4, object], r"`masks\[1\]` must be boolean, one entry per node; got <class"),
        ([[True] * 4, [[1], [2, 3]]], r"`masks\[1\]` must be boolean, one entry per node; got"),
    ],
)
def test_wrong_masks_are_refused(function, masks, message):
    with pytest.raises(ValueError, match=message):
        function(SpectralMLP((2, 4, 3, 1)), masks)


def test_other_modules_are_refused():
    with pytest.raises(TypeError, match=r"SpectralMLP or a torch\.nn\.Sequential .* got Linear"):
        shrink(torch.nn.Linear(2, 2), [[True, True]])
