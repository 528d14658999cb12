"""Steps captured in a CUDA graph: one launch instead of dozens."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import torch

from skspectral._warn import warn_caller

T = TypeVar("T")
WARM_UP = 3
"""Ordinary steps before capture.

They create the optimiser's state and the workspaces of the CUDA libraries.
"""
_capturing = threading.Lock()
_streams: dict[torch.device, torch.cuda.Stream] = {}


def capture(work: Callable[[], T], device: torch.device) -> tuple[Callable[[], None], T]:
    """Record what `work` does on the GPU; return a function that repeats it, and its results.

    Each device has one stream for this. Other threads may go on working meanwhile.
    """
    graph = torch.cuda.CUDAGraph()
    # one capture at a time, as they share a stream; in torch's default mode a capture fails
    # if another thread so much as allocates memory
    with _capturing, torch.cuda.device(device):
        before = torch.cuda.current_stream(device)
        stream = _streams.setdefault(device, torch.cuda.Stream(device))
        try:
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                results = work()
        finally:
            torch.cuda.set_stream(before)  # a failed capture leaves its own stream behind
    return graph.replay, results


def try_to_capture(
    work: Callable[[], T], device: torch.device
) -> tuple[Callable[[], None] | None, T | None]:
    """Return what :func:`capture` does; warn and return None for both where it fails."""
    try:
        return capture(work, device)
    except RuntimeError as error:
        warn_caller(
            f"Steps could not be captured in a CUDA graph, so they run one by one: {error}",
            RuntimeWarning,
        )
        return None, None
