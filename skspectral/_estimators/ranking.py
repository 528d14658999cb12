"""The order in which hidden nodes are cut, and the masks of the nodes that stay."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.stats import rankdata

SCOPES = ("global", "layer")


def node_priorities(
    relevances: Sequence[np.ndarray], present: Sequence[np.ndarray], scope: str
) -> list[np.ndarray]:
    """Return a number in [0, 1] for each node, to compare nodes of different layers.

    Parameters
    ----------
    relevances : sequence of ndarray of shape (n_nodes,)
        One per hidden layer.
    present : sequence of bool ndarray of shape (n_nodes,)
        False for nodes that were removed in training.
    scope : {"global", "layer"}
        "global": the relevance divided by the maximum of its layer. "layer": the
        share of the layer's nodes that are less relevant.

    Returns
    -------
    list of float ndarray of shape (n_nodes,)
    """
    if scope == "layer":
        # 0.5: the middle of a node's share of the layer, for short and long layers alike
        return [
            1 - (places(relevance, there) + 0.5) / len(relevance)
            for relevance, there in zip(relevances, present, strict=True)
        ]
    return [share_of_largest(relevance) for relevance in relevances]


def share_of_largest(relevance: np.ndarray) -> np.ndarray:
    """Return relevances divided by their maximum, shape (n_nodes,); zeros if all are zero."""
    largest = relevance.max()
    return relevance / largest if largest > 0 else np.zeros_like(relevance)


def places(relevance: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the place of each node in its layer, 0 for the most relevant; removed ones last."""
    # not by their relevance of zero, which is also that of nodes whose weights have vanished
    order = np.where(present, -relevance, np.inf)
    # "ordinal" gives every node a place of its own; of equals the first comes first
    return rankdata(order, method="ordinal").astype(int) - 1


def rank_nodes(
    relevances: Sequence[np.ndarray],
    present: Sequence[np.ndarray],
    scope: str = "global",
    min_nodes: int = 1,
) -> list[np.ndarray]:
    """Rank hidden nodes by decreasing relevance, all layers in one order.

    The best `min_nodes` of every layer come first, so the first n nodes of the
    order are a network for every n from ``min_nodes * n_layers`` on, and these
    networks are nested. Removed nodes come last.

    Parameters
    ----------
    relevances : sequence of ndarray of shape (n_nodes,)
        One per hidden layer.
    present : sequence of bool ndarray of shape (n_nodes,)
        False for nodes that were removed in training.
    scope : {"global", "layer"}, default="global"
        See :func:`node_priorities`.
    min_nodes : int, default=1
        Nodes that every layer keeps, at most all of them.

    Returns
    -------
    list of int ndarray of shape (n_nodes,)
        Ranks from 1, for the node that is cut last, to the number of hidden nodes.
    """
    place = np.concatenate(list(map(places, relevances, present)))
    priority = np.concatenate(node_priorities(relevances, present, scope))
    # the last key counts first: removed or not, nodes that every layer keeps, priority, place
    order = np.lexsort((place, -priority, place >= min_nodes, ~np.concatenate(present)))
    # the inverse of a permutation: order[k] is the node of rank k + 1
    ranks = np.empty(len(order), dtype=int)
    ranks[order] = np.arange(1, len(order) + 1)
    return np.split(ranks, np.cumsum([len(relevance) for relevance in relevances])[:-1])


def first_nodes(ranking: Sequence[np.ndarray], n_nodes: int) -> list[np.ndarray]:
    """Return the masks of the `n_nodes` best nodes, list of bool ndarray."""
    return [ranks <= n_nodes for ranks in ranking]


def check_n_nodes(n_nodes: Any, layer_sizes: Sequence[int], min_nodes: int = 1) -> Any:
    """Return `n_nodes` as a total number, or as a list with one number per hidden layer.

    Parameters
    ----------
    n_nodes : int, float in (0, 1] or array-like of int
        Hidden nodes in all, a share of all hidden nodes, or one number per hidden
        layer.
    layer_sizes : sequence of int
        Hidden nodes per layer of the network.
    min_nodes : int, default=1
        Nodes that every layer keeps at least.

    Raises
    ------
    ValueError
        If there are fewer nodes than it asks for, or if it asks for too few to keep
        `min_nodes` in every layer.
    TypeError
        If it is neither a number nor a list.
    """
    # a layer narrower than `min_nodes` keeps what it has
    total, least = sum(layer_sizes), sum(min(min_nodes, size) for size in layer_sizes)
    bounds = f"{least} (layers keep {min_nodes}) to {total}, all there are in {list(layer_sizes)}"
    # True would pass as the integer 1, and a string as a list of letters
    is_number = isinstance(n_nodes, Real) and not isinstance(n_nodes, (bool, np.bool_))
    is_list = isinstance(n_nodes, Iterable) and not isinstance(n_nodes, (str, type))
    if not (is_number or is_list):
        raise TypeError(
            "`n_nodes` must be an integer, a fraction in (0, 1] or a list with one integer per "
            f"hidden layer; got {n_nodes!r}."
        )
    # before Real, to which integers belong: 1 is one node, 1.0 is all of them
    if isinstance(n_nodes, Integral):
        if not least <= int(n_nodes) <= total:
            raise ValueError(f"`n_nodes` must be from {bounds}; got {n_nodes}.")
        return int(n_nodes)
    if isinstance(n_nodes, Real):
        if not 0 < float(n_nodes) <= 1:
            raise ValueError(
                "`n_nodes` as a fraction must be above 0 and at most 1; for a number of nodes "
                f"give an integer; got {n_nodes!r}."
            )
        return max(least, round(float(n_nodes) * total))
    listed = list(n_nodes)
    integers = all(isinstance(n, Integral) and not isinstance(n, bool) for n in listed)
    fits = len(listed) == len(layer_sizes) and integers
    if not fits or any(
        not min(min_nodes, size) <= n <= size for n, size in zip(listed, layer_sizes, strict=True)
    ):
        raise ValueError(
            "`n_nodes` as a list must hold one integer per hidden layer, each from "
            f"{min_nodes} to the nodes of its layer in {list(layer_sizes)}; got {listed!r}."
        )
    return [int(n) for n in listed]


def masks_of(n_nodes: int | list[int], ranking: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the masks of the best nodes, for a number in all or one per hidden layer.

    Parameters
    ----------
    n_nodes : int or list of int
        As :func:`check_n_nodes` returns it.
    ranking : sequence of int ndarray of shape (n_nodes,)
        As :func:`rank_nodes` returns it.
    """
    if isinstance(n_nodes, int):
        return first_nodes(ranking, n_nodes)
    # `ranking` counts through all layers: rank anew within each
    within = [rankdata(ranks, method="ordinal") for ranks in ranking]
    return [place <= n for place, n in zip(within, n_nodes, strict=True)]
