"""How validation chose a size, in words: the interval, whether it is identified, the score."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from skspectral._estimators.summary import Row, joined
from skspectral._selection.row_scores import named_scoring


def interval_text(interval: Any) -> str:
    """Return an interval of sizes in words.

    Parameters
    ----------
    interval : tuple of int, or list of tuple of int
        The least and the most nodes, of all hidden layers or of each.

    Examples
    --------
    >>> interval_text((7, 9))
    '7 to 9 nodes'
    >>> interval_text([(7, 9), (3, 3)])
    '7 to 9, 3 nodes'
    >>> interval_text((1, 1))
    '1 node'
    """
    pairs = [interval] if np.ndim(interval) == 1 else interval
    texts = [f"{least:g}" if least == most else f"{least:g} to {most:g}" for least, most in pairs]
    return f"{joined(texts)} node" if texts == ["1"] else f"{joined(texts)} nodes"


def identification_rows(interval: Any, identified: bool | None) -> list[Row]:
    """Return the interval of sizes and whether the size is identified, as far as they are known.

    Parameters
    ----------
    interval : tuple of int, list of tuple of int, or None
        As in :func:`interval_text`.
    identified : bool or None
    """
    rows = []
    if interval is not None:
        rows.append(("interval", interval_text(interval)))
    if identified is not None:
        text = "yes" if identified else "no, read the size as nodes left at this penalty"
        rows.append(("identified", text))
    return rows


def identification_caption(identified: bool | None) -> str:
    """Return the same in a word or two, to follow other words."""
    return {None: "", True: ", identified", False: ", not identified"}[identified]


def chosen_index(results: Mapping[str, np.ndarray], alpha: float) -> int | None:
    """Return the index of a penalty in `cv_results_`, None if it is not there."""
    found = np.flatnonzero(np.isclose(results.get("alpha", ()), alpha, rtol=1e-9, atol=0))
    return int(found[0]) if len(found) else None


def _rows_text(results):
    """Return what the scores are of."""
    n_folds = sum(re.fullmatch(r"split\d+_test_score", name) is not None for name in results)
    return f"mean of {n_folds} folds" if n_folds > 1 else "on held-out rows"


def score_text(
    results: Mapping[str, np.ndarray], chosen: int, scoring: Any, where: str = ""
) -> str:
    """Return the score of what was chosen, beside the best and the margin that it was given.

    Parameters
    ----------
    results : dict of ndarray
        `cv_results_`.
    chosen : int
        Index of what was chosen.
    scoring : str or callable
        The score.
    where : str, default=""
        What to add behind the score, such as " at 8 nodes".
    """
    scores = results["mean_test_score"]
    name = scoring if isinstance(scoring, str) else "score"
    below = np.nanmax(scores) - scores[chosen]
    place = f"{below:.2g} below the best" if below > 0 else "the best"
    margin = f", margin {results['margin'][chosen]:.2g}" if "margin" in results else ""
    return f"{name} {scores[chosen]:.4g}{where}, {_rows_text(results)}; {place}{margin}"


def chosen_by(model: Any) -> dict[str, Any]:
    """Return `scoring`, and `selection` if there is one, as the last fit had them."""
    # those that were saved before it was kept have them as parameters alone
    kept = getattr(model, "_chosen_by", None)
    return kept or {name: getattr(model, name, None) for name in ("scoring", "selection")}


def cross_validation_rows(model: Any) -> list[Row]:
    """Return the score at the penalty that cross-validation chose."""
    chosen = chosen_index(model.cv_results_, model.estimator_.alpha_)
    if chosen is None:
        return []
    fitted_with = chosen_by(model)
    scoring = named_scoring(fitted_with["scoring"], model.estimator_)
    results = dict(model.cv_results_)
    if fitted_with["selection"] == "best":
        results.pop("margin", None)  # it played no part
    return [("score", score_text(results, chosen, scoring))]
