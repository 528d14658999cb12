"""When nodes are cut: after training, before it, or out of a network that is there."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import check_has_nodes, check_hidden_layer_sizes
from skspectral._estimators.ranking import first_nodes, node_priorities, places, rank_nodes
from skspectral._estimators.resizing import set_trainable
from skspectral._estimators.rows import Rows
from skspectral._pruning.curve import (
    FINE_UP_TO,
    GROWTH,
    check_network,
    network_relevances,
    size_grid,
)

PRECISION = float(np.finfo(np.float32).eps)
"""Share of the largest relevance below which a node is dead."""


def check_prunable(network):
    """Raise unless `network`, fitted or not, is one of this package with hidden layers."""
    if not isinstance(network, BaseSpectralMLP):
        raise TypeError(
            "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier, or one of "
            f"them in a FrozenEstimator; got {type(network).__name__}. In a pipeline put the "
            "pruner in the place of the last step."
        )
    check_has_nodes(check_hidden_layer_sizes(network.hidden_layer_sizes))


def check_frozen(network, cv, strategy):
    """Raise unless the network is fitted and nothing asks for it to be trained."""
    check_is_fitted(network)
    for name, value, usual in (("cv", cv, None), ("strategy", strategy, "after")):
        if value != usual:
            raise ValueError(
                f"A frozen estimator is not trained, so `{name}` must be {usual!r}; got "
                f"{value!r}. Give the estimator itself to have it fitted."
            )


def check_eigenvalues(network):
    """Raise ValueError unless all hidden layers have outbound eigenvalues to be ranked by."""
    kinds = np.ravel(network.parametrization).tolist()
    if "dense" in kinds or network.eigenvalues == "in":
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
        Of the ranking.
    min_nodes : int
        Nodes that every layer keeps.
    weigh : bool
        Whether the estimator is fitted with the weights of the rows.
    fit_params : dict
        Further keywords of its ``fit``.
    """

    estimator: Any
    scope: str
    min_nodes: int
    weigh: bool = True
    fit_params: dict[str, Any] = field(default_factory=dict)

    relevance = "spectral"
    growth = GROWTH
    fine_up_to = FINE_UP_TO

    def check_rows(self, rows: Rows, fine_tune: int) -> None:
        """Raise where the rows do not suit the network; one that is yet to be fitted takes any."""

    def full(self, rows: Rows) -> Any:
        """Return the fitted network whose nodes are ranked."""
        return self._fit(clone(self.estimator), rows)

    def ranking(self, full: Any) -> list[np.ndarray]:
        """Rank the nodes of the full network; see :func:`rank_nodes`."""
        return rank_nodes(self._relevances(full), self.scope, self.min_nodes)

    def levels(self, full: Any, sizes: np.ndarray) -> np.ndarray:
        """Return the relevance that lies between kept and cut nodes at each size.

        As a share of the largest of the layer: the geometric mean of the two
        next to the cut, so that a cut through a gap in the spectrum lies in its
        midst.
        """
        shares, place = self._shares(full)
        forced = np.concatenate(place) < self.min_nodes
        ranks = np.concatenate(self.ranking(full))
        share = np.empty(len(ranks))
        share[ranks - 1] = np.where(forced, 1.0, np.concatenate(shares))
        share = np.append(np.maximum(share, PRECISION), PRECISION)
        return np.sqrt(share[sizes - 1] * share[sizes])

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen on other networks.

        Two fits of one network differ in how many nodes they keep alive, so a
        number of nodes that one of them can do with may cut into another; the
        level of relevance carries over.
        """
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
        relevances = self._relevances(full)
        return node_priorities(relevances, "global"), [places(r) for r in relevances]

    def _relevances(self, full: Any) -> list[np.ndarray]:
        check_network(full)
        return network_relevances(full, self.relevance)

    def sizes(self, ranking: list[np.ndarray]) -> np.ndarray:
        """Return the sizes that are compared, increasing int ndarray."""
        least = sum(min(self.min_nodes, len(ranks)) for ranks in ranking)
        total = sum(len(ranks) for ranks in ranking)
        return size_grid(least, total, self.growth, self.fine_up_to)

    def finish(self, network: Any, rows: Rows) -> Any:
        """Return the cut network as it is."""
        return network

    def train_on(self, network: Any, rows: Rows, **settings: Any) -> Any:
        """Train a fitted network further, with parameters set for this one fit."""
        before = {name: getattr(network, name) for name in ("warm_start", *settings)}
        network.set_params(warm_start=True, **settings)
        return self._fit(network, rows).set_params(**before)

    def _fit(self, estimator: Any, rows: Rows) -> Any:
        weight = rows.weight if self.weigh else None
        weights = {} if weight is None else {"sample_weight": weight}
        return estimator.fit(rows.X, rows.y, **weights, **self.fit_params)


class CutUntrained(CutTrained):
    """Train eigenvalues alone, keep the nodes of the largest, then train what is left [1]_.

    References
    ----------
    .. [1] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.
    """

    relevance = "lambda"
    growth = 2.0  # every size that is compared costs a fit
    fine_up_to = 1

    def full(self, rows: Rows) -> Any:
        """Return the network of random eigenvectors whose eigenvalues are trained."""
        return self._fit(clone(self.estimator).set_params(trainable="eigenvalues"), rows)

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen; what is left is trained after."""
        return first_nodes(self.ranking(full), size)

    def finish(self, network: Any, rows: Rows) -> Any:
        """Train the cut network as the estimator asks for."""
        return self.train_on(set_trainable(network, self.estimator.trainable), rows)


class CutFrozen(CutTrained):
    """Keep the nodes of the largest relevance of a network that is not to be trained."""

    def check_rows(self, rows: Rows, fine_tune: int) -> None:
        """Raise where the network was fitted to other columns, or to another kind of target."""
        validate_data(self.estimator, rows.X, reset=False, skip_check_array=True)
        # Fine-tuning goes on as a warm start does, which needs all classes.
        self.estimator._target.check_same(rows.y, subset=not fine_tune)

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen on this network."""
        return self.chosen_number(full, size)

    def full(self, rows: Rows) -> Any:
        """Return the fitted network itself."""
        return self.estimator
