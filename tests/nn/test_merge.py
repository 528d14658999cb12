"""A merged network computes the mean of its parts, and its weights are theirs."""

import copy

import pytest
import torch

from skspectral.nn import SpectralLinear, SpectralMLP, merge, shrink
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES

SIZES = {
    1: [(3, 4, 2), (3, 2, 2), (3, 5, 2)],
    2: [(3, 4, 2, 2), (3, 2, 6, 2), (3, 5, 1, 2)],
    3: [(3, 4, 2, 3, 2), (3, 2, 6, 1, 2), (3, 5, 1, 4, 2)],
}


@pytest.fixture
def members(random_module):
    def make(depth, **options):
        options = {"dtype": torch.float64, **options}
        return [random_module(seed, sizes, **options) for seed, sizes in enumerate(SIZES[depth])]

    return make


def effective_weight(weights, index):
    """Return what the weights of a layer must be, written out block by block."""
    n_layers = len(weights[0])
    parts = [member[index] for member in weights]
    if index == n_layers - 1:
        return torch.cat(parts, dim=1) / len(parts)
    return torch.cat(parts) if index == 0 else torch.block_diag(*parts)


@pytest.mark.parametrize("eigenvalues", EIGENVALUES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("kind", ["spectral", "dense", "mixed"])
def test_merged_weights_are_those_of_the_members(members, kind, depth, bias, eigenvalues):
    if kind == "mixed":
        first = ["spectral", "dense"] if eigenvalues == "inputs" else ["dense", "spectral"]
        kind = (first * 2)[:depth]
    modules = members(depth, parametrization=kind, bias=bias, eigenvalues=eigenvalues)
    whole = merge(modules)
    sizes = [sum(column) for column in zip(*SIZES[depth], strict=True)]
    assert whole.layer_sizes == (3, *sizes[1:-1], 2)
    weights = [[layer.weight.detach() for layer in module.layers] for module in modules]
    for index, layer in enumerate(whole.layers):
        torch.testing.assert_close(
            layer.weight.detach(), effective_weight(weights, index), rtol=1e-12, atol=1e-12
        )
        assert (layer.bias is not None) == bias
    x = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    mean = torch.stack([module(x) for module in modules]).mean(dim=0)
    torch.testing.assert_close(whole(x), mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_merged_output_is_the_mean_for_every_activation(members, activation):
    modules = members(2, activation=activation, dtype=torch.float32)
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(9))
    mean = torch.stack([module(x) for module in modules]).mean(dim=0)
    torch.testing.assert_close(merge(modules)(x), mean, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_eigenvectors_and_eigenvalues_are_kept_where_nodes_are_not_shared(depth):
    modules = [SpectralMLP(sizes) for sizes in SIZES[depth]]
    with torch.no_grad():
        for module in modules:
            for layer in module.hidden_layers:
                layer.lambda_out.uniform_(-2, -1)  # as training moves them
    whole = merge(modules)
    for index, layer in enumerate(whole.hidden_layers):
        expected = torch.cat([module.layers[index].lambda_out for module in modules])
        assert torch.equal(layer.lambda_out, expected)
        assert (layer.lambda_in == 0).all()


@pytest.mark.parametrize("eigenvalues", ["in", "both"])
def test_shared_inputs_get_new_eigenvalues(members, eigenvalues):
    modules = members(1, eigenvalues=eigenvalues)
    with torch.no_grad():
        for module in modules:
            module.layers[1].lambda_out.zero_()  # of the output it is never trained
    first, output = merge(modules).layers
    torch.testing.assert_close(first.weight, first.phi)
    # each hidden node belongs to one network, so the output keeps its eigenvalues
    expected = torch.cat([module.layers[1].lambda_in for module in modules])
    assert torch.equal(output.lambda_in, expected)


def test_merging_keeps_what_is_trained(members):
    modules = members(2, trainable="eigenvalues")
    flags = [[p.requires_grad for p in m.parameters()] for m in (modules[0], merge(modules))]
    assert flags[0] == flags[1]


def test_merging_one_network_copies_it(members):
    module = members(2, eigenvalues="both")[0]
    whole = merge([module])
    for name, value in module.state_dict().items():
        assert torch.equal(whole.state_dict()[name], value)
    with torch.no_grad():
        next(whole.parameters()).zero_()
    assert (next(module.parameters()) != 0).all()


def test_merging_leaves_the_modules(members):
    modules = members(2)
    before = [copy.deepcopy(module.state_dict()) for module in modules]
    with torch.no_grad():
        for parameter in merge(modules).parameters():
            parameter.zero_()
    for module, state in zip(modules, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())


def test_merging_does_not_draw_random_numbers(members):
    modules = members(2)
    torch.manual_seed(0)
    merge(modules)
    after = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(after, torch.rand(3))


def test_networks_without_hidden_layers_are_averaged(random_module):
    modules = [random_module(seed, (3, 2), dtype=torch.float64) for seed in range(3)]
    whole = merge(modules)
    expected = torch.stack([module.layers[0].weight for module in modules]).mean(dim=0)
    torch.testing.assert_close(whole.layers[0].weight, expected)
    assert isinstance(whole.layers[0], torch.nn.Linear)


def test_merging_takes_the_widest_dtype(members):
    modules = [members(1)[0], members(1, dtype=torch.float32)[1]]
    for order in (modules, modules[::-1]):
        whole = merge(order)
        assert {p.dtype for p in whole.parameters()} == {torch.float64}
    x = torch.randn(5, 3, dtype=torch.float64)
    mean = (modules[0](x) + modules[1].double()(x)) / 2
    torch.testing.assert_close(whole(x), mean, rtol=1e-12, atol=1e-12)


def test_a_bias_that_only_one_network_has_counts(random_module):
    modules = [
        random_module(seed, (3, 4, 2), activation="logistic", bias=False, dtype=torch.float64)
        for seed in range(2)
    ]
    modules[1] = shrink(modules[1], [[True, False, True, True]])  # folds a constant into a bias
    assert modules[1].layers[1].bias is not None
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(merge(modules)(x), (modules[0](x) + modules[1](x)) / 2)


def test_merged_network_can_be_trained_and_merged_again(members):
    modules = members(2)
    whole = merge([merge(modules[:1]), merge(modules[1:2])])
    assert torch.equal(whole.layers[1].weight, merge(modules[:2]).layers[1].weight)
    whole(torch.ones(4, 3, dtype=torch.float64)).sum().backward()
    assert isinstance(whole.layers[0], SpectralLinear)
    assert whole.layers[0].phi.grad is not None


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (SpectralMLP((4, 5, 2)), "number of inputs"),
        (SpectralMLP((3, 5, 1)), "number of outputs"),
        (SpectralMLP((3, 5, 5, 2)), "number of hidden layers"),
        (SpectralMLP((3, 5, 2), "tanh"), "activation"),
        (SpectralMLP((3, 5, 2), eigenvalues="in"), "eigenvalues"),
        (SpectralMLP((3, 5, 2), parametrization="dense"), "kinds of layers"),
    ],
)
def test_networks_that_differ_are_refused(other, what):
    with pytest.raises(ValueError, match=rf"same {what}; modules\[0\] has .* modules\[1\] has"):
        merge([SpectralMLP((3, 4, 2)), other])


@pytest.mark.parametrize("modules", [[], (), SpectralMLP((3, 4, 2)), None])
def test_merging_needs_a_list_of_networks(modules):
    with pytest.raises(ValueError, match="at least one SpectralMLP"):
        merge(modules)


def test_merging_refuses_other_modules():
    with pytest.raises(TypeError, match=r"`modules\[1\]` must be a SpectralMLP; got Linear"):
        merge([SpectralMLP((3, 1)), torch.nn.Linear(3, 1)])
