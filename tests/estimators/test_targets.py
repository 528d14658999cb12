"""Targets: encoded for the loss and decoded again, without a network."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._estimators.rows import Rows
from skspectral._estimators.targets import ClassTarget, NumberTarget, target_kind

RNG = np.random.default_rng(0)
COLORS = np.array(["red", "green", "blue"])


def rows_of(y, weight=None):
    return Rows(np.zeros((len(y), 1)), y, weight)


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_numbers_come_back(shape):
    y = 5 + 3 * RNG.normal(size=shape)
    target = NumberTarget.of(NumberTarget.check(y)).scaled_by(rows_of(y))
    encoded = target.encode(y)
    assert encoded.shape == (50, target.n_outputs)
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(encoded.std(axis=0), 1)
    np.testing.assert_allclose(target.decode(encoded), y)


def test_scale_of_weighted_rows_is_that_of_repeated_ones():
    y, times = RNG.normal(size=20), RNG.integers(1, 4, size=20)
    weighted = NumberTarget.of(y).scaled_by(rows_of(y, times.astype(float)))
    repeated = NumberTarget.of(y).scaled_by(rows_of(np.repeat(y, times)))
    np.testing.assert_allclose(weighted.mean, repeated.mean)
    np.testing.assert_allclose(weighted.spread, repeated.spread)


def test_constant_numbers_keep_their_unit():
    y = np.full(10, 1e6 + 0.1)
    target = NumberTarget.of(y).scaled_by(rows_of(y))
    assert target.spread == [1.0]
    np.testing.assert_array_equal(target.encode(y), 0)


def test_unscaled_numbers_stay():
    y = RNG.normal(size=8)
    np.testing.assert_array_equal(NumberTarget.of(y).encode(y)[:, 0], y)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError, match="`y` must be numeric"):
        NumberTarget.check(np.array(["a", "b"], dtype=object))
    with pytest.raises(ValueError, match="variance overflows"):
        NumberTarget.of(np.zeros(2)).scaled_by(rows_of(np.array([-1e200, 1e200])))
    with pytest.raises(ValueError, match="must have 1 output, as the network; got 2"):
        NumberTarget.of(np.zeros(3)).check_same(np.zeros((3, 2)))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_come_back(n_classes):
    y = RNG.choice(COLORS[:n_classes], size=40)
    target = ClassTarget.of(ClassTarget.check(y))
    encoded = target.encode(y)
    outputs = np.eye(n_classes)[encoded] if n_classes > 2 else 2 * encoded - 1
    np.testing.assert_array_equal(target.decode(outputs), y)
    assert target.out_activation == ("softmax" if n_classes > 2 else "logistic")
    assert target.stratifies


def test_labels_come_back():
    y = RNG.integers(0, 2, size=(30, 4))
    target = ClassTarget.of(ClassTarget.check(y))
    np.testing.assert_array_equal(target.decode(2 * target.encode(y) - 1), y)
    assert (target.n_outputs, target.out_activation, target.stratifies) == (4, "logistic", False)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (COLORS[:2], lambda z: np.column_stack([expit(-z[:, 0]), expit(z[:, 0])])),
        (COLORS, lambda z: softmax(z, axis=1)),
        (np.eye(2, dtype=int), expit),
    ],
)
def test_probabilities(y, expected):
    target = ClassTarget.of(y)
    outputs = 3 * RNG.normal(size=(20, target.n_outputs))
    np.testing.assert_allclose(target.probabilities(outputs), expected(outputs))
    np.testing.assert_allclose(np.exp(target.log_probabilities(outputs)), expected(outputs))


def test_log_probabilities_stay_finite_far_out():
    target = ClassTarget.of(COLORS[:2])
    np.testing.assert_allclose(target.log_probabilities(np.array([[800.0]])), [[-800, 0]])


def test_announced_classes_may_be_missing_in_what_follows():
    target = ClassTarget.of(COLORS[:1], classes=COLORS)
    target.check_same(COLORS[1:], subset=True)
    with pytest.raises(ValueError, match="classes of the first fit"):
        target.check_same(COLORS[1:])
    with pytest.raises(ValueError, match="classes of the first fit"):
        target.check_same(np.array(["black"]), subset=True)


def test_class_weights_multiply_those_of_rows():
    y = np.array(["a", "b", "b"])
    rows = ClassTarget.of(y).weighted(rows_of(y, np.array([1.0, 2.0, 3.0])), {"a": 0.0, "b": 2.0})
    np.testing.assert_array_equal(rows.weight, [4.0, 6.0])
    balanced = ClassTarget.of(y).weighted(rows_of(y), "balanced")
    np.testing.assert_allclose(balanced.weight, [1.5, 0.75, 0.75])


def test_estimators_have_their_kind():
    assert target_kind(SpectralMLPRegressor()) is NumberTarget
    assert target_kind(SpectralMLPClassifier()) is ClassTarget
