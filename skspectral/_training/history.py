"""Quantities computed from a row of the history."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

FALLEN = 0.1
"""Share of the largest learning rate to which it falls at the end of a cycle."""


def last_row(net: Any) -> dict[str, Any]:
    """Return the row of the epoch that is going on, or of the last one."""
    # skorch's own way to index copies the whole history, at each of thousands of epochs
    row: dict[str, Any] = list.__getitem__(net.history, -1)
    return row


def penalised_loss(row: dict[str, Any]) -> float:
    """Return the penalised loss of an epoch."""
    return float(row["train_loss"] + row["penalty"])


def data_loss(row: dict[str, Any]) -> float:
    """Return the data term of the loss of an epoch, which does not move with the penalty."""
    return float(row["train_loss"])


def negative_score(row: dict[str, Any]) -> float:
    """Return minus the validation score of an epoch, so that lower is better."""
    return -float(row["valid_score"])


def curve_of(history: Any, name: str) -> np.ndarray | None:
    """Return a quantity of each epoch, NaN where there is none; None if no epoch has it."""
    values = [row.get(name, np.nan) for row in list.__iter__(history)]
    return None if np.isnan(values).all() else np.array(values, dtype=np.float64)


def cycle_ends_of(history: Any) -> np.ndarray:
    """Return the epochs, counted from 1, after which the learning rate rose from near zero.

    There a cycle of the schedule ended and another one began. The last epoch is not among them.
    """
    sums = np.array([row["learning_rate_sum"] for row in list.__iter__(history)], dtype=float)
    rates = np.diff(sums, prepend=0.0)
    rates = np.where(rates < 0, sums, rates)  # a new fit counts from zero
    falls, rises = rates[1:-1] <= rates[:-2], rates[2:] > rates[1:-1]
    ends = falls & rises & (rates[1:-1] < FALLEN * rates.max(initial=0.0))
    return np.flatnonzero(ends) + 2
