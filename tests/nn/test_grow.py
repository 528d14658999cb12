"""A grown network computes about what it did, and has new ways to go."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skspectral.nn import SpectralLinear, SpectralMLP, grow, mask_nodes, shrink

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@st.composite
def networks_and_sizes(draw):
    module = draw(st.from_type(SpectralMLP))
    inputs, *hidden, outputs = module.layer_sizes
    wider = [size + draw(st.integers(0, 20)) for size in hidden]
    return module, (inputs, *wider, outputs)


@settings(max_examples=100, deadline=None)
@given(networks_and_sizes())
def test_without_spread_the_function_stays(case):
    module, sizes = case
    grown = grow(module, sizes, spread=0, generator=seeded())
    x = torch.randn(20, sizes[0], generator=seeded(1), dtype=next(module.parameters()).dtype)
    np.testing.assert_allclose(
        grown(x).detach(), module(x).detach(), atol=TOLERANCE[x.dtype], rtol=TOLERANCE[x.dtype]
    )
    assert grown.layer_sizes == sizes
    for layer, pair in zip(grown.layers, itertools.pairwise(sizes), strict=True):
        assert (layer.in_features, layer.out_features) == pair
        assert layer.weight.dtype == x.dtype


def test_the_halves_of_a_linear_node_add_up_whatever_the_spread(random_module):
    module = random_module(0, (3, 4, 5, 2), activation="identity", dtype=torch.float64)
    x = torch.randn(10, 3, generator=seeded(), dtype=torch.float64)
    grown = grow(module, (3, 12, 15, 2), spread=2.0, generator=seeded())
    torch.testing.assert_close(grown(x), module(x))
    assert not torch.allclose(grown.layers[0].weight[:4], module.layers[0].weight)


def test_half_of_the_added_nodes_are_copies(random_module):
    module = random_module(0, (3, 4, 1), dtype=torch.float64)
    torch.nn.init.zeros_(module.layers[0].lambda_in)
    grown = grow(module, (3, 10, 1), spread=0.5, generator=seeded())
    rows = grown.layers[0].weight.detach()
    old = module.layers[0].weight.detach()
    outgoing = grown.layers[1].weight.detach()[0]
    before = module.layers[1].weight.detach()[0]
    assert (outgoing[7:] == 0).all()
    split = [int((before / 2 - value).abs().argmin()) for value in outgoing[4:7]]
    assert len(set(split)) == 3
    for copy, source in zip(range(4, 7), split, strict=True):
        torch.testing.assert_close((rows[source] + rows[copy]) / 2, old[source])
        torch.testing.assert_close((rows[source] - old[source]).norm(), 0.5 * old[source].norm())
        torch.testing.assert_close(outgoing[[source, copy]], before[[source, source]] / 2)
    (whole,) = set(range(4)) - set(split)
    torch.testing.assert_close(rows[whole], old[whole])


def test_far_wider_networks_split_every_node_once(random_module):
    grown = grow(random_module(0, (3, 2, 1)), (3, 50, 1), generator=seeded())
    assert int((grown.layers[1].weight != 0).sum()) == 4


def test_equal_sizes_and_seeds(random_module):
    module = random_module(0, (3, 4, 1))
    same = grow(module, (3, 4, 1), generator=seeded())
    assert same is not module
    for ours, theirs in zip(same.parameters(), module.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert ours is not theirs
    one, two, other = (grow(module, (3, 9, 1), generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.layers[0].weight, two.layers[0].weight)
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)


def test_settings_stay(random_module):
    module = random_module(
        0, (3, 4, 5, 1), activation="tanh", parametrization=["dense", "spectral"]
    )
    module.set_trainable("eigenvalues")
    module.eval()
    grown = grow(module, (3, 8, 8, 1))
    assert isinstance(grown.activation, torch.nn.Tanh)
    assert [isinstance(layer, SpectralLinear) for layer in grown.layers] == [False, True, False]
    assert not grown.layers[1].phi.requires_grad
    assert grown.layers[1].lambda_out.requires_grad
    assert not grown.training


def test_masked_networks_grow_and_grown_ones_shrink_back(random_module):
    module = random_module(0, (3, 4, 1), dtype=torch.float64)
    x = torch.randn(10, 3, generator=seeded(), dtype=torch.float64)
    masked = mask_nodes(module, [[True, False, True, True]])
    grown = grow(masked, (3, 8, 1), spread=0, generator=seeded())
    torch.testing.assert_close(grown(x), masked(x))
    back = shrink(grow(module, (3, 5, 1), spread=0, generator=seeded()), [[True] * 5])
    torch.testing.assert_close(back(x), module(x))


def test_a_merged_node_comes_apart():
    """A node that does the work of two is a saddle, which training alone does not leave."""
    directions = torch.tensor([[1.0, 0.6], [1.0, -0.6]], dtype=torch.float64)
    x = torch.randn(2000, 2, generator=seeded(), dtype=torch.float64)
    y = torch.relu(x @ directions.T).sum(dim=1, keepdim=True)

    def trained(module):
        optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
        for _ in range(500):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(module(x), y)
            loss.backward()
            optimizer.step()
        return module, loss.item()

    module = SpectralMLP((2, 1, 1), bias=False, generator=seeded(), dtype=torch.float64)
    one, stuck = trained(module)
    idle = grow(one, (2, 2, 1), spread=0, generator=seeded())
    _, still = trained(idle)
    _, free = trained(grow(one, (2, 2, 1), generator=seeded()))
    assert stuck > 0.01
    assert still == pytest.approx(stuck, rel=0.05)
    assert free < 1e-3 * stuck


@pytest.mark.parametrize(
    "sizes", [(3, 1), (3, 4, 4, 1), (2, 4, 1), (3, 4, 2), (3, 3, 1), (3, 4.5, 1), 4, None]
)
def test_impossible_sizes(sizes):
    with pytest.raises(ValueError, match=r"`layer_sizes`.*\(3, 4, 1\).*got"):
        grow(SpectralMLP((3, 4, 1)), sizes)


@pytest.mark.parametrize("spread", [-1.0, np.nan, np.inf, "far"])
def test_impossible_spread(spread):
    with pytest.raises(ValueError, match="`spread` must be a finite number >= 0"):
        grow(SpectralMLP((3, 4, 1)), (3, 5, 1), spread=spread)


def test_other_modules():
    with pytest.raises(TypeError, match=r"`module` must be a SpectralMLP; got Linear\."):
        grow(torch.nn.Linear(2, 2), (2, 2))
