"""Sequentials are cut as the networks of the estimators are."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from skspectral.nn import (
    SpectralLinear,
    SpectralMLP,
    fold,
    mask_nodes,
    node_relevance,
    reparametrize,
    shrink,
)
from skspectral.nn._chain import ELEMENTWISE
from skspectral.nn._reparametrize import factors_of

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
MASKS = [[True, False, True, True, False, False, True, True], [False, True, True, False, True]]


def chain(activation=nn.ReLU, dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, 8),
        activation(),
        nn.Dropout(0.3),
        nn.Linear(8, 5, bias=False),
        activation(),
        nn.Linear(5, 2, bias=False),
        nn.Softmax(dim=1),
    ).to(dtype)


def rows(dtype=torch.float32):
    return torch.randn(20, 2, 3, generator=torch.Generator().manual_seed(1), dtype=dtype)


def of(activation):
    return activation(0.1, 20.0) if activation is nn.Threshold else activation()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("put", [reparametrize, lambda module: module], ids=["factors", "plain"])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_shrink_equals_mask(activation, put, dtype):
    module = put(chain(lambda: of(activation), dtype)).eval()
    before = copy.deepcopy(module.state_dict())
    small, masked = shrink(module, MASKS), mask_nodes(module, MASKS)
    x = rows(dtype)
    torch.testing.assert_close(small(x), masked(x), rtol=0, atol=TOLERANCE[dtype])
    assert (small[1].weight.shape, small[4].weight.shape) == ((5, 6), (3, 5))
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_activations_that_write_in_place_leave_the_biases():
    module = chain(lambda: nn.ReLU(inplace=True), torch.float64).eval()
    bias = module[1].bias.detach().clone()
    small = shrink(module, MASKS)
    assert torch.equal(module[1].bias, bias)
    torch.testing.assert_close(small(rows().double()), mask_nodes(module, MASKS)(rows().double()))


def test_parts_keep_factors_names_and_modes():
    layers = OrderedDict(a=nn.Linear(3, 8), act=nn.ReLU(), b=nn.Linear(8, 5))
    module = nn.Sequential(OrderedDict(inner=nn.Sequential(layers), out=nn.Linear(5, 1)))
    reparametrize(module)
    module.inner.b.eval()
    small = shrink(module, MASKS)
    assert [name for name, _ in small.named_modules()] == [n for n, _ in module.named_modules()]
    assert small.training
    assert not small.inner.b.training
    keep_a, keep_b = map(torch.tensor, MASKS)
    (phi, lambda_out), (part, eigenvalues) = factors_of(module.inner.b), factors_of(small.inner.b)
    assert torch.equal(part, phi[keep_b][:, keep_a])
    assert torch.equal(eigenvalues, lambda_out[keep_b])
    assert type(fold(small).inner.a) is nn.Linear
    assert small.inner.a.out_features == 5


def test_masked_modules_can_be_cut():
    masked = mask_nodes(reparametrize(chain()), MASKS).eval()
    alive = [relevance > 0 for relevance in node_relevance(masked)]
    assert [mask.tolist() for mask in alive] == MASKS
    torch.testing.assert_close(shrink(masked, alive)(rows()), masked(rows()), rtol=0, atol=1e-5)


def test_spectral_layers_stay_spectral():
    module = nn.Sequential(SpectralLinear(6, 8), nn.Tanh(), nn.Linear(8, 5), nn.Linear(5, 1))
    small = shrink(module, MASKS)
    assert isinstance(small[0], SpectralLinear)
    x = rows().flatten(1)
    torch.testing.assert_close(small(x), mask_nodes(module, MASKS)(x), rtol=0, atol=1e-5)


def test_sequential_is_cut_as_the_network_of_equal_weights(random_module):
    mlp = random_module(0, (6, 8, 5, 2))
    first, second, last = mlp.layers
    module = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
    x = rows().flatten(1)
    torch.testing.assert_close(shrink(module, MASKS)(x), shrink(mlp, MASKS)(x))
    for one, other in zip(node_relevance(module), node_relevance(mlp), strict=True):
        assert torch.equal(one, other)


def test_module_without_hidden_layers_is_copied():
    module = nn.Sequential(nn.Linear(3, 2))
    small = shrink(module, [])
    assert small is not module
    assert torch.equal(small[0].weight, module[0].weight)


class Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


SHARED = nn.Linear(3, 3)
NOT_CHAINS = {
    "layer": (nn.Linear(3, 2), TypeError, r"or a torch\.nn\.Sequential .* got Linear"),
    "own forward": (Doubled(nn.Linear(3, 2)), TypeError, "got Doubled"),
    "text": ("a", TypeError, "got str"),
    "no layers": (nn.Sequential(nn.ReLU()), ValueError, "must have Linear or SpectralLinear"),
    "norm": (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)),
        TypeError,
        "Part '1' of `module`, a BatchNorm1d, stands between two layers",
    ),
    "convolution": (
        nn.Sequential(nn.Conv1d(1, 2, 1), nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 1)),
        TypeError,
        "Part '0' of `module`, a Conv1d, is a convolution",
    ),
    "network": (
        nn.Sequential(nn.Linear(3, 4), SpectralMLP((4, 2, 3)), nn.Linear(3, 1)),
        TypeError,
        "a SpectralMLP, stands between",
    ),
    "sizes": (
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1)),
        ValueError,
        "'0' has 4 nodes and '2' takes 5",
    ),
    "twice": (nn.Sequential(SHARED, nn.ReLU(), SHARED), ValueError, "calls one twice"),
}


@pytest.mark.parametrize(("module", "error", "message"), NOT_CHAINS.values(), ids=NOT_CHAINS)
def test_other_modules_are_refused(module, error, message):
    with pytest.raises(error, match=message):
        shrink(module, [[True] * 4])


@pytest.mark.parametrize("function", [mask_nodes, shrink])
@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([MASKS[0]], "one mask per hidden layer, 2 in all; got 1"),
        ([MASKS[1], MASKS[0]], r"`masks\[0\]` must be boolean of shape \(8,\)"),
        ([MASKS[0], [False] * 5], r"`masks\[1\]` is False everywhere"),
    ],
)
def test_masks_must_fit(function, masks, message):
    with pytest.raises(ValueError, match=message):
        function(reparametrize(chain()), masks)


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 16, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )


def test_relevance_of_channels_is_eigenvalue_times_norm_of_kernel():
    module = reparametrize(convolutional())
    phi, lambda_out = factors_of(module[0])
    expected = lambda_out.abs() * phi.flatten(1).norm(dim=1)
    relevances = node_relevance(module)
    assert [len(relevance) for relevance in relevances] == [4, 5]
    torch.testing.assert_close(relevances[0], expected.detach())
    assert torch.equal(node_relevance(module[0]), relevances[0])


@pytest.mark.parametrize("put", [reparametrize, lambda module: module], ids=["factors", "plain"])
def test_masked_channels_emit_their_bias_and_stay_off(put):
    module = put(convolutional())
    masked = mask_nodes(module, [[True, False, True, True], [True] * 5])
    x = torch.randn(6, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    channel = masked[0](x)[:, 1]
    torch.testing.assert_close(channel, masked[0].bias[1].expand(channel.shape))
    torch.testing.assert_close(masked[0](x)[:, 0], module[0](x)[:, 0])
    optimizer = torch.optim.Adam(masked.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        masked(x).square().sum().backward()
        optimizer.step()
    assert not masked[0].weight[1].any()
    assert masked[0].weight[0].any()


@pytest.mark.parametrize("module", [nn.ReLU(), nn.LSTM(3, 2), nn.Sequential(), "a", None])
def test_modules_without_layers_are_not_masked(module):
    with pytest.raises(TypeError, match="`module` must be"):
        mask_nodes(module, [])
