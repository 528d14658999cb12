"""Eigenvectors of which a triangle or singular values are trained."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from skspectral.nn import SpectralLinear, mask_nodes, node_relevance, penalty, shrink

SIZES = [(6, 4), (4, 6), (5, 5), (1, 4), (4, 1)]
KINDS = ["qr", "svd"]
BOTH = {"train_lambda_in": True, "dtype": torch.float64}


def make_layer(decomposition, sizes=(6, 4), seed=0, spread=True, **options):
    layer = SpectralLinear(*sizes, decomposition=decomposition, **{**BOTH, **options})
    generator = torch.Generator().manual_seed(seed)
    layer.reset_parameters(generator)
    if spread:
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(torch.rand(parameter.shape, generator=generator).to(parameter))
    return layer


def trained_part(layer):
    return layer.parametrizations.phi.original


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", SIZES)
def test_weight_follows_the_formula_of_the_triangle(sizes, dtype):
    layer = make_layer("qr", sizes, dtype=dtype)
    n_out, rank = sizes[1], min(sizes)
    Q, entries = layer.parametrizations.phi[0].Q, iter(trained_part(layer))
    triangle = torch.zeros(n_out, rank, dtype=dtype)
    for i in range(n_out):
        for j in range(rank):
            if j >= i - (n_out - rank):  # the last rows have the fewest entries
                triangle[i, j] = next(entries)
    assert next(entries, None) is None
    difference = layer.lambda_in - layer.lambda_out[:, None]
    torch.testing.assert_close(layer.weight, difference * (triangle @ Q))
    torch.testing.assert_close(Q @ Q.T, torch.eye(rank, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", SIZES)
def test_weight_follows_the_formula_of_singular_values(sizes, dtype):
    layer = make_layer("svd", sizes, dtype=dtype)
    factor, eye = layer.parametrizations.phi[0], torch.eye(min(sizes), dtype=dtype)
    product = factor.U @ trained_part(layer).diag() @ factor.V
    difference = layer.lambda_in - layer.lambda_out[:, None]
    torch.testing.assert_close(layer.weight, difference * product)
    torch.testing.assert_close(factor.U.T @ factor.U, eye)
    torch.testing.assert_close(factor.V @ factor.V.T, eye)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", SIZES)
def test_layer_starts_as_one_without_decomposition(kind, sizes):
    layer, plain = (make_layer(name, sizes, spread=False) for name in (kind, None))
    torch.testing.assert_close(layer.weight, plain.phi)
    assert torch.equal(layer.bias, plain.bias)


@pytest.mark.parametrize("rank", [1, 2, 3, 4, None])
@pytest.mark.parametrize("sizes", [(6, 4), (4, 6), (4, 4)])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_trained_parameters(kind, sizes, rank):
    (n_in, n_out), layer = sizes, make_layer(kind, sizes, rank=rank)
    r = rank or 4
    of_phi = r if kind == "svd" else r * (2 * n_out - r + 1) // 2
    assert trained_part(layer).numel() == of_phi
    n_trained = sum(p.numel() for p in layer.parameters() if p.requires_grad)
    assert n_trained == of_phi + n_in + 2 * n_out
    assert torch.linalg.matrix_rank(layer.phi) == r


@pytest.mark.parametrize("rank", [1, 2, 4])
@pytest.mark.parametrize("sizes", [(6, 4), (4, 6)])
@pytest.mark.parametrize("kind", KINDS)
def test_norm_at_the_start_is_that_of_the_dense_draw(kind, sizes, rank):
    layer = make_layer(kind, sizes, rank=rank, spread=False)
    plain = make_layer(None, sizes, spread=False)
    torch.testing.assert_close(layer.weight.norm(), plain.phi.norm())
    if kind == "qr":
        torch.testing.assert_close(layer.weight.norm(dim=1), plain.phi.norm(dim=1))


def test_singular_values_start_as_the_largest_of_the_draw():
    layer, less, plain = (
        make_layer(*a, rank=rank, spread=False)
        for *a, rank in (("svd", None), ("svd", 2), (None, None))
    )
    values = torch.linalg.svdvals(plain.phi)
    torch.testing.assert_close(trained_part(layer), values)
    torch.testing.assert_close(trained_part(less), values[:2] * values.norm() / values[:2].norm())


@pytest.mark.parametrize("kind", KINDS)
def test_start_may_be_zero(kind):
    layer = make_layer(kind, rank=2)
    layer.reset_parameters(gain=0)
    assert not layer.weight.any()


@pytest.mark.parametrize("rank", [2, None])
@pytest.mark.parametrize("kind", KINDS)
def test_assigned_eigenvectors_are_replaced_by_the_nearest(kind, rank):
    layer, other = make_layer(kind, rank=rank), make_layer(kind, rank=rank)
    wanted = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    layer.phi = wanted
    near = layer.phi.detach().clone()
    layer.phi = near
    torch.testing.assert_close(layer.phi, near)
    # as in least squares, nothing of what is missing lies in the reach of what is trained
    torch.testing.assert_close(((wanted - near) * other.phi).sum().item(), 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [2, None])
@pytest.mark.parametrize("sizes", [(6, 4), (4, 6)])
def test_gradients_pass_gradcheck(kind, sizes, rank):
    layer = make_layer(kind, sizes, rank=rank)
    names, values = zip(*layer.named_parameters(), strict=True)
    x = torch.randn(3, sizes[0], dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def function(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    values = [value.detach().clone().requires_grad_() for value in values]
    assert torch.autograd.gradcheck(function, (x.requires_grad_(), *values))


@pytest.mark.parametrize("kind", KINDS)
def test_training_moves_what_is_trained_alone(kind):
    layer = make_layer(kind)
    fixed = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(torch.ones(3, 6, dtype=torch.float64)).square().sum().backward()
    optimizer.step()
    assert fixed
    assert all(torch.equal(fixed[name], b) for name, b in layer.named_buffers())
    assert not any(torch.equal(before[name], p) for name, p in layer.named_parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_eigenvectors_have_no_trained_part(kind):
    layer = make_layer(kind, train_phi=False)
    flags = {"train_lambda_in": True, "train_lambda_out": True}
    names = {name for name, p in layer.named_parameters() if p.requires_grad}
    assert names == {"lambda_in", "lambda_out", "bias"}
    layer.set_trained(train_phi=True, **flags)
    assert trained_part(layer).requires_grad
    layer.set_trained(train_phi=False, **flags)
    assert not trained_part(layer).requires_grad


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_folded_layer_computes_the_same(kind, bias, dtype):
    layer = make_layer(kind, bias=bias, dtype=dtype)
    x = torch.randn(7, 6, dtype=dtype)
    linear = layer.to_linear()
    assert type(linear) is nn.Linear
    torch.testing.assert_close(linear(x), layer(x))


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_state_dicts_compute_the_same(kind):
    layer, x = make_layer(kind), torch.randn(7, 6, dtype=torch.float64)
    other = make_layer(kind, seed=5)
    assert not torch.equal(other(x), layer(x))
    other.load_state_dict(layer.state_dict())  # with the fixed parts
    assert torch.equal(other(x), layer(x))
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))


@pytest.mark.parametrize("kind", KINDS)
def test_start_can_be_skipped(kind):
    skipped = nn.utils.skip_init(SpectralLinear, 6, 4, decomposition=kind, **BOTH)
    skipped.reset_parameters(torch.Generator().manual_seed(0))
    assert torch.equal(skipped.weight, make_layer(kind, spread=False).weight)


@pytest.mark.parametrize("kind", KINDS)
def test_penalty_is_that_of_the_trained_part(kind):
    layer = make_layer(kind)
    trained = [trained_part(layer), layer.lambda_in, layer.lambda_out]
    expected = 0.3 * sum(tensor.square().sum() for tensor in trained)
    torch.testing.assert_close(penalty(layer, 0.3), expected)
    layer.set_trained(train_phi=False, train_lambda_in=True, train_lambda_out=False)
    torch.testing.assert_close(penalty(layer, 0.3), 0.3 * layer.lambda_in.square().sum())


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_can_be_masked_and_cut(kind):
    module = nn.Sequential(make_layer(kind), nn.ReLU(), make_layer(kind, (4, 2), seed=1))
    masks, x = [torch.tensor([True, False, True, True])], torch.randn(7, 6, dtype=torch.float64)
    masked, small = mask_nodes(module, masks), shrink(module, masks)
    torch.testing.assert_close(small(x), masked(x))
    assert (node_relevance(masked)[0] > 0).tolist() == masks[0].tolist()
    assert small[0].phi.shape == (3, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_repr_names_the_decomposition(kind):
    layer = SpectralLinear(3, 4, decomposition=kind, rank=2)
    assert f"decomposition='{kind}', rank=2" in repr(layer)
    assert "decomposition" not in repr(SpectralLinear(3, 4))


@pytest.mark.parametrize("kind", ["QR", "lu", 3, True, ["qr"]])
def test_unknown_decompositions_are_refused(kind):
    with pytest.raises(ValueError, match="`decomposition` must be 'qr', 'svd' or None; got"):
        SpectralLinear(3, 4, decomposition=kind)


@pytest.mark.parametrize("rank", [4, 0, -1, 2.0, "2", True])
@pytest.mark.parametrize("kind", KINDS)
def test_ranks_are_those_there_are(kind, rank):
    with pytest.raises(ValueError, match=f"`rank` must be an integer from 1 to 3, .*got {rank!r}"):
        SpectralLinear(3, 4, decomposition=kind, rank=rank)


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_of_numpy_are_integers(kind):
    layer = make_layer(kind, rank=np.int64(2))
    assert torch.equal(layer.weight, make_layer(kind, rank=2).weight)
    assert "rank=2" in repr(layer)


def test_rank_needs_a_decomposition():
    with pytest.raises(ValueError, match="`rank` is that of a decomposition; got 2 without one"):
        SpectralLinear(3, 4, rank=2)
