"""The mean of row scores is scikit-learn's score."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, log_loss
from sklearn.multioutput import MultiOutputClassifier

from skspectral import SpectralMLPClassifier
from skspectral._selection.row_scores import ROW_SCORES, row_score

REGRESSION = ("r2", "neg_mean_squared_error", "neg_mean_absolute_error")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", REGRESSION)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_mean_over_rows_is_the_regression_score(scoring, weighted, n_outputs, regression):
    X, y = regression
    y = y if n_outputs == 1 else np.column_stack([y, y**2, X[:, 2]])
    weight = np.arange(1.0, 121.0) if weighted else None
    model = Ridge().fit(X, y)
    rows = ROW_SCORES[scoring](model, X, y, weight)
    expected = get_scorer(scoring)(model, X, y, sample_weight=weight)
    assert rows.shape == (120,)
    assert np.average(rows, weights=weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
@pytest.mark.parametrize("data", ["binary", "multiclass"])
def test_mean_over_rows_is_the_classification_score(scoring, weighted, data, request):
    X, y = request.getfixturevalue(data)
    weight = np.arange(1.0, 151.0) if weighted else None
    model = LogisticRegression().fit(X, y)
    rows = ROW_SCORES[scoring](model, X, y, weight)
    expected = get_scorer(scoring)(model, X, y, sample_weight=weight)
    assert np.average(rows, weights=weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_log_loss_of_labels_is_their_mean(multilabel):
    X, y = multilabel
    clf = SpectralMLPClassifier(8, max_iter=50, random_state=0).fit(X, y)
    proba = clf.predict_proba(X)
    expected = -np.mean([log_loss(y[:, k], proba[:, k]) for k in range(3)])
    assert ROW_SCORES["neg_log_loss"](clf, X, y, None).mean() == pytest.approx(expected)
    assert ROW_SCORES["accuracy"](clf, X, y, None).mean() == pytest.approx(clf.score(X, y))


def test_unknown_class_costs_most_and_nothing_fails(multiclass):
    X, y = multiclass
    model = LogisticRegression().fit(X[y != "cedar"], y[y != "cedar"])
    rows = ROW_SCORES["neg_log_loss"](model, X, y, None)
    assert np.isfinite(rows).all()
    assert rows[y == "cedar"].max() < rows[y != "cedar"].min()


def test_default_is_r2_or_log_loss():
    assert row_score(None, Ridge()) is ROW_SCORES["r2"]
    assert row_score(None, LogisticRegression()) is ROW_SCORES["neg_log_loss"]
    assert row_score("roc_auc", MultiOutputClassifier(LogisticRegression())) is None
    assert row_score(lambda *_: 0, Ridge()) is None
