"""Learning-rate factors as pure functions of the progress of training."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.1
"""Fraction of a one-cycle schedule spent rising to the peak."""


def constant(progress: float) -> float:
    """Return 1 throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine as `progress` goes from 0 to 1."""
    return 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def onecycle(progress: float) -> float:
    """Rise linearly to 1 over the first tenth, then fall to 0 along half a cosine."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return cosine((progress - WARM_UP) / (1.0 - WARM_UP))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "onecycle": onecycle,
    "cosine": cosine,
    "constant": constant,
    "adaptive": constant,
}

HORIZON_SCHEDULES = ("onecycle", "cosine")
"""Schedules that have an end and run to it."""

AUTO_STEPS = 15_000
"""Steps that max_iter="auto" plans; see the user guide for the measurement."""
SMALL_TABLE_ROWS = 1000
SMALL_TABLE_STEPS = 2000


def auto_epochs(n_rows: int, batch_size: int) -> int:
    """Return the epochs that let sizes settle at default settings.

    Nodes that the data no longer feed shrink by about the learning rate per
    step, so the number of steps is planned, not that of epochs.

    Parameters
    ----------
    n_rows : int
        Training rows.
    batch_size : int

    Returns
    -------
    int
    """
    steps_per_epoch = math.ceil(n_rows / batch_size)
    if n_rows < SMALL_TABLE_ROWS:
        return max(1, SMALL_TABLE_STEPS // steps_per_epoch)
    return math.ceil(AUTO_STEPS / steps_per_epoch)
