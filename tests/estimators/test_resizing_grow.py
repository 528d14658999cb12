"""grow: a wider fitted estimator, which training leads out of a local minimum."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def fitted():
    made = make_teacher_student(500, 4, (5,), random_state=0)
    network = SpectralMLPRegressor((30, 12), alpha=3e-3, max_iter=100, random_state=0)
    return network.fit(made.X, made.y), made.X, made.y


def test_dead_nodes_come_back(fitted):
    reg, X, _ = fitted
    alive = reg.n_alive_nodes_
    assert sum(alive) < 35
    before = reg.predict(X)
    grown = reg.grow()
    assert grown.hidden_layer_sizes == (30, 12)
    assert sum(grown.n_alive_nodes_) > sum(alive)
    assert grown.size_settled_ is None
    assert np.corrcoef(grown.predict(X), before)[0, 1] > 0.9
    np.testing.assert_array_equal(reg.predict(X), before)
    assert reg.n_alive_nodes_ == alive


def test_seeds(fitted):
    reg, X, _ = fitted
    np.testing.assert_array_equal(reg.grow().predict(X), reg.grow().predict(X))
    one, two, other = (reg.grow(random_state=seed).predict(X) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_sizes_are_chosen(fitted):
    reg, X, y = fitted
    grown = reg.grow((40, 50))
    assert grown.get_params()["hidden_layer_sizes"] == (40, 50)
    assert [len(index) for index in grown.node_indices_] == [40, 50]
    assert [len(relevance) for relevance in grown.feature_relevance_] == [40, 50]
    again = pickle.loads(pickle.dumps(grown)).set_params(warm_start=True, max_iter=2)
    assert again.fit(X, y).coefs_[0].shape[0] == 4
    assert clone(grown).fit(X, y).hidden_layer_sizes == (40, 50)


def test_one_layer_of_an_integer(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, max_iter=5, random_state=0).fit(X, y)
    assert reg.grow(20).hidden_layer_sizes == (20,)


def test_training_goes_on(binary):
    X, y = binary
    clf = SpectralMLPClassifier((20,), alpha=1e-2, max_iter=60, random_state=0).fit(X, y)
    grown = clf.grow().set_params(warm_start=True, max_iter=30).fit(X, y)
    assert grown.n_iter_ > 0
    assert grown.score(X, y) >= clf.score(X, y) - 0.05
    grown.partial_fit(X, y)


def test_a_student_as_wide_as_its_teacher_finds_all_nodes():
    made = make_teacher_student(3000, 10, (10,), random_state=2)
    settings = {"alpha": 1e-3, "max_iter": 150, "random_state": 0}
    best = SpectralMLPRegressor((10,), **settings).fit(made.X, made.y)
    stuck = best.loss_curve_[-1]
    for seed in range(6):
        grown = best.grow(10, random_state=seed).set_params(warm_start=True)
        grown.set_params(alpha=3e-4).fit(made.X, made.y)
        grown.set_params(alpha=1e-3).fit(made.X, made.y)
        best = min(best, grown, key=lambda reg: reg.loss_curve_[-1])
    assert best.loss_curve_[-1] < 0.9 * stuck
    assert best.n_alive_nodes_[0] == 10


@pytest.mark.parametrize("sizes", [(30,), (1, 12), (30, 12, 5)])
def test_too_few_nodes(fitted, sizes):
    reg, _, _ = fitted
    with pytest.raises(ValueError, match=r"`hidden_layer_sizes` must be at least the alive nodes"):
        reg.grow(sizes)


def test_other_errors(fitted, regression):
    reg, _, _ = fitted
    with pytest.raises(ValueError, match="`hidden_layer_sizes` must hold integers >= 1"):
        reg.grow((0, 3))
    for seed in ("x", -1, 2**63):
        with pytest.raises(ValueError, match=f"`random_state` must be an integer .* got {seed!r}"):
            reg.grow(random_state=seed)
    with pytest.raises(NotFittedError):
        SpectralMLPRegressor().grow()
    linear = SpectralMLPRegressor((), max_iter=2).fit(*regression)
    with pytest.raises(ValueError, match="no hidden layer, so there are no nodes to grow"):
        linear.grow()
