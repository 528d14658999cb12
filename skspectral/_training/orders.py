"""Orders in which training goes through the rows."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from skspectral._training.seeds import new_seed


def draw_order(n_rows: int, random_state: np.random.RandomState, X: Any) -> Any:
    """Draw an order of rows on the device of `X`."""
    # on the GPU: a permutation from the host would have to be copied there each epoch
    if isinstance(X, Tensor) and X.is_cuda:
        generator = torch.Generator(X.device).manual_seed(new_seed(random_state))
        return torch.randperm(n_rows, generator=generator, device=X.device)
    order = random_state.permutation(n_rows)
    return torch.from_numpy(order) if isinstance(X, Tensor) else order


class CommonOrders:
    """Orders of several networks: the same for each of them in its first pass, its second, ...

    Networks in the same pass are given the same object, by which a fleet knows that one batch
    serves them all. The orders do not depend on which networks are trained side by side.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._random_state, self._of_pass = np.random.RandomState(seed), np.random.RandomState()
        self._seeds: list[int] = []
        self._drawn: tuple[int, Any] = (-1, None)

    def of_pass(self, index: int, n_rows: int, X: Any) -> Any:
        """Return the order of a pass, counted from 0."""
        while len(self._seeds) <= index:
            self._seeds.append(new_seed(self._random_state))
        if self._drawn[0] != index:
            self._of_pass.seed(self._seeds[index])  # a new generator would take ten times as long
            self._drawn = index, draw_order(n_rows, self._of_pass, X)
        return self._drawn[1]


class OrdersFollowed:
    """What one network takes of common orders; it stands in place of a generator."""

    def __init__(self, orders: CommonOrders) -> None:
        self.orders = orders
        self.n_passes = 0

    def next_order(self, n_rows: int, X: Any) -> Any:
        """Return the order of the next pass."""
        self.n_passes += 1
        return self.orders.of_pass(self.n_passes - 1, n_rows, X)
