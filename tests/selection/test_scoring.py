"""Scores of networks on folds, and that both estimators score alike."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, mean_pinball_loss, r2_score

from skspectral import (
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    pruning_curve,
    size_interval,
    spectral_path,
)
from skspectral._estimators.rows import Rows
from skspectral._path.penalty_choice import SHRINKAGE
from skspectral._selection.scoring import (
    by_fold,
    check_scores,
    network_score,
    takes_weights,
    without_names,
)
from skspectral._selection.size_choice import IMMATERIAL, within_margin

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
Y = np.array([0.0, 1.0, 2.0, 6.0])
MEDIAN = DummyRegressor(strategy="constant", constant=1.0).fit(np.zeros((4, 1)), Y)
WEIGHTED = Rows(np.zeros((4, 1)), Y, np.array([1.0, 1.0, 1.0, 3.0]))
PINBALL = make_scorer(mean_pinball_loss, greater_is_better=False)


def own_scorer(network, X, y, sample_weight=None):
    return 0.0 if sample_weight is None else sample_weight.sum()


@pytest.mark.parametrize(
    ("scorer", "takes"),
    [
        (get_scorer("neg_max_error"), False),
        (get_scorer("neg_median_absolute_error"), True),
        (get_scorer("roc_auc"), True),
        (PINBALL, True),
        (own_scorer, True),
        (lambda network, X, y: 0.0, False),
    ],
)
def test_weights_are_for_the_metric_that_takes_them(scorer, takes):
    assert takes_weights(scorer) is takes


def test_mean_over_rows_comes_with_the_rows():
    mean, rows = network_score("r2", Ridge(), ())(MEDIAN, WEIGHTED)
    expected = r2_score(Y, np.ones(4), sample_weight=WEIGHTED.weight)
    assert mean == pytest.approx(expected)
    assert rows.shape == (4,)


@pytest.mark.parametrize(
    ("scoring", "keywords", "score"),
    [
        (PINBALL, {"sample_weight"}, -(1 + 0 + 1 + 15) / 2 / 6),
        (PINBALL, {}, -(1 + 0 + 1 + 5) / 2 / 4),
        ("neg_max_error", {"sample_weight"}, -5.0),
        (own_scorer, {"sample_weight"}, 6.0),
        (own_scorer, {}, 0.0),
    ],
)
def test_other_scores_are_one_number(scoring, keywords, score):
    found, rows = network_score(scoring, Ridge(), keywords)(MEDIAN, WEIGHTED)
    assert found == pytest.approx(score)
    assert rows is None


def test_default_score_is_that_of_the_kind_of_network():
    assert network_score(None, Ridge(), ()).args == network_score("r2", Ridge(), ()).args
    log_loss = network_score("neg_log_loss", LogisticRegression(), ())
    assert network_score(None, LogisticRegression(), ()).args == log_loss.args


def test_results_list_mean_spread_and_folds():
    values = np.array([[1.0, 2.0], [3.0, 2.0]])
    entries = by_fold("test_score", values)
    assert {name: value.tolist() for name, value in entries.items()} == {
        "mean_test_score": [2, 2],
        "std_test_score": [1, 0],
        "split0_test_score": [1, 2],
        "split1_test_score": [3, 2],
    }


def test_one_candidate_with_all_scores_is_enough():
    check_scores(np.array([[np.nan, 1.0], [0.0, 1.0]]), "size")
    with pytest.raises(ValueError, match=r"NaN at every size, in the folds \[0, 2\]"):
        check_scores(np.array([[np.nan, 1.0], [0.0, 1.0], [0.0, np.nan]]), "size")


# Both estimators


@pytest.mark.parametrize("scoring", ["neg_max_error", "neg_median_absolute_error", own_scorer])
def test_weights_do_not_disturb_scores_without_them(make, scoring, regression):
    model = make(scoring=scoring).fit(*regression, sample_weight=np.linspace(1, 2, 120))
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()


def test_scores_are_weighted_alike(make, regression):
    weight = np.linspace(1, 2, 120)
    model = make(scoring=own_scorer).fit(*regression, sample_weight=weight)
    for k in range(3):
        expected = weight[40 * k : 40 * (k + 1)].sum()
        np.testing.assert_allclose(model.cv_results_[f"split{k}_test_score"], expected)


def test_routed_scorer_gets_weights_where_it_asks_for_them(make, regression):
    calls = []

    def metric(y, predicted, sample_weight=None):
        calls.append(sample_weight)
        return mean_pinball_loss(y, predicted, sample_weight=sample_weight)

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(metric, greater_is_better=False)
        model = make(scoring=scorer.set_score_request(sample_weight=False))
        if hasattr(model, "estimator"):
            model.estimator.set_fit_request(sample_weight=True)
        model.fit(*regression, sample_weight=np.ones(120))
        assert all(weight is None for weight in calls)
        model.set_params(scoring=scorer.set_score_request(sample_weight=True))
        model.fit(*regression, sample_weight=np.ones(120))
    assert calls[-1] is not None


def test_nan_is_told_in_the_same_words(make, regression):
    with pytest.raises(ValueError, match=r"`scoring` gave NaN at every \w+, in the folds"):
        make(scoring=lambda network, X, y: np.nan).fit(*regression)


def test_score_must_suit_the_network(make, regression):
    with pytest.raises(ValueError, match=r"`scoring` must suit .* got 'accuracy'"):
        make(scoring="accuracy").fit(*regression)


def test_one_standard_error_is_that_of_the_paired_difference(make, regression):
    results = make().fit(*regression).cv_results_
    scores = np.array([results[f"split{k}_test_score"] for k in range(3)])
    best = scores.mean(axis=0).argmax()
    floor = SHRINKAGE if "alpha" in results else IMMATERIAL
    paired, plain = stats.sem(scores[:, [best]] - scores), stats.sem(scores[:, best])
    np.testing.assert_allclose(results["margin"], np.maximum(paired, floor * plain))
    within = within_margin(scores.mean(axis=0), results["margin"])
    np.testing.assert_array_equal(results["within_tolerance"], within)


TABLE = np.random.default_rng(0).normal(size=(60, 4))
FRAME = pd.DataFrame(TABLE, columns=list("abcd"), index=np.arange(100, 160))
NETWORK = SpectralMLPRegressor(8, alpha=1e-2, max_iter=2, random_state=0)
TARGET = TABLE[:, 0]


def prune(X, **options):
    return SpectralPruner(NETWORK, tolerance=0.1, random_state=0, **options).fit(X, TARGET)


def score_by_name(network, X, y):
    return -float(np.mean((network.predict(X[list("abcd")]) - y) ** 2))


USES = [
    prune,
    partial(prune, scoring="neg_max_error"),
    partial(prune, scoring=score_by_name),
    partial(prune, cv=3, strategy="before"),
    lambda X: pruning_curve(clone(NETWORK).fit(FRAME, TARGET), X, TARGET),
    lambda X: spectral_path(X, TARGET, estimator=NETWORK, alphas=[1e-3, 1e-2]),
    lambda X: SpectralMLPRegressorCV(8, alphas=[1e-3, 1e-2], max_iter=2, cv=2).fit(X, TARGET),
    lambda X: size_interval(clone(NETWORK).fit(FRAME, TARGET), X, TARGET),
]


@pytest.mark.parametrize("use", USES)
def test_a_frame_is_converted_once_whatever_the_number_of_networks(use, monkeypatch):
    frame = FRAME.astype("Float64")
    kind = type(frame["a"].array)
    converted, astype = [], kind.astype
    monkeypatch.setattr(kind, "astype", lambda *a, **k: converted.append(1) or astype(*a, **k))
    found = use(frame)
    assert len(converted) == 4
    if hasattr(found, "estimator_"):
        assert found.estimator_.feature_names_in_.tolist() == list("abcd")


def test_frames_and_arrays_are_scored_alike():
    found = [prune(X).cv_results_["mean_test_score"] for X in (TABLE, FRAME, pl.DataFrame(FRAME))]
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_frames_of_sparse_columns_are_taken():
    X = np.where(TABLE > 1, TABLE, 0)
    columns = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X), columns=list("abcd"))
    pruners = [prune(form) for form in (X, columns)]
    scores = [pruner.cv_results_["mean_test_score"] for pruner in pruners]
    np.testing.assert_allclose(scores[1], scores[0])
    assert pruners[1].estimator_.feature_names_in_.tolist() == list("abcd")


def test_scoring_leaves_the_names_of_the_network():
    network = clone(NETWORK).fit(FRAME, TARGET)
    nameless, X = without_names(network, FRAME)
    np.testing.assert_array_equal(nameless.predict(X), network.predict(FRAME))
    assert network.feature_names_in_.tolist() == list("abcd")
    assert without_names(network, TABLE)[0] is network
