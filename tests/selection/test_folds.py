"""Folds of a table, and that both estimators make the same ones."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_pinball_loss
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, StratifiedKFold
from sklearn.utils.fixes import parse_version

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators.rows import Rows
from skspectral._selection.folds import check_rows, check_two_folds, hold_out_fold, make_folds

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.arange(24.0).reshape(12, 2)
ROWS = Rows(X, np.arange(12.0), None)


def first_column(fold):
    return [rows.X[:, 0].astype(int).tolist() for rows in fold]


def test_folds_are_those_of_the_splitter():
    folds = make_folds(KFold(3), ROWS, Ridge(), {})
    expected = [(X[train, 0].tolist(), X[test, 0].tolist()) for train, test in KFold(3).split(X)]
    assert [tuple(first_column(fold)) for fold in folds] == expected


def test_folds_for_a_classifier_are_stratified():
    rows = Rows(X, np.repeat([0, 1], 6), None)
    folds = make_folds(2, rows, LogisticRegression(), {})
    assert [test.y.mean() for _, test in folds] == [0.5, 0.5]


@pytest.mark.parametrize("cv", [2, KFold(2)])
def test_rows_of_no_weight_are_in_no_fold(cv):
    rows = Rows(X, ROWS.y, np.r_[0.0, np.ones(11)])
    folds = make_folds(cv, rows, Ridge(), {})
    assert sum(len(test) for _, test in folds) == 11
    assert all(0 not in column for fold in folds for column in first_column(fold))


def test_listed_folds_name_rows_of_the_whole_table():
    rows = Rows(X, ROWS.y, np.r_[0.0, np.ones(11)])
    ((train, test),) = make_folds([([0, 1, 2], [3])], rows, Ridge(), {})
    assert train.y.tolist() == [1, 2]
    assert test.y.tolist() == [3]


class SplitterWithFolds(BaseEstimator):
    """A splitter that keeps another one under the name that scikit-learn has for listed folds."""

    cv = KFold(3)

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.cv.get_n_splits()

    def split(self, X, y=None, groups=None):
        return self.cv.split(X)


@pytest.mark.parametrize(
    ("cv", "n"), [(RepeatedKFold(n_splits=3, n_repeats=2), 6), (SplitterWithFolds(), 3)]
)
def test_splitter_may_have_an_attribute_cv(make, cv, n):
    assert len(make_folds(cv, ROWS, Ridge(), {})) == n
    model = make(SpectralMLPRegressor, cv=cv).fit(X, ROWS.y)
    assert f"split{n - 1}_test_score" in model.cv_results_


def test_groups_are_for_splitters_not_for_plain_folds():
    groups = {"groups": np.repeat([0, 1, 2], 4)}
    folds = make_folds(GroupKFold(3), ROWS, Ridge(), groups)
    assert sorted(first_column(fold)[1][0] for fold in folds) == [0, 8, 16]
    assert len(make_folds(3, ROWS, Ridge(), groups)) == 3


def test_share_is_held_out_of_rows_with_weight():
    rows = Rows(X, np.tile([0, 1], 6), np.r_[0.0, 0.0, np.ones(10)])
    told = "It", "Do this."
    train, test = hold_out_fold(rows, 0.2, LogisticRegression(), 0, *told)
    assert (len(train), len(test)) == (8, 2)
    assert sorted(test.y) == [0, 1]
    with pytest.raises(ValueError, match=r"^It cannot hold out 90% of 10 rows: .* Do this\.$"):
        hold_out_fold(rows, 0.9, LogisticRegression(), 0, *told)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([], r"gave no folds. \(A generator is used up"),
        ([([0, 1], [2, 3]), ([0, 1], [])], "Fold 1 of `cv` .* got 2 and 0 of positive"),
        ([([5], [2, 3])], "Fold 0 of `cv` .* got 0 and 2 of positive"),
    ],
)
def test_folds_must_have_rows(splits, message):
    rows = Rows(X, ROWS.y, np.where(np.arange(12) == 5, 0.0, 1.0))
    with pytest.raises(ValueError, match=message):
        make_folds(splits, rows, Ridge(), {})


def test_one_fold_does_not_tell_how_sure_a_score_is():
    with pytest.raises(ValueError, match=r"A choice needs at least 2 folds.*got 1\. Give more\."):
        check_two_folds([(ROWS, ROWS)], "A choice", "Give more.")
    check_two_folds([(ROWS, ROWS)] * 2, "A choice", "Give more.")


class Estimator(BaseEstimator):
    pass


def test_table_keeps_column_names_for_the_network():
    estimator, frame = Estimator(), pd.DataFrame(X, columns=["a", "b"])
    rows = check_rows(estimator, frame, ROWS.y, None)
    pd.testing.assert_frame_equal(rows.X, frame)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    rows = check_rows(estimator, X.tolist(), ROWS.y.tolist(), np.ones(12))
    assert isinstance(rows.X, np.ndarray)
    assert not hasattr(estimator, "feature_names_in_")
    assert rows.weight.tolist() == [1] * 12


# Both estimators


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (lambda: iter([]), "`cv` gave no folds"),
        (lambda: KFold(3), "Fold 0 of `cv` must have rows .* got 80 and 0 of positive weight"),
        (lambda: [(np.arange(90), []), (np.arange(90), [91])], "Fold 0 of `cv` must have rows"),
    ],
)
@pytest.mark.usefixtures("no_fit")
def test_folds_without_rows_are_told_before_any_fit(make, splits, message, regression):
    weight = np.r_[np.zeros(40), np.ones(80)]
    with pytest.raises(ValueError, match=message):
        make(cv=splits()).fit(*regression, sample_weight=weight)


@pytest.mark.usefixtures("no_fit")
def test_one_fold_is_refused_before_any_fit(make, regression):
    pinball = make_scorer(mean_pinball_loss, greater_is_better=False)
    one = [(np.arange(90), np.arange(90, 120))]
    with pytest.raises(ValueError, match=r"needs at least 2 folds, to tell how sure .* got 1"):
        make(cv=one, scoring=pinball).fit(*regression)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_splitter(make, routing, regression):
    groups = np.arange(120) // 20
    listed = list(GroupKFold(3).split(*regression, groups))
    with sklearn.config_context(enable_metadata_routing=routing):
        by_group = make(cv=GroupKFold(3)).fit(*regression, groups=groups)
    expected = make(cv=listed).fit(*regression)
    np.testing.assert_array_equal(
        by_group.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("routing", [False, True])
def test_generators_of_folds_are_used_once(make, routing, regression):
    if routing and parse_version(sklearn.__version__) < parse_version("1.9"):
        pytest.skip("scikit-learn < 1.9 copies what metadata is routed to")
    model = make(cv=KFold(3).split(*regression))
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(*regression)
        with pytest.raises(ValueError, match="A generator is used up by one fit"):
            model.fit(*regression)


def test_classes_of_rows_without_weight_are_known(make, multiclass):
    X, y = multiclass
    weight = (y != "cedar").astype(float)
    model = make(SpectralMLPClassifier).fit(X, y, sample_weight=weight)
    assert model.classes_.tolist() == ["ash", "beech", "cedar"]
    assert set(model.predict(X)) == {"ash", "beech"}


def test_rows_without_weight_are_not_scored(make, regression):
    """By a metric that takes no weights they would count as the others do."""
    X, y = regression
    y = np.where(np.arange(120) % 4 == 0, 1e6, y)
    kept = np.flatnonzero(np.arange(120) % 4)
    folds = list(KFold(3).split(X))
    within = [[np.searchsorted(kept, np.intersect1d(part, kept)) for part in f] for f in folds]
    given = make(cv=folds, scoring="neg_max_error").fit(X, y, sample_weight=np.arange(120) % 4 > 0)
    left_out = make(cv=within, scoring="neg_max_error").fit(X[kept], y[kept])
    np.testing.assert_allclose(
        given.cv_results_["mean_test_score"], left_out.cv_results_["mean_test_score"]
    )


def test_stratified_folds_are_the_plain_ones(make, binary):
    plain, named = (
        make(SpectralMLPClassifier, cv=cv).fit(*binary) for cv in (2, StratifiedKFold(2))
    )
    np.testing.assert_array_equal(
        plain.cv_results_["mean_test_score"], named.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("cv", [[[1], [2, 3]], [3], [([0], [1], [2])]])
def test_folds_that_are_no_pairs(cv):
    with pytest.raises(ValueError, match="must be a pair"):
        make_folds(cv, ROWS, Ridge(), {})
