"""Folds in which the teacher labels what it has not seen."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, ShuffleSplit

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
)
from skspectral._students.folds import make_folds
from skspectral._students.teaching import Table


def table(n=60, n_classes=3):
    rng = np.random.default_rng(0)
    return Table(rng.normal(size=(n, 2)), rng.integers(n_classes, size=n), None)


def test_each_row_is_held_out_once():
    folds = make_folds(4, table(), False, np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), range(60))
    for train, test in folds:
        np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(60))
        assert len(test) == 15
    assert not np.array_equal(folds[0][1], np.arange(15)), "rows are shuffled"


def test_classes_are_stratified():
    rows = table(n=90)
    for _, test in make_folds(5, rows, True, np.random.RandomState(0)):
        shares = np.bincount(rows.y[test]) / len(test)
        np.testing.assert_allclose(shares, np.bincount(rows.y) / 90, atol=0.06)


def test_equal_rows_share_a_fold():
    once = table(n=20)
    twice = Table(np.concatenate([once.X, once.X]), np.concatenate([once.y, once.y]), None)
    for _, test in make_folds(5, twice, False, np.random.RandomState(0)):
        np.testing.assert_array_equal(np.sort(test[test < 20]), np.sort(test[test >= 20] - 20))


def test_few_rows_make_few_folds():
    assert len(make_folds(5, table(n=4), False, np.random.RandomState(0))) == 4


def test_splitters_and_lists_are_used_as_they_are():
    rows, groups = table(n=12), np.repeat(range(4), 3)
    listed = list(GroupKFold(4).split(rows.X, rows.y, groups))
    for cv, expected in ((KFold(3), KFold(3).split(rows.X)), (listed, listed)):
        folds = make_folds(cv, rows, False, np.random.RandomState(0))
        for one, other in zip(folds, expected, strict=True):
            np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (2, "at least 3 folds"),
        (KFold(2), "at least 3 folds"),
        (ShuffleSplit(3, random_state=0), "each row exactly once"),
        (RepeatedKFold(n_splits=3, n_repeats=2), "each row exactly once"),
    ],
)
def test_folds_that_do_not_do_are_refused(cv, message):
    with pytest.raises(ValueError, match=message):
        make_folds(cv, table(), False, np.random.RandomState(0))


def test_folds_that_are_no_pairs_are_refused():
    with pytest.raises(ValueError, match=r"must be a pair.* Fold 0 is list"):
        make_folds([[1], [2, 3]], table(), False, np.random.RandomState(0))


def test_too_few_different_rows_are_refused():
    same = Table(np.zeros((9, 2)), np.zeros(9), None)
    with pytest.raises(ValueError, match="at least 3 different rows; got 1 sample"):
        make_folds(5, same, False, np.random.RandomState(0))


def test_folds_that_train_on_what_they_hold_out_are_refused():
    X = np.random.default_rng(0).normal(size=(30, 2))
    rows = np.arange(30)
    student = SpectralStudentRegressor(
        LinearRegression(), SpectralMLPRegressor(4), cv=[(rows, rows[k::3]) for k in range(3)]
    )
    with pytest.raises(ValueError, match="must not train on the rows that it holds out"):
        student.fit(X, X[:, 0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_folds_that_leave_one_class_are_refused_in_our_words():
    X = np.random.default_rng(0).normal(size=(30, 2))
    y = np.arange(30) < 10
    student = SpectralStudentClassifier(LogisticRegression(), SpectralMLPClassifier(4))
    with pytest.raises(ValueError, match="cannot be fitted to rows of one class"):
        student.set_params(cv=[(np.delete(np.arange(30), k), k) for k in thirds(y)]).fit(X, y)
    with pytest.raises(ValueError, match="cannot be fitted to rows of one class"):
        student.set_params(cv=3).fit(X, np.arange(30) < 1)
    forest = SpectralStudentClassifier(
        RandomForestClassifier(5), SpectralMLPClassifier(4, max_iter=5)
    )
    forest.set_params(cv=3).fit(X, np.arange(30) < 1)  # which takes one class
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    student = SpectralStudentClassifier(frozen, SpectralMLPClassifier(4, max_iter=5))
    student.set_params(cv=[(np.delete(np.arange(30), k), k) for k in thirds(y)]).fit(X, y)


def thirds(y):
    """Return folds of which the first two hold all rows of one class."""
    ones, others = np.flatnonzero(y), np.flatnonzero(~y)
    return [ones[:5], ones[5:], others]
