"""Every display finds the network in the same places."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    NetworkDisplay,
    NodesDisplay,
    PathMagnitudesDisplay,
    PruningCurveDisplay,
    RelevanceDisplay,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPathDisplay,
    SpectralPruner,
    TrainingDisplay,
    n_alive_nodes_score,
    path_magnitudes,
)
from skspectral._study.final_network import final_network, rows_of_network

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NETWORK = SpectralMLPRegressor((8, 4), max_iter=30, random_state=0)
CHOSEN = SpectralMLPRegressorCV(8, alphas=[1e-3, 1e-2], cv=2, max_iter=20, random_state=0)
HOLDERS = {
    "network": NETWORK,
    "pipeline": make_pipeline(StandardScaler(), NETWORK),
    "search": GridSearchCV(NETWORK, {"alpha": [1e-3]}, cv=2),
    "search of a pipeline": GridSearchCV(make_pipeline(StandardScaler(), NETWORK), {}, cv=2),
    "pruner": SpectralPruner(NETWORK, n_nodes=6),
    "pipeline of a pruner": make_pipeline(StandardScaler(), SpectralPruner(NETWORK, n_nodes=6)),
    "transformed target": TransformedTargetRegressor(NETWORK, transformer=StandardScaler()),
    "chosen by cross-validation": CHOSEN,
}
NO_NETWORK = {
    "ridge": Ridge(),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "search": GridSearchCV(Ridge(), {}, cv=2),
    "search without a refit": GridSearchCV(NETWORK, {}, cv=2, refit=False),
}
DRAW = {
    "relevance": lambda model, X, y: RelevanceDisplay.from_estimator(model),
    "pruning curve": PruningCurveDisplay.from_estimator,
    "path magnitudes": lambda model, X, y: PathMagnitudesDisplay.from_estimators(model, model),
    "nodes": lambda model, X, y: NodesDisplay.from_estimator(model, X),
    "network": lambda model, X, y: NetworkDisplay.from_estimator(model),
    "training": lambda model, X, y: TrainingDisplay.from_estimator(model),
}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def rows():
    X = np.random.default_rng(0).normal(1, 3, size=(120, 4))
    return X, 20 + 4 * np.abs(X[:, 0]) - X[:, 1]


@pytest.fixture(scope="module")
def fit(rows):
    """Return a function that fits an estimator, each only once."""
    fitted = {}

    def fit_once(estimator):
        if id(estimator) not in fitted:
            fitted[id(estimator)] = clone(estimator).fit(*rows)
        return fitted[id(estimator)]

    return fit_once


def test_network_may_be_frozen(regression):
    X, y = regression
    fitted = clone(NETWORK).fit(X, y)
    whole = make_pipeline(StandardScaler(), FrozenEstimator(fitted)).fit(X, y)
    search = GridSearchCV(NETWORK, {}, cv=2).fit(X, y)
    assert final_network(FrozenEstimator(fitted)) is final_network(whole) is fitted
    assert final_network(FrozenEstimator(search)) is search.best_estimator_
    assert n_alive_nodes_score(FrozenEstimator(fitted)) == n_alive_nodes_score(fitted)
    rows, _ = rows_of_network(whole, X, y)
    np.testing.assert_allclose(rows, StandardScaler().fit_transform(X))
    with pytest.raises(NotFittedError):
        final_network(FrozenEstimator(NETWORK))


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_displays_draw_the_network_inside(holder, fit, rows):
    model = fit(holder)
    network = final_network(model)
    assert isinstance(network, SpectralMLPRegressor)

    drawings = (draw(model, *rows) for draw in DRAW.values())
    relevance, curve, paths, nodes, diagram, training = drawings
    for drawn, expected in zip(relevance.relevance, network.feature_relevance_, strict=True):
        np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(paths.magnitudes[0], path_magnitudes(network))
    assert curve.n_alive == sum(network.n_alive_nodes_)
    assert curve.score[-1] == pytest.approx(model.score(*rows))  # all nodes, and rows as it saw
    assert sorted(nodes.node_indices) == diagram.node_indices[0].tolist()
    assert len(nodes.shares) == network.n_alive_nodes_[0]
    np.testing.assert_array_equal(training.loss, network.loss_curve_)


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
@pytest.mark.parametrize("other", [*NO_NETWORK.values(), "ridge"], ids=[*NO_NETWORK, "text"])
def test_displays_name_what_holds_no_network(draw, other, fit, rows):
    model = other if isinstance(other, str) else fit(other)
    with pytest.raises(TypeError, match=r"SpectralMLPRegressor, .* got (Ridge|str|GridSearchCV)"):
        draw(model, *rows)


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_displays_need_a_fitted_network(draw, holder, rows):
    with pytest.raises(NotFittedError):
        draw(clone(holder), *rows)


@pytest.mark.parametrize(
    "holder", [CHOSEN, make_pipeline(StandardScaler(), CHOSEN), GridSearchCV(CHOSEN, {}, cv=2)]
)
def test_path_display_finds_its_estimator_in_the_same_places(holder, fit, rows):
    model = fit(holder)
    display = SpectralPathDisplay.from_estimator(model)
    assert display.n_chosen == sum(final_network(model).n_alive_nodes_)
    assert display.alpha == final_network(model, (SpectralMLPRegressorCV,)).alpha_
    with pytest.raises(NotFittedError):
        SpectralPathDisplay.from_estimator(clone(holder))


@pytest.mark.parametrize("other", [HOLDERS["search"], HOLDERS["pruner"], NO_NETWORK["pipeline"]])
def test_path_display_names_what_has_no_path(other, fit):
    with pytest.raises(TypeError, match=r"SpectralMLPRegressorCV, .* got (SpectralMLPR|Ridge)"):
        SpectralPathDisplay.from_estimator(fit(other))


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_rows_are_transformed_as_for_training(n_outputs, rows):
    X, y = rows
    y = y if n_outputs is None else np.column_stack([y, -y])[:, :n_outputs]
    target = TransformedTargetRegressor(NETWORK, transformer=StandardScaler())
    model = make_pipeline(StandardScaler(), target).fit(X, y)
    X_seen, y_seen = rows_of_network(model, X, y)
    np.testing.assert_allclose(X_seen, StandardScaler().fit_transform(X))
    assert y_seen.shape == y.shape
    np.testing.assert_allclose(y_seen, (y - y.mean(axis=0)) / y.std(axis=0))
