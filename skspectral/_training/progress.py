"""Progress of a fit, or of several side by side, shown by private skorch callbacks."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import sys
import time
from collections.abc import Callable
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


class Display:
    """A bar where one can be redrawn, otherwise plain lines.

    Parameters
    ----------
    total : int
        Epochs that are planned.
    """

    def __init__(self, total: int) -> None:
        self.start = self.said = time.perf_counter()
        self.tenths = 0
        self.bar: Any = None
        if is_watched():
            # here: most fits show no bar, and tqdm.auto looks for a notebook
            from tqdm.auto import tqdm

            self.bar = tqdm(total=total, unit="epoch")

    def show(
        self,
        done: int,
        total: int,
        describe: Callable[[], str],
        place: str = "",
        time_limit: float | None = None,
    ) -> None:
        """Show that so many epochs are done.

        Parameters
        ----------
        done : int
        total : int
            Epochs that are planned by now.
        describe : callable
            What is shown; it is called where something is.
        place : str
            Precedes it in a line.
        time_limit : float or None
            Seconds after which training stops in any case.
        """
        if self.bar is not None:
            self.bar.total = total
            # update() draws the bar, at tqdm's own pace; a refresh here would draw each epoch
            self.bar.set_postfix_str(describe(), refresh=False)
            self.bar.update(done - self.bar.n)
        elif self._is_due(LINES * done // total):
            self.said = time.perf_counter()
            elapsed = self.said - self.start
            left = elapsed / done * (total - done)
            if time_limit is not None:
                left = min(left, max(time_limit - elapsed, 0.0))
            sys.stdout.write(f"{place}{describe()}, {left:.0f} s left\n")
            sys.stdout.flush()  # a file or a pipe would hold the line back

    def _is_due(self, tenths: int) -> bool:
        # due if the epoch completes another tenth, so also with fewer than ten epochs
        before, self.tenths = self.tenths, max(self.tenths, tenths)
        return before < self.tenths or time.perf_counter() - self.said > MOST_SILENCE

    def close(self) -> None:
        """Close the bar; its last state stays visible."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class Progress(Callback):
    """Show epoch, loss, alive nodes and the remaining time of one fit.

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
        self.display_ = Display(self.epochs)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Show that one more epoch is done."""
        self.epoch_ += 1
        place = f"epoch {self.epoch_}/{self.epochs}, "
        self.display_.show(self.epoch_, self.epochs, lambda: describe(net), place, self.time_limit)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar."""
        self.display_.close()


class JointProgress:
    """Show fits side by side in one display: how many train, alive nodes, the remaining time.

    Parameters
    ----------
    n_fits : int
    n_trainings : int, default=1
        About so many does each of them need, as one for each penalty of a path.
    """

    def __init__(self, n_fits: int, n_trainings: int = 1) -> None:
        self.n_fits, self.n_trainings = n_fits, n_fits * n_trainings
        self.parts: list[Part] = []
        self.display: Display | None = None

    def follow(self, net: Any, epochs: int) -> None:
        """Show the training of this net that is to come, in place of a display of its own."""
        n_default = len(net.get_default_callbacks())
        own = [pair for pair in net.callbacks_ if not isinstance(pair[1], Progress)]
        # before those that may stop training; a new list, as failed fits put the old one back
        net.callbacks_ = [*own[:n_default], ("part", Part(self, epochs)), *own[n_default:]]

    @property
    def total(self) -> int:
        """Epochs of all trainings; those that are to come count as the others on average."""
        epochs = sum(part.epochs for part in self.parts)
        return epochs * max(len(self.parts), self.n_trainings) // len(self.parts)

    def join(self, part: Part) -> None:
        """Count one more training."""
        self.parts.append(part)
        # a fit may hand over several
        self.n_fits = max(self.n_fits, sum(part.is_going_ for part in self.parts))

    def show(self) -> None:
        """Show how far all of them are."""
        if self.display is None:
            self.display = Display(self.total)
        done = sum(part.epoch_ for part in self.parts)
        self.display.show(done, self.total, self.describe)

    def describe(self) -> str:
        """Return the number of networks in training and of their alive nodes as text."""
        going = [part for part in self.parts if part.is_going_]
        alive = [part.n_alive_ for part in going if part.epoch_]
        nodes = " to ".join(map(str, sorted({min(alive), max(alive)})))
        return f"{len(going)} of {self.n_fits} networks in training, alive nodes {nodes}"

    def close(self) -> None:
        """Close the bar."""
        if self.display is not None:
            self.display.close()


class Part(Callback):
    """Tell a :class:`JointProgress` how far one training is.

    Parameters
    ----------
    whole : JointProgress
    epochs : int
        Planned epochs.
    """

    def __init__(self, whole: JointProgress, epochs: int) -> None:
        self.whole = whole
        self.epochs = epochs

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Join the others."""
        self.epoch_, self.n_alive_, self.is_going_ = 0, 0, True
        self.whole.join(self)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Show that one more epoch is done."""
        self.epoch_ += 1
        self.n_alive_ = sum(net.history[-1]["n_alive_nodes"])
        self.whole.show()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Count out the epochs that were not needed, and leave the net."""
        self.epochs, self.is_going_ = self.epoch_, False
        net.drop_callbacks([self])


def describe(net: Any) -> str:
    """Return the current loss and number of alive nodes as text."""
    alive = " + ".join(str(int(mask.sum())) for mask in net.alive_masks())
    return f"loss {penalised_loss(net.history[-1]):.4g}, alive nodes {alive or 0}"
