"""Name what holds lists of several lengths, which make no array."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def is_uneven(values: Any) -> bool:
    """Tell whether lists in `values` are of several lengths."""
    try:
        np.asarray(values)
    except ValueError as error:
        return "inhomogeneous" in str(error)
    except Exception:  # another fault, of which something else tells
        return False
    return False


@contextmanager
def uneven_named(**arrays: Any) -> Iterator[None]:
    """Raise ValueError that names an array, where NumPy cannot make one.

    Parameters
    ----------
    arrays : array-like
        By their names.
    """
    try:
        yield
    except ValueError as error:
        for name, values in arrays.items() if "inhomogeneous" in str(error) else ():
            if is_uneven(values):
                raise ValueError(
                    f"`{name}` must hold entries of one length; got lists of several lengths. "
                    "Check for rows that lack a value."
                ) from error
        raise
