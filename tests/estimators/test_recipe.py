"""From parameters to settings, without a fit."""

import numpy as np
import pytest
import torch
from skorch.callbacks import LRScheduler

from skspectral._estimators.recipe import (
    auto_width,
    batch_rows,
    dtype_of,
    fit_callbacks,
    hidden_widths,
    optimizer_of,
    penalty_of,
    planned_ends,
    schedule_name,
)
from skspectral._training.cycles import StopWhenSettled
from skspectral._training.noise import FollowNoise
from skspectral._training.schedule import cycle_ends
from skspectral._training.shrinking import DropSilent
from skspectral._training.stopping import BestEpoch, StopOnPlateau

PLAIN = {
    "ends": (10,),
    "noise": None,
    "users": [],
    "sklearn": None,
    "learning_rate": "onecycle",
    "early_stopping": False,
    "tol": 1e-4,
    "n_iter_no_change": 10,
    "time_limit": None,
    "shrink": False,
    "verbose": 0,
}


@pytest.mark.parametrize(
    ("batch_size", "n_rows", "expected"),
    [
        ("auto", 150, 150),
        *(("auto", 5000, 200), ("auto", 20_000, 200), ("auto", 50_000, 500)),
        *(("auto", 100_000, 1000), ("auto", 10**7, 1000)),
        *((64, 10**6, 64), (5000, 10**6, 5000), (np.int64(64), 50, 50)),
    ],
)
def test_batch_rows(batch_size, n_rows, expected):
    assert batch_rows(batch_size, n_rows) == expected


def test_planned_ends():
    assert planned_ends(np.int64(7), "onecycle", 5000, 200) == (7,)
    for schedule in ("onecycle", "cosine"):
        assert planned_ends("auto", schedule, 5000, 200) == cycle_ends(5000, 200)
        of_member = cycle_ends(5000, 200, of_member=True)
        assert planned_ends("auto", schedule, 5000, 200, n_members=2) == of_member
    for schedule in ("constant", "adaptive"):
        assert planned_ends("auto", schedule, 5000, 200) == (200,)


@pytest.mark.parametrize(
    ("n_rows", "width"),
    # 64 and 128 meet at 2 sqrt(n) = 64 sqrt(2), that is at 2048 rows; so do the others
    [
        *((1, 64), (1000, 64), (2047, 64), (2049, 128), (8191, 128), (8193, 256)),
        *((32_767, 256), (32_769, 512), (10**8, 512)),
    ],
)
def test_auto_width_is_the_power_of_two_near_twice_the_root(n_rows, width):
    assert auto_width(n_rows) == width
    assert hidden_widths("auto", n_rows) == (width,)
    assert hidden_widths("auto", n_rows, n_members=5) == (width // 2,)


def test_given_widths_do_not_depend_on_the_rows():
    for n_rows in (1, 10**6):
        assert hidden_widths(7, n_rows) == (7,)
        assert hidden_widths([20, np.int64(5)], n_rows) == (20, 5)
        assert hidden_widths((), n_rows) == ()
    with pytest.raises(ValueError, match="`hidden_layer_sizes` must hold integers"):
        hidden_widths((8, 0), 100)


def test_trained_weights_have_no_warm_up():
    assert schedule_name("onecycle", False, []) == "onecycle"
    assert schedule_name("onecycle", True, []) == "cosine"
    assert schedule_name("constant", True, []) == "constant"
    assert schedule_name("onecycle", False, [("rate", LRScheduler())]) == "constant"


@pytest.mark.parametrize(
    ("dtype", "n_rows", "device", "expected"),
    [
        ("auto", 999, "cpu", torch.float64),
        ("auto", 1000, "cpu", torch.float32),
        ("auto", 999, "cuda", torch.float32),
        ("float64", 10**6, "cuda", torch.float64),
    ],
)
def test_small_tables_are_exact_on_a_cpu(dtype, n_rows, device, expected):
    assert dtype_of(dtype, n_rows, 10, device) is expected


def test_few_rows_of_many_columns_are_no_small_table():
    assert dtype_of("auto", 500, 1000, "cpu") is torch.float64
    assert dtype_of("auto", 500, 1001, "cpu") is torch.float32


def test_penalty_of_one_alpha_serves_all_factors():
    assert penalty_of(0.1, None, None) == penalty_of(0.1, 0.1, 0.1)
    penalty = penalty_of(0.1, 0.0, 0.3)
    assert (penalty.weight, penalty.phi, penalty.lambda_) == (0.1, 0.0, 0.3)


def test_optimizers_are_named_or_given():
    assert optimizer_of("sgd") is torch.optim.SGD
    assert optimizer_of("adam").keywords == {"betas": (0.9, 0.99)}
    assert optimizer_of(torch.optim.RAdam) is torch.optim.RAdam


def test_schedules_with_an_end_need_no_callback():
    assert fit_callbacks(**PLAIN).in_order() == []


def test_callbacks_of_the_user_come_after_scores_and_before_what_stops():
    user = LRScheduler()
    callbacks = fit_callbacks(
        **{
            **PLAIN,
            "users": [user],
            "learning_rate": "adaptive",
            "early_stopping": True,
        }
    )
    kinds = [type(c[1]) if isinstance(c, tuple) else c for c in callbacks.in_order()]
    assert kinds == [BestEpoch, user, StopOnPlateau]
    assert user not in callbacks.own()
    assert callbacks.plateau.adaptive
    assert callbacks.best_epoch.margin == 0.0


def test_schedules_that_run_to_their_end_restore_by_a_margin():
    best = fit_callbacks(**{**PLAIN, "early_stopping": True, "tol": 0.01}).best_epoch
    assert best.margin == 0.01


def test_only_several_cycles_can_end_early():
    assert fit_callbacks(**PLAIN).settled is None
    callbacks = fit_callbacks(**{**PLAIN, "ends": (3, 9), "shrink": True})
    kinds = [type(callback) for _, callback in callbacks.in_order()]
    assert kinds == [StopWhenSettled, DropSilent]
    assert tuple(callbacks.settled.ends) == (3, 9)
    assert callbacks.settled.earliest == 0


def test_no_fit_ends_while_its_penalty_rises():
    noise = FollowNoise(table=None, factor=0.5, ramp=0.4)
    callbacks = fit_callbacks(**{**PLAIN, "ends": (3, 9), "noise": noise})
    assert callbacks.settled.earliest == 0.4


def test_progress_counts_up_to_the_last_end():
    progress = fit_callbacks(**{**PLAIN, "ends": (3, 9), "verbose": 1}).progress
    assert progress.epochs == 9


def test_nothing_shrinks_beside_callbacks_of_the_user():
    assert fit_callbacks(**{**PLAIN, "shrink": True}).shrink is not None
    assert fit_callbacks(**{**PLAIN, "shrink": True, "users": [LRScheduler()]}).shrink is None
