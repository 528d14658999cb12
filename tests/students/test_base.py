"""What a student learns, from whom, and what it is told of it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
)
from skspectral._students import base
from skspectral._students.near_rows import draw_near
from skspectral._training.noise_rule import Spectrum
from skspectral.datasets import make_teacher_student
from skspectral.nn._noise_threshold import noise_threshold
from skspectral.preprocessing import make_tabular_preprocessor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
REG = SpectralMLPRegressor(12, max_iter=40)
CLF = SpectralMLPClassifier(12, max_iter=40)
FOREST = RandomForestRegressor(10, random_state=0)


@pytest.fixture
def seen(monkeypatch):
    """Return a list that gets the labels and weights of each fit of a network."""
    fits = []

    def spy(cls):
        original = cls._fit

        def fit(self, X, y, sample_weight=None, *args, **kwargs):
            fits.append((np.array(X), np.array(y), sample_weight))
            return original(self, X, y, sample_weight, *args, **kwargs)

        monkeypatch.setattr(cls, "_fit", fit)

    spy(SpectralMLPRegressor)
    spy(SpectralMLPClassifier)
    return fits


def test_real_rows_have_labels_of_teachers_that_have_not_seen_them(regression, seen):
    X, y = regression
    folds = list(KFold(4, shuffle=True, random_state=0).split(X))
    model = SpectralStudentRegressor(FOREST, REG, cv=folds, n_synthetic=30, random_state=0)
    model.fit(X, y)
    (part, part_labels, _), (whole, labels, _) = seen
    np.testing.assert_array_equal(whole[:120], X)
    np.testing.assert_array_equal(labels[:120], cross_val_predict(FOREST, X, y, cv=folds))
    # the other rows are labelled by the teacher of all rows
    assert len(whole) == 150
    np.testing.assert_array_equal(labels[120:], model.teacher_.predict(whole[120:]))
    np.testing.assert_array_equal(model.teacher_.predict(X), clone(FOREST).fit(X, y).predict(X))
    # the student that is measured: no teacher of its rows has seen the first fold
    train, held_out = folds[0]
    np.testing.assert_array_equal(part[: len(train)], X[train])
    fold = np.empty(120, dtype=int)
    for k, (_, test) in enumerate(folds):
        fold[test] = k
    expected = np.zeros(120)
    for k in (1, 2, 3):
        rows = (fold != k) & (fold != 0)
        expected[fold == k] = clone(FOREST).fit(X[rows], y[rows]).predict(X[fold == k])
    np.testing.assert_array_equal(part_labels[: len(train)], expected[train])
    assert set(map(tuple, part)).isdisjoint(map(tuple, X[held_out]))


def test_fidelity_and_scores_are_of_held_out_rows(regression):
    X, y = regression
    folds = list(KFold(4).split(X))
    settings = {"n_synthetic": 0, "random_state": 0}
    student = clone(REG).set_params(random_state=1)
    model = SpectralStudentRegressor(FOREST, student, cv=folds, **settings).fit(X, y)
    train, test = folds[0]
    inner = [
        (np.searchsorted(train, np.setdiff1d(a, test)), np.searchsorted(train, b))
        for a, b in folds[1:]
    ]
    labels = cross_val_predict(FOREST, X[train], y[train], cv=inner)
    by_hand = clone(student).fit(X[train], labels).predict(X[test])
    teacher = clone(FOREST).fit(X[train], y[train]).predict(X[test])
    assert model.fidelity_ == pytest.approx(r2_score(teacher, by_hand))
    assert model.teacher_score_ == pytest.approx(r2_score(y[test], teacher))
    assert model.student_score_ == pytest.approx(r2_score(y[test], by_hand))


def test_classes_are_learned_from_probabilities(multiclass, seen):
    X, y = multiclass
    forest = RandomForestClassifier(10, random_state=0)
    model = SpectralStudentClassifier(forest, CLF, n_synthetic=20, random_state=0).fit(X, y)
    _, (_, labels, _) = seen
    assert labels.shape == (170, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_, ["ash", "beech", "cedar"])
    np.testing.assert_array_equal(model.student_.classes_, model.classes_)
    assert model.predict_proba(X).shape == (150, 3)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))
    assert model.score(X, y) == accuracy_score(y, model.predict(X))
    assert 0 < model.fidelity_ < 1
    assert 0.4 < model.student_score_ <= 1


def test_divergence_is_zero_between_the_same_models(binary):
    X, y = binary
    teacher = FrozenEstimator(LogisticRegression().fit(X, y))
    # without hidden layers and without a penalty a network can say exactly what it says
    student = SpectralMLPClassifier((), alpha=0.0, max_iter=400)
    model = SpectralStudentClassifier(teacher, student, n_synthetic=0, random_state=0).fit(X, y)
    assert model.fidelity_ < 3e-3
    np.testing.assert_allclose(model.predict_proba(X), teacher.predict_proba(X), atol=0.05)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_penalty_counts_real_rows_alone(regression, seen, weighted):
    X, y = regression
    weight = np.linspace(0.5, 2, 120) if weighted else None
    total = 120 if weight is None else weight.sum()
    teacher = FrozenEstimator(LinearRegression().fit(X, y))
    for n_synthetic in (0, 300):
        model = SpectralStudentRegressor(teacher, REG, n_synthetic=n_synthetic, random_state=0)
        model.fit(X, y, weight, X_unlabelled=X[:50] + 0.1)
        _, labels, given = seen[-1]
        assert len(labels) == 170 + n_synthetic
        assert given.sum() == pytest.approx(total)
        # real rows keep their ratios, the others weigh as much as one of them on average
        if weighted:
            np.testing.assert_allclose(given[:120] / given[0], weight / weight[0])
        np.testing.assert_allclose(given[120:], given[:120].mean())
        network = model.student_
        assert network._rows_known == pytest.approx(total)


def test_alpha_is_that_of_the_closed_form_at_the_real_rows(regression):
    X, y = regression
    teacher = FrozenEstimator(KNeighborsRegressor().fit(X, y))
    model = SpectralStudentRegressor(teacher, REG, n_synthetic=0, random_state=0)
    model.fit(X, y, X_unlabelled=np.r_[X, X])
    network = model.student_
    noise = network.noise_variance_ / network.y_scale_**2
    closed_form = noise_threshold(
        Spectrum.of(np.cov(X.T, ddof=0)),
        Spectrum.of(noise[:, None]),
        120,
        order=3,
        activation="relu",
        loss="identity",
        n_outputs=1,
    )
    assert network.alpha_ == pytest.approx(network.alpha_factor_ * closed_form)


def test_unlabelled_rows_are_labelled_by_the_teacher(regression, seen):
    X, y = regression
    model = SpectralStudentRegressor(FOREST, REG, n_synthetic=0, random_state=0)
    model.fit(X[:80], y[:80], X_unlabelled=X[80:])
    _, (rows, labels, _) = seen
    np.testing.assert_array_equal(rows[80:], X[80:])
    np.testing.assert_array_equal(labels[80:], model.teacher_.predict(X[80:]))


class Counting(RegressorMixin, BaseEstimator):
    """Counts its fits."""

    n_fits = 0

    def fit(self, X, y):
        Counting.n_fits += 1
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return X[:, 0]


def test_a_frozen_teacher_is_not_fitted_again(regression):
    X, y = regression
    teacher = FrozenEstimator(Counting().fit(X, y))
    Counting.n_fits = 0
    model = SpectralStudentRegressor(teacher, REG, random_state=0).fit(X, y)
    assert Counting.n_fits == 0
    assert model.teacher_ is teacher
    SpectralStudentRegressor(Counting(), REG, cv=3, random_state=0).fit(X, y)
    assert Counting.n_fits == 1 + 3 + 2


def test_student_of_a_known_network_recovers_its_function():
    data = make_teacher_student(400, 4, (4,), random_state=0)
    teacher = FrozenEstimator(KnownNetwork(data.teacher).fit(data.X, data.y))
    student = SpectralMLPRegressor(24, alpha=1e-5, max_iter=400)
    model = SpectralStudentRegressor(teacher, student, n_synthetic=600, random_state=0)
    model.fit(data.X, data.y)
    new = np.random.default_rng(1).normal(size=(500, 4))
    truth = teacher.predict(new)
    assert model.fidelity_ > 0.99
    assert r2_score(truth, model.predict(new)) > 0.99


class KnownNetwork(RegressorMixin, BaseEstimator):
    """A network as a model of scikit-learn's."""

    def __init__(self, module):
        self.module = module

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return self.module.predict(X)


def frame(regression):
    X, y = regression
    table = pd.DataFrame(X, columns=list("abcd"))
    table["kind"] = np.where(X[:, 3] > 0, "x", "y")
    table.loc[::7, "a"] = np.nan
    return table, y


def test_frames_with_text_and_gaps_are_taken(regression):
    X, y = frame(regression)
    encoder = make_tabular_preprocessor(n_quantiles=20)
    teacher = make_pipeline(encoder, LinearRegression())
    student = make_pipeline(encoder, REG)
    model = SpectralStudentRegressor(teacher, student, random_state=0).fit(
        X, y, X_unlabelled=X[:9]
    )
    assert list(model.feature_names_in_) == [*"abcd", "kind"]
    assert model.student_[-1].n_alive_nodes_ == model.n_alive_nodes_
    assert model.score(X, y) > 0.3


def test_steps_in_front_learn_from_the_teacher(regression, monkeypatch):
    X, y = regression
    targets = []
    original = StandardScaler.fit

    def fit(self, X, y=None, sample_weight=None):
        targets.append(y)
        return original(self, X, y, sample_weight)

    monkeypatch.setattr(StandardScaler, "fit", fit)
    teacher = FrozenEstimator(LinearRegression().fit(X, y))
    student = make_pipeline(StandardScaler(), REG)
    SpectralStudentRegressor(teacher, student, n_synthetic=0, random_state=0).fit(X, y)
    np.testing.assert_allclose(targets[-1], teacher.predict(X))


def test_default_student_is_a_pipeline(regression, monkeypatch):
    monkeypatch.setattr(
        SpectralStudentRegressor,
        "_network_class",
        staticmethod(lambda **settings: clone(REG).set_params(**settings)),
    )
    model = SpectralStudentRegressor(LinearRegression(), random_state=0).fit(*regression)
    assert [name for name, _ in model.student_.steps] == ["pipeline", "spectralmlpregressor"]
    assert model.student_[-1].alpha_factor_ == base.ALPHA_FACTOR


def test_number_of_synthetic_rows(regression, seen, monkeypatch):
    X, y = regression
    teacher = FrozenEstimator(LinearRegression().fit(X, y))
    SpectralStudentRegressor(teacher, REG, random_state=0).fit(np.r_[X, X], np.r_[y, y])
    assert len(seen[-1][1]) == 240 + base.SYNTHETIC_ROWS * 120
    monkeypatch.setattr(base, "MOST_SYNTHETIC_ROWS", 7)
    SpectralStudentRegressor(teacher, REG, random_state=0).fit(X, y)
    assert len(seen[-1][1]) == 127


def test_seed_makes_all_of_it_repeatable(regression):
    X, y = regression
    teacher = make_pipeline(StandardScaler(), RandomForestRegressor(5))
    model = SpectralStudentRegressor(teacher, REG, random_state=3)
    one, other = clone(model).fit(X, y), clone(model).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.fidelity_ == other.fidelity_
    third = clone(model).set_params(random_state=4).fit(X, y)
    assert not np.array_equal(third.predict(X), one.predict(X))


def test_members_are_folded_into_one_student(regression):
    student = SpectralMLPRegressor(8, max_iter=30, n_members=3)
    model = SpectralStudentRegressor(LinearRegression(), student, random_state=0)
    model.fit(*regression)
    assert len(model.student_.member_sizes_) == 3


def test_several_outputs(regression):
    X, y = regression
    Y = np.column_stack([y, -y])
    model = SpectralStudentRegressor(LinearRegression(), REG, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (120, 2)
    assert model.fidelity_ > 0.5


def test_weights_reach_the_teacher_and_rows_of_weight_zero_do_not_count(binary):
    X, y = binary
    weight = np.arange(150) % 3
    teacher = make_pipeline(StandardScaler(), GaussianNB())
    model = SpectralStudentClassifier(teacher, CLF, random_state=0).fit(X, y, weight)
    rows = weight > 0
    scaler = StandardScaler().fit(X[rows])
    expected = GaussianNB().fit(scaler.transform(X[rows]), y[rows], weight[rows])
    np.testing.assert_allclose(model.teacher_[-1].theta_, expected.theta_)


def test_rows_of_weight_zero_lend_nothing_under_folds_of_the_users(regression, monkeypatch):
    X, y = regression
    weight = (np.arange(120) % 3 > 0).astype(float)
    X = np.where(weight[:, None] > 0, X, 1e3)
    seen = []
    monkeypatch.setattr(base, "draw_near", lambda X, *args: seen.append(X) or draw_near(X, *args))
    model = SpectralStudentRegressor(LinearRegression(), REG, cv=KFold(3), random_state=0)
    model.fit(X, y, weight)
    assert [np.abs(rows).max() < 1e3 for rows in seen] == [True, True]
    assert len(seen[1]) == 80


def test_fewer_synthetic_rows_than_asked_for_are_told():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), rng.integers(2, size=60)])
    model = SpectralStudentRegressor(LinearRegression(), REG, n_synthetic=300, random_state=0)
    with pytest.warns(
        UserWarning, match=r"synthetic rows? of the 300 of `n_synthetic` could be"
    ) as said:
        model.fit(X, X[:, 0])
    (told,) = (each for each in said if "n_synthetic" in str(each.message))
    assert told.filename == __file__
    model.set_params(n_synthetic="auto").fit(X, X[:, 0])


def test_it_can_be_searched_and_pickled(regression):
    X, y = regression
    model = SpectralStudentRegressor(LinearRegression(), REG, cv=3, random_state=0)
    search = GridSearchCV(model, {"student__alpha": [1e-4, 1.0]}, cv=2).fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))


def test_a_failed_fit_leaves_the_estimator_as_it_was(regression):
    X, y = regression
    model = SpectralStudentRegressor(LinearRegression(), REG, cv=3, random_state=0).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="folds"):
        model.set_params(cv=2).fit(X, y)
    before["cv"] = 2
    assert vars(model) == before


def test_parallel_fits_end_alike(regression):
    X, y = regression
    model = SpectralStudentRegressor(FOREST, REG, cv=3, random_state=0)
    one = clone(model).fit(X, y)
    with parallel_config("threading"):
        other = clone(model).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_certain_teacher_probabilities_do_not_break_the_rule():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (expit(4 * X[:, 0]) > 0.5).astype(int)
    forest = RandomForestClassifier(5, random_state=0, bootstrap=False)
    model = SpectralStudentClassifier(forest, CLF, random_state=0).fit(X, y)
    assert np.isfinite(model.student_.alpha_)
    assert model.student_score_ > 0.85


def test_a_search_hands_weights_on_to_the_teacher_in_it(regression):
    X, y = regression
    weight = np.random.default_rng(0).integers(1, 4, len(X))
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2)
    parts = [("ridge", Ridge()), ("other", "drop")]
    for teacher in (search, StackingRegressor(parts, Ridge()), VotingRegressor(parts)):
        student = SpectralStudentRegressor(teacher, REG, cv=3, n_synthetic=5, random_state=0)
        expected = clone(teacher).fit(X, y, sample_weight=weight).predict(X)
        said = student.fit(X, y, sample_weight=weight).teacher_.predict(X)
        np.testing.assert_allclose(said, expected)
