"""Factors behind the weights of existing modules leave what these compute as it is."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from skspectral.nn import SpectralLinear, SpectralMLP, fold, mask_nodes, penalty, reparametrize
from skspectral.nn._reparametrize import SpectralFactors, factors_of

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def chain(dtype=torch.float32):
    torch.manual_seed(0)
    layers = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2)
    return nn.Sequential(*layers).to(dtype)


def convolutional(dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, groups=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 4 * 4, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    ).to(dtype)


class Residual(nn.Module):
    """A module with parts inside parts, and a layer that it calls twice."""

    def __init__(self):
        super().__init__()
        self.block = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = x + self.block["a"](x).relu()
        x = x + self.block["b"](self.block["b"](x)).relu()
        return self.head(x)


def nested(dtype=torch.float32):
    torch.manual_seed(0)
    return Residual().to(dtype)


MODULES = {chain: (7, 4), convolutional: (7, 1, 8, 8), nested: (7, 4)}


def batch(shape, dtype):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("make", MODULES)
@pytest.mark.parametrize("exclude", [None, ()])
def test_module_computes_what_it_did(make, dtype, exclude):
    module, x = make(dtype), batch(MODULES[make], dtype)
    before = module(x)
    assert reparametrize(module, exclude=exclude) is module
    assert module(x).dtype == dtype
    torch.testing.assert_close(module(x), before, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    fold(module)
    torch.testing.assert_close(module(x), before, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert not any(parametrize.is_parametrized(layer) for layer in module.modules())


@pytest.mark.parametrize("make", MODULES)
def test_weight_is_the_product_of_balanced_factors(make):
    module = make(torch.float64)
    weights = {name: p.detach().clone() for name, p in module.named_parameters()}
    reparametrize(module)
    found = 0
    for name, layer in module.named_modules():
        if factors_of(layer) is not None:
            phi, lambda_out = factors_of(layer)
            assert lambda_out.shape == (len(phi),)
            expected = -phi * lambda_out.reshape(-1, *[1] * (phi.ndim - 1))
            torch.testing.assert_close(layer.weight, expected, rtol=0, atol=0)
            torch.testing.assert_close(layer.weight.detach(), weights[f"{name}.weight"])
            torch.testing.assert_close(phi.flatten(1).norm(dim=1), lambda_out.abs())
            found += 1
    assert found == sum(name.endswith("weight") for name in weights) - 1


def test_layer_is_the_spectral_layer_of_the_same_factors():
    linear = nn.Linear(5, 3)
    reparametrize(linear, exclude=())
    spectral = SpectralLinear(5, 3)
    phi, lambda_out = factors_of(linear)
    spectral.load_state_dict(
        {"phi": phi, "lambda_in": torch.zeros(5), "lambda_out": lambda_out, "bias": linear.bias}
    )
    x = torch.randn(7, 5)
    torch.testing.assert_close(linear(x), spectral(x))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2, 2)])
def test_gradients_reach_both_factors(shape):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, dtype=torch.float64, generator=generator)
    factors = [f.requires_grad_() for f in SpectralFactors().right_inverse(weight)]
    assert torch.autograd.gradcheck(SpectralFactors(), factors)


def test_gradients_are_those_of_the_weight_by_the_chain_rule():
    plain, module, x = chain(torch.float64), chain(torch.float64), torch.ones(3, 4).double()
    reparametrize(module)
    for m in (plain, module):
        m(x).square().sum().backward()
    phi, lambda_out = factors_of(module[0])
    of_weight = plain[0].weight.grad
    torch.testing.assert_close(phi.grad, -lambda_out[:, None].detach() * of_weight)
    torch.testing.assert_close(lambda_out.grad, -(phi.detach() * of_weight).sum(dim=1))
    torch.testing.assert_close(module[4].weight.grad, plain[4].weight.grad)


def test_rows_of_zeros_can_still_be_trained():
    linear = nn.Linear(3, 2)
    nn.init.zeros_(linear.weight)
    reparametrize(linear, exclude=())
    assert torch.equal(linear.weight, torch.zeros(2, 3))
    linear(torch.ones(4, 3)).sum().backward()
    assert factors_of(linear)[0].grad.abs().min() > 0


def test_a_weight_that_is_assigned_is_split_anew():
    module = reparametrize(chain())
    weight = torch.randn(8, 4)
    module[0].weight = weight
    torch.testing.assert_close(module[0].weight.detach(), weight)
    phi, lambda_out = factors_of(module[0])
    torch.testing.assert_close(phi.norm(dim=1), lambda_out.abs())


def layers_with_factors(module):
    return {name for name, layer in module.named_modules() if factors_of(layer) is not None}


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        (None, {"block.a", "block.b"}),
        ((), {"block.a", "block.b", "head"}),
        (["block.a"], {"block.b", "head"}),
        (["block"], {"head"}),
    ],
)
def test_exclude_names_layers_or_modules_of_layers(exclude, expected):
    assert layers_with_factors(reparametrize(nested(), exclude=exclude)) == expected


def test_spectral_layers_and_frozen_weights_stay():
    module = chain()
    module[0] = SpectralLinear(4, 8)
    module[2].weight.requires_grad_(False)
    with pytest.raises(ValueError, match="no layer to put factors behind"):
        reparametrize(module)
    assert layers_with_factors(reparametrize(module, exclude=())) == {"4"}


def test_state_dict_and_deepcopy_keep_the_factors(tmp_path):
    module, other, x = reparametrize(chain()), reparametrize(chain()), torch.randn(5, 4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1)
    assert "0.parametrizations.weight.original1" in module.state_dict()
    torch.save(module.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for same in (other, copy.deepcopy(module)):
        assert torch.equal(same(x), module(x))
    copied = copy.deepcopy(module)
    with torch.no_grad():
        factors_of(copied[0])[1].zero_()
    assert not torch.equal(copied(x), module(x))


def test_copies_are_folded_without_the_original():
    module, x = reparametrize(chain()), torch.randn(5, 4)
    expected, masked = module(x), mask_nodes(module, [torch.arange(8) < 2, torch.arange(6) < 3])
    of_masked = masked(x)
    for copied, outputs in ((copy.deepcopy(module), expected), (copy.deepcopy(masked), of_masked)):
        assert torch.allclose(fold(copied)(x), outputs)
        assert type(copied[0]) is nn.Linear
    assert torch.equal(module(x), expected)
    assert torch.equal(masked(x), of_masked)
    assert torch.equal(fold(module)(x), expected)


def test_factors_and_masks_of_a_copy_leave_the_parametrised_original():
    class Doubled(nn.Module):
        def forward(self, bias):
            return 2 * bias

    module, x = chain(), torch.randn(5, 4)
    for layer in (module[0], module[2]):
        parametrize.register_parametrization(layer, "bias", Doubled())
    expected = module(x)
    copied = reparametrize(copy.deepcopy(module))
    mask_nodes(module, [torch.arange(8) < 2, torch.arange(6) < 3])
    assert torch.equal(module(x), expected)
    assert torch.allclose(copied(x), expected, atol=1e-6)


def test_folded_modules_can_be_pickled():
    module, x = reparametrize(chain()), torch.randn(5, 4)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(module)
    restored = pickle.loads(pickle.dumps(fold(module)))
    assert torch.equal(restored(x), module(x))
    assert type(restored[0]) is nn.Linear


def test_the_random_generator_stays():
    module = chain()
    before = torch.get_rng_state()
    fold(reparametrize(module))
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_keeps_its_dtype():
    module = reparametrize(chain().to(torch.bfloat16))
    assert module[0].weight.dtype == factors_of(module[0])[1].dtype == torch.bfloat16


@pytest.mark.parametrize("function", [reparametrize, fold])
@pytest.mark.parametrize(
    "module", [nn.ReLU(), nn.Sequential(), nn.LSTM(3, 2), "a", None, nn.Linear]
)
def test_modules_without_layers_are_refused(function, module):
    with pytest.raises(TypeError, match=r"`module` must be .*; got"):
        function(module)


def test_module_that_is_the_output_alone_is_refused():
    with pytest.raises(ValueError, match=r"no layer to put factors behind: '' are excluded"):
        reparametrize(nn.Linear(3, 2))
    with pytest.raises(ValueError, match="no layer to put factors behind"):
        reparametrize(SpectralMLP((3, 4, 1)))


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        ("head", "must be a sequence of names"),
        (3, "must be a sequence of names"),
        (["tail"], r"got 'tail'. The layers are 'block.a', 'block.b', 'head'"),
        ([None], "got None"),
        ([""], "got ''"),
        (["block", "head"], "no layer to put factors behind"),
    ],
)
def test_wrong_names_are_refused(exclude, message):
    module = nested()
    with pytest.raises(ValueError, match=message):
        reparametrize(module, exclude=exclude)
    assert not layers_with_factors(module)


def test_factors_are_put_once():
    module = reparametrize(chain())
    with pytest.raises(ValueError, match=r"'0' of `module` has a parametrisation already.*fold"):
        reparametrize(module)


def test_other_parametrisations_are_refused():
    module = chain()
    nn.utils.parametrizations.weight_norm(module[2])
    with pytest.raises(ValueError, match="'2' of `module` has a parametrisation already"):
        reparametrize(module)
    assert not layers_with_factors(module)  # the layers before it are as they were


def test_shared_weights_are_refused():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 1))
    module[2].weight = module[0].weight
    with pytest.raises(ValueError, match=r"shared: 0\.weight, 2\.weight are one parameter"):
        reparametrize(module)
    assert not layers_with_factors(module)
    assert layers_with_factors(reparametrize(module, exclude=["0", "2"])) == {"3"}


def test_weights_that_have_no_shape_yet_are_refused():
    module = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"'0' of `module` has no shape yet"):
        reparametrize(module)


def test_fold_needs_factors():
    with pytest.raises(ValueError, match="No layer of `module` has factors"):
        fold(chain())


def test_a_layer_in_two_places_gets_factors_once():
    shared = nn.Linear(3, 3)
    module = nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(3, 1))
    x = torch.randn(4, 3)
    before = module(x)
    torch.testing.assert_close(reparametrize(module)(x), before)
    assert penalty(module, 1.0).item() == pytest.approx(
        2 * shared.weight.norm(dim=1).sum().item() + module[3].weight.square().sum().item()
    )
