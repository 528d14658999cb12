"""Batches of several members, side by side, from one end of an epoch to the next."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skspectral._training.losses import weight_of
from skspectral._training.member import Member

LEG_BYTES = {"cpu": 2**22, "cuda": 2**28}
"""Bytes of rows gathered at once for all members; on a CPU about what its cache holds."""


@dataclass(frozen=True)
class Batch:
    """One batch of each of K members.

    Parameters
    ----------
    X : Tensor of shape (K, n, n_inputs)
    y : Tensor of shape (K, n, n_outputs), or (K, n) for numbers of classes
    weight : Tensor of shape (K, n, 1) or None
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

    Parameters
    ----------
    members : sequence of Member
        Their batches may differ in size; the smaller ones are filled up with rows of weight 0.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.n_rows = max(member.batch for member in members)
        X = members[0].dataset.X
        step_bytes = len(members) * self.n_rows * X.shape[1] * X.element_size()
        self.most_steps = max(1, LEG_BYTES[X.device.type] // step_bytes)
        self.weighted = any(member.dataset.sample_weight is not None for member in members)
        if len(members) > 1:
            most = min(self.most_steps, max(member.steps_left for member in members))
            self.most_steps = most
            shape = len(members), most * self.n_rows
            y = members[0].dataset.y
            self.X = X.new_zeros(*shape, X.shape[1])
            self.y = y.new_zeros(*shape, *y.shape[1:])
            self.weight = X.new_zeros(*shape, 1)

    def leg(self) -> Iterator[Batch]:
        """Yield the batches up to the end of the nearest epoch, or as many as fit at once."""
        members = self.members
        n_steps = min(self.most_steps, min(member.steps_left for member in members))
        sizes = [[member.batch for member in members]] * (n_steps - 1)
        sizes.append([member.size_of_step(n_steps - 1) for member in members])
        is_even = [min(each) == max(each) for each in sizes]
        rates = self._rates(n_steps)
        X, y, weight = self._gather(n_steps, self.weighted or not all(is_even))
        for step, (each, even) in enumerate(zip(sizes, is_even, strict=True)):
            part = slice(step * self.n_rows, step * self.n_rows + max(each))
            yield Batch(
                X[:, part],
                y[:, part],
                None if weight is None or (even and not self.weighted) else weight[:, part],
                1 / each[0] if even else X.new_tensor([1 / n for n in each])[:, None, None],
                rates[step],
            )

    def _rates(self, n_steps: int) -> list[float | Tensor]:
        rates = [member.rates(n_steps) for member in self.members]
        if all(each == rates[0] for each in rates):
            return list(rates[0])
        like = next(self.members[0].net.module_.parameters())
        return list(torch.tensor(rates, dtype=like.dtype, device=like.device).t()[:, :, None])

    def _gather(self, n_steps: int, weighs: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        given = [member.rows(n_steps) for member in self.members]
        parts = [(X["X"] if isinstance(X, dict) else X, y, weight_of(X)) for X, y in given]
        if len(parts) == 1:  # no copy: batches are views of the rows
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
