"""Rows that a known network labels."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skspectral import SpectralMLPRegressor
from skspectral.datasets import make_teacher_student


def test_poster_teacher_is_the_default():
    data = make_teacher_student(random_state=0)
    assert data.X.shape == (10_000, 10)
    assert [layer.shape for layer in data.teacher.coefs_] == [(10, 20), (20, 20), (20, 1)]
    assert not any(bias.any() for bias in data.teacher.intercepts_)
    first, second, last = data.teacher.coefs_
    np.testing.assert_array_equal(last, 1)
    by_hand = np.maximum(np.maximum(data.X @ first, 0) @ second, 0).sum(axis=1)
    np.testing.assert_allclose(data.y, by_hand, rtol=1e-12)
    limit = np.sqrt(6 / 30)  # Glorot: 10 inbound and 20 outbound nodes
    assert 0.95 * limit < np.abs(first).max() < limit


def test_teacher_is_a_fitted_scikit_learn_network():
    data = make_teacher_student(300, 4, (5, 3), random_state=1)
    assert isinstance(data.teacher, MLPRegressor)
    assert data.teacher.hidden_layer_sizes == (5, 3)
    np.testing.assert_array_equal(data.teacher.predict(data.X), data.y)
    np.testing.assert_array_equal(data.teacher_output, data.y)
    data.teacher.set_params(warm_start=True, max_iter=2).partial_fit(data.X, data.y)


def test_noise_is_a_share_of_the_output():
    data = make_teacher_student(20_000, noise=0.1, random_state=0)
    error = data.y - data.teacher_output
    assert error.std() / data.teacher_output.std() == pytest.approx(0.1, rel=0.03)
    assert data.teacher.score(data.X, data.y) == pytest.approx(1 - 0.01 / 1.01, abs=1e-3)
    np.testing.assert_array_equal(data.teacher.predict(data.X), data.teacher_output)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_classes_are_the_teachers_and_none_is_rare(n_classes):
    data = make_teacher_student(
        4001, 6, 15, task="classification", n_classes=n_classes, random_state=0
    )
    assert isinstance(data.teacher, MLPClassifier)
    np.testing.assert_array_equal(data.teacher.predict(data.X), data.y)
    assert data.teacher.classes_.tolist() == list(range(n_classes))
    assert np.bincount(data.y).min() > 0.3 * 4001 / n_classes
    assert data.teacher_output.shape == ((4001,) if n_classes == 2 else (4001, n_classes))
    proba = data.teacher.predict_proba(data.X)
    logits = np.log(proba[:, 1] / proba[:, 0])
    output = data.teacher_output
    expected = output if n_classes == 2 else output[:, 1] - output[:, 0]
    np.testing.assert_allclose(logits, expected, atol=1e-9)


def test_noise_changes_some_classes():
    options = {"task": "classification", "random_state": 0}
    clean, noisy = (make_teacher_student(5000, noise=noise, **options) for noise in (0, 0.1))
    np.testing.assert_array_equal(clean.X, noisy.X)
    assert 0.005 < np.mean(clean.y != noisy.y) < 0.1


def test_seed_fixes_the_teacher_whatever_the_number_of_rows():
    few, many, other = (
        make_teacher_student(n, 3, 4, random_state=seed) for n, seed in ((10, 5), (99, 5), (10, 6))
    )
    np.testing.assert_array_equal(few.teacher.coefs_[0], many.teacher.coefs_[0])
    assert (few.teacher.coefs_[0] != other.teacher.coefs_[0]).all()


def test_output_weights_can_be_random():
    data = make_teacher_student(50, output_weights="glorot", random_state=0)
    assert len(np.unique(data.teacher.coefs_[-1])) == 20


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_activation_is_the_teachers(activation):
    data = make_teacher_student(50, 3, 4, activation=activation, random_state=0)
    assert data.teacher.activation == activation
    assert data.teacher.score(data.X, data.y) == 1


def test_pair_is_returned_on_request():
    X, y = make_teacher_student(50, 3, 4, random_state=0, return_teacher=False)
    data = make_teacher_student(50, 3, 4, random_state=0)
    np.testing.assert_array_equal(X, data.X)
    np.testing.assert_array_equal(y, data.y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher_layer_sizes": ()}, "at least one; got \\(\\)"),
        ({"teacher_layer_sizes": (5, 0)}, ">= 1"),
        ({"teacher_layer_sizes": (5, 2.5)}, "integer"),
        ({"teacher_layer_sizes": "twenty"}, "teacher_layer_sizes"),
        ({"teacher_layer_sizes": [[1], [2, 3]]}, "`teacher_layer_sizes` must hold entries of one"),
        ({"teacher_layer_sizes": 0}, "teacher_layer_sizes"),
        ({"noise": -0.1}, "noise"),
        ({"task": "ranking"}, "task"),
        ({"n_classes": 1, "task": "classification"}, "n_classes"),
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 0}, "n_features"),
        ({"activation": "gelu"}, "activation"),
        (
            {"task": "classification", "n_classes": 3, "output_weights": "ones"},
            "must be 'glorot' for more than two",
        ),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        make_teacher_student(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_samples": 2**63},
        {"n_features": 2**63},
        {"teacher_layer_sizes": (2**63,)},
        {"teacher_layer_sizes": (2**40, 2**40)},
        {"n_classes": 2**63, "task": "classification"},
    ],
    ids=str,
)
def test_sizes_beyond_any_memory_are_refused(settings):
    with pytest.raises(
        MemoryError, match=r"numbers, for which there is not enough memory\. Lower"
    ):
        make_teacher_student(**settings)


@pytest.mark.parametrize(
    "sizes",
    [True, (5, True), np.True_, [np.True_, 3], np.array([True]), 5.0, np.array([2.0, 3.0])],
)
def test_teacher_and_student_refuse_the_same_sizes(sizes, regression):
    with pytest.raises(ValueError, match=r"teacher_layer_sizes.*[gG]ot"):
        make_teacher_student(10, 3, sizes)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes.*[gG]ot"):
        SpectralMLPRegressor(sizes).fit(*regression)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("sizes", [np.int64(4), [np.int32(4)], np.array([4]), (4,)])
def test_teacher_and_student_take_the_same_sizes(sizes, regression):
    assert make_teacher_student(10, 3, sizes, random_state=0).teacher.hidden_layer_sizes == (4,)
    student = SpectralMLPRegressor(sizes, max_iter=1, shrink=False).fit(*regression)
    assert student.module_.layer_sizes == (4, 4, 1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("sizes", [(), [], np.array([])])
def test_only_a_student_may_be_without_hidden_layers(sizes, regression):
    with pytest.raises(ValueError, match="at least one; got"):
        make_teacher_student(10, 3, sizes)
    student = SpectralMLPRegressor(sizes, max_iter=1).fit(*regression)
    assert student.module_.layer_sizes == (4, 1)


def test_silent_teacher_raises():
    seeds = range(20)
    signs = [np.random.RandomState(seed).uniform(-1, 1, 4)[-1] for seed in seeds]
    silent = next(seed for seed in seeds if signs[seed] < 0)  # the weight between both nodes
    with pytest.raises(ValueError, match="the same for all rows"):
        make_teacher_student(100, 3, (1, 1), random_state=silent)
