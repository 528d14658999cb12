"""Torch's global state during training, restored afterwards."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_lock = threading.Lock()
_fits_running = 0
_threads_before = 1
_forked = False


def is_forked() -> bool:
    """Tell whether this process is the fork of another one."""
    return _forked


def _leave_the_parent() -> None:
    """Compute on one thread from now on, and forget the fits of the parent.

    A fork has its parent's pool of threads in name only, and waits for ever on the first work
    that it shares out among them.
    """
    global _lock, _fits_running, _forked
    _lock, _fits_running, _forked = threading.Lock(), 0, True
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_leave_the_parent)


def flushes_denormals() -> bool:
    """Tell whether this thread treats denormal numbers as zero."""
    # torch can only set this, so try: half of a denormal number is zero only if flushed
    return bool(torch.full((), 1e-310, dtype=torch.float64).mul(0.5) == 0)


@contextmanager
def _threads(n_threads: int | None) -> Iterator[None]:
    """Set torch's thread count, and restore it afterwards.

    Each thread has its own count, and a new thread starts with the count that
    any thread set last. So a thread that starts a fit while others run is given
    back the count that the first of them had found.
    """
    global _fits_running, _threads_before
    if n_threads is None:
        yield
        return
    with _lock:
        own = torch.get_num_threads()
        if _fits_running == 0:
            _threads_before = own
        # the main thread has set its own count; a pool's thread may have inherited a fit's
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
def outside_of_modes() -> Iterator[None]:
    """Leave ``torch.no_grad``, ``torch.inference_mode`` and ``torch.autocast`` of the caller."""
    casts = [device for device in ("cpu", "cuda") if torch.is_autocast_enabled(device)]
    # to leave a mode takes as long as a tenth of the prediction of a row
    if torch.is_grad_enabled() and not (torch.is_inference_mode_enabled() or casts):
        yield
        return
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        for device in casts:
            modes.enter_context(torch.autocast(device, enabled=False))
        yield


@contextmanager
def training_state(n_threads: int | None) -> Iterator[None]:
    """Train with `n_threads` threads and flushed denormals; leave torch as it was.

    Weights on their way to zero become denormal numbers, which slow a CPU down
    severely. Training has its own random generators, so torch's global generator
    is not touched.
    """
    flushed = flushes_denormals()
    with _threads(n_threads):
        torch.set_flush_denormal(True)
        try:
            yield
        finally:
            torch.set_flush_denormal(flushed)
