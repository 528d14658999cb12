"""Turn the parameters of an estimator into the settings of one fit, value by value."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from sklearn.base import is_regressor
from skorch.callbacks import LRScheduler

from skspectral._estimators.checks import check_hidden_layer_sizes
from skspectral._training.cycles import StopWhenSettled
from skspectral._training.history import data_loss, negative_score, penalised_loss
from skspectral._training.noise import FollowNoise
from skspectral._training.optimizers import ADAM_BETAS
from skspectral._training.penalty import Penalty
from skspectral._training.progress import Progress
from skspectral._training.schedule import HORIZON_SCHEDULES, SMALL_TABLE_ROWS, cycle_ends
from skspectral._training.shrinking import DropSilent
from skspectral._training.sklearn_callbacks import SklearnCallbacks
from skspectral._training.stopping import BestEpoch, StopOnPlateau, validation_score

SOLVERS = {"adam": functools.partial(torch.optim.Adam, betas=ADAM_BETAS), "sgd": torch.optim.SGD}
NARROWEST, WIDEST = 64, 512
"""Bounds of the width at the start for hidden_layer_sizes="auto"."""
FACTOR, FACTOR_OF_MEMBERS = 0.5, 0.25
"""alpha_factor="auto", and that of several networks for numbers.

The mean of several has less variance than each, so more nodes pay. Classifiers lose by it where
rows are few.
"""
SMALL_TABLE_VALUES = 500_000
"""Values, rows times columns, up to which a table of few rows is computed in float64."""
LEAST_BATCH, MOST_BATCH = 200, 1000
"""Bounds of batch_size="auto"; the first is scikit-learn's."""
BATCH_SHARE = 100
"""Rows of a table for each row of a batch, between these bounds.

The penalty that follows the noise falls as a table grows, and the noise of small batches, which
does not, would take nodes that the data hold.
"""
OPEN_EPOCHS = 200
"""Epochs of max_iter="auto" for schedules without an end, as in scikit-learn's MLP."""


def optimizer_of(solver: Any) -> Any:
    """Return the optimiser class, or partial of one, that `solver` names."""
    return SOLVERS[solver] if isinstance(solver, str) else solver


def factor_of(estimator: Any) -> float:
    """Return the factor of an estimator on the penalty that follows the noise."""
    if estimator.alpha_factor == "auto":
        is_mean_of_numbers = estimator.n_members > 1 and is_regressor(estimator)
        return FACTOR_OF_MEMBERS if is_mean_of_numbers else FACTOR
    return float(estimator.alpha_factor)


def auto_width(n_rows: int) -> int:
    """Return the power of two nearest to twice the root of the rows, from 64 to 512."""
    # a power of two, so that the width jumps rarely as a table grows by a few rows
    power = 2 ** round(math.log2(2 * math.sqrt(n_rows)))
    return min(max(power, NARROWEST), WIDEST)


def hidden_widths(hidden_layer_sizes: Any, n_rows: int, n_members: int = 1) -> tuple[int, ...]:
    """Return the nodes per hidden layer at the start of a fit to so many rows."""
    if isinstance(hidden_layer_sizes, str):
        width = auto_width(n_rows)
        # half as wide a start left the scores of means as they were, or raised them
        return (width if n_members == 1 else width // 2,)
    return check_hidden_layer_sizes(hidden_layer_sizes)


def batch_rows(batch_size: int | str, n_rows: int) -> int:
    """Return the number of rows per step."""
    # not above the rows there are, as in scikit-learn's MLP: threads and device go by it
    if batch_size == "auto":
        batch_size = min(max(n_rows // BATCH_SHARE, LEAST_BATCH), MOST_BATCH)
    return min(int(batch_size), n_rows)


def planned_ends(
    max_iter: int | str, learning_rate: str, n_rows: int, batch_size: int, n_members: int = 1
) -> tuple[int, ...]:
    """Return the epochs after which a fit may end, as its schedule has run to its end there.

    The last is the largest number of epochs; `batch_size` is the rows per step.
    """
    if max_iter != "auto":
        return (int(max_iter),)
    if learning_rate in HORIZON_SCHEDULES:
        return cycle_ends(n_rows, batch_size, of_member=n_members > 1)
    return (OPEN_EPOCHS,)


def schedule_name(learning_rate: str, is_warm: bool, callbacks: Sequence[tuple[str, Any]]) -> str:
    """Return the name of the schedule that this fit follows.

    It is "constant" if the user gives a scheduler, which would be overruled otherwise, and
    "cosine" instead of "onecycle" for trained weights, which need no warm-up.

    Parameters
    ----------
    learning_rate : str
        The parameter of the estimators.
    is_warm : bool
        Whether training goes on from trained weights.
    callbacks : sequence of (name, callback)
        Of the net, where skorch has made instances of classes.
    """
    if any(isinstance(callback, LRScheduler) for _, callback in callbacks):
        return "constant"
    return "cosine" if is_warm and learning_rate == "onecycle" else learning_rate


def is_scheduler(callback: Any) -> bool:
    """Tell whether a callback, its class, or a pair of a name and one, sets the learning rate."""
    callback = callback[1] if isinstance(callback, tuple) else callback
    return issubclass(callback if isinstance(callback, type) else type(callback), LRScheduler)


def dtype_of(dtype: str, n_rows: int, n_features: int, device: str) -> torch.dtype:
    """Return torch's dtype; "auto" is float64 for small tables on a CPU."""
    # small tables are fast in float64, too; a GPU pays for it, and so do large tables
    if dtype == "auto":
        is_small = n_rows < SMALL_TABLE_ROWS and n_rows * n_features <= SMALL_TABLE_VALUES
        dtype = "float64" if is_small and device == "cpu" else "float32"
    chosen: torch.dtype = getattr(torch, dtype)
    return chosen


def dtype_of_all(dtype: str, n_rows: int, n_features: int) -> str:
    """Return what `dtype` must be for fits to parts of a table to compute as one to all rows."""
    # small parts of a large table would take float64; those of a small one do anyway
    chosen = dtype_of(dtype, n_rows, n_features, "cpu")
    return "float32" if chosen == torch.float32 else dtype


def penalty_of(alpha: float | str, alpha_phi: float | None, alpha_lambda: float | None) -> Penalty:
    """Return the penalty; eigenvectors and eigenvalues have that of the weights unless given.

    Under "auto" it starts at zero, and :class:`FollowNoise` moves it.
    """
    weight = 0.0 if isinstance(alpha, str) else float(alpha)
    return Penalty(
        weight=weight,
        phi=weight if alpha_phi is None else float(alpha_phi),
        lambda_=weight if alpha_lambda is None else float(alpha_lambda),
    )


@dataclass(frozen=True)
class FitCallbacks:
    """Callbacks of one fit, in the order in which skorch calls them.

    Scores come first, so that the others can read them, then the callbacks of the user. Those
    that may stop training or change the network come last. A fit leaves out what it does not need.
    """

    best_epoch: BestEpoch | None
    noise: FollowNoise | None
    progress: Progress | None
    users: Sequence[Any]
    sklearn: SklearnCallbacks | None
    plateau: StopOnPlateau | None
    settled: StopWhenSettled | None
    shrink: DropSilent | None

    def in_order(self) -> list[Any]:
        """Return all of them, those of this package as pairs of name and callback."""
        # the order of the fields is the order of the calls
        ordered: list[Any] = []
        for field in fields(self):
            callback = getattr(self, field.name)
            if field.name == "users":
                ordered += callback
            elif callback is not None:
                # skorch wants distinct names: the underscore leaves the plain ones to users
                ordered.append((f"_{field.name}", callback))
        return ordered

    def own(self) -> list[Any]:
        """Return the callbacks of this package, which live for one fit only."""
        names = [field.name for field in fields(self) if field.name != "users"]
        return [getattr(self, name) for name in names if getattr(self, name) is not None]


def fit_callbacks(
    *,
    ends: Sequence[int],
    noise: FollowNoise | None,
    users: Sequence[Any],
    sklearn: SklearnCallbacks | None,
    learning_rate: str,
    early_stopping: bool,
    tol: float,
    n_iter_no_change: float,
    time_limit: float | None,
    shrink: bool,
    verbose: int,
    stop: type[StopWhenSettled] = StopWhenSettled,
) -> FitCallbacks:
    """Return the callbacks that one fit needs.

    Parameters
    ----------
    ends : sequence of int
        Epochs after which the fit may end.
    noise : FollowNoise or None
        What moves the penalty.
    users : sequence of skorch callbacks
        Callbacks of the user.
    sklearn : SklearnCallbacks or None
        What tells scikit-learn's callbacks about the epochs.
    learning_rate, early_stopping, tol, n_iter_no_change, time_limit, shrink, verbose
        Parameters of the estimators.
    stop : type, default=StopWhenSettled
        What ends training that goes in cycles.
    """
    ramp = noise.ramp if noise else 0.0
    has_end = learning_rate in HORIZON_SCHEDULES
    best = plateau = None
    if early_stopping:
        # a schedule that ends has its smallest steps last, so an earlier epoch that scores
        # only a little better is taken for noise
        best = BestEpoch(validation_score, tol if has_end else 0.0, ramp)
    # with an end, the loss may rise while the rate is high: a pause there is no reason to stop
    if not has_end:
        value = negative_score if early_stopping else data_loss if noise else penalised_loss
        plateau = StopOnPlateau(value, tol, n_iter_no_change, learning_rate == "adaptive")
    return FitCallbacks(
        best_epoch=best,
        noise=noise,
        # from 2 on skorch prints its own table
        progress=Progress(ends[-1], time_limit) if verbose == 1 else None,
        users=users,
        sklearn=sklearn,
        plateau=plateau,
        settled=stop(ends, ramp) if len(ends) > 1 else None,
        # callbacks of the user may hold on to parameters, which removing nodes replaces
        shrink=DropSilent() if shrink and not users else None,
    )
