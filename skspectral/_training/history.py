"""Quantities computed from a row of the history."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any


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
