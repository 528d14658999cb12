"""Check tables of rows, and split them into folds to fit and to score networks on."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import Any

from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import unique_labels

from skspectral._estimators.checks import check_table, with_names
from skspectral._estimators.rows import Rows, check_weights, hold_out
from skspectral._estimators.spreads import measure_and_warn

Fold = tuple[Rows, Rows]
"""Rows to fit on and rows to score on, all of positive weight."""


def check_rows(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Rows:
    """Check the data of a ``fit``, and set `n_features_in_` and `feature_names_in_`.

    Parameters
    ----------
    estimator : SpectralPruner or BaseSpectralMLPCV
        The estimator that is fitted; it gets the names of the columns.
    X, y, sample_weight : as given to ``fit``

    Returns
    -------
    Rows
        With X as a frame if it has column names, so that the network sees them.
    """
    checked, y = check_table(estimator, X, y, reset=True)
    # From all rows, whatever their weight, as in a fit to them.
    classes = unique_labels(y) if is_classifier(estimator) else None
    rows = Rows(checked, y, check_weights(sample_weight, checked), classes)
    names = getattr(estimator, "feature_names_in_", None)
    measure_and_warn(rows, names)
    return replace(rows, X=with_names(X, checked, estimator))


def is_plain(cv: Any) -> bool:
    """Tell whether `cv` is a number of folds, into which any rows can be split."""
    return cv is None or isinstance(cv, Integral)


def make_folds(cv: Any, rows: Rows, network: Any, split_params: Mapping[str, Any]) -> list[Fold]:
    """Split rows into folds, without the rows of weight zero.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        As :func:`sklearn.model_selection.check_cv` takes it.
    rows : Rows
    network : estimator
        Folds for a classifier are stratified.
    split_params : mapping
        Keywords of the splitter, such as `groups`; a number of folds takes none.

    Raises
    ------
    ValueError
        If there are no folds, or one lacks rows of positive weight.
    """
    if is_plain(cv):
        # Rows of weight zero leave first, so that folds are those of a table without them. Other
        # splitters may name rows by their place in the whole table, so there they leave after.
        rows, split_params = rows.positive(), {}
    splitter = splitter_of(cv, rows.y, stratify=is_classifier(network))
    # Read once and kept as rows: `cv` may be a generator, and every size needs the same folds.
    splits = splitter.split(rows.X, rows.y, **split_params)
    folds = [(rows.take(train).positive(), rows.take(test).positive()) for train, test in splits]
    check_folds(folds)
    return folds


def splitter_of(cv: Any, y: Any, *, stratify: bool) -> Any:
    """Return what splits rows into the folds of `cv`.

    Raises
    ------
    ValueError
        If `cv` is none of what :func:`sklearn.model_selection.check_cv` takes, or lists folds
        that are no pairs.
    """
    splitter = check_cv(cv, y, classifier=stratify)
    if not is_plain(cv) and not hasattr(cv, "split"):
        check_pairs(splitter.cv)  # as a list, also of a generator
    return splitter


def check_pairs(listed: Iterable[Any]) -> None:
    """Raise ValueError unless listed folds are pairs."""
    for k, fold in enumerate(listed):
        try:
            _train, _test = fold
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Each fold of `cv` must be a pair: rows to train on, and rows to score. Fold "
                f"{k} is {type(fold).__name__} {str(fold)[:60]}."
            ) from error


def check_folds(folds: Sequence[Fold]) -> None:
    """Raise ValueError if there are no folds, or if one lacks rows."""
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


@contextmanager
def noted(place: str) -> Iterator[None]:
    """Add a note of where it happened to an error."""
    try:
        yield
    except Exception as error:
        error.add_note(f"It happened in {place}.")
        raise


def check_two_folds(folds: Sequence[Fold], purpose: str, advice: str) -> None:
    """Raise ValueError if there is one fold only, for a choice that needs several scores."""
    if len(folds) < 2:
        raise ValueError(
            f"{purpose} needs at least 2 folds, to tell how sure a score is; got {len(folds)}. "
            f"{advice}"
        )


def hold_out_fold(
    rows: Rows, share: float, network: Any, random_state: Any, who: str, advice: str
) -> Fold:
    """Return a fold that holds out a share of the rows, stratified for classes.

    Parameters are those of :func:`skspectral._estimators.rows.hold_out`, and the network.
    """
    rows = rows.positive()
    # Several labels a row are not stratified: many combinations of them occur only once.
    stratify = is_classifier(network) and rows.y.ndim == 1
    return hold_out(
        rows, share, stratify=stratify, random_state=random_state, who=who, advice=advice
    )
