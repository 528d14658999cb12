"""The size is reported only once training has converged."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._training.penalty import Penalty
from skspectral._training.settling import Settling, feed_ratios, half_way
from skspectral.nn import SpectralLinear, SpectralMLP


@pytest.mark.parametrize(
    ("n_alive", "n_fed", "n_half_way", "settled"),
    [
        (24, 24, 24, True),
        (24, 24, 25, True),
        (24, 23, 24, True),
        (24, 22, 24, False),
        (24, 24, 27, False),
        (230, 26, 250, False),
        (100, 100, 105, True),
        (100, 100, 106, False),
        (0, 0, 0, False),
    ],
)
def test_settled_needs_fed_nodes_and_a_steady_count(n_alive, n_fed, n_half_way, settled):
    assert Settling(n_alive, n_fed, n_half_way).settled is settled


def test_half_way_finds_the_epoch_by_which_half_of_the_rate_was_spent():
    assert half_way([1.0, 3.0, 5.0, 6.0]) == 1
    assert half_way([4.0]) == 0


@pytest.mark.parametrize("mode", [{}, {"train_lambda_in": True}, {"train_lambda_out": False}])
def test_feed_ratio_follows_the_formula(mode):
    layer = SpectralLinear(5, 4, dtype=torch.float64, **mode)
    with torch.no_grad():
        layer.lambda_out.copy_(torch.tensor([-1.0, 0.5, 2.0, -0.3]))
    penalty = Penalty(weight=0.1, phi=0.02, lambda_=0.03)
    x = torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = torch.ones(9, 4, dtype=torch.float64)
    (layer(x) - target).square().mean().backward()

    dense = layer.to_linear()
    (dense(x) - target).square().mean().backward()
    pull = -(dense.weight * dense.weight.grad).sum(dim=1) - dense.bias * dense.bias.grad
    if mode:  # the row of phi in place of the eigenvalue
        expected = pull / (2 * 0.02 * layer.phi.square().sum(dim=1))
    else:
        expected = pull / (2 * 0.03 * layer.lambda_out.square())
    torch.testing.assert_close(feed_ratios(layer, penalty), expected.detach())


def test_pull_on_a_relu_node_equals_that_on_its_outgoing_weights():
    module = SpectralMLP((5, 7, 2), dtype=torch.float64)
    x = torch.randn(30, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    module(x).square().mean().backward()
    hidden, output = module.layers
    pull = feed_ratios(hidden, Penalty(0, 0, 0.5)) * hidden.lambda_out.detach() ** 2
    outgoing = -(output.weight * output.weight.grad).sum(dim=0).detach()
    torch.testing.assert_close(pull, outgoing)


def test_feed_ratio_is_one_at_a_stationary_point():
    torch.manual_seed(0)
    x = torch.randn(50, 3, dtype=torch.float64)
    y = x[:, :1].abs()
    module = SpectralMLP((3, 6, 1), dtype=torch.float64)
    penalty = Penalty(weight=1e-3, phi=1e-3, lambda_=1e-3)
    optimizer = torch.optim.LBFGS(
        module.parameters(),
        max_iter=5000,
        tolerance_grad=1e-10,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def penalised(with_penalty=True):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(x), y)
        if with_penalty:
            loss = loss + sum(c * p.square().sum() for p, c in penalty.terms(module))
        loss.backward()
        return loss

    optimizer.step(penalised)
    penalised(with_penalty=False)
    alive = module.layers[0].lambda_out.detach().abs() > 1e-3
    ratios = feed_ratios(module.layers[0], penalty)[alive]
    assert alive.any()
    torch.testing.assert_close(ratios, torch.ones_like(ratios), atol=1e-3, rtol=0)


def test_feed_ratio_of_dense_layer_is_none():
    assert feed_ratios(torch.nn.Linear(3, 2), Penalty(1, 1, 1)) is None


def fit(cls, X, y, **parameters):
    return cls(hidden_layer_sizes=(24,), random_state=0, **parameters).fit(X, y)


@pytest.mark.parametrize("parameters", [{"alpha": 0}, {"parametrization": "dense", "alpha": 1e-2}])
def test_size_is_not_judged_without_penalty_or_eigenvectors(regression, parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reg = fit(SpectralMLPRegressor, *regression, max_iter=20, **parameters)
    assert reg.size_settled_ is None


def test_size_warning_counts_nodes_and_names_the_remedy(regression):
    message = r"alive node.* still feed .*Raise `max_iter` \(now 15 epochs\)"
    with pytest.warns(ConvergenceWarning, match=message):
        reg = fit(SpectralMLPRegressor, *regression, alpha=1e-2, max_iter=15)
    assert reg.size_settled_ is False


def test_size_settles_with_enough_epochs(regression):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reg = fit(SpectralMLPRegressor, *regression, alpha=1e-2, max_iter=3000)
    assert reg.size_settled_ is True
    assert 2 <= reg.n_alive_nodes_[0] <= 8
    relevance = np.sort(reg.feature_relevance_[0])[::-1]
    alive = reg.n_alive_nodes_[0]
    assert relevance[alive - 1] > 50 * relevance[alive]


@pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
def test_every_node_dead_warns_and_predicts_a_constant(binary, cls):
    X, y = binary
    with pytest.warns(ConvergenceWarning, match="Every node died: lower alpha"):
        model = fit(cls, X, y, alpha=10.0, max_iter=1500)
    assert model.n_alive_nodes_ == [0]
    assert model.size_settled_ is False
    assert np.ptp(model.predict(X)) < 1e-6
    assert (model.feature_importances_ == 0).all()


def test_california_size_settles_between_40_and_600_epochs(california):
    X, _, y, _ = california
    X, y = X[:3650], y[:3650]
    reg = SpectralMLPRegressor(256, alpha=1e-3, batch_size=256, random_state=1)
    with pytest.warns(ConvergenceWarning, match="has not settled"):
        reg.set_params(max_iter=40).fit(X, y)
    early = reg.n_alive_nodes_[0]
    assert not reg.size_settled_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reg.set_params(max_iter=600).fit(X, y)
    assert reg.size_settled_
    assert 15 <= reg.n_alive_nodes_[0] <= 30 < early
