"""noise_cv: the noise of alpha="auto" as rows tell it that a network was not trained on."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import clone, config_context
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EpochScoring, LRScheduler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    fit_many,
    size_interval,
    spectral_path,
)
from skspectral._estimators.members import Shared
from skspectral._estimators.noise_folds import course_of_noise, ends_of_fold, noise_folds
from skspectral._estimators.rows import Rows
from skspectral._training import together
from skspectral._training.fleet import Fleet
from skspectral._training.interrupts import Interrupts
from skspectral._training.net import SpectralNet
from skspectral._training.noise import NoiseCourse
from skspectral.datasets import make_teacher_student

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = np.abs(X[:, 0]) + 0.5 * RNG.normal(size=150)


def network(noise_cv=3, **options):
    options = {"max_iter": 60, "random_state": 0, "n_threads": 1, **options}
    return SpectralMLPRegressor(8, noise_cv=noise_cv, **options)


def test_noise_is_told_better_where_columns_are_many_for_the_rows():
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(300, 60))
    y = 3 * wide[:, 0] + rng.normal(size=300)  # noise of variance 1
    found, by_residuals = (
        SpectralMLPRegressor(16, noise_cv=cv, random_state=0).fit(wide, y) for cv in (5, None)
    )
    assert 0.8 < found.noise_variance_ < 0.85 * by_residuals.noise_variance_


def test_teacher_keeps_its_size():
    data = make_teacher_student(2000, 5, (3,), noise=0.2, random_state=0)
    reg = SpectralMLPRegressor(32, noise_cv=5, random_state=0).fit(data.X, data.y)
    assert reg.n_alive_nodes_ == [3]
    noise = np.mean((data.y - data.teacher_output) ** 2)
    assert_allclose(reg.noise_variance_, noise, rtol=0.1)


def test_noise_is_that_of_the_held_out_rows():
    splits = list(KFold(3).split(X))
    reg = network(splits, max_iter=400).fit(X, Y)
    told = [
        network(None, max_iter=600, random_state=k).fit(X[a], Y[a], X_val=X[b], y_val=Y[b])
        for k, (a, b) in enumerate(splits)
    ]
    assert_allclose(reg.noise_variance_, np.mean([r.noise_variance_ for r in told]), rtol=0.15)


def test_rows_that_belong_together_are_held_out_together():
    groups = np.repeat(np.arange(20), 20)
    rng = np.random.default_rng(0)
    # the columns name the group, whose level says nothing of that of other groups
    columns = np.c_[rng.normal(size=(20, 15))[groups], rng.normal(size=400)]
    y = columns[:, -1] + 2 * rng.normal(size=20)[groups]
    apart = network(GroupKFold(5), max_iter=400).fit(columns, y, groups=groups)
    mixed = network(KFold(5, shuffle=True, random_state=0), max_iter=400).fit(columns, y)
    assert apart.noise_variance_ > 3 * mixed.noise_variance_
    named = network(LeaveOneGroupOut(), max_iter=2).fit(columns, y, groups=groups.astype(str))
    assert named.n_iter_ == 2


def test_trained_side_by_side_or_not_is_the_same(no_fleet, request):
    alone = network().fit(X, Y)
    request.getfixturevalue("monkeypatch").setattr(together, "LARGEST", {"cpu": 10**9})
    beside = network().fit(X, Y)
    assert_allclose(beside.predict(X), alone.predict(X), rtol=1e-6)
    assert_allclose(beside.alpha_, alone.alpha_, rtol=1e-6)


def test_folds_are_one_fleet(monkeypatch):
    crews = []

    class Noted(Fleet):
        def __init__(self, members):
            crews.append(len(members))
            super().__init__(members)

    monkeypatch.setattr(together, "Fleet", Noted)
    fit_many([network(3, random_state=seed) for seed in range(2)], X, Y)
    assert crews[0] == 6


def test_is_reproducible_and_differs_from_residuals():
    first, second = network().fit(X, Y), network().fit(X, Y)
    assert_array_equal(first.predict(X), second.predict(X))
    assert network(None).fit(X, Y).alpha_ != first.alpha_


@pytest.mark.parametrize("options", [{"time_limit": 0.5}, {"early_stopping": True}])
@pytest.mark.parametrize("learning_rate", ["onecycle", "constant"])
def test_beside_other_ends_of_training(options, learning_rate):
    rate = {} if learning_rate == "onecycle" else {"learning_rate_init": 1e-3}
    reg = network(learning_rate=learning_rate, **options, **rate).fit(X, Y)
    assert 0 < reg.noise_variance_ <= Y.var() * 1.001


def test_classes_are_stratified_and_several_outputs_have_a_noise_each():
    y = (X[:, 0] > 1.5).astype(int)  # 8 of 150
    clf = SpectralMLPClassifier(8, noise_cv=4, max_iter=60, random_state=0).fit(X, y)
    assert clf.noise_variance_ < y.var() * 1.001
    reg = network().fit(X, np.c_[Y, RNG.normal(size=150)])
    assert reg.noise_variance_.shape == (2,)


def test_rows_of_weight_zero_are_as_good_as_gone():
    weight = np.ones(150)
    weight[:30] = 0
    splits = list(KFold(4).split(X))
    places = [(a[a >= 30] - 30, b[b >= 30] - 30) for a, b in splits]
    weighted = network(splits).fit(X, Y, weight)
    removed = network(places).fit(X[30:], Y[30:])
    assert_array_equal(weighted.predict(X), removed.predict(X))


@pytest.mark.parametrize("kind", [SpectralMLPRegressor, SpectralMLPClassifier])
def test_a_number_of_folds_does_not_count_rows_of_weight_zero(kind):
    weight = np.r_[np.zeros(60), np.ones(90)]  # a whole fold of them, as they come
    weight[70::7] = 0
    target = Y if kind is SpectralMLPRegressor else Y > 0.5
    model = kind(8, noise_cv=3, max_iter=20, random_state=0, n_threads=1)
    weighted = clone(model).fit(X, target, weight)
    removed = clone(model).fit(X[weight > 0], target[weight > 0])
    assert_array_equal(weighted.noise_variance_, removed.noise_variance_)
    assert_array_equal(weighted.predict(X), removed.predict(X))


def test_warm_start_keeps_the_noise():
    reg = network(warm_start=True, max_iter=200).fit(X, Y)
    noise = reg.noise_variance_
    again = reg.set_params(max_iter=5).fit(X, Y)
    assert again.noise_variance_ == pytest.approx(noise)


def test_paths_and_intervals_take_such_a_network():
    reg = network(GroupKFold(3)).fit(X, Y, groups=np.arange(150) % 10)
    found = size_interval(reg, X, Y, n_seeds=1, cv=[])
    assert found.seed_sizes.shape == (1, 3, 1)
    path = spectral_path(X, Y, estimator=reg, alphas=[1e-3, 1e-1])
    assert len(path.alphas) == 2


def test_course_looks_up_the_last_entry():
    one, two, three = (np.array([[v]]) for v in (1.0, 0.5, 0.25))
    course = NoiseCourse([[(0.0, one), (0.4, two)], [(0.0, one), (0.1, two), (0.5, three)]])
    assert [course.at(p).item() for p in (0.0, 0.1, 0.45, 1.0)] == [1.0, 0.75, 0.5, 0.375]
    assert course.final().at(0.0).item() == 0.375


def test_a_fold_has_the_steps_of_all_rows():
    assert ends_of_fold((100, 300), 5, 4) == (125, 375)
    assert ends_of_fold((1, 2), 5, 5) == (1, 2)


def test_ctrl_c_among_the_folds_reaches_the_caller(monkeypatch):
    begun = Interrupts.__enter__

    def asked(self):
        self.asked = True
        return begun(self)

    reg = network(None).fit(X, Y)
    before = reg.predict(X)
    monkeypatch.setattr(Interrupts, "__enter__", asked)
    with pytest.raises(KeyboardInterrupt):
        reg.set_params(noise_cv=3).fit(X, Y)
    assert_array_equal(reg.predict(X), before)


WRONG = [
    ({"noise_cv": 3, "alpha": 1e-3}, {}, "must be None beside another `alpha`"),
    ({"noise_cv": 3}, {"X_val": X, "y_val": Y}, "got both"),
    ({"noise_cv": None}, {"groups": np.arange(150)}, "`groups` are used by the folds"),
    ({"noise_cv": GroupKFold(3)}, {}, "cannot split the rows"),
    ({"noise_cv": GroupKFold(3)}, {"groups": [1, 2]}, "cannot split the rows"),
    ({"noise_cv": 200}, {}, "cannot split the rows"),
    ({"noise_cv": 1}, {}, "must be an int in the range [2, inf)"),
    ({"noise_cv": []}, {}, "folds with rows on both sides"),
    ({"noise_cv": [([], [1])]}, {}, "folds with rows on both sides"),
    ({"noise_cv": [([0, 1], [999])]}, {}, "cannot split the rows"),
    ({"noise_cv": [3]}, {}, "cannot split the rows"),
    ({"noise_cv": "a"}, {}, "noise_cv"),
]


@pytest.mark.parametrize(("options", "given", "message"), WRONG, ids=range(len(WRONG)))
def test_bad_input(options, given, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        network(**options).fit(X, Y, **given)


def test_folds_without_rows_of_weight():
    weight = np.r_[np.zeros(50), np.ones(100)]
    with pytest.raises(ValueError, match="no row of positive weight to hold out"):
        network(KFold(3)).fit(X, Y, weight)


def test_a_splitter_at_random_works():
    reg = network(ShuffleSplit(2, test_size=0.3, random_state=0)).fit(X, Y)
    assert reg.noise_variance_ > 0


def test_groups_are_routed_where_they_are_asked_for():
    groups = np.arange(150) % 10
    with config_context(enable_metadata_routing=True):
        asked = network(GroupKFold(3)).set_fit_request(groups=True)
        pipe = make_pipeline(StandardScaler(), asked).fit(X, Y, groups=groups)
        with pytest.raises(TypeError, match="groups"):
            make_pipeline(StandardScaler(), network(3)).fit(X, Y, groups=groups)
    assert pipe[-1].noise_variance_ > 0


def test_warm_start_goes_by_the_parameters_as_they_are():
    warm = {"warm_start": True, "max_iter": 60}
    by_folds = network(GroupKFold(3), **warm).fit(X, Y, groups=np.arange(150) % 10)
    noise = by_folds.noise_variance_
    assert by_folds.fit(X[:100], Y[:100]).noise_variance_ == pytest.approx(noise)
    assert by_folds.set_params(noise_cv=None).fit(X, Y).noise_variance_ != pytest.approx(noise)
    held_out = by_folds.fit(X, Y, X_val=X, y_val=100 * Y).noise_variance_
    assert held_out > 1.2 * noise
    with pytest.raises(ValueError, match="leave `noise_cv` at None, or set warm_start=False"):
        network(None, **warm).fit(X, Y).set_params(noise_cv=3).fit(X, Y)


def test_folds_follow_the_scheduler_of_the_user(monkeypatch):
    schedules = []
    planned = SpectralNet.plan

    def plan(net, *args, schedule, **options):
        schedules.append((schedule, [type(cb).__name__ for _, cb in net.callbacks_]))
        return planned(net, *args, schedule=schedule, **options)

    monkeypatch.setattr(SpectralNet, "plan", plan)
    scheduler = LRScheduler("StepLR", step_size=20)
    network(2, callbacks=[("rate", scheduler), EpochScoring("r2")], max_iter=3).fit(X, Y)
    assert [name for name, _ in schedules] == ["constant"] * 3
    assert all("LRScheduler" in names for _, names in schedules)
    assert ["EpochScoring" in names for _, names in schedules] == [False, False, True]


@pytest.mark.parametrize("diverged", [(), (0,), (0, 1, 2)])
def test_folds_that_diverge_do_not_count(diverged):
    class Folds:
        def _fold_training(self, train, test, *args):
            k = int(test.y[0])
            net = SimpleNamespace(diverged_=k in diverged)
            return SimpleNamespace(net=net), SimpleNamespace(told_=[(0.0, np.array([[k]]))])

    rows = Rows(X[:3], np.arange(3), None)
    folds = noise_folds(3, rows, False, None)
    fit = course_of_noise(Folds(), rows, folds, (1,), None, Shared(None))
    assert len(next(fit)) == 3
    with pytest.raises(StopIteration) as ended:
        next(fit)
    course = ended.value.value
    kept = [k for k in range(3) if k not in diverged]
    assert course is None if not kept else course.at(0.5).item() == np.mean(kept)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 3.0}])
def test_beside_weights_of_classes(class_weight):
    y = (X[:, 0] > 0.5).astype(int)
    clf = SpectralMLPClassifier(8, noise_cv=3, class_weight=class_weight, max_iter=60).fit(X, y)
    assert 0 < clf.noise_variance_ < 0.3
