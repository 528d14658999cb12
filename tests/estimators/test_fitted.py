"""Outputs of fitted networks, and the memory that they take."""

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def many_classes():
    """Return a classifier of 300 classes and 6,000 rows."""
    X, y = np.random.default_rng(0).normal(size=(6000, 2)), np.arange(6000) % 300
    options = {"alpha": 1e-3, "batch_size": 100, "max_iter": 1, "random_state": 0}
    return SpectralMLPClassifier(2, **options).fit(X, y.astype(str)), X


def peak(use):
    """Return the largest memory that numpy holds during a call, in bytes."""
    tracemalloc.start()
    try:
        use()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_probabilities_need_little_beyond_the_array_that_is_returned(many_classes, method):
    clf, X = many_classes
    result = getattr(clf, method)(X)
    assert result.shape == (6000, 300)
    assert peak(lambda: getattr(clf, method)(X)) < 2 * result.nbytes


def test_classes_and_scores_of_the_net_need_no_array_of_rows_times_classes(many_classes):
    clf, X = many_classes
    array = X.shape[0] * len(clf.classes_) * 8
    assert peak(lambda: clf.predict(X)) < 0.7 * array
    assert peak(lambda: clf.net_.predict(X)) < 0.7 * array


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_parts_are_joined_in_order(task, request):
    X, y = request.getfixturevalue(task)
    clf = SpectralMLPClassifier(4, alpha=1e-3, max_iter=20, random_state=0).fit(X, y)
    methods = ("predict", "predict_proba", "predict_log_proba")
    whole = [getattr(clf, name)(X) for name in methods]
    one_by_one = [np.concatenate([getattr(clf, name)(x[None]) for x in X]) for name in methods]
    for a, b in zip(whole, one_by_one, strict=True):
        assert a.dtype == b.dtype
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b)
        else:
            np.testing.assert_array_equal(a, b)


def test_alive_features_are_those_above_a_share_of_the_largest_importance(regression):
    X, y = regression
    for share in (0.0, 0.05, 0.9):
        reg = SpectralMLPRegressor(8, alpha=1e-3, relevance_threshold=share, random_state=0)
        importances = reg.fit(X, y).feature_importances_
        expected = importances > share * importances.max()
        np.testing.assert_array_equal(reg.alive_features_, expected)
        assert reg.alive_features_.dtype == bool
        reg.set_params(relevance_threshold=0.5)  # takes effect in the next fit
        np.testing.assert_array_equal(reg.alive_features_, expected)


def test_constant_columns_of_weighted_rows_have_no_importance():
    spreads, importances = [], []
    for seed in range(40):  # rounding makes some of the variances negative
        rng = np.random.default_rng(seed)
        X, weight = rng.normal(size=(30, 2)), rng.random(30)
        X[:, 1] = 3.5
        reg = SpectralMLPRegressor(4, random_state=0)
        for _ in range(3):
            reg.partial_fit(X, X[:, 0], sample_weight=weight)
        spreads.append(reg._input_scaler.var_[1])
        importances.append(reg.feature_importances_)
    assert min(spreads) == 0
    np.testing.assert_allclose(importances, [[1, 0]] * 40, atol=1e-12)


def test_no_feature_is_alive_in_a_constant_network(regression):
    X, y = regression
    reg = SpectralMLPRegressor(8, alpha=1e3, max_iter=500, random_state=0).fit(X, y)
    assert not reg.alive_features_.any()


def test_one_fit_leaves_the_columns_that_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 30))
    truth = np.abs(X[:, 3]) + X[:, 7] + np.maximum(X[:, 3] - X[:, 12], 0)
    y = truth + 0.1 * rng.normal(size=1000)
    reg = SpectralMLPRegressor(64, eigenvalues="inputs", random_state=0).fit(X, y)
    assert np.flatnonzero(reg.alive_features_).tolist() == [3, 7, 12]


@pytest.mark.parametrize("seed", range(2))
def test_a_column_without_a_linear_part_is_found_among_few_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 10))
    y = 2 * X[:, 0] + np.abs(X[:, 1]) + 0.2 * rng.normal(size=400)
    reg = SpectralMLPRegressor(eigenvalues="inputs", random_state=seed).fit(X, y)
    assert np.flatnonzero(reg.alive_features_).tolist() == [0, 1]
    # columns that are gone do not count as parameters that have fitted the noise
    assert reg.noise_variance_ == pytest.approx(0.04, rel=0.6)


@pytest.mark.parametrize("eigenvalues", ["in", "both", "inputs"])
def test_a_column_that_acts_through_its_square_is_kept(eigenvalues):
    X, y = make_friedman1(1000, noise=1.0, random_state=0)
    reg = SpectralMLPRegressor(eigenvalues=eigenvalues, random_state=0).fit(X[:500], y[:500])
    assert reg.alive_features_[:5].all()
    assert reg.score(X[500:], y[500:]) > 0.9  # of 0.96; 0.89 at most without the square
