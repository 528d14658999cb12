"""Where to train: CPU or CUDA, and on how many threads."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import multiprocessing
import re
import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from skspectral._training.torch_state import is_forked
from skspectral.nn._architecture import n_weights

AUTO_CUDA_PRODUCTS = 5_000_000
"""Multiply-adds in the forward pass of a batch from which device="auto" chooses CUDA.

A CPU core needs about 1 ms for a step of that size. A step on an H200 takes 0.15 to 0.35 ms up
to 60 times as many (``docs/guide/gpu.rst``), but the first fit of a process waits some seconds
for CUDA.
"""

AUTO_THREAD_PRODUCTS = 40_000_000
"""The same for n_threads="auto", which then takes one thread for each half of this number.

Measured on two cores: two threads need 1.08 to 1.16 times as long as one below 4 million,
0.84 to 0.97 around 10 to 35 million, and 0.58 to 0.64 from 40 million on.
"""


def on_host(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return one-dimensional tensors of one dtype on the CPU, after a single wait for a GPU."""
    sizes = [len(tensor) for tensor in tensors]
    return list(torch.cat(list(tensors)).cpu().split(sizes)) if sizes else []


def _in_worker_process() -> bool:
    return multiprocessing.current_process().name != "MainProcess"


def _products(layer_sizes: Sequence[int], batch_size: int) -> int:
    return batch_size * n_weights(layer_sizes)


def choose_device(device: str, layer_sizes: Sequence[int], batch_size: int) -> str:
    """Resolve the `device` parameter.

    Parameters
    ----------
    device : str
        "auto", "cpu", "cuda" or "cuda:<index>".
    layer_sizes : sequence of int
        Inputs, hidden nodes, outputs.
    batch_size : int

    Returns
    -------
    str
        "auto" becomes "cuda" if there is a CUDA device, the network is large enough to
        gain from it, and this is not a worker process; otherwise "cpu".

    Raises
    ------
    ValueError
        If the name is unknown or that CUDA device does not exist.
    """
    if device == "auto":
        large = _products(layer_sizes, batch_size) >= AUTO_CUDA_PRODUCTS
        # workers of a pool would share one GPU; torch is asked last, as that loads the driver
        free = large and not _in_worker_process() and torch.cuda.is_available()
        return "cuda" if free else "cpu"
    if device == "cpu":
        return device
    match = re.fullmatch(r"cuda(?::(\d+))?", device)
    if match is None:
        raise ValueError(
            f"`device` must be 'auto', 'cpu', 'cuda' or 'cuda:<index>'; got {device!r}."
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(match.group(1) or 0) >= count:
        raise ValueError(
            f"`device` is {device!r}, but torch sees {count} CUDA devices here. Use "
            "device='auto' or 'cpu', or install a CUDA build of torch."
        )
    return device


def choose_threads(n_threads: Any, layer_sizes: Sequence[int], batch_size: int) -> int | None:
    """Resolve the `n_threads` parameter.

    Parameters
    ----------
    n_threads : int, "auto" or None
    layer_sizes : sequence of int
        Inputs, hidden nodes, outputs.
    batch_size : int

    Returns
    -------
    int or None
        "auto" becomes 1 below 40 million multiply-adds in a forward pass. From
        there on it is one thread for every 20 million, up to torch's current
        count. Outside the main thread it is 1: other fits in a pool of threads
        use the same cores. In a forked process it is always 1.
    """
    if is_forked():  # whatever was asked for: more would wait for ever
        return 1
    if n_threads != "auto":
        return n_threads
    # a second thread slows small networks down: it waits longer than it works
    paying = 2 * _products(layer_sizes, batch_size) // AUTO_THREAD_PRODUCTS
    alone = threading.current_thread() is threading.main_thread()
    return min(paying, torch.get_num_threads()) if paying >= 2 and alone else 1
