"""Outputs of fitted networks, and the memory that they take."""

import tracemalloc

import numpy as np
import pytest

from skspectral import SpectralMLPClassifier

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
