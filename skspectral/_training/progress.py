"""Progress of a fit, shown by a private skorch callback."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import sys
import time
from typing import Any

from skorch.callbacks import Callback

from skspectral._training.history import penalised_loss

LINES = 10
"""Number of plain lines, evenly spread over the epochs of a fit."""
MOST_SILENCE = 30.0
"""Seconds without a line after which one is written in any case."""


def is_watched() -> bool:
    """Tell whether a bar can be redrawn, as in a terminal or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class Progress(Callback):
    """Show epoch, loss, alive nodes and the remaining time.

    As a bar if it can be redrawn, otherwise in plain lines.

    Parameters
    ----------
    epochs : int
        Planned epochs; training may stop earlier.
    time_limit : float or None
        Seconds after which training stops in any case.
    """

    def __init__(self, epochs: int, time_limit: float | None) -> None:
        self.epochs = epochs
        self.time_limit = time_limit

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start the clock, and the bar if there is one."""
        self.epoch_ = 0
        self.start_ = self.said_ = time.perf_counter()
        self.bar_: Any = None
        if is_watched():
            # here: most fits show no bar, and tqdm.auto looks for a notebook
            from tqdm.auto import tqdm

            self.bar_ = tqdm(total=self.epochs, unit="epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Show that one more epoch is done."""
        self.epoch_ += 1
        if self.bar_ is not None:
            # update() draws the bar, at tqdm's own pace; a refresh here would draw each epoch
            self.bar_.set_postfix_str(describe(net), refresh=False)
            self.bar_.update()
        elif self._is_due():
            self._write_line(net)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar; its last state stays visible."""
        if self.bar_ is not None:
            self.bar_.close()
            self.bar_ = None

    def _is_due(self) -> bool:
        # due if the epoch completes another tenth, so also with fewer than ten epochs
        tenths = [epoch * LINES // self.epochs for epoch in (self.epoch_ - 1, self.epoch_)]
        return tenths[0] < tenths[1] or time.perf_counter() - self.said_ > MOST_SILENCE

    def _write_line(self, net: Any) -> None:
        self.said_ = time.perf_counter()
        elapsed = self.said_ - self.start_
        left = elapsed / self.epoch_ * (self.epochs - self.epoch_)
        if self.time_limit is not None:
            left = min(left, max(self.time_limit - elapsed, 0.0))
        line = f"epoch {self.epoch_}/{self.epochs}, {describe(net)}, {left:.0f} s left\n"
        sys.stdout.write(line)
        sys.stdout.flush()  # a file or a pipe would hold the line back


def describe(net: Any) -> str:
    """Return the current loss and number of alive nodes as text."""
    alive = " + ".join(str(int(mask.sum())) for mask in net.alive_masks())
    return f"loss {penalised_loss(net.history[-1]):.4g}, alive nodes {alive or 0}"
