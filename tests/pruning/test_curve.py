"""The curve is the score of genuine smaller networks, nested, from one fit."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, pruning_curve
from skspectral._estimators.resizing import keep_nodes
from skspectral._pruning.curve import size_grid

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def reg(regression):
    return SpectralMLPRegressor(
        (16, 10), max_iter=100, alpha=1e-3, shrink=False, random_state=0
    ).fit(*regression)


def test_scores_are_those_of_pruned_estimators(reg, regression):
    curve = pruning_curve(reg, *regression, n_nodes=[26, 3, 9])
    assert curve.n_nodes.tolist() == [3, 9, 26]
    for size, score, layers, n_parameters in zip(
        curve.n_nodes, curve.score, curve.n_nodes_per_layer, curve.n_parameters, strict=True
    ):
        small = reg.prune(n_nodes=int(size))
        assert score == pytest.approx(small.score(*regression), abs=1e-12)
        assert tuple(layers) == small.hidden_layer_sizes
        assert n_parameters == sum(p.numel() for p in small.module_.parameters()) - sum(
            layer.lambda_in.numel() + layer.lambda_out.numel()
            for layer in small.module_.hidden_layers
        )
    assert curve.score[-1] == pytest.approx(reg.score(*regression), abs=1e-12)


def test_default_grid_is_fine_where_networks_are_small(reg, regression):
    assert pruning_curve(reg, *regression).n_nodes.tolist() == list(range(2, 27))
    grid = size_grid(1, 1000)
    assert grid[:64].tolist() == list(range(1, 65))
    assert grid[-1] == 1000
    assert len(grid) < 130
    assert (grid[65:] / grid[64:-1]).max() < 1.07
    assert size_grid(1, 100, 2.0, 1).tolist() == [1, 2, 4, 7, 14, 27, 52, 100]
    assert size_grid(3, 3).tolist() == [3]


def test_curve_rises_to_a_plateau_and_random_ranking_is_worse():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = np.abs(X[:, 0]) + np.abs(X[:, 1])
    reg = SpectralMLPRegressor(40, alpha=3e-3, shrink=False, random_state=0).fit(X, y)
    alive = reg.n_alive_nodes_[0]
    assert alive < 15
    sizes = [1, alive, 40]
    by_relevance = pruning_curve(reg, X, y, n_nodes=sizes).score
    assert by_relevance[1] == pytest.approx(by_relevance[2], abs=0.01)
    assert by_relevance[0] < by_relevance[1] - 0.1
    by_chance = pruning_curve(reg, X, y, n_nodes=sizes, relevance="random", random_state=0).score
    assert by_chance[1] < by_relevance[1] - 0.1


@pytest.mark.parametrize("relevance", ["spectral", "lambda", "path", "random"])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_every_ranking_ends_with_the_whole_network(reg, regression, relevance, scope):
    curve = pruning_curve(
        reg, *regression, n_nodes=[2, 13, 26], relevance=relevance, scope=scope, random_state=0
    )
    assert curve.score[-1] == pytest.approx(reg.score(*regression), abs=1e-12)
    assert curve.n_nodes_per_layer[0].tolist() == [1, 1]
    if scope == "layer":
        assert curve.n_nodes_per_layer[1].tolist() == [8, 5]


def test_path_relevance_ranks_by_the_product_of_norms(reg, regression):
    norms = [
        np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=1)
        for a, b in zip(reg.coefs_, reg.coefs_[1:], strict=False)
    ]
    masks = [n >= np.sort(n)[-k] for n, k in zip(norms, (6, 4), strict=True)]
    curve = pruning_curve(reg, *regression, n_nodes=range(2, 27), relevance="path", scope="layer")
    at = curve.n_nodes_per_layer.tolist().index([6, 4])
    assert curve.score[at] == pytest.approx(keep_nodes(reg, masks).score(*regression), abs=1e-9)


def test_parameters_are_those_that_there_are(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, fit_intercept=False, max_iter=5).fit(X, y)
    assert pruning_curve(reg, X, y, n_nodes=8).n_parameters.tolist() == [8 * 4 + 8]


def test_pipelines_and_data_frames(regression):
    X, y = regression
    table = pd.DataFrame(X, columns=list("abcd"))
    reg = SpectralMLPRegressor(8, max_iter=20, random_state=0)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), reg).fit(table, y)
    curve = pruning_curve(model, table, y)
    assert curve.score[-1] == pytest.approx(model.score(table, y), abs=1e-12)


def test_scoring_and_weights(binary):
    X, y = binary
    clf = SpectralMLPClassifier(8, max_iter=20, random_state=0).fit(X, y)
    weight = np.arange(150.0)
    curve = pruning_curve(clf, X, y, n_nodes=[8], sample_weight=weight)
    assert curve.score[0] == pytest.approx(clf.score(X, y, weight))
    auc = pruning_curve(clf, X, y, n_nodes=[8], scoring="roc_auc").score[0]
    assert 0.9 < auc <= 1
    counted = pruning_curve(clf, X, y, scoring=lambda network, X, y: network.n_alive_nodes_[0])
    assert counted.score[0] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_nodes": [27]}, "all there are in .* got 27"),
        ({"n_nodes": [1]}, "got 1"),
        ({"n_nodes": "all"}, "'n_nodes' parameter"),
        ({"n_nodes": []}, "at least one number"),
        ({"scope": "node"}, "'scope' parameter"),
        ({"relevance": "size"}, "'relevance' parameter"),
        ({"scoring": "best"}, "'scoring' parameter"),
        ({"random_state": "seed"}, "'random_state' parameter"),
        ({"random_state": -1, "relevance": "random"}, "'random_state' parameter"),
        ({"sample_weight": [None] * 120}, "NaN"),
        ({"sample_weight": np.inf}, "`sample_weight` must be finite"),
    ],
)
def test_wrong_arguments_are_named(reg, regression, options, message):
    with pytest.raises(ValueError, match=message):
        pruning_curve(reg, *regression, **options)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (["a", None], "must hold classes of one type"),
        ([0.5, 1.5], "Unknown label type: continuous"),
        ([[1], [2, 3]], "`y` must hold entries of one length"),
        ([0], "inconsistent numbers of samples"),
    ],
)
def test_wrong_targets_are_named(binary, target, message):
    X, y = binary
    clf = SpectralMLPClassifier(4, max_iter=2, alpha=0).fit(X, y)
    with pytest.raises((TypeError, ValueError), match=message):
        pruning_curve(clf, X, target * 75)


def test_text_is_no_target_for_regression(reg, regression):
    with pytest.raises(ValueError, match="`y` must be numeric"):
        pruning_curve(reg, regression[0], ["a", "b"] * 60)


def test_other_estimators_are_refused(regression):
    with pytest.raises(TypeError, match=r"must be a SpectralMLPRegressor or .* got Ridge"):
        pruning_curve(Ridge().fit(*regression), *regression)
    with pytest.raises(NotFittedError):
        pruning_curve(SpectralMLPRegressor(), *regression)
    with pytest.raises(NotFittedError):
        pruning_curve(make_pipeline(StandardScaler(), SpectralMLPRegressor()), *regression)
    linear = SpectralMLPRegressor((), max_iter=5).fit(*regression)
    with pytest.raises(ValueError, match="no hidden layer"):
        pruning_curve(linear, *regression)


@pytest.mark.parametrize("settings", [{"parametrization": "dense"}, {"eigenvalues": "in"}])
def test_ranking_by_eigenvalue_needs_eigenvalues(regression, settings):
    reg = SpectralMLPRegressor(8, max_iter=5, **settings).fit(*regression)
    with pytest.raises(ValueError, match="needs trained outbound eigenvalues"):
        pruning_curve(reg, *regression, relevance="lambda")
