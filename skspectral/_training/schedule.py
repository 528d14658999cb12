"""Factors of the learning rate, as functions of the progress of training."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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

SMALL_TABLE_ROWS = 1000
CYCLES = (1500, 3000, 6000, 12_000, 24_000)
SMALL_TABLE_CYCLES = (250, 500, 1000, 2000, 4000)
"""Steps of the cycles of max_iter="auto"; the user guide has the measurement."""
MEMBER_CYCLES = (1500, 2000, 3000, 4500, 7000, 10_000, 15_000)
SMALL_TABLE_MEMBER_CYCLES = (250, 350, 500, 750, 1200, 1700, 2500)
"""Those of each of several networks: shorter, as they may stop before their sizes settle."""


def cycle_ends(n_rows: int, batch_size: int, *, of_member: bool = False) -> tuple[int, ...]:
    """Return the epochs after which training with max_iter="auto" may end.

    Nodes that the data no longer feed shrink by about the learning rate per
    step. So what is planned is the number of steps, not of epochs.

    Parameters
    ----------
    n_rows : int
        Training rows.
    batch_size : int
    of_member : bool, default=False
        Whether the network is one of several whose mean is taken.

    Returns
    -------
    tuple of int
        Increasing; the last is the largest number of epochs.
    """
    # fewer steps: small tables are soon fitted; if the size needs more, the fit warns
    if n_rows < SMALL_TABLE_ROWS:
        cycles = SMALL_TABLE_MEMBER_CYCLES if of_member else SMALL_TABLE_CYCLES
    else:
        cycles = MEMBER_CYCLES if of_member else CYCLES
    steps_per_epoch = math.ceil(n_rows / batch_size)
    ends = (math.ceil(steps / steps_per_epoch) for steps in itertools.accumulate(cycles))
    return tuple(dict.fromkeys(ends))  # an epoch of many rows may hold several cycles


@dataclass(frozen=True)
class Cycles:
    """A schedule that runs once in each of several cycles.

    Equal ones have equal rates, and a net can be pickled with one.

    Parameters
    ----------
    schedule : callable
    bounds : tuple of float
        Progress at which cycles begin and end, from 0 to 1.
    """

    schedule: Callable[[float], float]
    bounds: tuple[float, ...]

    def __call__(self, progress: float) -> float:
        """Return the factor of the rate at a progress from 0 to 1 over all cycles."""
        cycle = min(bisect.bisect_right(self.bounds, progress), len(self.bounds) - 1)
        start, end = self.bounds[cycle - 1], self.bounds[cycle]
        return self.schedule((progress - start) / (end - start))


def in_cycles(schedule: Callable[[float], float], ends: Sequence[int]) -> Cycles:
    """Return a schedule that repeats another one in each of the cycles with the given ends."""
    return Cycles(schedule, (0.0, *(end / ends[-1] for end in ends)))
