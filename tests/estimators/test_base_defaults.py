"""Both estimators with nothing given: what they find, and odd tables."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators.recipe import (
    FACTOR,
    FACTOR_OF_MEMBERS,
    LEAST_BATCH,
    MOST_BATCH,
    NARROWEST,
    WIDEST,
)
from skspectral._training.cycles import LOSS_SHARE, LOSS_SHARE_OF_MEMBERS, SIZE_SHARE
from skspectral._training.noise import RAMP
from skspectral._training.schedule import CYCLES, MEMBER_CYCLES
from skspectral.datasets import make_teacher_student

SHORT = pytest.mark.usefixtures("short_cycles")
QUIET = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] + 0.1 * RNG.normal(size=40)
CLASS = np.where(Y > 0, "yes", "no")
ZERO_ONE = np.arange(40) % 2


def predictions(model, X):
    return model.predict(X) if hasattr(model, "y_scale_") else model.predict_proba(X)


@pytest.fixture(scope="module")
def teacher():
    return make_teacher_student(3000, 10, (5,), noise=0.1, random_state=0)


@pytest.fixture(scope="module")
def fitted(teacher):
    return SpectralMLPRegressor(random_state=0).fit(teacher.X, teacher.y)


def test_a_teacher_of_five_nodes_is_found(fitted, teacher):
    assert fitted.n_alive_nodes_ == [5]
    assert fitted.size_settled_
    noise = np.var(teacher.y - teacher.teacher_output)
    assert fitted.noise_variance_ == pytest.approx(noise, rel=0.1)
    missed = np.mean((fitted.predict(teacher.X) - teacher.teacher_output) ** 2)
    assert missed < 0.1 * noise


@QUIET
@pytest.mark.parametrize(("scale", "shift"), [(3.0, 100.0), (1e-6, 0.0)])
def test_size_and_penalty_do_not_depend_on_the_unit(teacher, scale, shift):
    X, y = teacher.X[:300], teacher.y[:300]
    reg = SpectralMLPRegressor(random_state=0).fit(X, y)
    moved = SpectralMLPRegressor(random_state=0).fit(X, scale * y + shift)
    assert moved.n_iter_ == reg.n_iter_
    assert moved.n_alive_nodes_ == reg.n_alive_nodes_
    assert moved.alpha_ == pytest.approx(reg.alpha_, rel=1e-4)
    assert moved.noise_variance_ == pytest.approx(scale**2 * reg.noise_variance_, rel=1e-4)
    expected = scale * reg.predict(X) + shift
    np.testing.assert_allclose(moved.predict(X), expected, atol=1e-3 * scale)


@QUIET
@BOTH
def test_rows_of_weight_two_equal_rows_repeated(cls):
    # below 200 rows one batch holds all of them, so no order is drawn
    y = Y if cls is SpectralMLPRegressor else CLASS
    twice = np.arange(40) < 20
    weighted = cls(random_state=0).fit(X, y, sample_weight=1.0 + twice)
    repeated = cls(random_state=0).fit(np.vstack([X, X[twice]]), np.concatenate([y, y[twice]]))
    assert weighted.n_iter_ == repeated.n_iter_
    assert weighted.n_alive_nodes_ == repeated.n_alive_nodes_
    assert weighted.alpha_ == pytest.approx(repeated.alpha_, rel=1e-4)
    np.testing.assert_allclose(
        predictions(weighted, X), predictions(repeated, X), rtol=1e-3, atol=1e-3
    )


@QUIET
@BOTH
def test_rows_of_weight_zero_equal_rows_left_out(cls):
    y = Y if cls is SpectralMLPRegressor else CLASS
    kept = np.arange(40) % 3 > 0
    weighted = cls(random_state=0).fit(X, y, sample_weight=kept.astype(float))
    left = cls(random_state=0).fit(X[kept], y[kept])
    assert weighted.alpha_ == left.alpha_
    np.testing.assert_array_equal(predictions(weighted, X), predictions(left, X))


@BOTH
def test_a_fit_is_repeated_by_its_seed(cls):
    y = Y if cls is SpectralMLPRegressor else CLASS
    first, again = (cls(random_state=3).fit(X, y) for _ in range(2))
    assert first.alpha_ == again.alpha_
    np.testing.assert_array_equal(predictions(first, X), predictions(again, X))


@pytest.mark.parametrize(
    ("cls", "rows", "target", "weight"),
    [
        (SpectralMLPRegressor, X, np.full(40, 7.0), None),
        (SpectralMLPRegressor, np.ones((40, 3)), Y, None),
        (SpectralMLPClassifier, np.ones((40, 3)), CLASS, None),
        (SpectralMLPRegressor, X[:1], Y[:1], None),
        (SpectralMLPRegressor, X, Y, (np.arange(40) == 3).astype(float)),
        (SpectralMLPClassifier, X, CLASS, (np.arange(40) == 3).astype(float)),
    ],
    ids=["constant y", "columns", "columns-classes", "row", "weight", "weight-classes"],
)
def test_where_nothing_is_to_be_learned_the_constant_is_left_and_said(cls, rows, target, weight):
    with pytest.warns(ConvergenceWarning, match="(?i)every node died"):
        model = cls(random_state=0).fit(rows, target, sample_weight=weight)
    assert model.n_alive_nodes_ == [0]
    predicted = predictions(model, X)
    np.testing.assert_allclose(
        predicted, np.broadcast_to(predicted[0], predicted.shape), atol=0.02
    )
    weight = np.ones(len(target)) if weight is None else weight
    if cls is SpectralMLPRegressor:
        np.testing.assert_allclose(predicted, np.average(target, weights=weight), atol=0.05)
    elif weight.all():
        share = [np.mean(target == label) for label in model.classes_]
        np.testing.assert_allclose(predicted[0], share, atol=0.05)


@SHORT
@QUIET
@BOTH
@pytest.mark.parametrize(
    "rows",
    [
        X[:, :1],
        np.column_stack([X, np.ones(40)]),
        RNG.normal(size=(40, 90)),
        X[:2],
        X > 0,
        (3 * X).astype(int),
    ],
    ids=["one column", "constant column", "more columns than rows", "two rows", "bool", "int"],
)
def test_odd_tables_give_finite_predictions(cls, rows):
    y = rows[:, 0].astype(float) if cls is SpectralMLPRegressor else ZERO_ONE[: len(rows)]
    model = cls(random_state=0).fit(rows, y)
    assert np.isfinite(predictions(model, rows)).all()
    assert np.isfinite(model.alpha_)


@SHORT
@QUIET
def test_one_row_a_class_is_enough():
    clf = SpectralMLPClassifier(random_state=0).fit(X[:3], ["a", "b", "c"])
    assert np.isfinite(clf.predict_proba(X)).all()
    assert clf.classes_.tolist() == ["a", "b", "c"]


@SHORT
@QUIET
def test_a_class_of_which_all_rows_have_weight_zero_stays_a_class():
    clf = SpectralMLPClassifier(random_state=0).fit(X, CLASS, sample_weight=CLASS == "yes")
    assert clf.classes_.tolist() == ["no", "yes"]
    assert (clf.predict(X) == "yes").all()


@SHORT
@QUIET
@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_units_of_the_target_may_be_extreme(scale):
    reg = SpectralMLPRegressor(random_state=0).fit(X, scale * Y)
    assert reg.score(X, scale * Y) > 0.9


@QUIET
def test_an_output_may_be_constant():
    reg = SpectralMLPRegressor(random_state=0).fit(X, np.column_stack([Y, np.full(40, 3.0)]))
    # how far its nodes have died when training ends differs between machines
    np.testing.assert_allclose(reg.predict(X)[:, 1], 3.0, atol=1e-4)
    assert reg.noise_variance_.shape == (2,)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="number of classes must be at least 2"):
        SpectralMLPClassifier().fit(X[:1], CLASS[:1])


@BOTH
@pytest.mark.parametrize("name", ["alpha", "hidden_layer_sizes", "max_iter", "batch_size"])
def test_other_words_than_auto_are_refused_by_name(cls, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        cls(**{name: "foo"}).fit(X, ZERO_ONE)


@SHORT
@QUIET
@BOTH
def test_no_hidden_layer_has_no_penalty(cls):
    model = cls(hidden_layer_sizes=(), random_state=0).fit(X, ZERO_ONE)
    assert model.alpha_ == 0.0
    assert model.noise_variance_ is None
    assert model.n_alive_nodes_ == []
    assert "alpha" not in model.net_.history[-1]
    classes = {"classes": [0, 1]} if cls is SpectralMLPClassifier else {}
    passed = cls(hidden_layer_sizes=(), random_state=0).partial_fit(X, ZERO_ONE, **classes)
    assert passed.alpha_ == 0.0


def test_no_hidden_layer_is_least_squares():
    reg = SpectralMLPRegressor((), random_state=0).fit(X, Y)
    design = np.column_stack([X, np.ones(40)])
    expected = design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    np.testing.assert_allclose(reg.predict(X), expected, atol=1e-3)


@BOTH
def test_documentation_has_the_numbers_of_the_code(cls):
    text = " ".join(cls.__doc__.split())
    *others, last = (f"{steps:,}" for steps in CYCLES)
    assert f"cycles of {', '.join(others)} and {last} steps" in text
    *of_members, last_of_member = (f"{steps:,}" for steps in MEMBER_CYCLES)
    shorter = f"shorter cycles, {', '.join(of_members[:3])} steps and on to {last_of_member}"
    assert f"{shorter}, and also stop" in text
    assert f"as it was to {100 * LOSS_SHARE_OF_MEMBERS:.0f} %, whatever their size" in text
    assert f'"auto" is {FACTOR}, but {FACTOR_OF_MEMBERS} for each of several' in text
    assert f"the first {100 * RAMP:.0f} % of the planned training" in text
    assert f"to {100 * SIZE_SHARE:.0f} %" in text
    assert SIZE_SHARE == LOSS_SHARE
    assert f"from {NARROWEST} to {WIDEST}" in text
    assert f"at least {LEAST_BATCH}" in text
    assert f"at most {MOST_BATCH:,}" in text


def test_data_without_noise_are_told_to_need_a_number():
    rows = np.random.default_rng(0).normal(size=(300, 2))
    with pytest.warns(ConvergenceWarning, match="give `alpha` as a number: the noise"):
        SpectralMLPRegressor(random_state=0).fit(rows, np.abs(rows[:, 0]))
