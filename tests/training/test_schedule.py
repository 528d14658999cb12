"""Schedules are pure functions of progress."""

import numpy as np
import pytest

from skspectral._training.schedule import SCHEDULES, auto_epochs, constant, cosine, onecycle


def test_cosine_falls_from_one_to_zero():
    values = [cosine(p) for p in np.linspace(0, 1, 101)]
    assert values[0] == 1
    assert values[50] == pytest.approx(0.5)
    assert values[-1] == pytest.approx(0)
    assert (np.diff(values) < 0).all()


def test_onecycle_rises_for_a_tenth_then_falls():
    values = np.array([onecycle(p) for p in np.linspace(0, 1, 1001)])
    assert values.argmax() == 100
    assert values.max() == pytest.approx(1)
    assert values[50] == pytest.approx(0.5)
    assert values[-1] == pytest.approx(0)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_schedules_stay_within_zero_and_one_beyond_the_end(name):
    assert all(0 <= SCHEDULES[name](p) <= 1 for p in np.linspace(0, 1.5, 50))


def test_constant_is_one():
    assert {constant(p) for p in (0, 0.3, 1)} == {1.0}


@pytest.mark.parametrize(
    ("n_rows", "batch_size"), [(1000, 200), (16_512, 200), (100_000, 200), (5000, 37)]
)
def test_auto_epochs_plan_steps_not_epochs(n_rows, batch_size):
    per_epoch = -(-n_rows // batch_size)
    steps = auto_epochs(n_rows, batch_size) * per_epoch
    assert 15_000 <= steps < 15_000 + per_epoch


def test_auto_epochs_are_few_for_small_tables():
    assert auto_epochs(100, 100) == 2000
    assert auto_epochs(999, 200) == 400
    assert auto_epochs(600, 200) * 3 <= 2000


def test_auto_epochs_are_at_least_one():
    assert auto_epochs(10_000_000, 100) == 1
