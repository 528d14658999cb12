"""Networks whose penalty, and with it their size, is chosen by cross-validation."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import Interval, StrOptions, _fit_context
from skspectral._estimators.checks import check_alphas
from skspectral._estimators.recipe import dtype_of_all, hidden_widths
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.rollback import unchanged_on_failure
from skspectral._path.complaints import complaints_about
from skspectral._path.description import describe, gather, order_of_leaving
from skspectral._path.fold_paths import fold_path
from skspectral._path.identification import around, judge
from skspectral._path.penalties import check_factors, fixed, following
from skspectral._path.penalty_choice import choose_penalty
from skspectral._path.walk import check_path_estimator, steps, visit
from skspectral._selection.defined import check_defined
from skspectral._selection.fit_routing import make_router, route
from skspectral._selection.fold_fits import beside_folds
from skspectral._selection.folds import check_rows, check_two_folds, make_folds
from skspectral._selection.network_inside import seeded
from skspectral._selection.scoring import network_score
from skspectral._warn import warn_caller

ALPHA_FACTORS = (0.25, 0.5, 1.0, 2.0)
"""Multiples of the penalty that follows the noise among which is chosen unless told otherwise."""
# Not `alpha`, which the path sets, nor `warm_start`, which the walk needs.
NETWORK_PARAMETERS = (
    "activation",
    "fit_intercept",
    "skip",
    "parametrization",
    "eigenvalues",
    "relevance_threshold",
    "learning_rate_init",
    "batch_size",
    "max_iter",
    "device",
    "dtype",
    "n_threads",
)
"""Parameters that are handed on to the network."""


class BaseSpectralMLPCV(BaseEstimator):
    """Follow paths on the folds and on all rows, and choose among their networks.

    The attributes and predictions of the chosen network come from
    :class:`NetworkInsideMixin`, which the subclasses name before scikit-learn's mixins,
    so that the network's tags win.
    """

    _parameter_constraints: dict = {
        # The classifier has the same constraints on these.
        **{
            name: SpectralMLPRegressor._parameter_constraints[name]
            for name in ("hidden_layer_sizes", *NETWORK_PARAMETERS, "random_state", "verbose")
        },
        "alpha_factors": ["array-like", None],
        "alphas": ["array-like", None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions({"1se", "best"})],
        "tolerance": [Interval(Real, 0, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }
    _network_class: Any
    _own_parameter: str

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty by cross-validation, and keep its network trained on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; scale them in a pipeline.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows in training, and in scoring if the score takes
            weights.
        **params : dict
            `groups`, for splitters that need them. With metadata routing enabled,
            what `cv` and `scoring` request.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described.
        TypeError
            If `params` holds anything else.

        Warns
        -----
        UserWarning
            If the spreads of two columns differ by more than a factor of 30.
            One-hot and constant columns do not count.
        """
        # Whatever can be refused is refused before the first fit, as a path takes long.
        penalties = self._penalties()
        if self.tolerance is not None and self.selection == "best":
            raise ValueError(
                "`tolerance` says how far a score may lie below the best, and selection='best' "
                "allows nothing. Leave `selection` at '1se', or `tolerance` at None."
            )
        with unchanged_on_failure(self):
            self._fit(X, y, route(self, sample_weight, params), penalties)
        for complaint in complaints_about(self.estimator_, self._smaller()):
            warn_caller(complaint, ConvergenceWarning)
        return self

    def _fit(self, X, y, routed, penalties):
        """Choose a penalty, and set the fitted attributes."""
        unknown = sorted(set(routed.fit) - {"sample_weight"})
        if unknown:
            raise TypeError(f"fit() takes `sample_weight` and `groups`; got {unknown}.")
        rng = check_random_state(self.random_state)
        rows = check_rows(self, X, y, routed.weight)
        # Rows of weight zero count as left out, also for the width at the start.
        network = self._network(*rows.positive().X.shape)
        check_path_estimator(network)
        folds = make_folds(self.cv, rows, network, routed.split)
        # For selection="best" as well, since sizes are compared between folds.
        check_two_folds(folds, "The choice of a penalty", "Give `cv` more folds.")
        score = network_score(self.scoring, network, routed.score)
        check_defined(score, folds, network, self.scoring)
        whole = full_path(seeded(network, rng), rows, penalties)
        # Seeds are drawn here, not in the workers, where their order would depend on `n_jobs`.
        tasks = [
            (seeded(network, rng), *fold, penalties, score, f"fold {k} of `cv`")
            for k, fold in enumerate(folds)
        ]
        (path, estimators), paths = beside_folds(
            whole,
            fold_path,
            tasks,
            n_jobs=self.n_jobs,
            verbose=int(self.verbose),
            n_trainings=len(penalties),
        )
        choice = choose_penalty(self._listed(path), paths, self.selection, self.tolerance)
        self._set_fitted_attributes(path, paths, choice, estimators[choice.index])

    def _penalties(self):
        """Return the parameters that set each penalty."""
        if self.alphas is None:
            factors = ALPHA_FACTORS if self.alpha_factors is None else self.alpha_factors
            return list(following(check_factors(factors, "alpha_factors")))
        if self.alpha_factors is not None:
            raise ValueError(
                "Give `alpha_factors`, multiples of the penalty that follows the noise, or "
                "`alphas`, penalties as they are, not both."
            )
        return list(fixed(check_alphas(self.alphas)))

    def _listed(self, path):
        """Return the columns of `cv_results_` that tell the penalties."""
        listed = {"alpha": path.alphas}
        if "alpha_factors" in path:
            listed["alpha_factor"] = path.alpha_factors
        return listed

    def _smaller(self):
        """Return what to do where every node died."""
        name = "alphas" if self.alphas is not None else "alpha_factors"
        # "best" is no advice to someone who chose it.
        or_best = "" if self.selection == "best" else ", or selection='best'"
        return f"give smaller `{name}`{or_best}"

    def _inner(self):
        """Return the network that is trained, without its width, which may need the rows."""
        names = [*NETWORK_PARAMETERS, self._own_parameter]
        return self._network_class(**{name: getattr(self, name) for name in names})

    def _network(self, n_rows, n_features):
        # By all rows, so that the networks of the folds are of the kind of the final one.
        return self._inner().set_params(
            hidden_layer_sizes=hidden_widths(self.hidden_layer_sizes, n_rows),
            dtype=dtype_of_all(self.dtype, n_rows, n_features),
        )

    def _set_fitted_attributes(self, path, fold_paths, choice, network):
        """Set what `fit` has found."""
        # The walk set these for its own use; a later fit of `estimator_` starts from scratch.
        self.estimator_ = network.set_params(
            warm_start=False,
            max_iter=self.max_iter,
            random_state=self.random_state,
            dtype=self.dtype,
        )
        self.path_, self.alphas_ = path, path.alphas
        self.cv_results_ = choice.cv_results
        # for `summary`, as parameters may be changed after the fit
        self._chosen_by = {"scoring": self.scoring, "selection": self.selection}
        self.alpha_ = float(path.alphas[choice.index])
        self.alpha_factor_ = network.alpha_factor if network.alpha == "auto" else None
        self.size_interval_, self.size_identified_ = judged_size(
            path, fold_paths, choice.index, has_skip=self.skip
        )
        self.feature_path_ = order_of_leaving(path)

    def prune(self, *, n_nodes=None, threshold=None):
        """Return a fitted network with fewer nodes, physically smaller.

        Parameters
        ----------
        n_nodes : int, float in (0, 1], list of int or None, default=None
            As in :meth:`SpectralMLPRegressor.prune`.
        threshold : float in [0, 1) or None, default=None
            As in :meth:`SpectralMLPRegressor.prune`.

        Returns
        -------
        SpectralMLPRegressor or SpectralMLPClassifier
            The smaller network, fitted.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.prune(n_nodes=n_nodes, threshold=threshold)

    def get_metadata_routing(self):
        """Return the routing of metadata, to the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            Encapsulates the routing.
        """
        return make_router(self, self._inner(), self.cv, self.scoring)


def full_path(network, rows, penalties):
    """Return the path of all rows, and the network at each of its penalties, as a coroutine."""
    # The walk yields one object over and over, and which state is needed is not known yet.
    # Not `clone`, which would drop what was fitted.
    walked = steps(
        network, rows.X, rows.y, penalties, sample_weight=rows.weight, classes=rows.classes
    )
    states = yield from visit(walked, lambda fitted: (copy.deepcopy(fitted), describe(fitted)))
    networks = [fitted for fitted, _ in states]
    path = gather([entry for _, entry in states])
    if networks[0].alpha == "auto":
        path.alpha_factors = np.array([fitted.alpha_factor for fitted in networks])
    path.start = list(networks[0].net_.module.hidden_layer_sizes)
    return path, networks


def judged_size(path, fold_paths, chosen, *, has_skip=False):
    """Return the least and most nodes around the chosen penalty, and whether they tell the size.

    Parameters
    ----------
    path : Bunch
        Of all rows.
    fold_paths : sequence of FoldPath
    chosen : int
        Index of the penalty.
    """
    penalties = path.get("alpha_factors", path.alphas)
    near = around(penalties, chosen)
    sizes = np.stack([path.n_alive_nodes, *(fold.n_alive_nodes for fold in fold_paths)])
    reported = path.n_alive_nodes[chosen].tolist()
    return judge(sizes[:, near], penalties[near], reported, path.start, has_skip=has_skip)
