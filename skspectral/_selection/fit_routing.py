"""Send the keywords of a ``fit`` to the network, the splitter or the score."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import check_scoring
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skspectral._compat import _routing_enabled
from skspectral._selection.row_scores import row_score


@dataclass(frozen=True)
class Routed:
    """Keywords of a ``fit``, by where they go.

    Parameters
    ----------
    fit, split, score : dict
        Keywords of the network's ``fit``, of the splitter's ``split`` and of the scorer.
    weight : array-like of shape (n_samples,) or None
        Weights of the rows, from whichever keyword they were given with.
    """

    fit: dict[str, Any]
    split: dict[str, Any]
    score: dict[str, Any]
    weight: Any


def make_router(owner: Any, network: Any, cv: Any, scoring: Any) -> MetadataRouter:
    """Return the routing from the ``fit`` of `owner` to its splitter and its scorer.

    A score that is a mean over rows is not a scikit-learn scorer. So nothing is
    routed to it, and it always uses the weights of the rows.
    """
    router = MetadataRouter(owner=owner).add_self_request(owner)
    # Not check_cv(cv): it would use up a generator of folds.
    router.add(splitter=cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
    if row_score(scoring, network) is None:
        router.add(
            scorer=check_scoring(network, scoring),
            method_mapping=MethodMapping().add(caller="fit", callee="score"),
        )
    return router


def route(owner: Any, sample_weight: Any, params: Mapping[str, Any]) -> Routed:
    """Return where the keywords of the ``fit`` of `owner` go.

    Without metadata routing, the weights go to the network and the score, `groups`
    goes to the splitter, and everything else to the network.

    Parameters
    ----------
    owner : SpectralPruner or BaseSpectralMLPCV
    sample_weight : array-like of shape (n_samples,) or None
    params : mapping
        The other keywords of the ``fit``.
    """
    if _routing_enabled():
        routed = process_routing(owner, "fit", sample_weight=sample_weight, **params)
        # The router of a path has no estimator, and that of a mean over rows has no scorer.
        fit = routed.estimator.fit if "estimator" in routed else {}
        score = routed.scorer.score if "scorer" in routed else {}
        weight = one_weight(sample_weight, fit, score)
        return Routed(fit, routed.splitter.split, score, weight)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    split = {name: value for name, value in params.items() if name == "groups"}
    fit = {name: value for name, value in params.items() if name not in split}
    return Routed({**fit, **weights}, split, weights, sample_weight)


def one_weight(sample_weight: Any, fit: Mapping[str, Any], score: Mapping[str, Any]) -> Any:
    """Return the weights of the rows, from whichever keyword they were given with.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
    fit, score : mapping
        Keywords that are routed to the network and to the scorer.

    Raises
    ------
    ValueError
        If the network and the scorer ask for different weights, or the scorer asks
        for anything else.
    """
    other = set(score) - {"sample_weight"}
    if other:
        raise ValueError(f"Only sample_weight is passed to `scoring`; got {sorted(other)}.")
    given = [sample_weight, fit.get("sample_weight"), score.get("sample_weight")]
    given = [weight for weight in given if weight is not None]
    # The same object, not equal values: routing passes on what it was given, under other names.
    if any(weight is not given[0] for weight in given):
        raise ValueError(
            "The network and `scoring` must have the same weights; got different ones."
        )
    return given[0] if given else None
