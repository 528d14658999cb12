"""Networks along a rising penalty, each trained on from the last."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from skspectral._batches import PREDICTION_ROWS, RowBatches
from skspectral._checks import check_alphas, check_hidden_layer_sizes
from skspectral._compat import Interval, StrOptions, _num_samples, validate_params
from skspectral._mlp import BaseSpectralMLP
from skspectral._prunable import check_has_nodes
from skspectral._regressor import SpectralMLPRegressor
from skspectral._rows import Rows, check_weights

STEPS_PER_ROOT = 4
LEAST_STEPS, MOST_STEPS = 100, 500
"""A later fit of a path makes so many steps for each unit of the root of the rows, within
these bounds. Nodes lag behind the penalty then, but networks of one size are as good as
after several times the steps."""
FIRST_FACTOR = 4
"""The first fit, of a network that knows nothing yet, makes so many times the steps."""
SCOUT_START = 1e-3
SCOUT_FACTOR = 2.0
"""Where the search for the largest penalty starts, and by what it goes on."""
SMALLEST_ALPHA, LARGEST_ALPHA = 1e-9, 1e6
"""Where the search gives up: not a node survives, or some survive, any penalty."""
COLLAPSED = 1e-2
"""Share of its first relevance below which the search takes a layer for dead: noise can keep
weights of a dense layer from vanishing altogether."""
BEYOND = 10.0
"""So many times the largest penalty of its search a path goes on while nodes are alive."""


def check_path_estimator(estimator):
    """Raise unless `estimator` is a network with hidden nodes and one penalty."""
    if not isinstance(estimator, BaseSpectralMLP):
        raise TypeError(
            "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier; got "
            f"{type(estimator).__name__}. Transform X first where it is part of a pipeline."
        )
    check_has_nodes(check_hidden_layer_sizes(estimator.hidden_layer_sizes))
    for name in ("alpha_phi", "alpha_lambda"):
        if getattr(estimator, name) is not None:
            raise ValueError(
                f"`{name}` must be None, as a path has one penalty for all; got "
                f"{getattr(estimator, name)!r}."
            )


def path_epochs(estimator, n_rows, path_max_iter="auto"):
    """Return the epochs of the first fit of a path, and those of each later one.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
    n_rows : int
    path_max_iter : int or "auto"
    """
    steps = np.clip(STEPS_PER_ROOT * math.sqrt(n_rows), LEAST_STEPS, MOST_STEPS)
    epochs = steps / math.ceil(n_rows / estimator._batch_size(n_rows))
    first, later = estimator.max_iter, path_max_iter
    if first == "auto":
        first = math.ceil(FIRST_FACTOR * epochs)
    if later == "auto":
        later = min(first, math.ceil(epochs))
    return first, later


def walk(estimator, X, y, alphas, *, sample_weight=None, path_max_iter="auto"):
    """Fit at each penalty, starting from the weights of the one before.

    Dead nodes do not come back, so the penalties rise. Once all have died there is
    nothing left to train, and the network comes out as it is.

    Parameters
    ----------
    estimator : SpectralMLPRegressor or SpectralMLPClassifier
        Not changed.
    X, y : arrays
        Training rows.
    alphas : iterable of float
        Increasing.
    sample_weight : ndarray of shape (n,) or None
    path_max_iter : int or "auto"
        As in :func:`path_epochs`.

    Yields
    ------
    estimator
        One and the same object, fitted with the next penalty.
    """
    first, later = path_epochs(estimator, _num_samples(X), path_max_iter)
    network = clone(estimator).set_params(warm_start=True, max_iter=first)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    for alpha in alphas:
        network.set_params(alpha=float(alpha))
        if not hasattr(network, "net_") or any(network.n_alive_nodes_):
            _fit_quietly(network, X, y, **weights)
            network.set_params(max_iter=later)
        yield network


def _fit_quietly(network, X, y, **weights):
    """Fit without the warnings of a size that has not settled, which `size_settled` tells."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network.fit(X, y, **weights)
    for warning in caught:
        quiet = issubclass(warning.category, ConvergenceWarning)
        if not quiet or str(warning.message).startswith("Training"):  # it diverged
            warnings.warn(warning.message, warning.category, stacklevel=4)


def find_alpha_max(estimator, X, y, **options):
    """Return a penalty at which every node has died, by doubling it along a path.

    Parameters
    ----------
    estimator, X, y
        As in :func:`walk`.
    **options : dict
        `sample_weight` and `path_max_iter` of :func:`walk`.
    """
    start = SCOUT_START
    _, epochs = path_epochs(estimator, _num_samples(X))
    scout = clone(estimator).set_params(max_iter=epochs)
    while start > SMALLEST_ALPHA:
        alpha = _last_of_scout(walk(scout, X, y, _doubling(start), **options))
        if alpha > start:
            return alpha
        start /= 100
    return SCOUT_START


def _doubling(start):
    n_steps = math.ceil(math.log(LARGEST_ALPHA / start, SCOUT_FACTOR))
    return (start * SCOUT_FACTOR**step for step in range(n_steps + 1))


def _last_of_scout(networks):
    """Return the penalty at which a layer has died or collapsed."""
    strongest = 0.0
    for network in networks:
        relevance = min(layer.max() for layer in network.feature_relevance_)
        strongest = max(strongest, relevance)
        if not any(network.n_alive_nodes_) or relevance < COLLAPSED * strongest:
            break
    return network.alpha


def alpha_grid(estimator, X, y, n_alphas, eps, **options):
    """Yield penalties from `eps` times the largest one on, geometrically.

    The first `n_alphas` reach the penalty that kills every node of a quick path; the
    others are for a thorough one, which may go on beyond.

    Parameters
    ----------
    estimator, X, y
        As in :func:`walk`.
    n_alphas : int
    eps : float
    **options : dict
        As in :func:`find_alpha_max`.
    """
    alpha_max = find_alpha_max(estimator, X, y, **options)
    ratio = eps ** (-1 / (n_alphas - 1))
    n_beyond = min(n_alphas, math.ceil(math.log(BEYOND, ratio)))
    return (alpha_max * eps * ratio**step for step in range(n_alphas + n_beyond))


def alive_features(estimator):
    """Tell which columns are alive, bool ndarray of shape (n_features,).

    As for nodes, those whose importance exceeds the share of the largest that
    `relevance_threshold` names.
    """
    importances = estimator.feature_importances_
    return importances > estimator.relevance_threshold * importances.max(initial=0.0)


def describe(estimator):
    """Return what a path tells of one of its networks."""
    return {
        "alphas": estimator.alpha,
        "n_alive_nodes": estimator.n_alive_nodes_,
        "alive_features": alive_features(estimator),
        "feature_importances": estimator.feature_importances_,
        "size_settled": bool(estimator.size_settled_),
        "train_loss": float(estimator.net_.history[-1]["train_loss"]),
    }


def gather(descriptions):
    """Return arrays with one entry per penalty, and the bracket of the largest penalty.

    Parameters
    ----------
    descriptions : list of dict
        As :func:`describe` returns them.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
    """
    path = Bunch(
        **{name: np.array([entry[name] for entry in descriptions]) for name in descriptions[0]}
    )
    path.alpha_max = alpha_bracket(path.alphas, path.n_alive_nodes)
    return path


def warn_if_alive(path):
    """Warn where a grid that was to end with every node dead did not."""
    if path.n_alive_nodes[-1].any():
        warnings.warn(
            f"The path ends at alpha={path.alphas[-1]:g} with nodes alive: none of its penalties "
            "is large enough, or training too short for nodes to die. Scale X, raise "
            "`path_max_iter`, or give `alphas`.",
            ConvergenceWarning,
            stacklevel=4,
        )


def alpha_bracket(alphas, n_alive_nodes):
    """Return the largest penalty with nodes alive and the next, at which all have died.

    Where the path has none such, 0 or infinity take its place.
    """
    n_alive = int((n_alive_nodes.sum(axis=1) > 0).sum())
    lower = alphas[n_alive - 1] if n_alive else 0.0
    upper = alphas[n_alive] if n_alive < len(alphas) else np.inf
    return float(lower), float(upper)


def order_of_leaving(path):
    """Return columns in the order in which they leave a path, int ndarray of shape (n_features,).

    A column has left for good at the first penalty from which on it is not
    alive. Those that leave together, or stay, come by importance before that.
    """
    alive = path.alive_features & (path.n_alive_nodes.sum(axis=1) > 0)[:, None]
    n_features = alive.shape[1]
    last = len(alive) - 1 - np.argmax(alive[::-1], axis=0)
    last = np.where(alive.any(axis=0), last, 0)
    return np.lexsort((path.feature_importances[last, np.arange(n_features)], last))


def _check_data(network, X, y, sample_weight, X_val, y_val):
    """Raise where a fit would; return the rows of positive weight."""
    probe = clone(network)
    probe._validate_params()
    _, checked = probe._check_rows(X, y, reset=True)
    if X_val is not None:
        probe._check_rows(X_val, y_val, reset=False)
    rows = Rows(X, checked, check_weights(sample_weight, X)).positive()
    return rows.X, rows.y, rows.weight


@torch.no_grad()
def data_loss(estimator, X, y):
    """Return the data term of the loss over some rows, in the units of training."""
    X, y = estimator._check_rows(X, y, reset=False)
    estimator._check_same_target(y, subset=True)
    dataset = estimator._dataset(Rows(X, y, None))
    total = 0.0
    for X, y in RowBatches(dataset, PREDICTION_ROWS):
        total += float(estimator.net_.get_loss(estimator.net_.infer(X), y, X=X)) * len(y)
    return total / len(dataset)


@validate_params(
    {
        "alphas": ["array-like", None],
        "n_alphas": [Interval(Integral, 2, None, closed="left")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "path_max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "return_coefs": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def spectral_path(
    X,
    y,
    *,
    estimator=None,
    alphas=None,
    n_alphas=30,
    eps=3e-4,
    path_max_iter="auto",
    sample_weight=None,
    X_val=None,
    y_val=None,
    return_coefs=False,
):
    r"""Follow a network as its penalty rises, until no node is alive.

    As :func:`sklearn.linear_model.lasso_path`, the other way round: nodes that
    have died do not come back, so the path goes from the smallest penalty
    (densest network) upwards. Each network starts from the last one, already
    shrunk: up to 100,000 rows a path makes about as many steps as one fit
    from scratch.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training rows, scaled.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    estimator : SpectralMLPRegressor or SpectralMLPClassifier, default=None
        The network, as wide as it may have to be; None:
        ``SpectralMLPRegressor()``. Its `alpha` is set by the path. Its
        `max_iter` is that of the first fit; "auto" makes four times the steps
        of a later one.
    alphas : array-like of shape (n_alphas,) or None, default=None
        Penalties, increasing, >= 0. None: a geometric grid that ends where
        every node has died. There is no formula for that penalty: zero is a
        local minimum of the loss at each penalty, and where the last node dies
        depends on the path to it. So it is looked for, by doubling the
        penalty along a quick path.
    n_alphas : int >= 2, default=30
        Length of the grid. If nodes are still alive at its end, it goes on, to ten
        times the largest penalty and twice the length at most.
    eps : float in (0, 1), default=3e-4
        Smallest penalty of the grid as a share of its largest.
    path_max_iter : int >= 1 or "auto", default="auto"
        Epochs for each penalty but the first; "auto": four times the root of
        the number of rows as steps, from 100 to 500, but no more epochs than the
        first fit.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the training rows.
    X_val : {array-like, sparse matrix} of shape (n_val, n_features) or None, default=None
        Rows to compute `validation_loss` on.
    y_val : array-like or None, default=None
        Their targets.
    return_coefs : bool, default=False
        Whether to return the weights of every network.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        With one entry per penalty:

        alphas : ndarray of shape (n_alphas,)
            Penalties, increasing.
        n_alive_nodes : int ndarray of shape (n_alphas, n_hidden_layers)
            Alive nodes per hidden layer.
        alive_features : bool ndarray of shape (n_alphas, n_features)
            Columns whose importance exceeds the share `relevance_threshold` of
            the largest. With eigenvalues="in" the others reach zero.
        feature_importances : ndarray of shape (n_alphas, n_features)
            `feature_importances_` of the networks.
        size_settled : bool ndarray of shape (n_alphas,)
            Whether the size had converged.
        train_loss : ndarray of shape (n_alphas,)
            Data term of the loss, averaged over the last epoch: squared error of
            the standardised target, or log loss in nats.
        validation_loss : ndarray of shape (n_alphas,)
            The same for the validation rows, if there are any.
        coefs, intercepts : list of list of ndarray
            `coefs_` and `intercepts_` of the networks, if asked for.

        and

        alpha_max : tuple of float
            The last penalty at which a node is alive, and the first at which
            none is; a property of this path. 0 or infinity where there is
            none.

    Raises
    ------
    TypeError
        If `estimator` is not one of this package.
    ValueError
        If `alphas` are not finite, >= 0 and increasing, or the data are not as
        described.

    See Also
    --------
    SpectralMLPRegressorCV : Chooses the penalty by cross-validation.
    SpectralPathDisplay : Draws the path.

    Notes
    -----
    With few epochs for each penalty the networks lag behind the penalty: they
    have more nodes, and a better score, than one trained from scratch at the
    same penalty. Compare networks by score and size, not by penalty.

    References
    ----------
    .. [1] J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for
       generalized linear models via coordinate descent", Journal of Statistical
       Software 33 (2010), https://doi.org/10.18637/jss.v033.i01.
    .. [2] I. Lemhadri, F. Ruan, L. Abraham, R. Tibshirani, "LassoNet: a neural
       network with feature sparsity", Journal of Machine Learning Research 22
       (2021), 1-29.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, spectral_path
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> network = SpectralMLPRegressor(16, random_state=0)
    >>> path = spectral_path(X, y, estimator=network, alphas=[1e-3, 1e-2, 1e-1, 1, 10])
    >>> path.n_alive_nodes[-1]
    array([0])
    """
    network = SpectralMLPRegressor() if estimator is None else estimator
    check_path_estimator(network)
    if (X_val is None) != (y_val is None):
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"`X_val` and `y_val` belong together; `{missing}` was not given.")
    X, y, sample_weight = _check_data(network, X, y, sample_weight, X_val, y_val)
    options = {"sample_weight": sample_weight, "path_max_iter": path_max_iter}
    if alphas is None:
        penalties = alpha_grid(network, X, y, n_alphas, eps, **options)
    else:
        penalties = check_alphas(alphas)
    entries, coefs, intercepts = [], [], []
    for fitted in walk(network, X, y, penalties, **options):
        entries.append(describe(fitted))
        if X_val is not None:
            entries[-1]["validation_loss"] = data_loss(fitted, X_val, y_val)
        if return_coefs:
            coefs.append(fitted.coefs_)
            intercepts.append(fitted.intercepts_)
        if alphas is None and not any(fitted.n_alive_nodes_):
            break
    path = gather(entries)
    if alphas is None:
        warn_if_alive(path)
    if return_coefs:
        path.coefs, path.intercepts = coefs, intercepts
    return path
