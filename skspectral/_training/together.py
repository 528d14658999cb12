"""Fits as coroutines: each hands over its trainings, and those of a kind are made side by side."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

from skspectral._training.batches import RowDataset
from skspectral._training.fleet import Fleet
from skspectral._training.interrupts import Interrupts
from skspectral._training.member import Member
from skspectral._training.net import SpectralNet
from skspectral._training.progress import JointProgress
from skspectral._training.torch_state import outside_of_modes, training_state
from skspectral.nn._architecture import n_weights

LARGEST = {"cpu": 4_000_000, "cuda": 200_000_000}
"""Multiply-adds in a forward pass of a network beyond which the ordinary way is as fast."""
ROOM = {"cpu": 8_000_000, "cuda": 4_000_000_000}
"""Multiply-adds in a forward pass of all members up to which they are trained together."""
SHARED_ROOM = 4
"""Times as much room have members that share their rows, whose first layers are one product."""
ALIKE = 0.6
"""Share of the widest member's width from which on another one stands beside it."""
SPARE = 150_000
"""Multiply-adds of padding in a forward pass that cost less than steps of its own would."""


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
    interrupts : Interrupts or None
        Those of the fit.
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
        interrupts: Interrupts | None = None,
    ) -> None:
        self.net, self.dataset, self.dataset_valid = net, dataset, dataset_valid
        self.epochs, self.seconds = ends[-1], seconds
        net.plan(dataset, ends=ends, schedule=schedule, seconds=seconds)
        self.interrupts = interrupts
        self.error: BaseException | None = None
        self.member: Member | None = None
        # a limit of time holds within an epoch, and a fleet knows no such end
        if dataset_valid is None and seconds == math.inf and Member.serves(net, dataset):
            products = n_weights(net.module_.layer_sizes) * net.batch_size
            if products <= LARGEST[dataset.X.device.type]:
                self.member = Member(net, dataset, self.epochs, interrupts)

    @property
    def is_over(self) -> bool:
        """Whether a fleet has trained it to its end."""
        return self.member is not None and self.member.done

    def run(self) -> None:
        """Train in the ordinary way; keep an error for the fit that asked for this training."""
        try:
            self.net.train(self.dataset, self.dataset_valid, self.epochs, self.interrupts)
        except BaseException as error:
            self.error = error


Fit = Generator[tuple[Training, ...], None, Any]
"""A fit that yields trainings, goes on once they all are done, and returns its result."""


def advance(fit: Fit, ended: Sequence[Training]) -> tuple[Training, ...]:
    """Let a fit go on until it asks for trainings; an error of the ended ones is raised in it."""
    error = next((training.error for training in ended if training.error is not None), None)
    trainings = next(fit) if error is None else fit.throw(error)
    while not trainings:
        trainings = next(fit)
    return trainings


def ready(result: Any) -> Fit:
    """Return a fit that needs no training, as its result is there."""
    yield from ()
    return result


def abreast(fits: Sequence[Fit]) -> Fit:
    """Return one fit that makes several, and returns the list of their results."""
    results: dict[int, Any] = {}
    asked: dict[int, tuple[Training, ...]] = {index: () for index in range(len(fits))}

    def go_on(index: int) -> None:
        try:
            asked[index] = advance(fits[index], asked[index])
        except StopIteration as stop:
            results[index] = stop.value
            del asked[index]

    try:
        while asked:
            for index in list(asked):
                go_on(index)
            trainings = tuple(training for each in asked.values() for training in each)
            try:
                if trainings:
                    yield trainings
            except BaseException as error:
                if not any(training.error is error for training in trainings):
                    raise  # otherwise it is raised in the fit that it belongs to
    finally:
        for fit in fits:
            fit.close()
    return [results[index] for index in range(len(fits))]


def finish(fit: Fit, progress: JointProgress | None = None) -> Any:
    """Return the result of one fit; see :func:`finish_all`."""
    return finish_all([fit], progress)[0]


def finish_all(fits: Sequence[Fit], progress: JointProgress | None = None) -> list[Any]:
    """Return the results of fits; trainings of a kind are made side by side.

    Parameters
    ----------
    fits : sequence of Fit
    progress : JointProgress or None, default=None
        What shows them all. None: each shows itself, if it is asked to.
    """
    results = [None] * len(fits)
    asked: list[tuple[Training, ...]] = [()] * len(fits)
    waiting: dict[Training, int] = {}

    def go_on(index: int) -> None:
        try:
            trainings = asked[index] = advance(fits[index], asked[index])
        except StopIteration as stop:
            results[index] = stop.value
        else:
            if progress is not None:
                for training in trainings:
                    progress.follow(training.net, training.epochs)
            begin(trainings)
            waiting.update(dict.fromkeys(trainings, index))

    try:
        with outside_of_modes():
            for index in range(len(fits)):
                go_on(index)
            while waiting:
                ended = train_some(list(waiting))
                indices = {waiting.pop(training) for training in ended}
                has_failed = any(training.error is not None for training in ended)
                for index in sorted(indices if has_failed else indices - set(waiting.values())):
                    go_on(index)
    finally:
        for fit in fits:
            fit.close()  # after an error they clean up
        if progress is not None:
            progress.close()
    return results


def begin(trainings: Sequence[Training]) -> None:
    """Start those that fleets train; the ordinary way starts by itself."""
    for training in trainings:
        if training.member is not None:
            training.member.begin()


def train_some(trainings: Sequence[Training]) -> list[Training]:
    """Train until at least one training is over, and return those that are."""
    for training in trainings:
        if training.member is None:
            training.run()
            return [training]
    crew = arrange([training.member for training in trainings if training.member is not None])
    with training_state(crew[0].net.threads()):
        Fleet(crew).run()
        for member in crew:
            if member.done:
                member.finish()
    return [training for training in trainings if training.is_over]


def arrange(members: Sequence[Member]) -> list[Member]:
    """Return the widest of the members, and those that fit beside it.

    These are the ones that share its rows, if there are any.
    """
    kind = members[0].kind
    alike = [member for member in members if member.kind == kind]
    alike.sort(key=lambda member: -n_weights(member.layer_sizes))
    widest = alike[0]
    room = ROOM[widest.dataset.X.device.type]
    beside = [member for member in alike if _fits(member, widest)]
    sharing = [member for member in beside if member.place == widest.place]
    if len(sharing) > 1:
        beside, room = sharing, SHARED_ROOM * room
    most = max(1, room // (widest.batch * n_weights(widest.layer_sizes)))
    return beside[:most]


def _fits(member: Member, widest: Member) -> bool:
    spare = n_weights(widest.layer_sizes) - n_weights(member.layer_sizes)
    return widest.batch * spare <= SPARE or all(
        own >= ALIKE * most
        for own, most in zip(member.layer_sizes, widest.layer_sizes, strict=True)
    )
