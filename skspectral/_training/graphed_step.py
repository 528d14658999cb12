"""Steps of a fleet captured in a CUDA graph: one launch instead of dozens."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from skspectral._training.cuda_graph import WARM_UP, try_to_capture
from skspectral._training.feed import Batch


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
        for name, buffer in self.buffers.items():
            value = getattr(batch, name)
            if isinstance(value, Tensor):
                buffer.copy_(value)
            else:
                buffer.fill_(value)
        self.replay()

    def _like_captured(self, batch: Batch) -> bool:
        weighted, rates = "weight" in self.buffers, batch.rates
        # members of shared rows may begin with one rate and go on with one each
        fits = not isinstance(rates, Tensor) or rates.shape == self.buffers["rates"].shape
        same_weights = (batch.weight is not None) == weighted
        return fits and same_weights and bool(batch.scale == self.scale)

    def _try_to_capture(self, batch: Batch) -> None:
        self.tried = True  # before the attempt: a second one would fail, and warn, again
        self.scale = batch.scale
        self.buffers = {"X": batch.X.clone(), "y": batch.y.clone()}
        if batch.weight is not None:
            self.buffers["weight"] = batch.weight.clone()
        shape = batch.rates.shape if isinstance(batch.rates, Tensor) else (len(batch.X), 1)
        self.buffers["rates"] = batch.X.new_zeros(shape)
        captured = batch._replace(**self.buffers)

        self.replay, _ = try_to_capture(lambda: self.step(captured), batch.X.device)


def fastest(
    step: Callable[[Batch], None], n_rows: int, device: torch.device
) -> Callable[[Batch], None]:
    """Return the step as it is on a CPU, captured on a GPU."""
    return GraphedStep(step, n_rows) if device.type == "cuda" else step
