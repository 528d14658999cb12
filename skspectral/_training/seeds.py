"""Seeds for torch and for estimators, drawn from numpy's generators."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np

MAX_SEED = np.iinfo(np.int32).max


def new_seed(random_state: np.random.RandomState) -> int:
    """Draw a seed that scikit-learn, numpy and torch all accept."""
    return int(random_state.randint(MAX_SEED))
