"""Where the keywords of a pruner's ``fit`` go."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import process_routing

from skspectral._compat import _routing_enabled


def route(pruner, sample_weight, fit_params):
    """Return what goes to the network's fit, the splitter and the scorer, and the weights.

    Without metadata routing the weights go to the network and the scorer, all
    else to the network.

    Parameters
    ----------
    pruner : SpectralPruner
    sample_weight : array-like of shape (n_samples,) or None
    fit_params : dict

    Returns
    -------
    Bunch
        ``estimator.fit``, ``splitter.split``, ``scorer.score``: dicts; ``weight``.
    """
    if not _routing_enabled():
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return Bunch(
            estimator=Bunch(fit={**fit_params, **weights}),
            splitter=Bunch(split={}),
            scorer=Bunch(score=weights),
            weight=sample_weight,
        )
    routed = process_routing(pruner, "fit", sample_weight=sample_weight, **fit_params)
    routed.setdefault("scorer", Bunch(score={}))
    return Bunch(**routed, weight=one_weight(sample_weight, routed))


def one_weight(sample_weight, routed):
    """Return the weights of the rows, under whatever name they were given.

    Raises
    ------
    ValueError
        If the network and the scorer are to have different ones, or the scorer
        is to have something else.
    """
    other = set(routed.scorer.score) - {"sample_weight"}
    if other:
        raise ValueError(f"Only sample_weight is passed to `scoring`; got {sorted(other)}.")
    given = [
        sample_weight,
        routed.estimator.fit.get("sample_weight"),
        routed.scorer.score.get("sample_weight"),
    ]
    given = [weight for weight in given if weight is not None]
    if any(weight is not given[0] for weight in given):
        raise ValueError(
            "The network and `scoring` must have the same weights; got different ones."
        )
    return given[0] if given else None
