"""Tables of rows, and the folds that networks are fitted and scored on."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from sklearn.base import is_classifier
from sklearn.model_selection import check_cv

from skspectral._estimators.checks import check_table
from skspectral._estimators.rows import Rows, check_weights

Fold = tuple[Rows, Rows]
"""Rows to fit on and rows to score on, all of positive weight."""


def check_rows(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Rows:
    """Check the data of a ``fit``; set `n_features_in_` and `feature_names_in_`.

    Parameters
    ----------
    estimator : SpectralPruner or BaseSpectralMLPCV
        What is fitted; it gets the names of the columns.
    X, y, sample_weight : as given to ``fit``

    Returns
    -------
    Rows
        X with column names is in there as it came, for the network to see them.
    """
    checked, y = check_table(estimator, X, y, reset=True)
    X = X if hasattr(estimator, "feature_names_in_") else checked
    return Rows(X, y, check_weights(sample_weight, checked))


def is_plain(cv: Any) -> bool:
    """Tell whether `cv` is a number of folds, which any rows can be split into."""
    return cv is None or isinstance(cv, Integral)


def make_folds(cv: Any, rows: Rows, network: Any, split_params: Mapping[str, Any]) -> list[Fold]:
    """Split rows into folds; those of weight zero are in none of them.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        As :func:`sklearn.model_selection.check_cv` takes it.
    rows : Rows
    network : estimator
        Folds for a classifier are stratified.
    split_params : mapping
        Keywords of the splitter, such as `groups`; plain folds have none.

    Raises
    ------
    ValueError
        If there are no folds, or one lacks rows of positive weight.
    """
    if is_plain(cv):
        # Other splitters may name rows by their place in the whole table.
        rows, split_params = rows.positive(), {}
    splitter = check_cv(cv, rows.y, classifier=is_classifier(network))
    splits = splitter.split(rows.X, rows.y, **split_params)
    folds = [(rows.take(train).positive(), rows.take(test).positive()) for train, test in splits]
    check_folds(folds)
    return folds


def check_folds(folds: Sequence[Fold]) -> None:
    """Raise ValueError where there are no folds, or one lacks rows."""
    if not folds:
        raise ValueError(
            "`cv` gave no folds. (A generator is used up by one fit; give a list of its folds.)"
        )
    for k, (train, test) in enumerate(folds):
        if not len(train) or not len(test):
            raise ValueError(
                f"Fold {k} of `cv` must have rows to train on and rows to score; got "
                f"{len(train)} and {len(test)} of positive weight."
            )


def check_two_folds(folds: Sequence[Fold], purpose: str, advice: str) -> None:
    """Raise ValueError, for what needs several scores, where there is one fold."""
    if len(folds) < 2:
        raise ValueError(
            f"{purpose} needs at least 2 folds, to tell how sure a score is; got {len(folds)}. "
            f"{advice}"
        )


def hold_out(share: float, rows: Rows, network: Any, random_state: Any) -> list[Fold]:
    """Return the one fold that holds out a share of the rows, stratified for classes.

    Raises
    ------
    ValueError
        If there are too few rows, of all or of a class.
    """
    rows = rows.positive()
    stratify = is_classifier(network) and rows.y.ndim == 1
    try:
        return [rows.split(share, stratify, random_state)]
    except ValueError as error:
        raise ValueError(
            f"The pruner cannot hold out {share:.0%} of {len(rows)} rows: {error} Give "
            "`cv`, or `n_nodes` as a number."
        ) from error
