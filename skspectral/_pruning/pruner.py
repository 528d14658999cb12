"""Meta-estimator that cuts a spectral network down to the size that validation asks for."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from copy import deepcopy
from functools import partial
from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
    is_classifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._compat import Interval, RealNotInt, StrOptions, _fit_context
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import check_has_nodes, check_hidden_layer_sizes
from skspectral._estimators.fitted import last_hidden
from skspectral._estimators.ranking import SCOPES, check_n_nodes, masks_of
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.resizing import keep_nodes, present_masks
from skspectral._estimators.rows import Rows, check_weights
from skspectral._estimators.targets import target_kind
from skspectral._pruning.fit_routing import route
from skspectral._pruning.fold_curves import fold_curve, margins
from skspectral._pruning.strategies import (
    CutFrozen,
    CutTrained,
    CutUntrained,
    check_eigenvalues,
)
from skspectral._selection.network_inside import NetworkInsideMixin
from skspectral._selection.row_scores import ROW_SCORES, row_score
from skspectral._selection.scoring import score_rows, score_whole
from skspectral._selection.size_choice import smallest_within

HELD_OUT = 0.2
"""Share of the rows that choose the size where there are no folds."""
STRATEGIES = {"after": CutTrained, "before": CutUntrained}
FITTED = (
    "estimator_",
    "full_estimator_",
    "n_nodes_",
    "node_support_",
    "node_ranking_",
    "cv_results_",
)
MAX_INT = np.iinfo(np.int32).max


class PrunedNetworkMixin(NetworkInsideMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Predictions, activations and exports of `estimator_`."""

    def transform(self, X):
        """Return the activations of the last hidden layer of the pruned network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_kept_nodes)
            One column per kept node of the last hidden layer, float64.

        Raises
        ------
        NotFittedError
            If the pruner is not fitted.
        """
        check_is_fitted(self)
        return last_hidden(self.estimator_, X)

    @property
    def _n_features_out(self):
        return self.estimator_.hidden_layer_sizes[-1]


class SpectralPruner(PrunedNetworkMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a spectral network and keep the smallest part of it that is as good.

    The network is fitted, its hidden nodes are ranked by relevance, the nested
    smaller networks are scored on rows that it has not seen, and the smallest
    one whose score is within `tolerance` of the best is chosen. A network
    fitted on all rows is then cut at the same level of relevance, physically:
    `estimator_` has the smaller matrices. The pruner predicts as `estimator_` does, and
    transforms rows into the activations of its last hidden layer.

    Parameters
    ----------
    estimator : SpectralMLPRegressor, SpectralMLPClassifier or FrozenEstimator, default=None
        The network to fit and prune; None: ``SpectralMLPRegressor()``. One that
        is fitted and wrapped in :class:`~sklearn.frozen.FrozenEstimator` is
        pruned as it is, by the rows given to `fit`, which it should not have
        been trained on.
    n_nodes : int, float in (0, 1], list of int or "auto", default="auto"
        Hidden nodes to keep: in all, as a share of those at the start, or one
        number per hidden layer. "auto": the smallest number in all whose score
        is within `tolerance` of the best.
    tolerance : float >= 0 or "1se", default="1se"
        What the smaller network may score less than the best, in units of the
        score. "1se": one standard error of the paired difference to the best
        size, over folds, or over held-out rows where there are no folds; at
        least a twentieth of the standard error of the best score itself, so
        that differences far below what the rows can tell do not count.
    scoring : str, callable or None, default=None
        Score of the networks, as in
        :func:`~sklearn.model_selection.cross_val_score`. None: R2 for a
        regressor, negative log loss in nats (mean over labels) for a
        classifier. Without folds "1se" needs a score that is a mean over rows:
        "r2", "neg_mean_squared_error", "neg_mean_absolute_error", "accuracy",
        "neg_log_loss" or None.
    cv : int, splitter, iterable or None, default=None
        Folds: the estimator is refitted in each, and curves are averaged at equal
        size. None holds out 20 % of the rows, stratified for classes. Only
        n_nodes="auto" needs rows apart.
    strategy : {"after", "before"}, default="after"
        "after" training. "before" it [2]_: the eigenvalues alone are trained on
        random eigenvectors, the nodes of the largest are kept, and what is left
        is trained; each size that "auto" compares then costs a fit, so it
        compares sizes that double.
    scope : {"global", "layer"}, default="global"
        "global" compares relevance divided by the maximum of its layer; "layer"
        takes the same share from every layer.
    min_nodes : int >= 1, default=1
        Nodes that every hidden layer keeps.
    fine_tune : int >= 0, default=0
        Epochs for which the cut network is trained further. The curve is that of
        networks without fine-tuning.
    random_state : int, RandomState instance or None, default=None
        Of the held-out rows, and of the estimator where its own is None.
    n_jobs : int or None, default=None
        Folds that are fitted at a time, in processes.
    verbose : bool or int, default=0
        Whether to print the progress over folds, as joblib does.

    Attributes
    ----------
    estimator_ : SpectralMLPRegressor or SpectralMLPClassifier
        The pruned network, fitted and physically small.
    full_estimator_ : SpectralMLPRegressor or SpectralMLPClassifier
        The network that it was cut from; for strategy="before" with trained
        eigenvalues only.
    n_nodes_ : list of int
        Kept nodes per hidden layer. For n_nodes="auto" their sum differs from
        the size chosen on the curve where fits differ; see Notes.
    node_support_ : list of bool ndarray of shape (n_nodes,)
        Which nodes of `full_estimator_` are kept, per hidden layer.
    node_ranking_ : list of int ndarray of shape (n_nodes,)
        Order of the nodes over all hidden layers: 1 for the last to go.
    cv_results_ : dict of ndarray
        Only for n_nodes="auto", one entry per size: `n_nodes`,
        `mean_test_score`, `std_test_score`, `split<k>_test_score`,
        `n_parameters` (mean over folds), `margin` (what the size may score less
        than the best), `within_tolerance`.
    classes_ : ndarray of shape (n_classes,)
        Class labels, for a classifier.
    n_features_in_ : int
        Columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where all are strings.

    Raises
    ------
    TypeError
        If `estimator` is not one of this package; raised by `fit`.
    ValueError
        If `n_nodes` does not fit the hidden layers, or `tolerance` cannot be had
        with `scoring` and `cv`; raised by `fit`.

    See Also
    --------
    pruning_curve : The curve of one fitted network.
    PruningCurveDisplay : Draws `cv_results_`.
    SpectralMLPRegressor.prune : Cuts a fitted network without validation.

    Notes
    -----
    Fits on different rows keep different numbers of nodes alive. So what
    carries over from the folds to the network fitted on all rows is not the
    number of nodes but the level of relevance between kept and cut nodes, as a
    share of the largest (their geometric mean, also over folds). In networks
    that have settled the two hardly differ; in others the number may come out
    smaller or larger by a third and more, so look at `size_settled_` of
    `full_estimator_`. With scope="layer", strategy="before" (where what is left
    is trained anew) and a frozen estimator it is the number that is kept, but
    for dead nodes.

    `transform` is supervised: activations of the rows that were trained on are
    optimistic. Use it inside a pipeline that is cross-validated as a whole.

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
    >>> from skspectral import SpectralMLPRegressor, SpectralPruner
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> network = SpectralMLPRegressor(16, alpha=1e-2, random_state=0)
    >>> pruner = SpectralPruner(network, random_state=0).fit(X, y)
    >>> pruner.n_nodes_
    [2]
    >>> pruner.transform(X).shape
    (500, 2)
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "n_nodes": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "tolerance": [Interval(Real, 0, None, closed="left"), StrOptions({"1se"})],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "strategy": [StrOptions(set(STRATEGIES))],
        "scope": [StrOptions(set(SCOPES))],
        "min_nodes": [Interval(Integral, 1, None, closed="left")],
        "fine_tune": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_nodes="auto",
        tolerance="1se",
        scoring=None,
        cv=None,
        strategy="after",
        scope="global",
        min_nodes=1,
        fine_tune=0,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_nodes = n_nodes
        self.tolerance = tolerance
        self.scoring = scoring
        self.cv = cv
        self.strategy = strategy
        self.scope = scope
        self.min_nodes = min_nodes
        self.fine_tune = fine_tune
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the network, choose its size and cut it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; for a frozen estimator rows that it has not seen.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, in fitting and in scoring.
        **fit_params : dict
            Passed to the ``fit`` of the estimator as they are, or routed, where
            metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted pruner.

        Raises
        ------
        TypeError
            If `estimator` is not one of this package.
        ValueError
            If a parameter does not fit the network or the data.
        NotFittedError
            If a frozen estimator is not fitted.
        """
        for name in FITTED:
            self.__dict__.pop(name, None)
        if isinstance(self.tolerance, (bool, np.bool_)):
            raise TypeError(f"`tolerance` must be a number or '1se'; got {self.tolerance!r}.")
        routed = route(self, sample_weight, fit_params)
        rng = check_random_state(self.random_state)
        strategy = self._strategy(rng, routed.estimator.fit)
        rows = self._check_rows(X, y, routed.weight)
        if isinstance(self.n_nodes, str):
            size, level = self._choose(rows, strategy, rng, routed)
            full = strategy.full(rows)
            ranking, masks = strategy.ranking(full), strategy.chosen(full, size, level)
        else:
            widths = check_hidden_layer_sizes(self._inner().hidden_layer_sizes)
            n_nodes = check_n_nodes(self.n_nodes, widths, self.min_nodes)
            full = strategy.full(rows)
            ranking = strategy.ranking(full)
            masks = masks_of(n_nodes, ranking)
        masks = present_masks(full, masks)
        small = strategy.finish(keep_nodes(full, masks), rows)
        if self.fine_tune:
            small = strategy.train_on(small, rows, max_iter=self.fine_tune)
        self.full_estimator_, self.estimator_ = full, small
        self.node_ranking_, self.node_support_ = ranking, masks
        self.n_nodes_ = [int(mask.sum()) for mask in masks]
        return self

    def _inner(self):
        """Return the network as it was given, out of its frozen wrapper."""
        if self.estimator is None:
            return SpectralMLPRegressor()
        return self.estimator.estimator if self._is_frozen() else self.estimator

    def _is_frozen(self):
        return isinstance(self.estimator, FrozenEstimator)

    def _strategy(self, rng, fit_params):
        """Return how the network is made, after checking that it can be."""
        network = self._inner()
        if not isinstance(network, BaseSpectralMLP):
            raise TypeError(
                "`estimator` must be a SpectralMLPRegressor or SpectralMLPClassifier, or one of "
                f"them in a FrozenEstimator; got {type(network).__name__}. In a pipeline put the "
                "pruner in the place of the last step."
            )
        check_has_nodes(check_hidden_layer_sizes(network.hidden_layer_sizes))
        fit_params = dict(fit_params)
        options = {
            "scope": self.scope,
            "min_nodes": self.min_nodes,
            "weigh": fit_params.pop("sample_weight", None) is not None,
            "fit_params": fit_params,
        }
        if self._is_frozen():
            check_is_fitted(network)
            for name, usual in (("cv", None), ("strategy", "after")):
                if getattr(self, name) != usual:
                    raise ValueError(
                        f"A frozen estimator is not trained, so `{name}` must be {usual!r}; got "
                        f"{getattr(self, name)!r}. Give the estimator itself to have it fitted."
                    )
            return CutFrozen(network, **options)
        if self.strategy == "before":
            check_eigenvalues(network)
        network = clone(network)
        if self.random_state is not None and network.random_state is None:
            network.set_params(random_state=rng.randint(MAX_INT))
        return STRATEGIES[self.strategy](network, **options)

    def _check_rows(self, X, y, sample_weight):
        """Check the data; X with column names stays as it is, for the network to see them."""
        checked, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32)
        )
        network = self._inner()
        y = target_kind(network).check(y)
        if self._is_frozen():
            validate_data(network, X, reset=False, skip_check_array=True)
            network._target.check_same(y, subset=not self.fine_tune)
        X = X if hasattr(self, "feature_names_in_") else checked
        return Rows(X, y, check_weights(sample_weight, checked))

    def _choose(self, rows, strategy, rng, routed):
        """Return the smallest size within tolerance and its level; set `cv_results_`."""
        folds = self._folds(rows, strategy, rng, routed.splitter.split)
        score = self._score(strategy.estimator, len(folds), bool(routed.scorer.score))
        curves = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fold_curve)(strategy, train, test, score) for train, test in folds
        )
        scores = np.array([curve.score for curve in curves])
        margin = margins(curves, self.tolerance)
        chosen, within = smallest_within(scores.mean(axis=0), margin)
        self.cv_results_ = {
            "n_nodes": curves[0].n_nodes,
            "mean_test_score": scores.mean(axis=0),
            "std_test_score": scores.std(axis=0),
            **{f"split{k}_test_score": curve.score for k, curve in enumerate(curves)},
            "n_parameters": np.mean([curve.n_parameters for curve in curves], axis=0),
            "margin": margin,
            "within_tolerance": within,
        }
        level = np.exp(np.mean([np.log(curve.levels[chosen]) for curve in curves]))
        return int(curves[0].n_nodes[chosen]), float(level)

    def _score(self, network, n_folds, weigh):
        """Return how networks are scored, ``score(network, rows)``."""
        by_row = row_score(self.scoring, network)
        if by_row is not None:
            return partial(score_rows, by_row)
        if n_folds < 2 and self.tolerance == "1se":
            raise ValueError(
                "tolerance='1se' needs at least two folds (`cv`) or a score that is a mean over "
                f"rows, one of {sorted(ROW_SCORES)}; got cv={self.cv!r}, "
                f"scoring={self.scoring!r}. Set `cv`, or give `tolerance` as a number."
            )
        scorer = check_scoring(network, self.scoring)
        takes_weight = "sample_weight" in signature(scorer).parameters
        return partial(score_whole, scorer, weigh and takes_weight)

    def _folds(self, rows, strategy, rng, split_params):
        """Return pairs of rows to fit on and rows to score on."""
        if isinstance(strategy, CutFrozen):
            return [(rows, rows.positive())]
        classifier = is_classifier(strategy.estimator)
        if self.cv is None:
            return [self._hold_out(rows.positive(), classifier and rows.y.ndim == 1, rng)]
        if isinstance(self.cv, Integral):
            rows = rows.positive()  # other folds may be given by the indices of all rows
        splitter = check_cv(self.cv, rows.y, classifier=classifier)
        splits = splitter.split(rows.X, rows.y, **split_params)
        folds = [(rows.take(train), rows.take(test)) for train, test in splits]
        if not folds:
            raise ValueError(
                "`cv` gave no folds. A generator is used up by one fit; give a list of its folds."
            )
        return folds

    def _hold_out(self, rows, stratify, rng):
        try:
            return rows.split(HELD_OUT, stratify, rng)
        except ValueError as error:
            raise ValueError(
                f"The pruner cannot hold out {HELD_OUT:.0%} of {len(rows)} rows: {error} Give "
                "`cv`, or `n_nodes` as a number."
            ) from error

    def get_metadata_routing(self):
        """Return the routing of metadata, to the network, the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            Encapsulates the routing.
        """
        router = (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self._inner(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
        if row_score(self.scoring, self._inner()) is None:
            router.add(
                scorer=check_scoring(self._inner(), self.scoring),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
        return router

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        network = get_tags(self._inner())
        tags.estimator_type = network.estimator_type
        tags.classifier_tags = deepcopy(network.classifier_tags)
        tags.regressor_tags = deepcopy(network.regressor_tags)
        tags.target_tags = deepcopy(network.target_tags)
        tags.input_tags = deepcopy(network.input_tags)
        return tags
