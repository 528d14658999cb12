"""Write a file whole or not at all."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4


def write_whole(path: Any, content: bytes) -> None:
    """Write a file so that a full disk or a killed process leaves the one that was there.

    Parameters
    ----------
    path : str or path-like
        A link stays one, and a device or pipe is written to as it is.
    content : bytes

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(os.path.realpath(path))
    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        path.write_bytes(content)
        return
    # in the same folder, as a rename is whole within one file system only; of a name that is
    # new, so that two that write at once do not mix
    beside = path.with_name(f".{path.name[:40]}.{uuid4().hex[:8]}.part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may keep the rename and lose the content
        if mode is not None:
            beside.chmod(stat.S_IMODE(mode))
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
