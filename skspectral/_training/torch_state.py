"""Torch's process-wide state during training, put back afterwards."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_fits_running = 0
_threads_before = 1


def flushes_denormals() -> bool:
    """Tell whether this thread treats denormal numbers as zero; torch has no getter."""
    return bool(torch.full((), 1e-310, dtype=torch.float64).mul(0.5) == 0)


@contextmanager
def _threads(n_threads: int | None) -> Iterator[None]:
    """Set torch's thread count and put it back.

    Each thread has a count of its own, and a new thread starts with the count
    that was set last in any thread. So a thread that starts to fit while others
    do is given the count that the first of them had found.
    """
    global _fits_running, _threads_before
    if n_threads is None:
        yield
        return
    with _lock:
        own = torch.get_num_threads()
        if _fits_running == 0:
            _threads_before = own
        elif threading.current_thread() is not threading.main_thread():
            own = _threads_before
        _fits_running += 1
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(own)
        with _lock:
            _fits_running -= 1


@contextmanager
def training_state(n_threads: int | None) -> Iterator[None]:
    """Train with `n_threads` threads and flushed denormals; leave torch as it was found.

    Weights on their way to zero pass through denormal numbers, which slow a
    CPU severely. Training draws from generators of its own, so torch's global
    generator is not touched.
    """
    flushed = flushes_denormals()
    with _threads(n_threads):
        torch.set_flush_denormal(True)
        try:
            yield
        finally:
            torch.set_flush_denormal(flushed)
