"""Relevance is the row norm of the effective weight."""

import pytest
import torch
from torch import nn

from skspectral.nn import SpectralLinear, SpectralMLP, node_relevance
from skspectral.nn._relevance import alive_masks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_relevance_is_eigenvalue_times_norm_of_eigenvector(dtype):
    layer = SpectralLinear(5, 4, dtype=dtype)
    with torch.no_grad():
        layer.lambda_out.copy_(torch.tensor([-1.0, 0.5, 0.0, 2.0]))
    expected = layer.lambda_out.abs() * layer.phi.norm(dim=1)
    torch.testing.assert_close(node_relevance(layer), expected.detach())


def test_relevance_is_the_row_norm_with_inbound_eigenvalues():
    layer = SpectralLinear(5, 4, train_lambda_in=True)
    with torch.no_grad():
        layer.lambda_in.uniform_(-1, 1)
    torch.testing.assert_close(node_relevance(layer), layer.weight.norm(dim=1).detach())


def test_relevance_of_dense_layer_is_the_row_norm():
    layer = nn.Linear(5, 4)
    torch.testing.assert_close(node_relevance(layer), layer.weight.norm(dim=1).detach())


def test_relevance_of_a_stack_lists_hidden_layers():
    module = SpectralMLP((3, 4, 6, 2), parametrization=["spectral", "dense"])
    relevances = node_relevance(module)
    assert [len(r) for r in relevances] == [4, 6]
    assert not any(r.requires_grad for r in relevances)


def test_relevance_is_invariant_to_the_split_between_factors():
    layer = SpectralLinear(5, 4)
    before = node_relevance(layer)
    with torch.no_grad():
        layer.phi.mul_(4.0)
        layer.lambda_out.div_(4.0)
    torch.testing.assert_close(node_relevance(layer), before)


def test_relevance_refuses_modules_without_weights():
    with pytest.raises(TypeError, match="nodes of a ConvTranspose2d have no rows of their own"):
        node_relevance(torch.nn.ConvTranspose2d(4, 3, 3))
    with pytest.raises(TypeError, match="SpectralMLP, or a layer with a weight matrix"):
        node_relevance(nn.ReLU())


def test_alive_needs_a_share_of_the_maximum():
    masks = alive_masks([torch.tensor([1.0, 0.06, 0.05, 0.0])], 0.05, [1.0])
    assert masks[0].tolist() == [True, True, False, False]


def test_alive_is_none_where_a_layer_has_died():
    dead = torch.tensor([1e-9, 2e-9])
    masks = alive_masks([torch.ones(3), dead], 0.05, [1.0, 1.0])
    assert not any(mask.any() for mask in masks)
