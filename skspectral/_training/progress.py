"""How far a fit has come: a private skorch callback."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import sys
import time
from typing import Any

from skorch.callbacks import Callback

from skspectral._training.history import penalised_loss

LINES = 10
"""Plain lines of a fit, evenly spread over its epochs."""
MOST_SILENCE = 30.0
"""Seconds after which another line is written in any case."""


def is_watched() -> bool:
    """Tell whether a bar can be redrawn: in a terminal or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class Progress(Callback):
    """Show epoch, loss, alive nodes and the time that is left.

    A bar where it can be redrawn, plain lines elsewhere.

    Parameters
    ----------
    epochs : int
        Planned; training may stop before.
    time_limit : float or None
        Seconds after which it stops in any case.
    """

    def __init__(self, epochs: int, time_limit: float | None) -> None:
        self.epochs = epochs
        self.time_limit = time_limit

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start the clock, and the bar where there is one."""
        self.epoch_ = 0
        self.start_ = self.said_ = time.perf_counter()
        self.bar_: Any = None
        if is_watched():
            from tqdm.auto import tqdm

            self.bar_ = tqdm(total=self.epochs, unit="epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Go on by an epoch."""
        self.epoch_ += 1
        if self.bar_ is not None:
            self.bar_.set_postfix_str(describe(net), refresh=False)
            self.bar_.update()
        elif self._is_due():
            self._write_line(net)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave the bar as it is."""
        if self.bar_ is not None:
            self.bar_.close()
            self.bar_ = None

    def _is_due(self) -> bool:
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
        sys.stdout.flush()


def describe(net: Any) -> str:
    """Return loss and alive nodes as of now."""
    alive = " + ".join(str(int(mask.sum())) for mask in net.alive_masks())
    return f"loss {penalised_loss(net.history[-1]):.4g}, alive nodes {alive or 0}"
