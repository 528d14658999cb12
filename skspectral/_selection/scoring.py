"""Score fitted networks on the rows of a fold, and list the scores in `cv_results_`."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection
from functools import partial
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

from skspectral._estimators.rows import Rows
from skspectral._selection.row_scores import row_score, unsuitable

Score = Callable[[Any, Rows], tuple[float, "np.ndarray | None"]]
"""``score(network, rows)``: the score, and those of the single rows if it is their mean."""


def without_names(network: Any, X: Any) -> tuple[Any, Any]:
    """Return a network and rows without the names of columns, which both have or neither.

    scikit-learn looks at the type of every column of a frame. Of 1,500 columns and 400 rows that
    takes ten times as long as a prediction.

    Parameters
    ----------
    network : fitted SpectralMLPRegressor or SpectralMLPClassifier
        Not changed.
    X : ndarray, CSR matrix or DataFrame of shape (n, n_features)
        Checked rows, with the columns that the network was fitted to.
    """
    named = hasattr(network, "feature_names_in_") and hasattr(X, "columns")
    # pandas gives frames of sparse columns alone that attribute; an array would fill them
    if not named or hasattr(X, "sparse"):
        return network, X
    nameless = copy.copy(network)
    del nameless.feature_names_in_
    return nameless, np.asarray(X)


def score_without_names(scorer: Any, network: Any, X: Any, *args: Any, **weights: Any) -> Any:
    """Call a scorer that scikit-learn made; one of the user may read the columns by name."""
    return scorer(*without_names(network, X), *args, **weights)


def score_rows(
    by_row: Callable[..., np.ndarray], network: Any, rows: Rows
) -> tuple[float, np.ndarray]:
    """Return the weighted mean over rows, and the scores of the rows."""
    scores = by_row(*without_names(network, rows.X), rows.y, rows.weight)
    return float(np.average(scores, weights=rows.weight)), scores


def score_weighted(
    scorer: Any, network: Any, rows: Rows, *, nameless: bool = False
) -> tuple[float, None]:
    """Return the score of all rows together, with their weights."""
    scorer = _for_rows(scorer, network, rows, nameless)
    return scorer(network, rows.X, rows.y, sample_weight=rows.weight), None


def score_unweighted(
    scorer: Any, network: Any, rows: Rows, *, nameless: bool = False
) -> tuple[float, None]:
    """Return the score of all rows together, each with weight 1."""
    return _for_rows(scorer, network, rows, nameless)(network, rows.X, rows.y), None


def _for_rows(scorer: Any, network: Any, rows: Rows, nameless: bool) -> Any:
    """Return a scorer that knows all classes and, if asked, does without names of columns."""
    scorer = knowing_classes(scorer, network, rows.y)
    return partial(score_without_names, scorer) if nameless else scorer


def knowing_classes(scorer: Any, network: Any, y: Any) -> Any:
    """Return a scorer that tells its metric all classes of the network, if that can be told.

    The rows that are scored may lack some. It is what scikit-learn's
    LogisticRegressionCV does. Defaults of the metric that name classes stay, and the positive
    class with them; where its default is none of two classes, the last one is positive.
    """
    metric = getattr(scorer, "_score_func", None)
    parameters = {} if metric is None else signature(metric).parameters
    # Several labels a row are all there, as columns.
    if "labels" not in parameters or np.ndim(y) == 2 or not hasattr(network, "classes_"):
        return scorer
    classes = network.classes_
    is_open = any(parameters["labels"].default is default for default in (None, Parameter.empty))
    known = {"labels": classes} if is_open else {}
    # Averages over classes have no positive one, and warn of it.
    if "pos_label" in parameters and scorer._kwargs.get("average", "binary") == "binary":
        is_class = parameters["pos_label"].default in classes.tolist()
        known |= {"pos_label": classes[-1]} if len(classes) == 2 and not is_class else {}
    informed = copy.copy(scorer)
    informed._kwargs = {**known, **scorer._kwargs}
    return informed


def takes_weights(scorer: Any) -> bool:
    """Tell whether a scorer can weigh rows.

    Every scorer that scikit-learn makes has `sample_weight` in its own signature. So
    what counts is whether the metric inside takes it.
    """
    # Private, but no public attribute gives the metric. A plain callable is its own.
    metric = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in signature(metric).parameters


def network_score(scoring: Any, network: Any, keywords: Collection[str]) -> Score:
    """Return how networks are scored.

    Parameters
    ----------
    scoring : str, callable or None
        None: R2 for a regressor, the negative log loss for a classifier.
    network : estimator
        A network of the kind that is scored, fitted or not.
    keywords : collection of str
        What the score gets besides the rows: `sample_weight` or nothing.
    """
    by_row = row_score(scoring, network)
    if by_row is not None:
        return partial(score_rows, by_row)
    scorer = checked_scorer(network, scoring)
    weighs = "sample_weight" in keywords and takes_weights(scorer)
    score = score_weighted if weighs else score_unweighted
    return partial(score, scorer, nameless=not callable(scoring))


def checked_scorer(network: Any, scoring: Any) -> Any:
    """Return the scorer of `scoring`, which knows all classes of a fitted network.

    Parameters
    ----------
    network : estimator
    scoring : str, callable or None
        As in :func:`~sklearn.metrics.check_scoring`.

    Raises
    ------
    ValueError
        If a score of scikit-learn is for the other kind of estimator.
    """
    scorer = check_scoring(network, scoring)
    # Agreement of two groupings, as of classes, is computed for numbers too, with a warning.
    of_classes = is_classifier(network)
    if isinstance(scoring, str) and _takes_numbers(scorer, strictly=of_classes) is of_classes:
        raise ValueError(unsuitable(scoring, network))
    return scorer


def _takes_numbers(scorer: Any, strictly: bool) -> bool:
    """Tell whether a score of scikit-learn can be computed for numbers that are no classes."""
    y = np.array([0.5, 1.5, 2.5, 3.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error" if strictly else "ignore")
        try:
            scorer._score_func(y, y, **scorer._kwargs)
        except Exception:  # each metric refuses in its own way
            return False
    return True


def check_scores(scores: np.ndarray, candidate: str) -> None:
    """Raise ValueError if no candidate has a score in every fold.

    Parameters
    ----------
    scores : ndarray of shape (n_folds, n_candidates)
    candidate : str
        Word for what is chosen: "size" or "penalty".
    """
    missing = np.isnan(scores)
    if missing.any(axis=0).all():
        folds = np.flatnonzero(missing.any(axis=1)).tolist()
        raise ValueError(
            f"`scoring` gave NaN at every {candidate}, in the folds {folds}. Choose another "
            "score, or folds in which it is defined (for example with all classes)."
        )


def by_fold(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the entries of `cv_results_` for values of shape (n_folds, n_candidates)."""
    return {
        f"mean_{name}": values.mean(axis=0),
        f"std_{name}": values.std(axis=0),
        **{f"split{k}_{name}": of_fold for k, of_fold in enumerate(values)},
    }
