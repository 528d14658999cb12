"""When nodes are cut: after training, before it, or out of a network that is there."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from skspectral._pruning_curve import (
    FINE_UP_TO,
    GROWTH,
    check_network,
    network_relevances,
    size_grid,
)
from skspectral._ranking import first_nodes, node_priorities, places, rank_nodes
from skspectral._rows import Rows

PRECISION = float(np.finfo(np.float32).eps)
"""Share of the largest relevance below which a node is dead."""


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

    def full(self, rows: Rows) -> Any:
        """Return the fitted network whose nodes are ranked."""
        return self._fit(clone(self.estimator), rows)

    def ranking(self, full: Any) -> list[np.ndarray]:
        """Rank the nodes of the full network; see :func:`rank_nodes`."""
        return rank_nodes(self._relevances(full), self.scope, self.min_nodes)

    def levels(self, full: Any, sizes: np.ndarray) -> np.ndarray:
        """Return the priority that lies between kept and cut nodes at each size.

        It is the geometric mean of the two next to the cut, so that a cut
        through a gap in the spectrum lies in its midst.
        """
        ranks = np.concatenate(self.ranking(full))
        priority = np.empty(len(ranks))
        priority[ranks - 1] = np.concatenate(node_priorities(self._relevances(full), self.scope))
        priority = np.append(np.maximum(priority, PRECISION), PRECISION)
        return np.sqrt(priority[sizes - 1] * priority[sizes])

    def chosen(self, full: Any, size: int, level: float) -> list[np.ndarray]:
        """Return the masks of the size that was chosen on other networks.

        Two fits of one network differ in how many nodes they keep alive, so a
        number of nodes that one of them can do with may cut into another; the
        level of relevance carries over.
        """
        relevances = self._relevances(full)
        priorities = node_priorities(relevances, self.scope)
        return [
            (priority > level) & (relevance > PRECISION * relevance.max())
            | (places(relevance) < self.min_nodes)
            for priority, relevance in zip(priorities, relevances, strict=True)
        ]

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
        return self.train_on(network._set_trainable(self.estimator.trainable), rows)


class CutFrozen(CutTrained):
    """Keep the nodes of the largest relevance of a network that is not to be trained."""

    def full(self, rows: Rows) -> Any:
        """Return the fitted network itself."""
        return self.estimator
