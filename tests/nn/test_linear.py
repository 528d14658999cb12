"""SpectralLinear: a dense layer in other coordinates."""

from functools import partial

import pytest
import torch
from torch import nn

from skspectral.nn import SpectralLinear, SpectralMLP, grow
from skspectral.nn._linear import unfilled

MODES = [
    {},
    {"train_lambda_in": True, "train_lambda_out": False},
    {"train_lambda_in": True},
    {"train_lambda_out": False},
    {"train_phi": False},
]


def make_layer(mode=None, dtype=torch.float64, bias=True, spread=True):
    layer = SpectralLinear(5, 4, bias, dtype=dtype, **(mode or {}))
    layer.reset_parameters(torch.Generator().manual_seed(0))
    if spread:  # eigenvalues away from their start
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for values in (layer.lambda_in, layer.lambda_out):
                values.add_(torch.rand(values.shape, generator=generator, dtype=dtype))
    return layer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_linear_weight_follows_the_formula(dtype):
    layer = make_layer(dtype=dtype)
    weight = torch.empty(4, 5, dtype=dtype)
    for i in range(4):
        for j in range(5):
            weight[i, j] = layer.phi[i, j] * (layer.lambda_in[j] - layer.lambda_out[i])
    torch.testing.assert_close(layer.weight, weight)
    assert layer.weight.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_linear_equals_dense_layer_of_same_effective_weight(mode, bias, dtype):
    layer = make_layer(mode, dtype, bias)
    x = torch.randn(7, 5, dtype=dtype, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(layer(x), layer.to_linear()(x))
    torch.testing.assert_close(
        SpectralLinear.from_linear(layer.to_linear(), **(mode or {}))(x), layer(x)
    )


@pytest.mark.parametrize("mode", MODES)
def test_linear_gradients_pass_gradcheck(mode):
    layer = make_layer(mode)
    x = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    names = [name for name, p in layer.named_parameters() if p.requires_grad]
    values = tuple(getattr(layer, name).detach().clone().requires_grad_() for name in names)

    def function(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x.requires_grad_(), *values))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_linear_starts_as_a_dense_layer(mode, gain):
    layer = SpectralLinear(40, 30, dtype=torch.float64, **mode)
    layer.reset_parameters(torch.Generator().manual_seed(3), gain=gain)
    bound = gain * (6 / 70) ** 0.5
    torch.testing.assert_close(layer.weight, layer.phi)
    assert 0.97 * bound < layer.phi.abs().max() <= bound
    assert abs(layer.phi.std() / (bound / 3**0.5) - 1) < 0.05


def test_linear_reset_depends_on_generator_alone():
    layer, other = SpectralLinear(5, 4), SpectralLinear(5, 4)
    before = torch.random.get_rng_state()
    for module in (layer, other):
        module.reset_parameters(torch.Generator().manual_seed(7))
    assert torch.equal(layer.phi, other.phi)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_linear_trains_what_it_is_told_to():
    layer = SpectralLinear(3, 2, train_phi=False, train_lambda_in=True)
    trained = {name for name, p in layer.named_parameters() if p.requires_grad}
    assert trained == {"lambda_in", "lambda_out", "bias"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_linear_state_dict_round_trip(dtype):
    layer = make_layer(dtype=dtype)
    copy = SpectralLinear(5, 4, dtype=dtype)
    copy.load_state_dict(layer.state_dict())
    x = torch.randn(3, 5, dtype=dtype)
    assert torch.equal(copy(x), layer(x))


def test_linear_from_linear_copies():
    linear = nn.Linear(3, 2)
    layer = SpectralLinear.from_linear(linear)
    with torch.no_grad():
        layer.phi.zero_()
    assert linear.weight.abs().sum() > 0


def test_linear_repr_names_sizes_and_training():
    text = repr(SpectralLinear(3, 2, bias=False))
    assert "in_features=3, out_features=2, bias=False" in text
    assert "train_lambda_out=True" in text


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0)])
def test_linear_refuses_empty_sizes(sizes):
    with pytest.raises(ValueError, match=r"_features` must be an integer of at least 1; got 0"):
        SpectralLinear(*sizes)


@pytest.mark.parametrize("size", ["3", 2.5, True, None])
def test_sizes_are_integers(size):
    with pytest.raises(ValueError, match="`in_features` must be an integer of at least 1"):
        SpectralLinear(size, 1)


def test_only_linear_layers_are_rewritten():
    with pytest.raises(TypeError, match=r"`linear` must be a torch.nn.Linear; got int"):
        SpectralLinear.from_linear(3)


def mlp(**options):
    return SpectralMLP((2, 3, 1), **options)


@pytest.mark.parametrize("make", [lambda **k: SpectralLinear(2, 3, **k), mlp])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, int, "float32"])
def test_dtypes_are_of_floating_point(make, dtype):
    with pytest.raises(ValueError, match=r"`dtype` must be a floating-point torch.dtype"):
        make(dtype=dtype)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: SpectralLinear(size, 1),
        lambda size: SpectralLinear(1, size),
        lambda size: SpectralMLP((2, size, 1)),
        lambda size: grow(SpectralMLP((2, 3, 1)), (2, size, 1)),
    ],
)
@pytest.mark.parametrize("size", [2**59, 2**63, 2**100])
def test_sizes_beyond_any_memory_are_refused(make, size):
    with pytest.raises(MemoryError, match=f"{size} .*weights, for which there is not enough"):
        make(size)


@pytest.mark.parametrize(
    "use",
    [
        lambda generator: SpectralLinear(2, 3).reset_parameters(generator),
        lambda generator: mlp(generator=generator),
        lambda generator: grow(mlp(), (2, 4, 1), generator=generator),
    ],
)
def test_generators_are_torchs(use):
    with pytest.raises(TypeError, match=r"`generator` must be a torch.Generator or None; got 3"):
        use(3)


@pytest.mark.parametrize("gain", ["a", None, -1, float("nan")])
def test_gains_are_numbers(gain):
    with pytest.raises(ValueError, match="`gain` must be a finite number >= 0; got"):
        SpectralLinear(2, 3).reset_parameters(gain=gain)


@pytest.mark.parametrize("name", ["train_phi", "train_lambda_in", "train_lambda_out"])
def test_what_is_trained_is_told_by_truth_values(name):
    flags = {"train_phi": True, "train_lambda_in": False, "train_lambda_out": True, name: "yes"}
    for use in (SpectralLinear(2, 3).set_trained, partial(SpectralLinear, 2, 3)):
        with pytest.raises(TypeError, match=f"`{name}` must be True or False; got 'yes'"):
            use(**flags)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [SpectralLinear, nn.Linear])
def test_unfilled_layers_are_those_of_the_constructor(kind, bias):
    options = {"bias": bias, "dtype": torch.float64}
    options |= {"train_phi": False} if kind is SpectralLinear else {}
    before = torch.get_rng_state()
    layer = unfilled(kind, 3, 2, device="cpu", **options)
    assert torch.equal(torch.get_rng_state(), before)
    plain = kind(3, 2, **options)
    assert repr(layer) == repr(plain)
    for ours, theirs in zip(layer.named_parameters(), plain.named_parameters(), strict=True):
        assert ours[0] == theirs[0]
        assert ours[1].shape == theirs[1].shape
        assert (ours[1].dtype, ours[1].device) == (theirs[1].dtype, theirs[1].device)
        assert ours[1].requires_grad == theirs[1].requires_grad
