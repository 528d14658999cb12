"""Teachers, students and rows that do not go together are refused in plain words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
)

REG, CLF = SpectralMLPRegressor(4, max_iter=2), SpectralMLPClassifier(4, max_iter=2)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = X[:, 0]


@pytest.fixture(autouse=True)
def _no_fit(monkeypatch):
    """What can be refused is refused before a network is fitted."""

    def fit(*args, **kwargs):
        raise AssertionError("a network was fitted")

    for cls in (SpectralMLPRegressor, SpectralMLPClassifier):
        monkeypatch.setattr(cls, "fit", fit)


@pytest.mark.parametrize(
    "teacher", [GaussianNB(), LinearRegression, "boosting", None, StandardScaler()]
)
def test_teacher_of_numbers_must_be_a_regressor(teacher):
    with pytest.raises(TypeError, match="`teacher` must be a regressor"):
        SpectralStudentRegressor(teacher, REG).fit(X, Y)


def test_teacher_of_classes_must_be_a_classifier_with_probabilities():
    with pytest.raises(TypeError, match="`teacher` must be a classifier"):
        SpectralStudentClassifier(LinearRegression(), CLF).fit(X, Y > 0)
    with pytest.raises(TypeError, match=r"must have `predict_proba`.*RidgeClassifier"):
        SpectralStudentClassifier(RidgeClassifier(), CLF).fit(X, Y > 0)


@pytest.mark.parametrize(
    "student",
    [
        CLF,
        MLPRegressor(),
        SpectralMLPRegressor,
        "network",
        make_pipeline(StandardScaler()),
        make_pipeline(StandardScaler(), LinearRegression()),
        SpectralMLPRegressorCV(),
    ],
    ids=str,
)
def test_student_must_be_one_of_our_networks(student):
    with pytest.raises(TypeError, match="`student` must be SpectralMLPRegressor, or a Pipeline"):
        SpectralStudentRegressor(LinearRegression(), student).fit(X, Y)


def test_student_of_classes_takes_no_weights_of_them():
    student = make_pipeline(StandardScaler(), SpectralMLPClassifier(4, class_weight="balanced"))
    with pytest.raises(ValueError, match=r"`class_weight` of the student.*to the teacher"):
        SpectralStudentClassifier(GaussianNB(), student).fit(X, Y > 0)


def test_frozen_teacher_must_be_fitted():
    with pytest.raises(NotFittedError):
        SpectralStudentRegressor(FrozenEstimator(LinearRegression()), REG).fit(X, Y)


def test_frozen_teacher_must_have_the_columns():
    frozen = FrozenEstimator(LinearRegression().fit(X[:, :2], Y))
    with pytest.raises(ValueError, match="was fitted to 2 columns; X has 3"):
        SpectralStudentRegressor(frozen, REG).fit(X, Y)
    table = pd.DataFrame(X, columns=list("abc"))
    frozen = FrozenEstimator(LinearRegression().fit(table, Y))
    with pytest.raises(ValueError, match=r"other columns.*'a', 'b', 'c'.*'c', 'b', 'a'"):
        SpectralStudentRegressor(frozen, REG).fit(table[list("cba")], Y)


def test_frozen_teacher_must_know_no_other_classes():
    frozen = FrozenEstimator(LogisticRegression().fit(X, np.digitize(Y, [-0.3, 0.3])))
    with pytest.raises(ValueError, match=r"knows the classes \[0, 1, 2\]; `y` has \[0, 1\]"):
        SpectralStudentClassifier(frozen, CLF).fit(X, (Y > 0).astype(int))


@pytest.mark.parametrize(
    ("unlabelled", "message"),
    [
        (X[:, :2], "must have the columns of X: X has 2 features"),
        (pd.DataFrame(X), "in the form of X, an array; got a DataFrame"),
        (np.full((3, 3), np.inf), "must have the columns of X: .*infinity"),
        ("rows", "must have the columns of X"),
    ],
    ids=["fewer", "frame", "infinite", "text"],
)
def test_unlabelled_rows_must_be_like_the_others(unlabelled, message):
    with pytest.raises(ValueError, match=message):
        SpectralStudentRegressor(LinearRegression(), REG).fit(X, Y, X_unlabelled=unlabelled)


def test_unlabelled_frames_must_have_the_names():
    table = pd.DataFrame(X, columns=list("abc"))
    model = SpectralStudentRegressor(LinearRegression(), REG)
    with pytest.raises(ValueError, match=r"must have the columns of X in the same order.*'z'"):
        model.fit(table, Y, X_unlabelled=table.rename(columns={"a": "z"}))


def test_synthetic_rows_need_two_different_rows():
    frozen = FrozenEstimator(LinearRegression().fit(X, Y))
    with pytest.raises(ValueError, match="at least 3 different rows; got 1 sample"):
        SpectralStudentRegressor(frozen, REG, n_synthetic=5).fit(X[:1], Y[:1])
    same = np.repeat(X[:1], 9, axis=0)
    folds = [(np.arange(9)[np.arange(9) % 3 != k], np.arange(k, 9, 3)) for k in range(3)]
    with pytest.raises(ValueError, match="`n_synthetic`=5 rows are drawn between different rows"):
        SpectralStudentRegressor(frozen, REG, cv=folds, n_synthetic=5).fit(same, Y[:9])


class SilentRegressor(LinearRegression):
    """One that knows nothing of some rows."""

    def predict(self, X):
        return np.where(X[:, 0] > 0, np.nan, super().predict(X))


class SilentClassifier(LogisticRegression):
    """One that knows nothing of some rows."""

    def predict_proba(self, X):
        return np.where(X[:, :1] > 0, np.nan, super().predict_proba(X))


@pytest.mark.parametrize("teacher", [SilentRegressor(), SilentClassifier()])
def test_a_teacher_that_predicts_nan_is_named(teacher):
    is_classes = isinstance(teacher, SilentClassifier)
    cls = SpectralStudentClassifier if is_classes else SpectralStudentRegressor
    with pytest.raises(
        ValueError, match=f"`teacher` {type(teacher).__name__} must predict finite"
    ):
        cls(teacher, cv=3, random_state=0).fit(X, Y > 0 if is_classes else Y)


def test_weights_need_a_teacher_that_takes_them():
    weight = np.ones(20)
    neighbours, scaled = KNeighborsRegressor(), make_pipeline(StandardScaler(), LinearRegression())
    for search in (GridSearchCV(neighbours, {}), GridSearchCV(scaled, {})):
        with pytest.raises(ValueError, match="GridSearchCV takes no `sample_weight`"):
            SpectralStudentRegressor(search, REG).fit(X, Y, sample_weight=weight)
    for teacher in (neighbours, make_pipeline(StandardScaler(), neighbours)):
        with pytest.raises(ValueError, match="KNeighborsRegressor takes no `sample_weight`"):
            SpectralStudentRegressor(teacher, REG).fit(X, Y, weight)


def test_targets_must_suit():
    with pytest.raises(ValueError, match="one class per row; got several labels"):
        SpectralStudentClassifier(GaussianNB(), CLF).fit(X, np.column_stack([Y > 0, Y > 1]))
    with pytest.raises(ValueError, match="at least 2"):
        SpectralStudentClassifier(GaussianNB(), CLF).fit(X, np.zeros(20))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SpectralStudentRegressor(LinearRegression(), REG).fit(X, Y[1:])


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"n_synthetic": -1}, "n_synthetic"),
        ({"n_synthetic": 0.5}, "n_synthetic"),
        ({"cv": "five"}, "cv"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"random_state": "a"}, "random_state"),
    ],
    ids=str,
)
def test_parameters_are_checked(parameters, error):
    with pytest.raises(ValueError, match=f"'{error}' parameter"):
        SpectralStudentRegressor(LinearRegression(), REG, **parameters).fit(X, Y)


def test_unlabelled_columns_in_another_order_are_refused():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 3)))  # names that are no text: scikit-learn passes them
    student = SpectralStudentRegressor(LinearRegression(), SpectralMLPRegressor(4, max_iter=2))
    with pytest.raises(ValueError, match=r"columns of X in the same order: \[0, 1, 2\]; got \[2"):
        student.fit(X, X[0], X_unlabelled=X[[2, 1, 0]])
