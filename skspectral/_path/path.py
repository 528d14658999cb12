"""Networks along a rising penalty, each trained on from the one before."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral, Real

from sklearn.base import clone

from skspectral._compat import Interval, StrOptions, validate_params
from skspectral._estimators.checks import (
    check_alphas,
    check_table,
    check_validation,
    with_names,
)
from skspectral._estimators.fitted import loss_of_rows
from skspectral._estimators.many import check_several, shown_together
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.rows import Rows, check_weights
from skspectral._estimators.spreads import measure_and_warn
from skspectral._path.alphas import alpha_grid
from skspectral._path.description import describe, gather, warn_if_alive
from skspectral._path.penalties import fixed
from skspectral._path.walk import (
    check_path_estimator,
    count_rows,
    is_dead,
    path_epochs,
    steps,
    until,
    visit,
)
from skspectral._training.interrupts import interrupts_reach_the_caller
from skspectral._training.together import finish_all


def _checked_networks(estimator):
    """Return the networks as a list."""
    if estimator is None:
        networks = [SpectralMLPRegressor()]
    elif isinstance(estimator, (list, tuple)):
        networks = check_several(estimator, "estimator")
    else:
        networks = [estimator]
    for network in networks:
        check_path_estimator(network)
        network._validate_params()
    return networks


def _check_data(network, X, y, sample_weight, X_val, y_val):
    """Raise where a fit would; return the rows to train on, and those to score or None."""
    # A clone, so that the user's estimator gets no attributes of a fit that it has not had.
    probe = clone(network)
    checked, y = check_table(probe, X, y, reset=True)
    weight = check_weights(sample_weight, checked)
    names = getattr(probe, "feature_names_in_", None)
    plain = Rows(checked, y, weight)
    measure_and_warn(plain, names)
    # With names, as the networks read them themselves.
    rows = Rows(with_names(X, checked, probe), y, weight)
    check_validation(probe, probe._new_target(y), plain.positive(), X_val, y_val, None)
    if X_val is None:
        return rows, None
    checked, y_val = check_table(probe, X_val, y_val, reset=False)
    return rows, Rows(checked, y_val, None)


def _path(network, rows, held_out, alphas, path_max_iter, grid, return_coefs):
    """Return the path of one network, as a coroutine.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
    rows : Rows
    held_out : Rows or None
    alphas : ndarray or None
        None for a grid.
    path_max_iter : int or "auto"
    grid : tuple of (int, float)
        Length of the grid, and its smallest penalty as a share of its largest.
    return_coefs : bool
    """
    counted = rows.positive()

    # What is wanted of a network is read now: the next step trains the same object on.
    def look(fitted):
        entry = describe(fitted)
        if held_out is not None:
            weighted = fitted._weighted(held_out, fitted._target, counted)
            entry["validation_loss"] = loss_of_rows(fitted, weighted)
        weights = fitted.coefs_, fitted.intercepts_, fitted.skip_coef_
        return entry, weights if return_coefs else None

    epochs = path_epochs(network, count_rows(rows.X, rows.weight), path_max_iter)
    weight = {"sample_weight": rows.weight}
    penalties = alphas
    if alphas is None:
        penalties = yield from alpha_grid(
            network, rows.X, rows.y, *grid, epochs=epochs[1], **weight
        )
    walked = steps(network, rows.X, rows.y, fixed(penalties), epochs=epochs, **weight)
    # Given penalties are all fitted, so that the path has the length that was asked for.
    seen = yield from visit(until(walked, is_dead) if alphas is None else walked, look)
    entries, weights = zip(*seen, strict=True)
    path = gather(entries)
    if return_coefs:
        path.coefs, path.intercepts, path.skip_coefs = map(list, zip(*weights, strict=True))
    return path


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
    r"""Train a network at rising penalties, until no node is alive.

    This is :func:`sklearn.linear_model.lasso_path` in the opposite direction.
    Nodes that have died do not come back, so the path goes from the smallest
    penalty (the largest network) upwards. Each network starts from the weights of
    the one before. Up to 100,000 rows a whole path takes about as many steps as
    one fit from scratch.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training rows, scaled.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    estimator : SpectralMLPRegressor, SpectralMLPClassifier or list of them, default=None
        The network, wide enough at the start; None: ``SpectralMLPRegressor()``.
        The path sets its `alpha`. Its `max_iter` holds for the first fit; "auto"
        makes four times the steps of a later one. Networks of a list, such as
        several seeds or widths, are trained side by side as in :func:`fit_many`.
    alphas : array-like of shape (n_alphas,) or None, default=None
        Penalties, increasing, >= 0. None: a geometric grid that ends where
        every node has died. There is no formula for the end: zero weights are a
        local minimum of the loss at every penalty, so the penalty at which the
        last node dies depends on the path. It is found by doubling the penalty
        along a quick path.
    n_alphas : int >= 2, default=30
        Length of the grid. If nodes are still alive at its end, it continues, at
        most to ten times its largest penalty and to twice its length.
    eps : float in (0, 1), default=3e-4
        Smallest penalty of the grid as a share of its largest.
    path_max_iter : int >= 1 or "auto", default="auto"
        Epochs at each penalty after the first. "auto": as many epochs as make
        four times the square root of the number of rows in steps, at least 100
        and at most 500 steps, but no more epochs than the first fit.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the training rows.
    X_val : {array-like, sparse matrix} of shape (n_val, n_features) or None, default=None
        Rows on which `validation_loss` is computed.
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
            the largest. With eigenvalues="in" the importance of the others
            reaches zero.
        feature_importances : ndarray of shape (n_alphas, n_features)
            `feature_importances_` of the networks.
        size_settled : bool ndarray of shape (n_alphas,)
            Whether the network was trained long enough at this penalty for its
            size to stop falling.
        train_loss : ndarray of shape (n_alphas,)
            Data term of the loss, averaged over the last epoch: squared error of
            the standardised target, or log loss in nats; nan where training
            diverged in its first epoch.
        validation_loss : ndarray of shape (n_alphas,)
            The same for the validation rows, if `X_val` is given.
        coefs, intercepts : list of list of ndarray
            `coefs_` and `intercepts_` of the networks, if `return_coefs` is True.
        skip_coefs : list of (ndarray or None)
            `skip_coef_` of the networks, likewise.

        and

        alpha_max : tuple of float
            The last penalty at which a node is alive, and the first at which
            no node is, on this path. 0 and infinity stand for penalties that
            the path does not have.

        For a list of networks a list of these. With alphas=None each has the grid
        of its own.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package, or a list of them.
    ValueError
        If `alphas` are not finite, >= 0 and increasing, or the data are not as
        described. If a list of networks is empty, has one of them twice, or
        regressors and classifiers.

    See Also
    --------
    SpectralMLPRegressorCV : Chooses the penalty by cross-validation.
    SpectralPathDisplay : Draws the path.

    Notes
    -----
    With few epochs at each penalty the networks lag behind it: they have more
    nodes, and a better score, than a network trained from scratch at the same
    penalty. Compare networks by score and size, not by penalty.

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

    Two seeds, side by side:

    >>> networks = [SpectralMLPRegressor(16, random_state=seed) for seed in (0, 1)]
    >>> paths = spectral_path(X, y, estimator=networks, alphas=[1e-2, 1e-1])
    >>> [path.n_alive_nodes[-1].tolist() for path in paths]
    [[2], [3]]
    """
    networks = _checked_networks(estimator)
    rows, held_out = _check_data(networks[0], X, y, sample_weight, X_val, y_val)
    penalties = None if alphas is None else check_alphas(alphas)
    options = penalties, path_max_iter, (n_alphas, eps), return_coefs
    with interrupts_reach_the_caller():
        fits = [_path(network, rows, held_out, *options) for network in networks]
        n_trainings = n_alphas if penalties is None else len(penalties)
        paths = finish_all(fits, shown_together(networks, n_trainings))
    # Only the default grid promises to end with every node dead.
    if alphas is None:
        for path in paths:
            warn_if_alive(path)
    return paths if isinstance(estimator, (list, tuple)) else paths[0]
