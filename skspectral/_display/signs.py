"""Colours of signs: the same in all displays, for readers of any colour vision."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

COLOURS = {1: "#0072B2", -1: "#D55E00", 0: "#808080"}
"""Blue and orange of Okabe and Ito, and a grey, for a positive sign, a negative one and none."""


def shaded(signs: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Return colours of signs, the more opaque the stronger, shape (..., 4).

    Opacity instead of a white middle, so that they fit a page of any colour.

    Parameters
    ----------
    signs : ndarray of -1, 0 and 1
    strengths : ndarray of the same shape, in [0, 1]
    """
    from matplotlib.colors import to_rgb

    colours = np.empty((*np.shape(signs), 4))
    for sign, colour in COLOURS.items():
        colours[np.asarray(signs) == sign, :3] = to_rgb(colour)
    colours[..., 3] = strengths
    return colours


def sign_handles(labels: dict[int, str], signs: list[np.ndarray]) -> list[Any]:
    """Return the entries of a legend for the signs that there are in these arrays."""
    from matplotlib.patches import Patch

    shown = np.unique(np.concatenate([np.ravel(some) for some in signs]))
    return [
        Patch(facecolor=COLOURS[sign], label=label)
        for sign, label in labels.items()
        if sign in shown
    ]
