"""A linear skip adds V x to the outputs of a network, and nothing else changes."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skspectral.nn import (
    SpectralLinear,
    SpectralMLP,
    fold,
    grow,
    mask_nodes,
    merge,
    node_relevance,
    penalty,
    penalty_alpha,
    reparametrize,
    shrink,
)
from skspectral.nn._mlp import ACTIVATIONS
from skspectral.nn._scale import with_scaled_output

SIZES = (3, 5, 4, 2)


def without_skip(module):
    """Return the layers of a network as one that has no skip."""
    plain = SpectralMLP(module.layer_sizes, dtype=next(module.parameters()).dtype)
    plain.activation = module.activation
    plain.layers = module.layers
    return plain


def rows(n=7, dtype=torch.float64):
    return torch.randn(n, SIZES[0], dtype=dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_are_those_of_the_layers_plus_a_linear_term(random_module, activation, dtype):
    module = random_module(0, SIZES, activation=activation, skip=True, dtype=dtype)
    x = rows(dtype=dtype)
    expected = without_skip(module)(x) + x @ module.skip.weight.T
    assert module.skip.weight.dtype == dtype
    torch.testing.assert_close(module(x), expected)


def test_it_starts_at_zero_and_draws_no_numbers():
    one, other = (
        SpectralMLP(SIZES, generator=torch.Generator().manual_seed(0), skip=skip)
        for skip in (False, True)
    )
    x = rows(dtype=torch.float32)
    assert one.skip is None
    assert not other.skip.weight.any()
    assert torch.equal(one(x), other(x))
    torch.nn.init.ones_(other.skip.weight)
    other.reset_parameters()
    assert not other.skip.weight.any()


def test_gradcheck(random_module):
    module = random_module(0, SIZES, activation="tanh", skip=True, dtype=torch.float64)
    names = [name for name, _ in module.named_parameters()]
    assert "skip.weight" in names

    def function(x, *parameters):
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), x)

    given = [p.detach().clone().requires_grad_() for p in module.parameters()]
    kept = [
        p.requires_grad_(q.requires_grad) for p, q in zip(given, module.parameters(), strict=True)
    ]
    assert torch.autograd.gradcheck(function, (rows(4).requires_grad_(), *kept))


@settings(deadline=None)
@given(st.from_type(SpectralMLP))
def test_nodes_are_ranked_cut_and_added_beside_it(module):
    sizes = module.layer_sizes
    assert [len(r) for r in node_relevance(module)] == list(sizes[1:-1])
    masks = [torch.arange(n) < max(1, n // 2) for n in sizes[1:-1]]
    x = torch.randn(5, sizes[0], dtype=next(module.parameters()).dtype)
    small, masked = shrink(module, masks), mask_nodes(module, masks)
    torch.testing.assert_close(small(x), masked(x), rtol=1e-4, atol=1e-4)
    wide = grow(module, (sizes[0], *(n + 3 for n in sizes[1:-1]), sizes[-1]), spread=0)
    torch.testing.assert_close(wide(x), module(x), rtol=1e-4, atol=1e-4)
    for changed in (small, wide):
        assert (changed.skip is None) == (module.skip is None)
        if module.skip is not None:
            assert torch.equal(changed.skip.weight, module.skip.weight)
            assert changed.skip.weight is not module.skip.weight


def test_skips_are_averaged_in_a_merge(random_module):
    modules = [
        random_module(seed, (3, n, 2), skip=True, dtype=torch.float64)
        for seed, n in enumerate((4, 2, 5))
    ]
    whole, x = merge(modules), rows()
    mean = torch.stack([module(x) for module in modules]).mean(dim=0)
    torch.testing.assert_close(whole(x), mean, rtol=1e-12, atol=1e-12)
    expected = torch.stack([module.skip.weight for module in modules]).mean(dim=0)
    torch.testing.assert_close(whole.skip.weight, expected)


@pytest.mark.parametrize("first", [False, True])
def test_networks_with_and_without_are_not_merged(random_module, first):
    modules = [random_module(0, (3, 4, 1), skip=skip) for skip in (first, not first)]
    found = ("one", "none") if first else ("none", "one")
    message = (
        rf"same linear skip; modules\[0\] has {found[0]}, and modules\[1\] has {found[1]}\. "
        "Train all of them with the same `skip`"
    )
    with pytest.raises(ValueError, match=message):
        merge(modules)


def test_it_is_scaled_with_the_outputs(random_module):
    module = random_module(0, SIZES, skip=True, dtype=torch.float64)
    factor, shift = (torch.tensor(v, dtype=torch.float64) for v in ([2.0, 0.1], [1.0, -3.0]))
    scaled, x = with_scaled_output(module, factor, shift), rows()
    torch.testing.assert_close(scaled(x), module(x) * factor + shift)


def test_it_has_a_tenth_of_the_penalty(random_module):
    module = random_module(0, (3, 4, 1), skip=True, dtype=torch.float64)
    ours, layers = penalty(module, 0.5), penalty(without_skip(module), 0.5)
    torch.testing.assert_close(ours - layers, 0.05 * module.skip.weight.square().sum())


def test_its_weights_have_fitted_noise_too():
    module = SpectralMLP((3, 4, 1), generator=torch.Generator().manual_seed(0), skip=True)
    x = rows(40, torch.float32)
    y = module(x).detach() + 0.1 * torch.randn(40, 1, generator=torch.Generator().manual_seed(2))
    with_skip = penalty_alpha(module, x, y)
    assert with_skip > penalty_alpha(without_skip(module), x, y)


def test_factors_are_put_behind_layers_only(random_module):
    module = random_module(0, SIZES, parametrization="dense", skip=True, dtype=torch.float64)
    x = rows()
    before = module(x)
    names = dict(reparametrize(module, exclude=()).named_parameters())
    assert "skip.weight" in names
    torch.testing.assert_close(module(x), before)
    torch.testing.assert_close(fold(module)(x), before)


def test_no_node_can_be_made_of_it():
    assert not isinstance(
        SpectralMLP((2, 3, 1), skip=True).skip, (torch.nn.Linear, SpectralLinear)
    )


def test_networks_from_before_there_were_skips_are_read():
    module = SpectralMLP((2, 3, 1))
    state = {k: v for k, v in module.__getstate__().items() if k != "skip"}
    old = SpectralMLP.__new__(SpectralMLP)
    old.__setstate__(state)
    x = torch.ones(4, 2)
    assert torch.equal(old(x), module(x))
    for skip in (False, True):
        module = SpectralMLP((2, 3, 1), skip=skip)
        for again in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
            assert (again.skip is not None) == skip


@pytest.mark.parametrize("skip", [None, 1, "yes"])
def test_skip_is_true_or_false(skip):
    with pytest.raises(TypeError, match=r"`skip` must be True or False; got"):
        SpectralMLP((2, 3, 1), skip=skip)
