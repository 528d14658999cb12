"""When nodes are cut: after training, before it, or from a network already trained."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import (
    check_has_hidden_layer,
    check_hidden_layer_sizes,
    check_one_network,
)
from skspectral._estimators.fitted import present_nodes
from skspectral._estimators.parts import fit_part
from skspectral._estimators.ranking import first_nodes, node_priorities, places, rank_nodes
from skspectral._estimators.recipe import dtype_of_all, hidden_widths
from skspectral._estimators.resizing import set_trainable
from skspectral._estimators.rows import Rows
from skspectral._pruning.curve import (
    FINE_UP_TO,
    GROWTH,
    check_network,
    network_relevances,
    size_grid,
)
from skspectral._training.together import Fit, ready

PRECISION = float(np.finfo(np.float32).eps)
"""Share of the largest relevance at or below which a node is dead."""


def check_prunable(network, is_frozen):
    """Raise unless `network`, fitted or not, is of this package, sound, and has hidden nodes."""
    if not isinstance(network, BaseSpectralMLP):
        raise TypeError(
            "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier, or one of "
            f"them in a FrozenEstimator; got {type(network).__name__}. In a pipeline, put the "
            "pruner around the last step."
        )
    if not is_frozen:
        network._validate_params()  # before anything reads them
    check_has_hidden_layer(network)
    # Those of the folds would differ in width, so no sizes could be compared.
    if not is_frozen:
        check_one_network(network, "Fit the networks first, and give FrozenEstimator(fitted).")


def check_frozen(network, cv, strategy):
    """Raise unless the network is fitted and no parameter asks for training it again."""
    check_is_fitted(network)
    for name, value, usual in (("cv", cv, None), ("strategy", strategy, "after")):
        if value != usual:
            raise ValueError(
                f"A frozen estimator is not trained, so `{name}` must be {usual!r}; got "
                f"{value!r}. To have it fitted, give the estimator without FrozenEstimator."
            )


def check_eigenvalues(network):
    """Raise ValueError unless all hidden layers have outbound eigenvalues to rank nodes by."""
    # One parametrisation for all layers, or one per layer.
    kinds = np.ravel(network.parametrization).tolist()
    if "dense" in kinds or network.eigenvalues in ("in", "inputs"):
        raise ValueError(
            "strategy='before' ranks nodes by their trained eigenvalues: it needs "
            "parametrization='spectral' in every hidden layer, and eigenvalues 'out', 'out-in' or "
            f"'both'; got {network.parametrization!r} and {network.eigenvalues!r}. Use "
            "strategy='after'."
        )


@dataclass(frozen=True)
class CutTrained:
    """Train the network, then keep the nodes of the largest relevance.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        Unfitted; it is cloned.
    scope : {"global", "layer"}
        How nodes of different layers are compared.
    min_nodes : int
        Nodes that every layer keeps.
    weigh : bool
        Whether the estimator is fitted with the weights of the rows.
    fit_params : dict
        Other keywords of its ``fit``.
    """

    estimator: Any
    scope: str
    min_nodes: int
    weigh: bool = True
    fit_params: dict[str, Any] = field(default_factory=dict)

    # Not annotated, so that the dataclass makes no fields of them: they belong to the strategy.
    relevance = "spectral"
    growth = GROWTH
    fine_up_to = FINE_UP_TO

    def check_rows(self, rows: Rows, fine_tune: int) -> None:
        """Raise if the rows do not suit the network; one that is not fitted yet takes any."""

    def as_wide_as_for(self, rows: Rows) -> CutTrained:
        """Return this strategy with width and dtype by all rows, also for folds of fewer."""
        n_rows, n_features = rows.positive().X.shape
        estimator = clone(self.estimator).set_params(
            hidden_layer_sizes=hidden_widths(self.estimator.hidden_layer_sizes, n_rows),
            dtype=dtype_of_all(self.estimator.dtype, n_rows, n_features),
        )
        return replace(self, estimator=estimator)

    def widths(self) -> tuple[int, ...]:
        """Return the nodes per hidden layer before any is cut."""
        return check_hidden_layer_sizes(self.estimator.hidden_layer_sizes)

    def full(self, rows: Rows) -> Fit:
        """Fit the network whose nodes are ranked.

        A coroutine that returns it, and what to warn of or None, as `finish` and `train_on` do.
        """
        return self._fit(clone(self.estimator), rows)

    def n_trainings(self) -> int:
        """Return how many trainings the curve of a fold takes."""
        return 1

    def ranking(self, full: Any) -> list[np.ndarray]:
        """Rank the nodes of the full network; see :func:`rank_nodes`."""
        relevances, present = self._relevances(full), present_nodes(full.net_)
        return rank_nodes(relevances, present, self.scope, self.min_nodes)

    def levels(self, full: Any, sizes: np.ndarray) -> np.ndarray:
        """Return the relevance between kept and cut nodes at each size.

        It is a share of the largest relevance of the layer: the geometric mean of
        the two shares next to the cut. If the cut falls into a gap of the spectrum,
        this level lies in the middle of the gap on a logarithmic scale.
        """
        shares, place = self._shares(full)
        # Nodes that their layer keeps whatever their relevance tell nothing of the level.
        forced = np.concatenate(place) < self.min_nodes
        ranks = np.concatenate(self.ranking(full))
        share = np.empty(len(ranks))
        # Sorted by rank, so that size n cuts between the entries n - 1 and n.
        share[ranks - 1] = np.where(forced, 1.0, np.concatenate(shares))
        # Dead nodes share one level, as their order is noise. The entry at the end stands beyond
        # the last node, for the size that cuts none.
        share = np.append(np.maximum(share, PRECISION), PRECISION)
        return np.sqrt(share[sizes - 1] * share[sizes])

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen on other networks.

        Two fits of one network keep different numbers of nodes alive. A number of
        nodes that is enough for one of them may cut alive nodes of the other, so the
        level of relevance is used instead.
        """
        # Layers that lose equal shares are cut at different levels: no one level describes them.
        if self.scope == "layer":
            return self.chosen_number(full, size)
        return [
            (share > level) | (place < self.min_nodes)
            for share, place in zip(*self._shares(full), strict=True)
        ]

    def chosen_number(self, full: Any, size: int) -> list[np.ndarray]:
        """Return the masks of the first `size` nodes, without those that are dead."""
        return [
            mask & ((share > PRECISION) | (place < self.min_nodes))
            for mask, share, place in zip(
                first_nodes(self.ranking(full), size), *self._shares(full), strict=True
            )
        ]

    def _shares(self, full: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return relevances over the largest of their layer, and places in the layer."""
        # "global" whatever the scope: levels compare relevances, not places.
        relevances, present = self._relevances(full), present_nodes(full.net_)
        shares = node_priorities(relevances, present, "global")
        return shares, list(map(places, relevances, present))

    def _relevances(self, full: Any) -> list[np.ndarray]:
        check_network(full)
        return network_relevances(full, self.relevance)

    def sizes(self, ranking: list[np.ndarray]) -> np.ndarray:
        """Return the sizes that are compared, increasing int ndarray."""
        # A layer narrower than `min_nodes` keeps what it has.
        least = sum(min(self.min_nodes, len(ranks)) for ranks in ranking)
        total = sum(len(ranks) for ranks in ranking)
        return size_grid(least, total, self.growth, self.fine_up_to)

    def finish(self, network: Any, rows: Rows) -> Fit:
        """Return the cut network as it is, from a coroutine."""
        return ready((network, None))

    def train_on(self, network: Any, rows: Rows, **settings: Any) -> Fit:
        """Train a fitted network further, with parameters set for this one fit only.

        `network` is a copy that was cut, so the user's estimator is not trained on.
        """
        # Put back after: `estimator_` is to have the parameters that the user gave.
        before = {name: getattr(network, name) for name in ("warm_start", *settings)}
        network.set_params(warm_start=True, **settings)
        network, complaint = yield from self._fit(network, rows)
        return network.set_params(**before), complaint

    def _fit(self, estimator: Any, rows: Rows) -> Fit:
        complaint = yield from fit_part(estimator, rows, weigh=self.weigh, **self.fit_params)
        return estimator, complaint


class CutUntrained(CutTrained):
    """Train the eigenvalues alone, keep the nodes of the largest, then train these [1]_.

    References
    ----------
    .. [1] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.
    """

    relevance = "lambda"
    growth = 2.0  # each size that is compared costs a fit
    fine_up_to = 1

    def n_trainings(self) -> int:
        """Return how many trainings the curve of a fold takes."""
        return 1 + len(self.sizes([np.arange(width) for width in self.widths()]))

    def full(self, rows: Rows) -> Fit:
        """Return the network with random eigenvectors and trained eigenvalues."""
        return self._fit(clone(self.estimator).set_params(trainable="eigenvalues"), rows)

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen."""
        # Not by level: what is left is trained anew, so the relevances of now do not last.
        return first_nodes(self.ranking(full), size)

    def finish(self, network: Any, rows: Rows) -> Fit:
        """Train the cut network with the estimator's own `trainable`."""
        return self.train_on(set_trainable(network, self.estimator.trainable), rows)


class CutFrozen(CutTrained):
    """Keep the nodes of the largest relevance of a network that is already trained."""

    def check_rows(self, rows: Rows, fine_tune: int) -> None:
        """Raise if the network was fitted to other columns, or to another kind of target."""
        # Columns only: `rows` were checked already, and are not converted a second time.
        validate_data(self.estimator, rows.X, reset=False, skip_check_array=True)
        # Fine-tuning is a warm start, which needs all classes; scoring does not.
        self.estimator._target.check_same(rows.y, not fine_tune, other="the estimator")

    def as_wide_as_for(self, rows: Rows) -> CutTrained:
        """Return this strategy: the network has its width."""
        return self

    def widths(self) -> tuple[int, ...]:
        """Return the nodes per hidden layer of the network, which its parameter may not tell."""
        sizes: tuple[int, ...] = self.estimator.net_.module.hidden_layer_sizes
        return sizes

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen on this same network."""
        # The network is the one the curve was made of, so the number itself holds.
        return self.chosen_number(full, size)

    def full(self, rows: Rows) -> Fit:
        """Return the fitted network itself."""
        # Not a clone, which is unfitted, and not a copy: cutting makes one of its own.
        return ready((self.estimator, None))
