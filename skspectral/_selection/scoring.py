"""Score a fitted network on the rows of a fold."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows


def score_rows(by_row: Callable[..., np.ndarray], network: Any, rows: Rows) -> tuple[Any, Any]:
    """Return the weighted mean over rows, and the scores of the rows."""
    if rows.weight is not None and not rows.weight.any():
        raise ValueError(
            "All rows that a fold scores have weight zero; leave them out, or give other folds."
        )
    scores = by_row(network, rows.X, rows.y, rows.weight)
    return np.average(scores, weights=rows.weight), scores


def score_whole(scorer: Any, weigh: bool, network: Any, rows: Rows) -> tuple[Any, None]:
    """Return the score of all rows, and None for those of each."""
    weights = {"sample_weight": rows.weight} if weigh and rows.weight is not None else {}
    return scorer(network, rows.X, rows.y, **weights), None
