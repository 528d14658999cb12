"""Steps of a fleet captured in a CUDA graph: one launch instead of dozens."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import torch

from skspectral._training.feed import Batch
from skspectral._training.lean_update import _capture

WARM_UP = 3
"""Ordinary steps before capture, which create the workspaces of the CUDA libraries."""


class GraphedStep:
    """A step that is captured once it has warmed up; batches of another form go as before.

    Parameters
    ----------
    step : callable
        Makes a step with a :class:`Batch`.
    n_rows : int
        Rows of the batches to capture.
    """

    def __init__(self, step: Callable[[Batch], None], n_rows: int) -> None:
        self.step, self.n_rows = step, n_rows
        self.n_ordinary = 0
        self.tried = False
        self.replay: Callable[[], None] | None = None

    def __call__(self, batch: Batch) -> None:
        """Make one step."""
        is_full = batch.X.shape[1] == self.n_rows and isinstance(batch.scale, float)
        if is_full and not self.tried and self.n_ordinary >= WARM_UP:
            self._try_to_capture(batch)
        if not is_full or self.replay is None or not self._like_captured(batch):
            self.n_ordinary += 1
            self.step(batch)
            return
        # a graph repeats its kernels on fixed addresses: batch and rates must be put there
        self.captured.X.copy_(batch.X)
        self.captured.y.copy_(batch.y)
        if batch.weight is not None:
            self.captured.weight.copy_(batch.weight)
        if isinstance(batch.rates, float):
            self.captured.rates.fill_(batch.rates)
        else:
            self.captured.rates.copy_(batch.rates)
        self.replay()

    def _like_captured(self, batch: Batch) -> bool:
        captured = self.captured
        return (batch.weight is None) == (
            captured.weight is None
        ) and batch.scale == captured.scale

    def _try_to_capture(self, batch: Batch) -> None:
        self.tried = True  # before the attempt: a second one would fail, and warn, again
        rates = batch.X.new_zeros(len(batch.X), 1)
        self.captured = replace(
            batch,
            X=batch.X.clone(),
            y=batch.y.clone(),
            weight=None if batch.weight is None else batch.weight.clone(),
            rates=rates,
        )
        try:
            self.replay, _ = _capture(lambda: self.step(self.captured), batch.X.device)
        except RuntimeError as error:
            warnings.warn(
                f"Steps could not be captured in a CUDA graph, so they run one by one: {error}",
                RuntimeWarning,
                stacklevel=2,
            )


def fastest(
    step: Callable[[Batch], None], n_rows: int, device: torch.device
) -> Callable[[Batch], None]:
    """Return the step as it is on a CPU, captured on a GPU."""
    return GraphedStep(step, n_rows) if device.type == "cuda" else step
