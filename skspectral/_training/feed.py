"""Batches of several members, side by side, from one end of an epoch to the next."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from skspectral._training.losses import weight_of
from skspectral._training.member import Member

LEG_BYTES = {"cpu": 2**22, "cuda": 2**28}
"""Bytes of rows gathered at once for all members; on a CPU about what its cache holds."""


class Batch(NamedTuple):
    """One batch of each of K members.

    Parameters
    ----------
    X : Tensor of shape (K, n, n_inputs), or (1, n, n_inputs) if they share their rows
    y : Tensor of shape (K, n, n_outputs), or (K, n) for numbers of classes; or with 1 for K, too
    weight : Tensor of shape (K, n, 1) or (1, n, 1), or None
        Weights of the rows, 0 for those that only fill up.
    scale : float or Tensor of shape (K, 1, 1)
        One over the number of rows.
    rates : float or Tensor of shape (K, 1)
        Learning rates.
    """

    X: Tensor
    y: Tensor
    weight: Tensor | None
    scale: float | Tensor
    rates: float | Tensor


class Feed:
    """Gathers the rows of many steps at once and hands out batches.

    Members of one dataset that are at the same place of the same order share their rows, and go
    on to do so: these are gathered once, and a batch is one for all.

    Parameters
    ----------
    members : sequence of Member
        Their batches may differ in size; the smaller ones are filled up with rows of weight 0.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.is_shared = len({member.place for member in members}) == 1
        self.sources = members[:1] if self.is_shared else members
        self.sizes = [member.batch for member in self.sources]
        self.n_rows = max(member.batch for member in members)
        X = members[0].dataset.X
        step_bytes = len(self.sources) * self.n_rows * X.shape[1] * X.element_size()
        self.most_steps = max(1, LEG_BYTES[X.device.type] // step_bytes)
        self.weighted = any(member.dataset.sample_weight is not None for member in members)
        if not self.is_shared:
            most = min(self.most_steps, max(member.steps_left for member in members))
            self.most_steps = most
            shape = len(members), most * self.n_rows
            y = members[0].dataset.y
            self.X = X.new_zeros(*shape, X.shape[1])
            self.y = y.new_zeros(*shape, *y.shape[1:])
            self.weight = X.new_zeros(*shape, 1)

    def leg(self) -> Iterator[Batch]:
        """Yield the batches up to the end of the nearest epoch, or as many as fit at once."""
        n_steps = min(self.most_steps, min(member.steps_left for member in self.members))
        # only the last batches of members may differ from those before
        last = [member.size_of_step(n_steps - 1) for member in self.sources]
        fills = [self._filling(self.sizes)] * (n_steps - 1) + [self._filling(last)]
        rates = self._rates(n_steps)
        given = self._gather(n_steps, any(weighs for weighs, _ in fills))
        # in one go: each view takes as long as a small product
        lengths = [self.n_rows] * (n_steps - 1) + [max(last)]
        parts = [
            repeat(None) if whole is None else whole[:, : sum(lengths)].split(lengths, dim=1)
            for whole in given
        ]
        for X, y, weight, (weighs, scale), rate in zip(*parts, fills, rates, strict=False):
            yield Batch(X, y, weight if weighs else None, scale, rate)

    def _filling(self, sizes: Sequence[int]) -> tuple[bool, float | Tensor]:
        """Return whether batches of these sizes need weights, and one over the numbers of rows."""
        if min(sizes) == max(sizes):
            return self.weighted, 1 / sizes[0]
        return True, self.X.new_tensor([1 / n for n in sizes])[:, None, None]

    def _rates(self, n_steps: int) -> list[float] | list[Tensor]:
        clocks = [member.clock for member in self.members]
        of_clock = {
            clock: member.rates(n_steps)
            for clock, member in dict(zip(clocks, self.members, strict=True)).items()
        }
        for clock, member in zip(clocks, self.members, strict=True):
            member.count(of_clock[clock])
        first = of_clock[clocks[0]]
        if all(each == first for each in of_clock.values()):
            return first
        rates = [of_clock[clock] for clock in clocks]
        like = next(self.members[0].net.module_.parameters())
        return list(torch.tensor(rates, dtype=like.dtype, device=like.device).t()[:, :, None])

    def _gather(self, n_steps: int, weighs: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        indices = [member.advance(n_steps) for member in self.members]
        given = [
            member.dataset.rows(index)
            for member, index in zip(self.sources, indices, strict=False)
        ]
        parts = [(X["X"] if isinstance(X, dict) else X, y, weight_of(X)) for X, y in given]
        if self.is_shared:  # no copy: batches are views of the rows
            X, y, weight = parts[0]
            return X[None], y[None], None if weight is None else weight[None, :, None]
        for k, (X, y, weight) in enumerate(parts):
            self._put(self.X[k], X, k)
            self._put(self.y[k], y, k)
            if weighs:
                self.weight[k].zero_()
                ones = torch.ones_like(self.weight[k, : len(X)])
                self._put(self.weight[k], ones if weight is None else weight[:, None], k)
        return self.X, self.y, self.weight if weighs else None

    def _put(self, buffer: Tensor, rows: Tensor, k: int) -> None:
        """Write the rows of one member to where its batches begin."""
        batch = self.members[k].batch
        if batch == self.n_rows:
            buffer[: len(rows)] = rows
            return
        for step, part in enumerate(rows.split(batch)):
            buffer[step * self.n_rows :][: len(part)] = part
