"""Schedules are pure functions of progress."""

import pickle

import numpy as np
import pytest

from skspectral._training.schedule import (
    CYCLES,
    MEMBER_CYCLES,
    SCHEDULES,
    SMALL_TABLE_CYCLES,
    SMALL_TABLE_MEMBER_CYCLES,
    constant,
    cosine,
    cycle_ends,
    in_cycles,
    onecycle,
)


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
@pytest.mark.parametrize(("of_member", "cycles"), [(False, CYCLES), (True, MEMBER_CYCLES)])
def test_cycles_count_steps_not_epochs(n_rows, batch_size, of_member, cycles):
    per_epoch = -(-n_rows // batch_size)
    steps = np.array(cycle_ends(n_rows, batch_size, of_member=of_member)) * per_epoch
    planned = np.cumsum(cycles)
    assert (steps >= planned).all()
    assert (steps < planned + per_epoch).all()


def test_cycles_are_short_for_small_tables():
    assert cycle_ends(100, 100) == tuple(np.cumsum(SMALL_TABLE_CYCLES))
    assert cycle_ends(999, 999)[-1] < cycle_ends(1000, 1000)[-1] == sum(CYCLES)
    assert cycle_ends(999, 200)[:2] == (50, 150)  # 5 steps an epoch


def test_members_may_stop_sooner_and_are_given_up_at_about_the_same_time():
    for n_rows in (999, 1000):
        own, of_one = (cycle_ends(n_rows, n_rows, of_member=each) for each in (True, False))
        assert own[0] == of_one[0]
        assert own[1] < of_one[1]
        assert own[-1] == pytest.approx(of_one[-1], rel=0.1)
    assert cycle_ends(100, 100, of_member=True) == tuple(np.cumsum(SMALL_TABLE_MEMBER_CYCLES))


@pytest.mark.parametrize(
    "cycles", [CYCLES, SMALL_TABLE_CYCLES, MEMBER_CYCLES, SMALL_TABLE_MEMBER_CYCLES]
)
def test_each_cycle_is_longer_than_the_one_before(cycles):
    assert (np.diff(cycles) > 0).all()


@pytest.mark.parametrize("n_rows", [1, 30, 999, 1000, 300_000, 900_000, 10**7])
@pytest.mark.parametrize("batch_size", [1, 7, 200])
def test_ends_of_cycles_increase(n_rows, batch_size):
    ends = cycle_ends(n_rows, min(batch_size, n_rows))
    assert all(isinstance(end, int) for end in ends)
    assert ends[0] >= 1
    assert (np.diff(ends) > 0).all()


def test_cycles_that_end_in_the_same_epoch_are_one(monkeypatch):
    monkeypatch.setattr("skspectral._training.schedule.CYCLES", (1500, 3000, 6000, 12_000))
    assert cycle_ends(900_000, 200) == (1, 3, 5)  # of 4,500 steps: the first two are one
    assert cycle_ends(10**7, 200) == (1,)


@pytest.mark.parametrize("name", ["onecycle", "cosine"])
def test_each_cycle_runs_its_schedule_from_peak_to_zero(name):
    ends = (5, 15, 40)
    rate = in_cycles(SCHEDULES[name], ends)
    peak = 0.1 if name == "onecycle" else 0.0
    for start, end in zip((0, *ends), ends, strict=False):
        values = [rate((start + share * (end - start)) / 40) for share in np.linspace(0, 1, 101)]
        inside = [SCHEDULES[name](share) for share in np.linspace(0, 1, 101)]
        np.testing.assert_allclose(values[1:-1], inside[1:-1], atol=1e-12)
        assert rate((start + peak * (end - start)) / 40) == pytest.approx(1)
        assert rate(end / 40 - 1e-9) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["onecycle", "cosine"])
def test_one_cycle_is_the_schedule_itself(name):
    rate = in_cycles(SCHEDULES[name], (7,))
    shares = np.linspace(0, 1, 57)
    assert [rate(share) for share in shares] == [SCHEDULES[name](share) for share in shares]


def test_the_last_cycle_ends_at_zero():
    assert in_cycles(onecycle, (1, 3))(1.0) == pytest.approx(0)


def test_schedules_with_the_same_cycles_are_equal():
    assert in_cycles(onecycle, (1, 3)) == in_cycles(onecycle, [2, 6])
    assert in_cycles(onecycle, (1, 3)) != in_cycles(onecycle, (1, 4))
    assert in_cycles(onecycle, (1, 3)) != in_cycles(SCHEDULES["cosine"], (1, 3))


def test_schedule_in_cycles_can_be_pickled():
    rate = in_cycles(onecycle, (1, 3, 9))
    again = pickle.loads(pickle.dumps(rate))
    assert [again(p) for p in np.linspace(0, 1, 21)] == [rate(p) for p in np.linspace(0, 1, 21)]
