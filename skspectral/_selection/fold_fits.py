"""Fits on folds, side by side or in processes, and a fit of all rows beside them."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skspectral._training.interrupts import interrupts_reach_the_caller
from skspectral._training.progress import JointProgress
from skspectral._training.together import Fit, finish, finish_all

Task = tuple[Any, ...]
"""Arguments of one fit."""


def fit_folds(
    fold_fit: Callable[..., Fit],
    tasks: Sequence[Task],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
    n_trainings: int = 1,
) -> list[Any]:
    """Return the results of ``fold_fit(*task)`` for each task.

    Networks of one process are trained side by side; with `n_jobs` each process takes its share.

    Parameters
    ----------
    fold_fit : callable
    tasks : sequence of tuple
    n_jobs : int or None
    verbose : int
        Whether to show progress: of all networks, or of the shares, as joblib does.
    n_trainings : int, default=1
        Of each fit, about.
    """
    n_shares = min(len(tasks), effective_n_jobs(n_jobs))
    if n_shares < 2:
        progress = JointProgress(len(tasks), n_trainings) if verbose else None
        return _fit_share(fold_fit, tasks, progress)
    shares = [tasks[k::n_shares] for k in range(n_shares)]
    found = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_fit_share)(fold_fit, share) for share in shares
    )
    results: list[Any] = [None] * len(tasks)
    for k, share in enumerate(found):
        results[k::n_shares] = share
    return results


def beside_folds(
    whole: Fit,
    fold_fit: Callable[..., Fit],
    tasks: Sequence[Task],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
    n_trainings: int = 1,
) -> tuple[Any, list[Any]]:
    """Return the result of the fit `whole` of all rows, and those of :func:`fit_folds`."""
    with interrupts_reach_the_caller():
        if effective_n_jobs(n_jobs) > 1:
            return finish(whole), fit_folds(fold_fit, tasks, n_jobs=n_jobs, verbose=verbose)
        progress = JointProgress(1 + len(tasks), n_trainings) if verbose else None
        first, *folds = finish_all([whole, *(fold_fit(*task) for task in tasks)], progress)
        return first, folds


def _fit_share(
    fold_fit: Callable[..., Fit], tasks: Sequence[Task], progress: JointProgress | None = None
) -> list[Any]:
    with interrupts_reach_the_caller():
        return finish_all([fold_fit(*task) for task in tasks], progress)
