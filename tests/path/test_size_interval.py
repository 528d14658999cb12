"""Between which sizes a network ends, and whether that is the task's size."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    merge,
    size_interval,
)
from skspectral._path.penalties import fixed, following, multiples
from skspectral._path.walk import steps, visit
from skspectral._training.together import finish

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 5))
Y = np.abs(X[:, 0]) + 0.3 * RNG.normal(size=900)
QUICK = {"n_seeds": 1, "cv": [], "random_state": 0}


@pytest.fixture(scope="module")
def reg():
    return SpectralMLPRegressor(16, alpha_factor=1.0, max_iter=300, random_state=0).fit(X, Y)


def test_size_of_a_teacher_is_identified(reg):
    found = size_interval(reg, X, Y, random_state=0)
    assert reg.n_alive_nodes_ == [2]
    assert found.identified
    assert found.interval[0] in [(2, 2), (2, 3)]
    assert found.seed_sizes.shape == found.fold_sizes.shape == (2, 3, 1)
    assert found.factors.tolist() == [1, 2, 4]
    assert found.size_settled.shape == (4, 3)


def test_smooth_task_has_no_size():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 2))
    y = X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=900)
    smooth = SpectralMLPRegressor(40, max_iter=200, random_state=0).fit(X, y)
    found = size_interval(smooth, X, y, random_state=0)
    assert not found.identified
    least, most = found.interval[0]
    assert least <= smooth.n_alive_nodes_[0] <= most
    assert most - least > 1


def test_a_part_of_an_ensemble_begins_at_its_own_penalty():
    part = SpectralMLPRegressor(8, n_members=2, max_iter=20, random_state=0).fit(X, Y).prune()
    assert part.alpha_factor_ == 0.25
    own, twice = multiples(part, [1.0, 2.0])
    assert own == {"alpha": "auto", "alpha_factor": 0.25}
    assert twice == {"alpha": "auto", "alpha_factor": 0.5}


def test_networks_of_which_not_all_follow_the_noise_begin_at_their_median():
    auto, fixed = (
        SpectralMLPRegressor(8, alpha=alpha, max_iter=20, random_state=0).fit(X, Y)
        for alpha in ("auto", 1e-2)
    )
    both = merge([auto, fixed])
    assert f"{both.alpha_:.3g}: as fitted" in both.summary()
    found = size_interval(both, X, Y, factors=[1.0, 2.0], n_seeds=0, cv=2, random_state=0)
    assert found.fold_sizes.shape == (2, 2, 1)
    starts = [step["alpha"] for step in multiples(both, [1.0, 2.0])]
    assert starts == [both.alpha_, 2 * both.alpha_]
    fixed.set_params(alpha="auto")  # after the fit, which it did not have a part in
    assert [step["alpha"] for step in multiples(fixed, [1.0, 2.0])] == [1e-2, 2e-2]


def test_penalties_of_folds_stay_those_of_the_fit():
    reg = SpectralMLPRegressor(8, noise_cv=3, max_iter=20, random_state=0).fit(X, Y)
    for _ in range(2):
        starts = [step["alpha"] for step in multiples(reg, [1.0, 2.0])]
        assert starts == [reg.alpha_, 2 * reg.alpha_]
        reg.set_params(noise_cv=None)


def test_sizes_are_those_of_walks_on_the_same_rows(reg):
    """By hand: seeds on all rows first, then the folds."""
    factors = [1.0, 4.0]
    found = size_interval(reg, X, Y, factors=factors, n_seeds=1, cv=KFold(2), random_state=0)
    rng = np.random.RandomState(0)
    parts = [np.arange(900), *(train for train, _ in KFold(2).split(X))]
    by_hand = []
    for part in parts:
        seed = rng.randint(np.iinfo(np.int32).max)
        network = SpectralMLPRegressor(16, max_iter=300, random_state=seed)
        walked = steps(network, X[part], Y[part], following([1.0, 4.0]))
        by_hand.append(finish(visit(walked, lambda fitted: fitted.n_alive_nodes_)))
    assert found.seed_sizes.tolist() == by_hand[:1]
    assert found.fold_sizes.tolist() == by_hand[1:]


def test_float_penalty_is_varied_around_itself():
    network = SpectralMLPRegressor(24, alpha=3e-3, max_iter=60, random_state=0).fit(X, Y)
    found = size_interval(network, X, Y, **QUICK)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    walked = steps(network.set_params(random_state=seed), X, Y, fixed([3e-3, 6e-3, 1.2e-2]))
    sizes = finish(visit(walked, lambda fitted: fitted.n_alive_nodes_))
    assert found.seed_sizes.tolist() == [sizes]


def test_narrow_factors_and_full_widths_identify_nothing(reg):
    assert not size_interval(reg, X, Y, factors=[1.0, 2.0], **QUICK).identified
    narrow = SpectralMLPRegressor(3, max_iter=100, random_state=0).fit(X, Y)
    found = size_interval(narrow, X, Y, **QUICK)
    assert not found.identified  # its three nodes are all there were


def test_dead_network_has_no_size(reg):
    dead = SpectralMLPRegressor(8, alpha=100.0, max_iter=100, random_state=0).fit(X, Y)
    assert dead.n_alive_nodes_ == [0]
    found = size_interval(dead, X, Y, **QUICK)
    assert found.interval == [(0, 0)]
    assert not found.identified


def test_pipelines_and_cv_estimators_are_taken():
    frame = pd.DataFrame(10 * X, columns=list("abcde"))
    model = make_pipeline(StandardScaler(), SpectralMLPRegressor(24, max_iter=50, random_state=0))
    model.fit(frame, Y)
    given = size_interval(model, frame, Y, **QUICK)
    inner = size_interval(model[-1], model[:-1].transform(frame), Y, **QUICK)
    np.testing.assert_array_equal(given.seed_sizes, inner.seed_sizes)
    alphas = [1e-3, 2e-3]
    cv = SpectralMLPRegressorCV(24, alphas=alphas, cv=2, max_iter=50, random_state=0).fit(X, Y)
    given, inner = (size_interval(model, X, Y, **QUICK) for model in (cv, cv.estimator_))
    np.testing.assert_array_equal(given.seed_sizes, inner.seed_sizes)


def test_classifier_and_weights():
    label = (np.median(Y) < Y).astype(int)
    weight = np.repeat([1.0, 0.0], 450)
    clf = SpectralMLPClassifier(24, max_iter=40, random_state=0)
    clf.fit(X, label, sample_weight=weight)
    weighted = size_interval(clf, X, label, sample_weight=weight, **QUICK)
    left_out = size_interval(clf, X[:450], label[:450], **QUICK)
    np.testing.assert_array_equal(weighted.seed_sizes, left_out.seed_sizes)
    assert size_interval(clf, X, label, n_seeds=0, random_state=0).fold_sizes.shape == (2, 3, 1)


def test_several_layers_and_jobs():
    deep = SpectralMLPRegressor((12, 8), max_iter=30, random_state=0).fit(X, Y)
    options = {"factors": [1.0, 4.0], "random_state": 0}
    one, two = (size_interval(deep, X, Y, n_jobs=jobs, **options) for jobs in (1, 2))
    assert one.seed_sizes.shape == (2, 2, 2)
    np.testing.assert_array_equal(one.seed_sizes, two.seed_sizes)
    np.testing.assert_array_equal(one.fold_sizes, two.fold_sizes)
    assert len(one.interval) == 2


def test_rows_of_another_target_are_refused(reg):
    rows = np.random.default_rng(0).normal(size=(120, 4))
    classes = np.arange(120) % 3
    clf = SpectralMLPClassifier(8, alpha=1e-2, max_iter=20, random_state=0)
    clf.fit(rows[classes != 1], classes[classes != 1])
    with pytest.raises(ValueError, match="`y` must have the classes of the estimator"):
        size_interval(clf, rows, classes, factors=[1.0])
    with pytest.raises(ValueError, match="`y` must have 1 output, as the estimator"):
        size_interval(reg, X, np.c_[Y, Y])


def test_estimator_is_not_changed(reg):
    before, n_iter = reg.predict(X), reg.n_iter_
    parameters = reg.get_params()
    size_interval(reg, X, Y, factors=[1.0], **QUICK)
    np.testing.assert_array_equal(reg.predict(X), before)
    assert (reg.n_iter_, reg.get_params()) == (n_iter, parameters)


@pytest.mark.parametrize("form", [list, sparse.coo_matrix, sparse.csr_array])
def test_other_forms_of_rows_are_taken(form):
    network = SpectralMLPRegressor(8, max_iter=5, random_state=0).fit(X, Y)
    options = {"factors": [1.0], "random_state": 0}
    given = size_interval(network, form(X), list(Y), **options)
    assert given.fold_sizes.shape == (2, 1, 1)
    if form is list:
        plain = size_interval(network, X, Y, **options)
        np.testing.assert_array_equal(given.seed_sizes, plain.seed_sizes)


def test_folds_name_rows_of_the_whole_table():
    """Rows of weight zero between the others do not move the folds."""
    network = SpectralMLPRegressor(8, max_iter=20, random_state=0).fit(X, Y)
    weight = np.ones(len(X))
    weight[::3] = 0
    train = np.arange(450)
    options = {"n_seeds": 0, "random_state": 0}
    weighted = size_interval(
        network, X, Y, sample_weight=weight, cv=[(train, np.arange(450, 900))], **options
    )
    kept = train[weight[train] > 0]
    left_out = size_interval(network, X, Y, cv=[(kept, np.arange(450, 900))], **options)
    np.testing.assert_array_equal(weighted.fold_sizes, left_out.fold_sizes)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"factors": []}, ValueError, "`factors` must be a list of at least one"),
        ({"factors": [-1.0, 1.0]}, ValueError, "finite and above 0; got -1"),
        ({"factors": [1.0, np.inf]}, ValueError, "finite"),
        ({"factors": [2.0, 1.0]}, ValueError, "must increase"),
        ({"factors": ["a"]}, ValueError, "must hold numbers"),
        ({"n_seeds": -1}, ValueError, "n_seeds"),
        ({"n_seeds": 0, "cv": []}, ValueError, "nothing to fit"),
        ({"cv": 1}, ValueError, "'cv' parameter"),
        ({"cv": "five"}, ValueError, "cv"),
        ({"sample_weight": [1.0]}, ValueError, "sample_weight"),
        (
            {"sample_weight": np.eye(900)[0]},
            ValueError,
            "cannot hold out .* of 1 row: .* Give `cv`",
        ),
    ],
)
def test_bad_options_raise(reg, options, error, message):
    with pytest.raises(error, match=message):
        size_interval(reg, X, Y, **options)


def test_bad_estimators_raise(reg):
    with pytest.raises(NotFittedError):
        size_interval(SpectralMLPRegressor(), X, Y)
    with pytest.raises(NotFittedError):
        size_interval(make_pipeline(StandardScaler(), SpectralMLPRegressor()), X, Y)
    with pytest.raises(TypeError, match=r"must be a fitted SpectralMLPRegressor.*got Dummy"):
        size_interval(DummyRegressor().fit(X, Y), X, Y)
    with pytest.raises(TypeError, match=r"Pipeline that ends in one of them; got Dummy"):
        size_interval(make_pipeline(StandardScaler(), DummyRegressor()).fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="no hidden layer"):
        size_interval(SpectralMLPRegressor((), max_iter=2).fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="must be penalised"):
        size_interval(SpectralMLPRegressor(4, alpha=0.0, max_iter=2).fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="5 features"):
        size_interval(reg, X[:, :4], Y)
