"""Size as a score."""

import functools
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    n_alive_nodes_score,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NETWORK = SpectralMLPRegressor((8, 4), max_iter=30, random_state=0)


@pytest.fixture
def reg(regression):
    return clone(NETWORK).fit(*regression)


def test_score_counts_alive_nodes(reg):
    assert n_alive_nodes_score(reg) == sum(reg.n_alive_nodes_)
    assert [n_alive_nodes_score(reg, layer=layer) for layer in (0, 1)] == reg.n_alive_nodes_
    assert n_alive_nodes_score(reg, layer=-1) == reg.n_alive_nodes_[1]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda network: make_pipeline(StandardScaler(), network),
        lambda network: GridSearchCV(network, {"alpha": [1e-3]}, cv=2),
        lambda network: TransformedTargetRegressor(network),
        lambda network: SpectralPruner(network, n_nodes=6),
        lambda network: GridSearchCV(make_pipeline(StandardScaler(), network), {}, cv=2),
    ],
)
def test_score_finds_the_network(wrap, regression):
    fitted = wrap(clone(NETWORK)).fit(*regression)
    assert 2 <= n_alive_nodes_score(fitted) <= 12
    with pytest.raises(NotFittedError):
        n_alive_nodes_score(wrap(NETWORK))


def test_score_takes_networks_chosen_by_cross_validation(regression):
    reg = SpectralMLPRegressorCV(6, alphas=[1e-3, 1e-2], cv=2, max_iter=20, random_state=0)
    assert n_alive_nodes_score(reg.fit(*regression)) == sum(reg.n_alive_nodes_)


def test_score_works_in_searches_and_worker_processes(regression):
    scoring = {
        "r2": "r2",
        "n": n_alive_nodes_score,
        "last": functools.partial(n_alive_nodes_score, layer=1),
    }
    found = cross_validate(
        NETWORK, *regression, scoring=scoring, cv=3, n_jobs=2, return_estimator=True
    )
    np.testing.assert_array_equal(
        found["test_n"], [sum(network.n_alive_nodes_) for network in found["estimator"]]
    )
    np.testing.assert_array_equal(
        found["test_last"], [network.n_alive_nodes_[1] for network in found["estimator"]]
    )
    assert pickle.loads(pickle.dumps(n_alive_nodes_score)) is n_alive_nodes_score


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (Ridge(), TypeError, "SpectralMLPRegressor, SpectralMLPClassifier.*got Ridge"),
        (SpectralMLPRegressor(), NotFittedError, "not fitted"),
        (make_pipeline(StandardScaler(), "passthrough"), TypeError, "got str"),
    ],
)
def test_score_needs_a_fitted_network(estimator, error, message):
    with pytest.raises(error, match=message):
        n_alive_nodes_score(estimator)


def test_layer_must_be_there(reg):
    with pytest.raises(ValueError, match=r"from -2 to 1.*got 2"):
        n_alive_nodes_score(reg, layer=2)
    with pytest.raises(TypeError, match=r"got 0\.5"):
        n_alive_nodes_score(reg, layer=0.5)
