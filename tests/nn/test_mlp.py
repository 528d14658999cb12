"""SpectralMLP: which layers are spectral, what is trained, how it starts."""

import pytest
import torch
from torch import nn

from skspectral.nn import SpectralLinear, SpectralMLP


def kinds(module):
    return [
        "spectral" if isinstance(layer, SpectralLinear) else "dense" for layer in module.layers
    ]


def trained(layer):
    return {name for name, p in layer.named_parameters() if p.requires_grad} - {"bias"}


@pytest.mark.parametrize(
    ("eigenvalues", "hidden", "output"),
    [
        ("out", {"phi", "lambda_out"}, {"weight"}),
        ("in", {"phi", "lambda_in"}, {"phi", "lambda_in"}),
        ("out-in", {"phi", "lambda_out"}, {"phi", "lambda_in"}),
        ("both", {"phi", "lambda_in", "lambda_out"}, {"phi", "lambda_in"}),
    ],
)
def test_mlp_eigenvalues_choose_what_is_trained(eigenvalues, hidden, output):
    module = SpectralMLP((3, 4, 5, 2), eigenvalues=eigenvalues)
    assert [trained(layer) for layer in module.layers] == [hidden, hidden, output]


def test_mlp_with_eigenvalues_of_inputs_is_dense_above_the_first_layer():
    module = SpectralMLP((3, 4, 5, 2), eigenvalues="inputs")
    assert [trained(layer) for layer in module.layers] == [
        {"phi", "lambda_in"},
        {"weight"},
        {"weight"},
    ]
    module.set_trainable("eigenvalues")
    assert trained(module.layers[0]) == {"lambda_in"}


def test_mlp_with_eigenvalues_of_inputs_asks_for_a_spectral_first_layer():
    with pytest.raises(ValueError, match=r"alone has eigenvalues.*'dense'"):
        SpectralMLP((3, 4, 5, 2), parametrization=["dense", "spectral"], eigenvalues="inputs")
    assert kinds(SpectralMLP((3, 4, 2), parametrization="dense", eigenvalues="inputs")) == [
        "dense",
        "dense",
    ]


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [("all", {"phi", "lambda_out"}), ("eigenvalues", {"lambda_out"}), ("eigenvectors", {"phi"})],
)
def test_mlp_trainable_freezes_the_rest(trainable, expected):
    module = SpectralMLP((3, 4, 2), trainable=trainable)
    assert trained(module.layers[0]) == expected
    assert trained(module.layers[1]) == {"weight"}


def test_mlp_parametrization_per_layer():
    module = SpectralMLP((3, 4, 5, 2), parametrization=["dense", "spectral"], eigenvalues="out-in")
    assert kinds(module) == ["dense", "spectral", "spectral"]
    module = SpectralMLP((3, 4, 5, 2), parametrization=["spectral", "dense"], eigenvalues="out-in")
    assert kinds(module) == ["spectral", "dense", "dense"]


@pytest.mark.parametrize("eigenvalues", ["out", "in", "out-in", "both", "inputs"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu", "gelu", "silu"])
def test_mlp_starts_as_the_dense_network_of_equal_seed(activation, eigenvalues):
    def build(parametrization):
        return SpectralMLP(
            (3, 40, 50, 2),
            activation,
            parametrization,
            eigenvalues=eigenvalues,
            generator=torch.Generator().manual_seed(0),
            dtype=torch.float64,
        )

    x = torch.randn(6, 3, dtype=torch.float64)
    torch.testing.assert_close(build("spectral")(x), build("dense")(x))


def test_mlp_without_hidden_layers_is_linear():
    module = SpectralMLP((3, 2))
    assert kinds(module) == ["dense"]
    assert module.hidden_layers == []


def test_mlp_without_bias():
    module = SpectralMLP((3, 4, 2), bias=False)
    assert all(layer.bias is None for layer in module.layers)
    assert torch.equal(module(torch.zeros(1, 3)), torch.zeros(1, 2))


def test_mlp_leaves_the_global_generator_when_given_one():
    before = torch.random.get_rng_state()
    SpectralMLP((3, 4, 2), generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mlp_state_dict_round_trip(dtype):
    module, copy = (SpectralMLP((3, 4, 2), dtype=dtype) for _ in range(2))
    copy.load_state_dict(module.state_dict())
    x = torch.randn(5, 3, dtype=dtype)
    assert torch.equal(copy(x), module(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer_sizes": (3,)}, "`layer_sizes` must hold"),
        ({"layer_sizes": (3, 0, 1)}, "`layer_sizes` must hold"),
        ({"layer_sizes": ("3", "1")}, "`layer_sizes` must hold"),
        ({"layer_sizes": (3, 2.5, 1)}, "`layer_sizes` must hold"),
        ({"layer_sizes": (3, True, 1)}, "`layer_sizes` must hold"),
        ({"layer_sizes": 3}, "`layer_sizes` must hold .* got 3"),
        ({"parametrization": 3}, "`parametrization` must be a string .* got 3"),
        ({"activation": "swish"}, "`activation` must be one of"),
        ({"eigenvalues": "none"}, "`eigenvalues` must be one of"),
        ({"trainable": "phi"}, "`trainable` must be one of"),
        ({"parametrization": "sparse"}, "`parametrization` must be one of"),
        ({"parametrization": ["dense", "dense"]}, "one parametrization per hidden layer"),
    ],
)
def test_mlp_refuses_unknown_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        SpectralMLP(**{"layer_sizes": (3, 4, 1), **arguments})


def test_mlp_is_a_module_with_the_layers_registered():
    module = SpectralMLP((3, 4, 1))
    assert isinstance(module.layers, nn.ModuleList)
    assert len(list(module.parameters())) == 4 + 2


@pytest.mark.parametrize("layers", [3, None, "ab", [[1], [2, 3]]])
def test_mlp_takes_modules_in_place_of_its_layers(layers):
    with pytest.raises(TypeError, match=r"`layers` must be a sequence of torch.nn.Module; got"):
        SpectralMLP((3, 4, 1)).with_layers(layers)


def test_layers_may_come_from_a_generator():
    module = SpectralMLP((3, 4, 1))
    assert module.with_layers(layer for layer in module.layers).layer_sizes == (3, 4, 1)
