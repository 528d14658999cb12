"""Rounds that lead training out of local minima, the best network of which is kept."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from skspectral._estimators.recipe import batch_rows, planned_ends
from skspectral._estimators.rows import Rows
from skspectral._estimators.shared import Shared, copy_with_own_seed
from skspectral._training.comparing import loss_at, loss_of_zero
from skspectral._training.seeds import new_seed
from skspectral._training.together import Fit, Training
from skspectral.nn._architecture import Architecture
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._restart import with_new_upper_layers

EXPLORING = 0.25
"""Share of the penalty at which restarts are made: nodes die late, when layers have been split."""
SLOWER = 0.25
"""Factor on the learning rate after the first fit: long steps take nodes of upper layers, and a
penalty that follows the noise takes theirs for noise."""
TIGHTER = 3.0
"""Factor by which the penalty rises, for a while, to free a network of nodes split in two."""
MOST_TIGHTENINGS = 10
SHORT = 0.25
"""Share of the steps of a fit that rid a network of nodes that do not pay."""
MARGIN, NEGLIGIBLE = 5e-3, 1e-4
"""Losses that differ by less than this share of themselves, or of the loss of zero outputs, are
equally good: the smaller network is kept."""

Trained = Generator[tuple[Training, ...], None, Any]
"""A coroutine that yields trainings and returns a fitted estimator."""


class Restarts:
    """All rounds of one fit.

    The penalty of the first fit is a guess where it follows the noise: a network in a bad local
    minimum takes what it misses for noise. So

    1. a wide network is trained at a quarter of it, in one cycle of the learning rate, and for a
       while at the penalty itself, which leaves the nodes that pay;
    2. of these the lower layers are kept, and those above start anew, wide; with one hidden layer
       the network grows to its first width instead. It is trained as before. This is repeated,
       for the layers above the first, above the second and so on in turn;
    3. the best of these is trained on at the penalty as it is then, and for a while at three
       times as much, at nine and so on, as long as that ends with fewer nodes at the same loss:
       without noise the penalty is too small to merge nodes.

    What is kept is the network with the smallest penalised loss, the first fit included, or the
    smaller one of two that are about as good.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        In its fit. It trains the first network and takes over the best one.
    rows, validation, architecture, given, shared
        Those of :meth:`BaseSpectralMLP._train`.
    """

    def __init__(
        self,
        estimator: Any,
        rows: Rows,
        validation: Rows | None,
        architecture: Architecture,
        given: dict[str, Any],
        shared: Shared,
    ) -> None:
        self.estimator, self.rows, self.validation = estimator, rows, validation
        self.architecture, self.given, self.shared = architecture, given, shared
        self.widths = architecture.layer_sizes[1:-1]
        self.complaints: dict[int, str | None] = {}
        self.started = time.monotonic()

    def run(self) -> Fit:
        """Train the first network and make the restarts; return what to warn of."""
        with self.shared.interrupts() as interrupts:
            self.interrupts = interrupts
            first = best = self.estimator
            yield from self._train(first, self.architecture)
            self.seeds = np.random.RandomState(new_seed(first._random_state))
            if self.widths and self._goes_on(first):
                best = yield from self._best(first)
            complaint = self.complaints[id(best)]
            first.restart_gain_ = self._gain(first, best)
            if best is not first:
                self._take_over(best)
        return complaint

    def _best(self, first: Any) -> Trained:
        """Return the best network of all rounds."""
        explorer = yield from self._explore(self._copy(first), self.architecture)
        for index in range(first.n_restarts):
            if not self._goes_on(explorer):
                break
            again = yield from self._explore(self._restarted(explorer, index))
            explorer = self._better(explorer, again)
        if not self._goes_on(explorer):
            return first
        last = self._copy(explorer)
        yield from self._train(last)
        return (yield from self._tightened(self._better(first, last)))

    def _explore(self, network: Any, architecture: Architecture | None = None) -> Trained:
        """Train a network at the smaller penalty, then rid it of what the penalty does not pay."""
        _set_penalty(network, EXPLORING, self.estimator)
        network.max_iter = self._epochs(1.0)
        yield from self._train(network, architecture)
        if self._goes_on(network):
            yield from self._short(network, 1.0, self.estimator)
        return network

    def _restarted(self, network: Any, index: int) -> Any:
        """Return a copy whose upper layers start anew, or that has grown if it has but one."""
        small = network.prune()
        if len(self.widths) == 1:
            return self._copy(small.grow(self.widths, random_state=new_seed(self.seeds)))
        n_kept = 1 + index % (len(self.widths) - 1)
        generator = torch.Generator().manual_seed(new_seed(self.seeds))
        module = with_new_upper_layers(small.module_, n_kept, self.widths, generator)
        return self._copy(small, module)

    def _tightened(self, best: Any) -> Trained:
        """Raise the penalty for a while, as long as fewer nodes end with the same loss."""
        lowest = tight = best
        level = 1.0
        for _ in range(MOST_TIGHTENINGS if best.alpha_ else 0):
            if not self._goes_on(tight):
                break
            level *= TIGHTER
            tight = yield from self._short(self._copy(tight), level, best)
            if _n_alive(tight) == _n_alive(best):
                continue
            if not self._goes_on(tight):
                break
            back = self._copy(tight)
            back.learning_rate_init *= SLOWER
            yield from self._train(back)
            if not self._is_as_good(back, lowest):
                break
            level *= best.alpha_ / back.alpha_
            best = tight = back
            lowest = self._better(lowest, back)
        return best

    def _short(self, network: Any, factor: float, like: Any) -> Trained:
        """Train a network for a while at a multiple of another one's penalty."""
        _set_penalty(network, factor, like)
        network.max_iter = self._epochs(SHORT)
        yield from self._train(network)
        return network

    def _train(self, network: Any, architecture: Architecture | None = None) -> Fit:
        """Train a network as its parameters ask for."""
        limit = self.shared.time_limit
        share = None if limit is None else min(limit / self._n_trainings(), self._seconds_left())
        shared = self.shared.with_limit(share, self.interrupts)
        given = self.given if network is self.estimator else {}
        self.complaints[id(network)] = yield from network._train(
            self.rows, self.validation, architecture, given, shared
        )

    def _n_trainings(self) -> int:
        """Return how many trainings there are at least: the first, the wide one and the last."""
        return 3 + int(self.estimator.n_restarts)

    def _seconds_left(self) -> float:
        limit = self.shared.time_limit
        return math.inf if limit is None else limit - (time.monotonic() - self.started)

    def _goes_on(self, network: Any) -> bool:
        """Tell whether there is time for another training, and something to train on."""
        is_useful = not network.net_.diverged_ and all(network.n_alive_nodes_)
        return is_useful and not self.interrupts.asked and self._seconds_left() > 0

    def _epochs(self, share: float) -> int:
        """Return the epochs of one cycle, as a share of those that are planned for a fit."""
        own = self.estimator
        batch = batch_rows(own.batch_size, len(self.rows))
        ends = planned_ends(own.max_iter, own.learning_rate, len(self.rows), batch)
        return max(1, math.ceil(share * ends[-1]))

    def _copy(self, network: Any, module: SpectralMLP | None = None) -> Any:
        """Return a copy to be trained on, or anew, with the parameters of the fit."""
        changed = copy_with_own_seed(network, self.seeds)
        module = copy.deepcopy(network.module_) if module is None else module
        changed.net_ = network.net_.with_module(module)
        vars(changed).update(self.estimator.get_params(deep=False))
        changed.learning_rate_init = SLOWER * self.estimator.learning_rate_init
        return changed

    def _losses(self, one: Any, other: Any) -> tuple[float, float]:
        """Return the penalised losses of two networks at the penalty of the latter."""
        dataset = self.shared.dataset(self.estimator, self.rows)
        penalty = other.net_.penalty
        return loss_at(one.net_, dataset, penalty), loss_at(other.net_, dataset, penalty)

    def _better(self, before: Any, after: Any) -> Any:
        old, new = self._losses(before, after)
        return after if new < old else before

    def _is_as_good(self, network: Any, lowest: Any) -> bool:
        """Tell whether the loss is about that of the network with the lowest one."""
        low, own = self._losses(lowest, network)
        dataset = self.shared.dataset(self.estimator, self.rows)
        whole = loss_of_zero(network.net_, dataset.y, dataset.sample_weight)
        return own <= low + max(MARGIN * low, NEGLIGIBLE * whole)

    def _gain(self, before: Any, after: Any) -> float:
        """Return the share of the penalised loss that is saved, 0 if there is none."""
        old, new = self._losses(before, after)
        return max(0.0, 1 - new / old) if 0 < old < math.inf else float(new < old)

    def _take_over(self, network: Any) -> None:
        """Make the network that of the estimator, its nodes numbered as in the first widths."""
        own = self.estimator
        own_names = {*own.get_params(deep=False), "restart_gain_"}
        fitted = {name: value for name, value in vars(network).items() if name not in own_names}
        vars(own).update(fitted)
        own.net_.module = replace(own.net_.module, layer_sizes=self.architecture.layer_sizes)
        own._set_fitted_attributes()


def _n_alive(network: Any) -> int:
    return sum(network.n_alive_nodes_)


def _set_penalty(network: Any, factor: float, like: Any) -> None:
    """Let a network be trained at a multiple of the penalty of a fitted one."""
    network.alpha, network.noise_cv = factor * like.alpha_, None
    for name in ("alpha_phi", "alpha_lambda"):
        own = getattr(like, name)
        setattr(network, name, None if own is None else factor * own)
