"""Fits as coroutines: each hands over its trainings, and those of a kind are made side by side."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Sequence
from typing import Any

from skspectral._training.batches import RowDataset
from skspectral._training.fleet import Fleet
from skspectral._training.member import Member
from skspectral._training.net import SpectralNet
from skspectral._training.torch_state import training_state

LARGEST = {"cpu": 4_000_000, "cuda": 200_000_000}
"""Multiply-adds in a forward pass of a network beyond which the ordinary way is as fast."""
ROOM = {"cpu": 8_000_000, "cuda": 4_000_000_000}
"""Multiply-adds in a forward pass of all members up to which they are trained together."""
ALIKE = 0.6
"""Share of the widest member's width from which on another one stands beside it."""


class Training:
    """One training that a fit asks for.

    Parameters
    ----------
    net : SpectralNet
    dataset : RowDataset
    dataset_valid : RowDataset or None
    ends : sequence of int
        As in :meth:`SpectralNet.plan`, like the next two.
    schedule : str
    seconds : float
    n_threads : int or None
        Torch's threads; None leaves them as they are.
    """

    def __init__(
        self,
        net: SpectralNet,
        dataset: RowDataset,
        dataset_valid: RowDataset | None,
        *,
        ends: Sequence[int],
        schedule: str,
        seconds: float = math.inf,
        n_threads: int | None = None,
    ) -> None:
        self.net, self.dataset, self.dataset_valid = net, dataset, dataset_valid
        self.epochs, self.n_threads = ends[-1], n_threads
        net.plan(dataset, ends=ends, schedule=schedule, seconds=seconds)
        self.member: Member | None = None
        if dataset_valid is None and Member.serves(net, dataset):
            products = weights_between(net.module_.layer_sizes) * net.batch_size
            if products <= LARGEST[dataset.X.device.type]:
                self.member = Member(net, dataset, self.epochs)

    def run(self) -> None:
        """Train in the ordinary way."""
        with training_state(self.n_threads):
            self.net.train(self.dataset, self.dataset_valid, self.epochs)


Fit = Generator[Training, None, Any]
"""A fit that yields the trainings it needs, and returns its result once they are done."""


def finish(fit: Fit) -> Any:
    """Return the result of one fit."""
    return finish_all([fit])[0]


def finish_all(fits: Sequence[Fit]) -> list[Any]:
    """Return the results of fits whose trainings are made side by side where they are of a kind."""
    results = [None] * len(fits)
    waiting: dict[Training, int] = {}

    def go_on(index: int) -> None:
        try:
            training = next(fits[index])
        except StopIteration as stop:
            results[index] = stop.value
        else:
            waiting[training] = index
            if training.member is not None:
                training.member.begin()

    try:
        for index in range(len(fits)):
            go_on(index)
        while waiting:
            for training in train_some(list(waiting)):
                go_on(waiting.pop(training))
    finally:
        for fit in fits:
            fit.close()  # after an error they clean up
    return results


def train_some(trainings: Sequence[Training]) -> list[Training]:
    """Train until at least one training is over, and return those that are."""
    for training in trainings:
        if training.member is None:
            training.run()
            return [training]
    crew = arrange(trainings)
    with training_state(crew[0].n_threads):
        Fleet([training.member for training in crew]).run()
        ended = [training for training in crew if training.member.done]
        for training in ended:
            training.member.finish()
    return ended


def weights_between(sizes: Sequence[int]) -> int:
    """Return the number of weights between the layers."""
    return sum(a * b for a, b in itertools.pairwise(sizes))


def arrange(trainings: Sequence[Training]) -> list[Training]:
    """Return the widest of the networks, and those that fit beside it."""
    kind = trainings[0].member.kind
    alike = [training for training in trainings if training.member.kind == kind]
    alike.sort(key=lambda training: -weights_between(training.net.module_.layer_sizes))
    first = alike[0]
    sizes = first.net.module_.layer_sizes
    room = ROOM[first.dataset.X.device.type]
    most = max(1, room // (first.member.batch * weights_between(sizes)))
    return [training for training in alike if _fits(training.net.module_.layer_sizes, sizes)][
        :most
    ]


def _fits(sizes: Sequence[int], widest: Sequence[int]) -> bool:
    return all(a >= ALIKE * b for a, b in zip(sizes, widest, strict=True))
