"""Rounds that lead training out of local minima, the best network of which is kept."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from skspectral._estimators.recipe import batch_rows, planned_ends
from skspectral._estimators.resizing import keep_nodes
from skspectral._estimators.rows import Rows, total_weight
from skspectral._estimators.shared import Shared, copy_with_own_seed
from skspectral._estimators.soft_targets import ProbabilityTarget
from skspectral._training.batches import RowDataset
from skspectral._training.comparing import loss_at, loss_of_zero
from skspectral._training.elimination import paying_nodes, price_of_node
from skspectral._training.noise import penalised_factors
from skspectral._training.penalty import Penalty
from skspectral._training.seeds import new_seed
from skspectral._training.together import Fit, Training
from skspectral._training.torch_state import training_state
from skspectral.nn._architecture import Architecture
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._restart import with_new_upper_layers

EXPLORING = 0.25
"""Share of the penalty at which restarts are made: nodes die late, when layers have been split."""
SLOWER = 0.25
"""Factor on the learning rate after the first fit: long steps take nodes of upper layers, and a
penalty that follows the noise takes theirs for noise."""
SHORT = 0.25
"""Share of the steps of a fit that rid a network of nodes that do not pay."""
LAST = 3
"""Trainings after the restarts for which there is time."""
LEAST_NOISE, TINY = 0.01, 1e-12
"""Share of the variance that restarts take for noise at least: with next to no penalty nodes that
are split in two would stay."""

MARGIN, NEGLIGIBLE = 0.01, 1e-6
"""What a larger network must save, as a share of the loss and of the loss of zero outputs."""
INTERRUPTED = "Training was interrupted during the restarts; the best network so far is kept."

Trained = Generator[tuple[Training, ...], None, Any]
"""A coroutine that yields trainings and returns a fitted estimator."""


class Restarts:
    """All rounds of one fit.

    1. A wide network is trained at a quarter of the first one's penalty, in one cycle of the
       learning rate, and for a while at the whole of it, which leaves the nodes that pay. Where
       the penalty follows the noise, it is at least that of some noise: with next to none nodes
       that are split in two would stay.
    2. Of these nodes the lower layers are kept, and those above start anew, wide; with one hidden
       layer the network grows to its first width instead. It is trained as before. This is
       repeated, for the layers above the first, above the second and so on in turn.
    3. The best of these is trained on at the penalty as the parameters ask for it: one that
       follows the noise is smaller by then, as a network in a bad local minimum takes what it
       misses for noise.
    4. Nodes of the last hidden layer that do not pay for their parameters are taken out, and it is
       trained once more: they fit noise, which is worth their penalty.

    What is kept is the last network, that before nodes were taken out, or the first one: the first
    of these three whose penalised loss is smaller than that of the first network, and by more than
    a little if it has more nodes.

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
        self.seconds = 0.0

    def run(self) -> Fit:
        """Train the first network and make the restarts; return what to warn of."""
        with self.shared.interrupts() as interrupts:
            self.interrupts = interrupts
            first = best = self.estimator
            yield from self._train(first, architecture=self.architecture)
            self.seeds = np.random.RandomState(new_seed(first._random_state))
            self.scale = _scale_without_noise(first)
            if self.widths and self._goes_on(first):
                best = yield from self._best(first)
            complaint = self.complaints[id(best)]
            if interrupts.asked and best is not self.latest:
                complaint = INTERRUPTED
            gain = self._gain(first, best)
            if best is not first:
                self._take_over(best)
            first.restart_gain_ = gain
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
        relieved = yield from self._relieved(last)
        for network in (relieved, last):
            if self._pays(first, network):
                return network
        return first

    def _relieved(self, network: Any) -> Trained:
        """Train on without nodes of the last hidden layer that do not pay, until all do.

        The nodes stay, all of them, if the network saves something with them.
        """
        best = network
        while self._goes_on(best):
            small = self._without_spare_nodes(best.prune())
            if small is None:
                break
            fewer = self._copy(small)
            yield from self._train(fewer)
            saves_something = self._pays(fewer, network)
            if saves_something or fewer.net_.diverged_:
                break
            best = fewer
        return best

    def _without_spare_nodes(self, network: Any) -> Any:
        """Return a copy without nodes that do not pay for their parameters, None if all do."""
        net, dataset = network.net_, self._dataset()
        with training_state(net.threads()):
            loss = loss_at(net, dataset, None)
            # probabilities that are learned from are not drawn, so nothing tells what noise costs
            if math.isinf(loss) or isinstance(network._target, ProbabilityTarget):
                return None
            price = price_of_node(net, loss, total_weight(self.rows))
            pays = paying_nodes(net, dataset, price)
        others = [np.ones(n_nodes, dtype=bool) for n_nodes in network.hidden_layer_sizes[:-1]]
        return None if pays.all() else keep_nodes(network, [*others, pays])

    def _explore(self, network: Any, architecture: Architecture | None = None) -> Trained:
        """Train a network at the smaller penalty, then rid it of what the penalty does not pay."""
        _set_penalty(network, EXPLORING * self.scale, self.estimator)
        network.max_iter = self._epochs(1.0)
        yield from self._train(network, architecture=architecture)
        if self._goes_on(network):
            _set_penalty(network, self.scale, self.estimator)
            network.max_iter = self._epochs(SHORT)
            yield from self._train(network, SHORT)
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

    def _train(
        self, network: Any, share: float = 1.0, architecture: Architecture | None = None
    ) -> Fit:
        """Train a network as its parameters ask for, for its share of the time."""
        limit = self.shared.time_limit
        if limit is not None:
            limit = min(share * limit / self._n_trainings(), self._seconds_left())
        shared = self.shared.with_limit(limit, self.interrupts)
        given = self.given if network is self.estimator else {}
        self.complaints[id(network)] = yield from network._train(
            self.rows, self.validation, architecture, given, shared
        )
        self.latest = network
        # not by the clock, which goes on while other fits are trained
        net = network.net_
        self.seconds += sum(row["dur"] for row in net.history[net.first_epoch_ :])

    def _n_trainings(self) -> float:
        """Return how many trainings there are; short ones count less."""
        return 1 + (1 + int(self.estimator.n_restarts)) * (1 + SHORT) + LAST

    def _seconds_left(self) -> float:
        limit = self.shared.time_limit
        return math.inf if limit is None else limit - self.seconds

    def _has_time(self) -> bool:
        return not self.interrupts.asked and self._seconds_left() > 0

    def _goes_on(self, network: Any) -> bool:
        """Tell whether there is time for another training, and something to train on."""
        has_nodes = all(network.n_alive_nodes_) or bool(self.estimator.skip)
        return has_nodes and not network.net_.diverged_ and self._has_time()

    def _epochs(self, share: float) -> int:
        """Return the epochs of one cycle, as a share of those that are planned for a fit."""
        own, n_rows = self.estimator, len(self.rows)
        batch = batch_rows(own.batch_size, n_rows)
        ends = planned_ends(own.max_iter, own.learning_rate, n_rows, batch, own.n_members)
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
        penalty = other.net_.penalty
        return self._loss(one, penalty), self._loss(other, penalty)

    def _loss(self, network: Any, penalty: Penalty) -> float:
        with training_state(network.net_.threads()):
            return loss_at(network.net_, self._dataset(), penalty)

    def _better(self, before: Any, after: Any) -> Any:
        """Return the network of the smaller loss, at the penalty of the latter."""
        old, new = self._losses(before, after)
        return after if new < old else before

    def _pays(self, one: Any, other: Any) -> bool:
        """Tell whether the other's loss is smaller, and by more than a little for more nodes."""
        old, new = self._losses(one, other)
        if math.isinf(old):
            return new < old
        dataset = self._dataset()
        whole = loss_of_zero(other.net_, dataset.y, dataset.sample_weight)
        is_larger = sum(other.n_alive_nodes_) > sum(one.n_alive_nodes_)
        return new < old - is_larger * max(MARGIN * old, NEGLIGIBLE * whole)

    def _dataset(self) -> RowDataset:
        return self.shared.dataset(self.estimator, self.rows)

    def _gain(self, before: Any, after: Any) -> float:
        """Return the share of the penalised loss that is saved, 0 if there is none."""
        old, new = self._losses(before, after)
        return max(0.0, 1 - new / old) if 0 < old < math.inf else float(new < old)

    def _take_over(self, network: Any) -> None:
        """Make the network that of the estimator, its nodes numbered as in the first widths."""
        own, parameters = self.estimator, self.estimator.get_params(deep=False)
        fitted = {name: value for name, value in vars(network).items() if name not in parameters}
        vars(own).update(fitted)
        own.net_.module = replace(own.net_.module, layer_sizes=self.architecture.layer_sizes)
        own.net_.forget_earlier_fits()  # at other penalties
        own._set_fitted_attributes()


def _scale_without_noise(first: Any) -> float:
    """Return the factor on the penalty of a fit that makes up for less noise than is least."""
    noise = first.noise_variance_
    if noise is None or not np.all(first._target_variance):
        return 1.0
    share = float(np.mean(noise) / np.mean(first._target_variance))
    # the rule grows with the noise to this power
    power = 1 - 1 / penalised_factors(first.module_)
    return max(1.0, LEAST_NOISE / max(share, TINY)) ** power


def _set_penalty(network: Any, factor: float, like: Any) -> None:
    """Let a network be trained at a multiple of the penalty of a fitted one."""
    network.alpha, network.noise_cv = factor * like.alpha_, None
    for name in ("alpha_phi", "alpha_lambda"):
        own = getattr(like, name)
        setattr(network, name, None if own is None else factor * own)
