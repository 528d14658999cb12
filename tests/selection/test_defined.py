"""Folds that lack a class: known to every network and score, or refused before the first fit."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import (
    brier_score_loss,
    check_scoring,
    d2_log_loss_score,
    f1_score,
    get_scorer_names,
    make_scorer,
)
from sklearn.model_selection import KFold, LeaveOneOut, TimeSeriesSplit

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, pruning_curve, size_interval
from skspectral._estimators.rows import Rows
from skspectral._selection.defined import check_defined
from skspectral._selection.scoring import checked_scorer, network_score

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The least populated class"),
]
X, CODES = make_blobs([30, 30, 30], 3, random_state=0)  # sorted by class
CODES = np.sort(CODES)
Y = np.array(["ash", "beech", "cedar"])[CODES]
# scikit-learn 1.7 has the metric, but not its name
D2_LOG_LOSS = make_scorer(d2_log_loss_score, response_method="predict_proba")
RARE = np.where(np.arange(90) % 45 == 0, "cedar", np.where(X[:, 0] > 0, "ash", "beech"))


def rows(y, classes=None):
    return Rows(np.zeros((len(y), 1)), np.asarray(y), None, classes)


@pytest.mark.parametrize(
    ("cv", "scoring"),
    [
        (TimeSeriesSplit(3), None),
        (TimeSeriesSplit(3), "neg_brier_score"),
        (KFold(3), D2_LOG_LOSS),
    ],
)
def test_folds_may_lack_classes(make, cv, scoring):
    model = make(SpectralMLPClassifier, cv=cv, scoring=scoring).fit(X, Y)
    assert model.classes_.tolist() == ["ash", "beech", "cedar"]
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()


def test_rare_class_may_be_in_fewer_rows_than_folds(make):
    model = make(SpectralMLPClassifier, scoring="neg_brier_score").fit(X, RARE)
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()


def test_class_of_rows_without_weight_is_known_on_folds(make):
    model = make(SpectralMLPClassifier, scoring="neg_brier_score")
    model.fit(X, Y, sample_weight=(CODES < 2).astype(float))
    assert len(model.classes_) == 3
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()


def test_networks_of_folds_have_an_output_for_each_class(make):
    def outputs(network, X, y):
        return float(network.predict_proba(X).shape[1])

    model = make(SpectralMLPClassifier, cv=TimeSeriesSplit(3), scoring=outputs)
    if hasattr(model, "tolerance") and model.tolerance == "1se":
        model.set_params(tolerance=0.0)
    assert set(model.fit(X, Y).cv_results_["mean_test_score"]) == {3.0}


def test_chosen_network_is_fitted_to_its_own_classes_later(make):
    network = make(SpectralMLPClassifier, cv=TimeSeriesSplit(3)).fit(X, Y).estimator_
    assert network.fit(X[:60], Y[:60]).classes_.tolist() == ["ash", "beech"]


def test_undefined_score_names_the_fold_before_a_fit(make, no_fit):
    expected = r"'roc_auc_ovr' is not defined .* fold 0 .* without the classes \['cedar'\]"
    with pytest.raises(ValueError, match=expected):
        make(SpectralMLPClassifier, cv=TimeSeriesSplit(3), scoring="roc_auc_ovr").fit(X, Y)


def test_score_of_one_row_names_the_fold_before_a_fit(make, no_fit):
    with pytest.raises(ValueError, match=r"'r2' is not defined .* fold 0 .* at least 2 rows"):
        make(cv=LeaveOneOut()).fit(X, X[:, 0])


def test_error_in_a_fold_names_it(make):
    def fail(network, X, y):
        raise RuntimeError("from the score")

    with pytest.raises(RuntimeError, match="from the score") as caught:
        make(cv=3, scoring=fail).fit(X, X[:, 0])
    assert caught.value.__notes__ == ["It happened in fold 0 of `cv`."]


@pytest.mark.parametrize("scoring", ["roc_auc", "f1", "neg_brier_score"])
def test_regressor_refuses_scores_of_classes(make, scoring, no_fit):
    with pytest.raises(ValueError, match=f"must suit SpectralMLPRegressor.* got '{scoring}'"):
        make(scoring=scoring).fit(X, X[:, 0])


def test_every_named_score_suits_one_kind_or_both():
    def suits(network, name):
        try:
            return bool(checked_scorer(network, name))
        except ValueError:
            return False

    both = {
        (suits(SpectralMLPRegressor(), name), suits(SpectralMLPClassifier(), name))
        for name in get_scorer_names()
    }
    assert both == {(True, False), (False, True), (True, True)}
    assert not suits(SpectralMLPClassifier(), "explained_variance")


def test_size_interval_knows_classes_that_a_fold_lacks():
    clf = SpectralMLPClassifier(4, max_iter=5, random_state=0).fit(X, Y)
    found = size_interval(clf, X, Y, cv=TimeSeriesSplit(2), n_seeds=0, random_state=0)
    assert found.fold_sizes.shape == (2, 3, 1)


@pytest.mark.parametrize("scoring", [D2_LOG_LOSS, "top_k_accuracy"])
def test_pruning_curve_scores_rows_that_lack_a_class(scoring):
    clf = SpectralMLPClassifier(4, max_iter=5, random_state=0).fit(X, Y)
    assert np.isfinite(pruning_curve(clf, X[:30], Y[:30], scoring=scoring).score).all()


def test_pruning_curve_refuses_scores_of_the_other_kind():
    reg = SpectralMLPRegressor(4, max_iter=5, random_state=0).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="must suit SpectralMLPRegressor"):
        pruning_curve(reg, X, X[:, 0], scoring="roc_auc")


def test_own_keywords_of_a_scorer_are_kept():
    scorer = make_scorer(
        brier_score_loss, response_method="predict_proba", greater_is_better=False, pos_label="ash"
    )
    y = np.array(["ash", "beech"] * 20)
    clf = SpectralMLPClassifier(4, max_iter=5, random_state=0).fit(X[:40], y)
    score, _ = network_score(scorer, clf, ())(clf, Rows(X[:40], y, None))
    assert score == pytest.approx(-brier_score_loss(y == "ash", clf.predict_proba(X[:40])[:, 0]))


def test_binary_score_takes_the_last_class_for_the_positive_one():
    y = np.array(["ash", "beech"] * 20)
    clf = SpectralMLPClassifier(4, max_iter=5, random_state=0).fit(X[:40], y)
    expected = f1_score(y, clf.predict(X[:40]), pos_label="beech")
    assert network_score("f1", clf, ())(clf, Rows(X[:40], y, None))[0] == expected


def own_f_score(y, predicted, labels=(1,), pos_label=1):
    return f1_score(y, predicted, labels=labels, pos_label=pos_label, average="macro")


@pytest.mark.parametrize(
    "scoring", ["f1", "precision", "jaccard", "average_precision", make_scorer(own_f_score)]
)
@pytest.mark.parametrize("classes", [(1, 2), (0, 1), (-1, 1), (False, True), (-2, 1)])
def test_positive_class_is_that_of_scikit_learn(classes, scoring):
    y = np.where(X[:, 0] + np.random.default_rng(0).normal(size=len(X)) > 0.8, *classes)
    clf = SpectralMLPClassifier(4, max_iter=40, random_state=0).fit(X, y)
    expected = check_scoring(clf, scoring)(clf, X, y)
    assert expected > 0
    assert network_score(scoring, clf, ())(clf, Rows(X, y, None))[0] == expected
    assert pruning_curve(clf, X, y, scoring=scoring).score[-1] == expected


def test_where_no_class_is_1_the_last_is_the_positive_one():
    y = np.where(X[:, 0] + np.random.default_rng(0).normal(size=len(X)) > 0.8, 2, 3)
    clf = SpectralMLPClassifier(4, max_iter=40, random_state=0).fit(X, y)
    expected = f1_score(y, clf.predict(X), pos_label=3)
    assert expected != f1_score(y, clf.predict(X), pos_label=2)
    assert network_score("f1", clf, ())(clf, Rows(X, y, None))[0] == expected


def test_a_metric_that_asks_for_the_classes_gets_them():
    def number_of_classes(y, predicted, labels, *, pos_label):
        return 10 * len(labels) + pos_label

    y = np.where(X[:, 0] > 0.8, 2, 3)
    clf = SpectralMLPClassifier(4, max_iter=5, random_state=0).fit(X, y)
    score = network_score(make_scorer(number_of_classes), clf, ())
    assert score(clf, Rows(X, y, None))[0] == 23


@pytest.mark.parametrize("scoring", ["positive_likelihood_ratio", "neg_mean_gamma_deviance"])
def test_score_that_depends_on_the_prediction_is_tried_with_several(scoring):
    y = [0, 1] * 4 if scoring.startswith("pos") else np.linspace(1, 2, 8)
    network = SpectralMLPClassifier() if scoring.startswith("pos") else SpectralMLPRegressor()
    check_defined(network_score(scoring, network, ()), [(None, rows(y))] * 2, network, scoring)


def test_labels_are_columns_so_none_is_lacking():
    network = SpectralMLPClassifier()
    y = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]])
    folds = [(None, rows(y, np.arange(3)))]
    check_defined(network_score("f1_macro", network, ()), folds, network, "f1_macro")
    folds = [(None, rows(y * [1, 0, 1], np.arange(3)))]
    with pytest.raises(ValueError, match="the rows that are scored: it gives NaN"):
        check_defined(network_score("roc_auc", network, ()), folds, network, "roc_auc")
