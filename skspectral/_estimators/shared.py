"""What several trainings of one fit share, and copies of an estimator for each of them."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._training.batches import RowDataset
from skspectral._training.interrupts import Interrupts
from skspectral._training.orders import CommonOrders, OrdersFollowed
from skspectral._training.seeds import new_seed


class Shared:
    """What the trainings of one fit share: rows, their order, Ctrl-C and the time.

    Parameters
    ----------
    time_limit : float or None
        Seconds of each network.
    interrupts : Interrupts or None, default=None
        Those of several networks; a single one watches the signal itself.
    orders : CommonOrders or None, default=None
        Of the rows, for several networks; a single one draws its own.
    """

    def __init__(
        self,
        time_limit: float | None,
        interrupts: Interrupts | None = None,
        orders: CommonOrders | None = None,
    ) -> None:
        self.time_limit = time_limit
        self._interrupts, self._orders = interrupts, orders
        self._datasets: dict[int, RowDataset] = {}

    @contextmanager
    def interrupts(self) -> Iterator[Interrupts]:
        """Watch for Ctrl-C."""
        if self._interrupts is not None:
            yield self._interrupts
            return
        with Interrupts() as own:
            yield own

    def dataset(self, estimator: Any, rows: Rows) -> RowDataset:
        """Return rows as a network takes them; the rows of a fit outlive this object."""
        if id(rows) not in self._datasets:
            self._datasets[id(rows)] = estimator._dataset(rows)
        return self._datasets[id(rows)]

    def with_limit(self, time_limit: float | None, interrupts: Interrupts) -> Shared:
        """Return the same with another limit of time, and Ctrl-C of several trainings."""
        changed = copy.copy(self)
        changed.time_limit, changed._interrupts = time_limit, interrupts
        return changed

    def settings(self, estimator: Any, n_rows: int) -> dict[str, Any]:
        """Return the settings of a net, with the source of its orders."""
        settings: dict[str, Any] = estimator._net_settings(n_rows)
        if self._orders is not None and estimator.shuffle:
            settings["random_state"] = OrdersFollowed(self._orders)
        return settings


def copy_with_own_seed(estimator: Any, seeds: np.random.RandomState | None = None) -> Any:
    """Return a copy that draws random numbers of its own, whatever is trained beside it.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        In its fit, or fitted.
    seeds : RandomState or None, default=None
        Source of its seed; None: that of the estimator.
    """
    seeds = estimator._random_state if seeds is None else seeds
    member = copy.copy(estimator)
    member._random_state = np.random.RandomState(new_seed(seeds))
    member._has_own_generator = True
    for name in [name for name in vars(member) if "callback" in name and name[0] == "_"]:
        delattr(member, name)  # scikit-learn's follow the estimator alone
    return member
