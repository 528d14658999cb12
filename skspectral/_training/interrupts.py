"""What ends training before its last epoch: Ctrl-C, and stops that were planned."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

AGAIN = 2.0
"""Seconds after a Ctrl-C within which a second one reaches the caller, whatever goes on."""

_reach_the_caller: ContextVar[bool] = ContextVar("_reach_the_caller", default=False)
_last_time = -math.inf


class StopTraining(Exception):  # noqa: N818
    """End training here: on a plateau, as time is up, on divergence, or once all has settled.

    skorch's callbacks raise KeyboardInterrupt for this, which cannot be told from Ctrl-C.
    """


@contextmanager
def interrupts_reach_the_caller() -> Iterator[None]:
    """Have Ctrl-C end a loop of fits, and not only the fit that it falls into."""
    token = _reach_the_caller.set(True)
    try:
        yield
    finally:
        _reach_the_caller.reset(token)


class Interrupts:
    """Take note of Ctrl-C while a fit is running, so that it ends after a whole step.

    A second Ctrl-C is raised at once, and so is the first inside
    :func:`interrupts_reach_the_caller`.

    Attributes
    ----------
    at_once : bool
        Whether the first Ctrl-C reaches the caller.
    asked : bool
        Whether training is to stop, with the weights as they are.
    raised : bool
        Whether a KeyboardInterrupt is on its way to the caller.
    """

    def __init__(self) -> None:
        self.at_once = _reach_the_caller.get()
        self.asked = self.raised = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        """Watch the signal, where Python hands it to this thread and a function answers it."""
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                signal.signal(signal.SIGINT, self._answer)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Leave the signal to who answered it before."""
        if self._before is not None and signal.getsignal(signal.SIGINT) == self._answer:
            signal.signal(signal.SIGINT, self._before)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the state: a copy of a net in training is not what Ctrl-C means."""
        return type(self), ()

    def _answer(self, number: int, frame: Any) -> None:
        global _last_time
        try:
            self._before(number, frame)  # one of the user's own may not want to interrupt
        except KeyboardInterrupt:
            last, _last_time = _last_time, time.monotonic()
            again = self.asked or _last_time - last < AGAIN
            if again or self.at_once:
                self.raised = True
                raise
            self.asked = True

    def stop_here(self) -> bool:
        """Tell between two steps whether training is to stop."""
        if self.raised:  # and lost, as in a destructor, where Python drops exceptions
            raise KeyboardInterrupt
        return self.asked
