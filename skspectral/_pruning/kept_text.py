"""What a pruner has kept and why, in words."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._estimators.summary import Row, joined, nodes_text, settled_text
from skspectral._selection.choice_text import chosen_by, score_text
from skspectral._selection.row_scores import named_scoring
from skspectral._training.counts import count_of


def kept_text(pruner: Any) -> str:
    """Return how many nodes were kept, and how many of them are alive if not all are."""
    kept, alive = pruner.n_nodes_, pruner.n_alive_nodes_
    text = nodes_text(kept, [len(mask) for mask in pruner.node_support_], "kept")
    return text if alive == kept else f"{text}, {joined(alive)} alive"


def cut_settled_text(pruner: Any) -> str:
    """Return whether the kept network was trained long enough, or the one before the cut."""
    text = settled_text(pruner.size_settled_, pruner.n_alive_nodes_)
    before = pruner.full_estimator_
    # a cut through alive nodes leaves a size that training did not end at
    if pruner.size_settled_ is not None or before.size_settled_ is None:
        return text
    return f"{text}, as alive nodes were cut; before: {_before_text(before)}"


def _before_text(network):
    return settled_text(network.size_settled_, network.n_alive_nodes_)


def choice_rows(pruner: Any) -> list[Row]:
    """Return the score that chose the size, or that the size was given."""
    if not hasattr(pruner, "cv_results_"):
        return [("chosen", f"n_nodes={pruner.n_nodes} was given")]
    results = pruner.cv_results_
    chosen = int(np.argmax(results["within_tolerance"]))
    # the folds choose a level of relevance, so the number that is kept may be another
    where = f" at {count_of(results['n_nodes'][chosen], 'node')}"
    scoring = named_scoring(chosen_by(pruner)["scoring"], pruner.estimator_)
    return [("score", score_text(results, chosen, scoring, where))]
