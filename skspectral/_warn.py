"""Warnings that point at the caller's own line, however deep in the package they arise."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import sys
import warnings
from types import FrameType

OURS = {"skspectral", "sklearn", "skorch", "joblib", "contextlib"}
"""Packages whose frames stand between the caller's line and the warning."""


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of the nearest line outside this package and those through which it is called.

    Python's `stacklevel` counts frames, and how many there are depends on which public function
    has led here; its `skip_file_prefixes` came with Python 3.12. In worker threads and processes
    the caller's line is not among them, and a line of Python's own pool stands for it.

    Parameters
    ----------
    message : str
    category : type, default=UserWarning
    """
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
