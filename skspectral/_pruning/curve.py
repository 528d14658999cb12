"""Scores of the nested smaller networks inside a fitted one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import Interval, StrOptions, validate_params
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import check_has_nodes, check_table, read_rows, with_names
from skspectral._estimators.fitted import of_all_nodes, present_nodes
from skspectral._estimators.ranking import SCOPES, check_n_nodes, first_nodes, rank_nodes
from skspectral._estimators.resizing import keep_nodes, present_masks
from skspectral._estimators.rows import check_weights
from skspectral._selection.scoring import checked_scorer, knowing_classes, score_without_names
from skspectral.nn._relevance import RELEVANCES

FINE_UP_TO = 64
"""The default grid has every size up to this one."""
GROWTH = 1.05
"""Ratio of neighbouring larger sizes on the default grid."""


def size_grid(least, total, growth=GROWTH, fine_up_to=FINE_UP_TO):
    """Return sizes from `least` to `total`: all small ones, then a geometric grid.

    Parameters
    ----------
    least, total : int
        First and last size.
    growth : float
        Ratio of neighbouring sizes above `fine_up_to`.
    fine_up_to : int
        Every size up to this one is in the grid.

    Returns
    -------
    int ndarray of shape (n_sizes,)
        Increasing.
    """
    fine = np.arange(least, min(total, max(least, fine_up_to)) + 1)
    # Rounded up, so that no ratio exceeds `growth` but by the rounding of sizes below.
    n_steps = max(0, int(np.ceil(np.log(total / fine[-1]) / np.log(growth))))
    coarse = np.geomspace(fine[-1], total, n_steps + 1)
    # The last fine size starts the coarse grid as well, and rounding may repeat others.
    return np.unique(np.concatenate([fine, np.round(coarse).astype(int)]))


def network_relevances(estimator, relevance, random_state=None):
    """Return the numbers that rank nodes, list of float64 ndarray of shape (n_nodes,).

    Parameters
    ----------
    estimator : fitted SpectralMLPRegressor or SpectralMLPClassifier
    relevance : {"spectral", "lambda", "path", "random"}
        As in :func:`pruning_curve`.
    random_state : int, RandomState instance or None
        Seed for "random".
    """
    if relevance == "random":
        rng = check_random_state(random_state)
        # From 1 on: nodes that are gone count as zero.
        there = [rng.permutation(len(index)) + 1.0 for index in estimator.node_indices_]
    else:
        relevances = RELEVANCES[relevance](estimator.module_)
        there = [layer.cpu().numpy().astype(float) for layer in relevances]
    return of_all_nodes(estimator.net_, there)


def evaluate_nested(estimator, ranking, sizes, score):
    """Score the nested smaller networks of a fitted estimator.

    Parameters
    ----------
    estimator : fitted SpectralMLPRegressor or SpectralMLPClassifier
    ranking : list of int ndarray of shape (n_nodes,)
        As :func:`skspectral._estimators.ranking.rank_nodes` returns it.
    sizes : iterable of int
        Hidden nodes of all layers together.
    score : callable
        ``score(network)`` for a smaller fitted estimator.

    Returns
    -------
    n_parameters : int ndarray of shape (n_sizes,)
        Weights and biases.
    scores : list
        The results of `score`, one per size.
    """
    n_parameters, scores = [], []
    for size in sizes:
        # A cut copy each time: it has smaller matrices and scores faster than a masked network.
        network = keep_nodes(estimator, first_nodes(ranking, size))
        n_parameters.append(count_parameters(network.module_))
        scores.append(score(network))
    return np.array(n_parameters), scores


def count_parameters(module):
    """Return the number of effective weights and biases of a SpectralMLP."""
    # Not torch's parameters: eigenvalues are factors of the effective weights, not further ones.
    layers = module.layers if module.skip is None else [*module.layers, module.skip]
    return sum(
        layer.in_features * layer.out_features + (0 if layer.bias is None else layer.out_features)
        for layer in layers
    )


def check_network(estimator):
    """Raise unless `estimator` is a fitted network of this package with hidden nodes."""
    if not isinstance(estimator, BaseSpectralMLP):
        raise TypeError(
            "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier; got "
            f"{type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    check_has_nodes(estimator.feature_relevance_)


@validate_params(
    {
        "n_nodes": ["array-like", Interval(Integral, 1, None, closed="left"), None],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "scope": [StrOptions(set(SCOPES))],
        "relevance": [StrOptions({*RELEVANCES, "random"})],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def pruning_curve(
    estimator,
    X,
    y,
    *,
    n_nodes=None,
    scoring=None,
    scope="global",
    relevance="spectral",
    random_state=None,
    sample_weight=None,
):
    """Score the nested smaller networks inside a fitted estimator.

    Each smaller network keeps the most relevant hidden nodes. Nothing is trained:
    the other nodes are cut out, the constants that their biases produce are added
    to the biases of the next layer, and the remaining network is scored. Where
    the cut reaches nodes that matter for the score, the curve turns from flat to
    steep [1]_.

    Parameters
    ----------
    estimator : SpectralMLPRegressor, SpectralMLPClassifier or Pipeline
        Fitted; a pipeline must end with one of the two.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score on, preferably not seen in training.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    n_nodes : int, array-like of int or None, default=None
        Numbers of hidden nodes, of all layers together. Each is at least the
        number of hidden layers and at most the sum of `hidden_layer_sizes`. None:
        every number up to 64, then steps of 5 %. Nodes that were removed during
        training (`shrink`) cannot be kept: a number above those that are left
        stands for all that are left.
    scoring : str, callable or None, default=None
        As in :func:`sklearn.model_selection.cross_val_score`; None uses the
        estimator's `score`. Metrics such as "f1" take class 1 for the positive one,
        as in scikit-learn; where neither class is 1, the last.
    scope : {"global", "layer"}, default="global"
        "global" compares relevance divided by the maximum of its layer; "layer"
        cuts the same share of every layer. Every layer keeps at least one node.
    relevance : {"spectral", "lambda", "path", "random"}, default="spectral"
        How nodes are ranked. "spectral": by the norm of the incoming effective
        weights, `feature_relevance_`. "lambda": by the absolute eigenvalue, as in
        [2]_. "path": by the norm of the incoming times that of the outgoing
        weights. "random": at random, as a control.
    random_state : int, RandomState instance or None, default=None
        Seed for relevance="random".
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the rows in the score.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        Arrays with one entry per size, sizes increasing:

        n_nodes : int ndarray of shape (n_sizes,)
            Hidden nodes of all layers together, each number once.
        n_nodes_per_layer : int ndarray of shape (n_sizes, n_hidden_layers)
            Hidden nodes per layer.
        n_parameters : int ndarray of shape (n_sizes,)
            Weights and biases.
        score : float ndarray of shape (n_sizes,)
            Score of the smaller network.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package.
    ValueError
        If a size is out of range, or if relevance="lambda" and a hidden layer has
        no trained outbound eigenvalues.
    NotFittedError
        If `estimator` is not fitted.

    See Also
    --------
    PruningCurveDisplay : Draws the curve.
    SpectralMLPRegressor.prune : Returns one of these networks.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.
    .. [2] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, pruning_curve
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(32, alpha=1e-2, random_state=0).fit(X, y)
    >>> curve = pruning_curve(reg, X, y, n_nodes=[1, 2, 32])
    >>> curve.score > 0.9
    array([False,  True,  True])
    """
    if isinstance(estimator, Pipeline):
        check_is_fitted(estimator)
        # The last step is cut and scored alone, so its rows have to be transformed once only.
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    check_network(estimator)
    # Once for all sizes: each network that is scored checks its rows, which is quick then.
    # The targets stay as they came, as a metric of the user's own may read them.
    if callable(scoring):
        checked = read_rows(estimator, X)
    else:
        checked, _ = check_table(estimator, X, y, reset=False)
    X = with_names(X, checked, estimator)
    relevances = network_relevances(estimator, relevance, random_state)
    ranking = rank_nodes(relevances, present_nodes(estimator.net_), scope)
    widths = [len(ranks) for ranks in ranking]
    if n_nodes is None:
        sizes = size_grid(len(widths), sum(widths))
    else:
        sizes = np.unique([check_n_nodes(n, widths) for n in np.ravel(n_nodes).tolist()])
        if not len(sizes):
            raise ValueError("`n_nodes` must hold at least one number of nodes; got none.")
    # Not passed as None: a scorer without `sample_weight` would fail on the keyword.
    scorer = knowing_classes(checked_scorer(estimator, scoring), estimator, y)
    if not callable(scoring):
        scorer = partial(score_without_names, scorer)
    weight = check_weights(sample_weight, X)
    weights = {} if weight is None else {"sample_weight": weight}
    kept = np.array(
        [
            [mask.sum() for mask in present_masks(estimator, first_nodes(ranking, size))]
            for size in sizes
        ]
    )
    # Sizes that differ only in nodes that are gone are one network: score it once.
    n_kept, first = np.unique(kept.sum(axis=1), return_index=True)
    n_parameters, score = evaluate_nested(
        estimator, ranking, sizes[first], lambda network: scorer(network, X, y, **weights)
    )
    return Bunch(
        n_nodes=n_kept,
        n_nodes_per_layer=kept[first],
        n_parameters=n_parameters,
        score=np.array(score, dtype=float),
    )
