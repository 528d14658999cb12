"""Quantities computed from a row of the history."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any


def penalised_loss(row: dict[str, Any]) -> float:
    """Return the penalised loss of an epoch."""
    return float(row["train_loss"] + row["penalty"])


def negative_score(row: dict[str, Any]) -> float:
    """Return minus the validation score of an epoch, so that lower is better."""
    return -float(row["valid_score"])
