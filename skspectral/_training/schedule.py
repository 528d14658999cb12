"""Factors of the learning rate, as functions of the progress of training."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.1
"""Fraction of a one-cycle schedule in which the rate rises to its peak."""


def constant(progress: float) -> float:
    """Return 1 at any progress."""
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
    "adaptive": constant,  # StopOnPlateau divides the rate
}

HORIZON_SCHEDULES = ("onecycle", "cosine")
"""Schedules with a planned end: they do not stop on a plateau."""

AUTO_STEPS = 15_000
"""Steps that max_iter="auto" plans; the user guide has the measurement."""
SMALL_TABLE_ROWS = 1000
SMALL_TABLE_STEPS = 2000


def auto_epochs(n_rows: int, batch_size: int) -> int:
    """Return the number of epochs in which sizes settle at default settings.

    Nodes that the data no longer feed shrink by about the learning rate per
    step. So what is planned is the number of steps, not of epochs.

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
    # fewer steps: small tables are soon fitted; if the size needs more, the fit warns
    if n_rows < SMALL_TABLE_ROWS:
        return max(1, SMALL_TABLE_STEPS // steps_per_epoch)
    return math.ceil(AUTO_STEPS / steps_per_epoch)
