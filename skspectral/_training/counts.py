"""Numbers of things in words."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """Return a number of things: "1 node", "2 nodes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
