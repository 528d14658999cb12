"""Between which sizes a network ends while its penalty, its seed and the rows change."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import Interval, validate_params
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import check_table, with_names
from skspectral._estimators.rows import Rows, check_weights
from skspectral._path.cv import BaseSpectralMLPCV
from skspectral._path.fold_paths import fold_path
from skspectral._path.identification import agreed_size, judge
from skspectral._path.penalties import check_factors, multiples
from skspectral._path.walk import check_path_estimator
from skspectral._selection.fold_fits import fit_folds
from skspectral._selection.folds import hold_out_fold, make_folds
from skspectral._selection.network_inside import seeded

HELD_OUT = 0.2
"""Share of the rows that a fit on a part of them leaves out."""


def _network_and_rows(estimator, X):
    """Return the fitted network of an estimator, and the columns that it gets."""
    if isinstance(estimator, Pipeline):
        check_is_fitted(estimator)
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    if not isinstance(estimator, (BaseSpectralMLP, BaseSpectralMLPCV)):
        raise TypeError(
            "`estimator` must be a fitted SpectralMLPRegressor or SpectralMLPClassifier, their "
            "CV estimators or a Pipeline that ends in one of them; got "
            f"{type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    network = estimator.estimator_ if isinstance(estimator, BaseSpectralMLPCV) else estimator
    return network, X


def _parts(cv, rows, network, rng):
    """Return the training rows of the folds."""
    if isinstance(cv, (list, tuple)) and not cv:
        return []
    if cv is None:
        who, advice = "`size_interval`", "Give `cv`, or cv=[] for none."
        return [hold_out_fold(rows, HELD_OUT, network, rng, who, advice)[0] for _ in range(2)]
    # Rows of weight zero leave after the split: a splitter may name rows by their place.
    return [train for train, _ in make_folds(cv, rows, network, {})]


@validate_params(
    {
        "factors": ["array-like"],
        "n_seeds": [Interval(Integral, 0, None, closed="left")],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def size_interval(
    estimator,
    X,
    y,
    *,
    sample_weight=None,
    factors=(1.0, 2.0, 4.0),
    n_seeds=2,
    cv=None,
    random_state=None,
    n_jobs=None,
):
    """Fit a network a few times more, and tell between which sizes it ends.

    A size belongs to the penalty that it was found at. It is the task's own only
    where it does not move with the penalty, nor with the random start or the rows.
    So the network is fitted again, from other random weights and on parts of the
    rows, each time at a rising penalty: the estimator's, twice and four times that,
    each fit going on from the one before. (Below the default penalty nodes that fit
    noise come on top, whatever the task.)

    Parameters
    ----------
    estimator : SpectralMLPRegressor, SpectralMLPClassifier or a CV estimator of them
        Fitted, or a fitted Pipeline that ends in it. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows that it was fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the rows.
    factors : array-like of shape (n_factors,), default=(1.0, 2.0, 4.0)
        Multiples of the estimator's penalty, increasing, above 0. If the largest
        is less than four times the smallest, no size counts as identified.
    n_seeds : int >= 0, default=2
        Fits on all rows from new random weights.
    cv : int, splitter, iterable or None, default=None
        Fits on the training rows of folds, as
        :func:`sklearn.model_selection.check_cv` takes them; an empty list: none.
        None: two random four fifths of the rows, stratified for classes. For
        grouped rows give ``list(GroupKFold().split(X, y, groups))``.
    random_state : int, RandomState instance or None, default=None
        Seed of the fits.
    n_jobs : int or None, default=None
        Processes among which the fits are shared. In one process they are trained
        side by side, with one bar for all if the estimator is `verbose`.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        With

        size : list of int
            Nodes of each hidden layer that the fits agree on: the median over all of
            them. It is nearer to the truth than the size of one fit (see Notes).
        interval : list of (int, int)
            Least and most nodes left in each hidden layer: medians over the fits, at
            each penalty; the estimator's own size is always inside.
        identified : bool
            Whether the interval is within a tenth, or one node, of the estimator's
            own size, in every layer, while the penalty moves by a factor of four
            or more. False where the interval reaches down to no node (with `skip` no node
            at all is a size, too), and where
            more than half of the nodes of a layer are left, as its width may have
            set the size.
        factors : ndarray of shape (n_factors,)
            As given.
        seed_sizes : int ndarray of shape (n_seeds, n_factors, n_hidden_layers)
            Nodes left in the fits on all rows.
        fold_sizes : int ndarray of shape (n_folds, n_factors, n_hidden_layers)
            Nodes left in the fits on folds.
        size_settled : bool ndarray of shape (n_seeds + n_folds, n_factors)
            Whether each fit was trained long enough for its penalty. Fits to data
            without noise rarely are, so `identified` does not ask for it.

    Raises
    ------
    TypeError
        If `estimator` is something else.
    ValueError
        If its penalty is 0, or `factors`, the folds or the data are not as
        described.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    SpectralMLPRegressorCV : Has such an interval, from its own folds.

    Notes
    -----
    Where sizes are known, `size` is right more often than the size of one fit, and
    `identified` is not said of all that are right. How often is on the page "Is the
    size identified?" of the documentation.

    An estimator that was given `X_val` follows the noise of those rows; the fits here
    follow that of their own rows.

    Examples
    --------
    >>> from skspectral import SpectralMLPRegressor, size_interval
    >>> from skspectral.datasets import make_teacher_student
    >>> data = make_teacher_student(1000, 5, (3,), noise=0.1, random_state=0)
    >>> reg = SpectralMLPRegressor(16, alpha_factor=1, random_state=0).fit(data.X, data.y)
    >>> found = size_interval(reg, data.X, data.y, n_seeds=1, random_state=0)
    >>> found.size, found.interval, found.identified
    ([3], [(3, 3)], True)
    """
    network, X = _network_and_rows(estimator, X)
    factors = check_factors(factors, "factors")
    check_path_estimator(network)
    penalties = list(multiples(network, factors))
    checked, y = check_table(network, X, y, reset=False)
    network._target.check_same(y, subset=True, other="the estimator")
    # The networks read the names of columns themselves.
    X = with_names(X, checked, network)
    weight = check_weights(sample_weight, checked)
    # All classes of the estimator, which the rows of a fold may lack.
    rows = Rows(X, y, weight, getattr(network, "classes_", None))
    rng = check_random_state(random_state)
    fits = [rows.positive()] * n_seeds + _parts(cv, rows, network, rng)
    if not fits:
        raise ValueError("Give `n_seeds` of at least 1, or folds: there is nothing to fit.")
    # As wide as the estimator's and in its arithmetic, also on folds, which have fewer rows.
    start, dtype = network.net_.module.hidden_layer_sizes, network.net_.module.dtype
    kept = {"hidden_layer_sizes": start, "dtype": str(dtype).removeprefix("torch.")}
    networks = [seeded(network, rng).set_params(**kept) for _ in fits]
    tasks = [
        (one, train, None, penalties, None) for one, train in zip(networks, fits, strict=True)
    ]
    verbose = network.verbose == 1
    paths = fit_folds(fold_path, tasks, n_jobs=n_jobs, verbose=verbose, n_trainings=len(penalties))
    sizes = np.array([path.n_alive_nodes for path in paths])
    reported = network.n_alive_nodes_
    interval, identified = judge(sizes, factors, reported, start, has_skip=network.skip)
    return Bunch(
        size=agreed_size(sizes),
        interval=interval,
        identified=identified,
        factors=factors,
        seed_sizes=sizes[:n_seeds],
        fold_sizes=sizes[n_seeds:],
        size_settled=np.array([path.size_settled for path in paths]),
    )
