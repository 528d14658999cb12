"""Noise that held-out rows tell: networks trained beside the one on all rows, each without a fold.

Their held-out loss takes the place of the residuals of the training rows, of which a network with
many parameters for its rows has fitted a part.
"""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, check_consistent_length

from skspectral._estimators.rows import Rows, sentence
from skspectral._training.noise import NoiseCourse
from skspectral._training.together import Fit


def check_noise_folds(
    noise_cv: Any, groups: Any, alpha: float | str, *, has_validation: bool
) -> None:
    """Raise ValueError unless folds are asked for where they tell the noise."""
    if groups is not None and noise_cv is None:
        raise ValueError(
            "`groups` are used by the folds of `noise_cv`, which is None; give for example "
            "noise_cv=GroupKFold()."
        )
    if noise_cv is None:
        return
    if alpha != "auto":
        raise ValueError(
            "`noise_cv` tells the noise that alpha='auto' follows, and must be None beside "
            f"another `alpha`; got noise_cv={noise_cv!r} and alpha={alpha!r}."
        )
    if has_validation:
        raise ValueError(
            "Either the folds of `noise_cv` or `X_val` and `y_val` tell the noise; got both."
        )


def described(noise_cv: Any) -> str:
    """Return a name of folds that does not print thousands of indices."""
    is_short = isinstance(noise_cv, (int, str)) or hasattr(noise_cv, "split")
    return f"`noise_cv`={noise_cv!r}" if is_short else f"`noise_cv` ({type(noise_cv).__name__})"


def noise_folds(
    noise_cv: Any, rows: Rows, stratify: bool, groups: np.ndarray | None
) -> np.ndarray | None:
    """Return which rows train, and which tell the noise.

    Parameters
    ----------
    noise_cv : int, splitter, iterable or None
    rows : Rows
        All rows of the fit; an iterable names them by their place.
    stratify : bool
        Whether an int stands for stratified folds.
    groups : array-like of shape (n,) or None

    Returns
    -------
    bool ndarray of shape (n, n_folds, 2), or None without `noise_cv`
        For each fold the training rows, then the rows that it holds out.

    Raises
    ------
    ValueError
        If the rows cannot be split in this way.
    """
    if noise_cv is None:
        return None
    index = np.arange(len(rows))
    if isinstance(noise_cv, Integral) and rows.weight is not None:
        # as if rows without weight were not there; what names rows by their place needs them
        index = np.flatnonzero(rows.weight > 0)
    try:
        check_consistent_length(rows.y, groups)
        groups = None if groups is None else _safe_indexing(groups, index)
        splitter = check_cv(noise_cv, rows.y[index], classifier=stratify)
        parts = [part for fold in splitter.split(index, rows.y[index], groups) for part in fold]
        folds = np.zeros((len(parts), len(rows)), dtype=bool)
        for member, part in zip(folds, parts, strict=True):
            member[index[part]] = True
    except (ValueError, IndexError, TypeError) as error:
        advice = ""
        if groups is None and "groups" in str(error):
            advice = (
                " Give `groups` to `fit`. (SpectralPruner keeps them for its own `cv`: fit the "
                "network first, and give the pruner a FrozenEstimator.)"
            )
        raise ValueError(
            f"{described(noise_cv)} cannot split the rows: {sentence(error)}{advice}"
        ) from error
    if not folds.size or not folds.any(axis=1).all():
        raise ValueError(
            f"{described(noise_cv)} must make folds with rows on both sides. Give a list where an "
            "iterator may be used up."
        )
    return folds.T.reshape(len(rows), -1, 2)


def ends_of_fold(ends: Sequence[int], steps: int, fold_steps: int) -> tuple[int, ...]:
    """Return the epochs of a fold that have as many steps as the epochs `ends` of all rows.

    Parameters
    ----------
    ends : sequence of int
        Epochs, increasing.
    steps, fold_steps : int
        Of an epoch of all rows, and of one of the fold.
    """
    return tuple(dict.fromkeys(math.ceil(end * steps / fold_steps) for end in ends))


def course_of_noise(
    estimator: Any,
    rows: Rows,
    folds: np.ndarray,
    ends: Sequence[int],
    time_limit: float | None,
    shared: Any,
) -> Fit:
    """Train the networks of the folds, as a coroutine that returns the course of the noise.

    None where all of them diverge, as the network of all rows will then, too.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        With a new net and the target of the fit.
    rows : Rows
        All rows.
    folds : bool ndarray of shape (n, n_folds, 2)
        As :func:`noise_folds` returns them.
    ends : sequence of int
        Epochs after which training on all rows may end.
    time_limit : float or None
        Seconds of each network.
    shared : Shared
        What watches for Ctrl-C.

    Raises
    ------
    ValueError
        If a fold has no row of positive weight on one side.
    KeyboardInterrupt
        After Ctrl-C: there is no network yet that could be kept.
    """
    with shared.interrupts() as interrupts:
        made = []
        for k in range(folds.shape[1]):
            train, test = (rows.take(folds[:, k, side]) for side in (0, 1))
            if not len(train) or not len(test):
                raise ValueError(
                    f"Fold {k} of `noise_cv` has no row of positive weight to "
                    f"{'hold out' if len(train) else 'train on'}."
                )
            made.append(
                estimator._fold_training(train, test, len(rows), ends, time_limit, interrupts)
            )
        yield tuple(training for training, _ in made)
        if interrupts.asked:
            raise KeyboardInterrupt
    told = [noise.told_ for training, noise in made if not training.net.diverged_]
    return NoiseCourse(told) if told else None
