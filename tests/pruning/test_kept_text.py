"""What a pruner has kept, in words."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, SpectralPruner

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    return X, np.abs(X[:, 0]) + 0.2 * rng.normal(size=200)


def network(hidden=8, **parameters):
    return SpectralMLPRegressor(hidden, **{"max_iter": 60, "random_state": 0, **parameters})


def lines(pruner):
    title, *rows = pruner.summary().splitlines()
    assert title == "SpectralPruner"
    return dict(row.split(None, 1) for row in rows)


@pytest.mark.parametrize(("cv", "what"), [(3, "mean of 3 folds"), (None, "on held-out rows")])
def test_nodes_and_the_score_that_chose_them(cv, what, table):
    pruner = SpectralPruner(network(), cv=cv, random_state=0).fit(*table)
    told, results = lines(pruner), pruner.cv_results_
    assert list(told) == ["nodes", "settled", "alpha", "noise", "score"]
    assert told["nodes"] == f"{pruner.n_nodes_[0]} of 8 nodes kept"
    chosen = np.flatnonzero(results["within_tolerance"]).min()
    score, size = results["mean_test_score"][chosen], results["n_nodes"][chosen]
    assert told["score"].startswith(f"r2 {score:.4g} at {size} nodes, {what}; ")
    assert told["score"].endswith(f", margin {results['margin'][chosen]:.2g}")
    assert told["noise"] in pruner.full_estimator_.summary()


def test_each_layer_has_its_number(binary):
    clf = SpectralMLPClassifier((8, 6), max_iter=30, random_state=0)
    pruner = SpectralPruner(clf, n_nodes=[3, 2]).fit(*binary)
    told = lines(pruner)
    assert told["nodes"] == "3, 2 of 8, 6 nodes kept"
    assert told["chosen"] == "n_nodes=[3, 2] was given"
    assert "score" not in told


def test_a_cut_through_alive_nodes_is_not_judged(table):
    pruner = SpectralPruner(network(), n_nodes=1).fit(*table)
    assert pruner.size_settled_ is None
    assert lines(pruner)["settled"] == (
        "not judged, as alive nodes were cut; before: no, more training would remove nodes"
    )


@pytest.mark.parametrize("settled", [True, False])
def test_a_cut_of_dead_nodes_keeps_the_judgement(settled, table):
    full = network(alpha=0.02, max_iter=600).fit(*table)
    assert 0 < full.n_alive_nodes_[0] < 8
    full.size_settled_ = settled
    pruner = SpectralPruner(FrozenEstimator(full), n_nodes=full.n_alive_nodes_).fit(*table)
    expected = "yes, trained long" if settled else "no, more training"
    assert lines(pruner)["settled"].startswith(expected)


def test_dead_nodes_that_were_kept_are_told(table):
    full = network(alpha=0.02, max_iter=600, shrink=False).fit(*table)
    n_alive = full.n_alive_nodes_[0]
    pruner = SpectralPruner(FrozenEstimator(full), n_nodes=8).fit(*table)
    assert lines(pruner)["nodes"] == f"8 of 8 nodes kept, {n_alive} alive"


@pytest.mark.parametrize("parameters", [{"parametrization": "dense"}, {"alpha": 0.0}])
def test_networks_that_are_never_judged(parameters, table):
    pruner = SpectralPruner(network(**parameters), n_nodes=2).fit(*table)
    assert lines(pruner)["settled"] == "not judged"


def test_all_nodes_dead(table):
    pruner = SpectralPruner(network(alpha=10.0, max_iter=300), cv=2).fit(*table)
    assert not any(pruner.n_alive_nodes_)
    told = lines(pruner)
    assert told["nodes"] == "1 of 8 nodes kept, 0 alive"
    assert told["alpha"] == "10: given"


@pytest.mark.parametrize(
    "settings", [{"strategy": "before"}, {"fine_tune": 2}, {"scoring": "neg_mean_squared_error"}]
)
def test_other_ways_to_prune_are_told_too(settings, table):
    pruner = SpectralPruner(network(), tolerance=0.2, random_state=0, **settings).fit(*table)
    told = lines(pruner)
    assert told["score"].startswith(f"{settings.get('scoring', 'r2')} ")
    assert told["score"].endswith(", margin 0.2")


def test_html_shows_what_was_kept(table):
    pruner = SpectralPruner(network(), n_nodes=2)
    assert "estimator: SpectralMLPRegressor" in pruner._repr_html_()
    html = pruner.fit(*table)._repr_html_()
    assert "estimator_: SpectralMLPRegressor, 2 of 8 nodes kept" in html
    assert "2 of 2 nodes left, settling not judged" in html


def test_html_of_the_default_network_shows_it_too(table):
    pruner = SpectralPruner(n_nodes=2).fit(*table)
    assert "estimator_: SpectralMLPRegressor, 2 of 64 nodes kept" in pruner._repr_html_()


def test_html_never_raises(table):
    pruner = SpectralPruner(network(), n_nodes=2).fit(*table)
    del pruner.node_support_
    html = pruner._repr_html_()
    assert "SpectralPruner" in html
    assert "nodes kept" not in html
