"""Which of skorch's hooks callbacks make use of."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback


def overrides(callbacks: list[tuple[str, Any]], *methods: str) -> bool:
    """Tell whether any of the callbacks acts in one of the named hooks."""
    # every callback inherits all methods, so hasattr would say nothing
    return any(
        getattr(type(callback), method) is not getattr(Callback, method)
        for _, callback in callbacks
        for method in methods
    )
