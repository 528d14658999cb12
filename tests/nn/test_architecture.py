"""An architecture is a value that builds a network."""

import dataclasses
import pickle

import pytest
import torch

from skspectral.nn import SpectralLinear
from skspectral.nn._architecture import Architecture

ARCHITECTURE = Architecture(
    (4, 6, 5, 2),
    activation="tanh",
    parametrization=("dense", "spectral"),
    eigenvalues="out-in",
    trainable="eigenvalues",
    bias=False,
    dtype=torch.float64,
)


def test_build_follows_every_field():
    module = ARCHITECTURE.build()
    assert module.layer_sizes == (4, 6, 5, 2)
    assert isinstance(module.activation, torch.nn.Tanh)
    assert [isinstance(layer, SpectralLinear) for layer in module.layers] == [False, True, True]
    assert module.layers[2].train_lambda_in
    assert not module.layers[1].train_phi
    assert all(layer.bias is None for layer in module.layers)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float64}


def test_equal_seeds_build_equal_weights():
    one, two = (ARCHITECTURE.build(torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_value_semantics():
    assert ARCHITECTURE.hidden_layer_sizes == (6, 5)
    assert pickle.loads(pickle.dumps(ARCHITECTURE)) == ARCHITECTURE
    assert dataclasses.replace(ARCHITECTURE, trainable="all") != ARCHITECTURE
    with pytest.raises(dataclasses.FrozenInstanceError):
        ARCHITECTURE.bias = True
