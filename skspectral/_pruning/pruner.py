"""Meta-estimator that cuts a spectral network down to the size that validation asks for."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    clone,
)
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MethodMapping
from sklearn.utils.parallel import Parallel, delayed

from skspectral._compat import Interval, RealNotInt, StrOptions, _fit_context
from skspectral._estimators.checks import check_hidden_layer_sizes
from skspectral._estimators.ranking import SCOPES, check_n_nodes, masks_of
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.resizing import keep_nodes, present_masks
from skspectral._pruning.choice import choose_size
from skspectral._pruning.fold_curves import fold_curve
from skspectral._pruning.pruned_network import PrunedNetworkMixin
from skspectral._pruning.strategies import (
    CutFrozen,
    CutTrained,
    CutUntrained,
    check_eigenvalues,
    check_frozen,
    check_prunable,
)
from skspectral._selection.fit_routing import make_router, route
from skspectral._selection.folds import check_rows, check_two_folds, hold_out, make_folds
from skspectral._selection.network_inside import seeded
from skspectral._selection.row_scores import ROW_SCORES, row_score
from skspectral._selection.scoring import network_score

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
    n_alive_nodes_ : list of int
        Alive nodes of `estimator_` per hidden layer. This and the following are
        its fitted attributes.
    size_settled_ : bool or None
        Whether its size has converged; None where alive nodes were cut.
    feature_relevance_ : list of ndarray of shape (n_nodes,)
        Relevance of its nodes, per hidden layer.
    node_indices_ : list of int ndarray
        Index of each of its nodes; one that is fine-tuned may lose some.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Importance of each column for it, of sum 1.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Its effective weights, in units of y.
    intercepts_ : list of ndarray of shape (n_out,)
        Its biases, in units of y.
    loss_curve_ : list of float
        Its penalised loss per epoch, with those before the cut.
    n_iter_ : int
        Epochs that it was trained for, with those before the cut.
    n_layers_ : int
        Layers, counting input and output.
    n_outputs_ : int
        Outputs.
    out_activation_ : str
        Activation of the output.
    classes_ : ndarray of shape (n_classes,)
        Class labels, for a classifier.
    y_mean_ : ndarray of shape (n_outputs,)
        What outputs are centred by, for a regressor.
    y_scale_ : ndarray of shape (n_outputs,)
        What they are divided by, for a regressor.
    device_ : str
        Where it was trained.
    net_ : skorch.NeuralNet
        The net, with its history and callbacks.
    module_ : skspectral.nn.SpectralMLP
        The network.
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
            `groups`, for splitters that need them; the others are passed to the
            ``fit`` of the estimator as they are. All are routed where metadata
            routing is enabled.

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
        strategy = self._strategy(rng, routed.fit)
        rows = check_rows(self, X, y, routed.weight)
        strategy.check_rows(rows, self.fine_tune)
        if isinstance(self.n_nodes, str):
            choice = self._choose(rows, strategy, rng, routed)
            full = strategy.full(rows)
            masks = strategy.chosen(full, choice.n_nodes, choice.level)
            self.cv_results_ = choice.cv_results
        else:
            widths = check_hidden_layer_sizes(self._inner().hidden_layer_sizes)
            n_nodes = check_n_nodes(self.n_nodes, widths, self.min_nodes)
            full = strategy.full(rows)
            masks = masks_of(n_nodes, strategy.ranking(full))
        masks = present_masks(full, masks)
        small = strategy.finish(keep_nodes(full, masks), rows)
        if self.fine_tune:
            small = strategy.train_on(small, rows, max_iter=self.fine_tune)
        self.full_estimator_, self.estimator_ = full, small
        self.node_ranking_, self.node_support_ = strategy.ranking(full), masks
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
        check_prunable(network)
        others = {name: value for name, value in fit_params.items() if name != "sample_weight"}
        options = {
            "scope": self.scope,
            "min_nodes": self.min_nodes,
            "weigh": fit_params.get("sample_weight") is not None,
            "fit_params": others,
        }
        if self._is_frozen():
            check_frozen(network, self.cv, self.strategy)
            return CutFrozen(network, **options)
        if self.strategy == "before":
            check_eigenvalues(network)
        no_seed = self.random_state is not None and network.random_state is None
        network = seeded(network, rng) if no_seed else clone(network)
        return STRATEGIES[self.strategy](network, **options)

    def _choose(self, rows, strategy, rng, routed):
        """Return the smallest size within tolerance of the best."""
        folds = self._folds(rows, strategy, rng, routed.split)
        score = network_score(self.scoring, strategy.estimator, routed.score)
        if self.tolerance == "1se" and row_score(self.scoring, strategy.estimator) is None:
            check_two_folds(
                folds,
                f"tolerance='1se' with scoring={self.scoring!r}",
                "Give `cv` more folds, or `tolerance` as a number, or a score that is a mean over "
                f"rows, one of {sorted(ROW_SCORES)}.",
            )
        curves = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fold_curve)(strategy, train, test, score) for train, test in folds
        )
        return choose_size(curves, self.tolerance)

    def _folds(self, rows, strategy, rng, split_params):
        """Return pairs of rows to fit on and rows to score on."""
        if self._is_frozen():
            return [(rows, rows.positive())]
        if self.cv is None:
            return hold_out(HELD_OUT, rows, strategy.estimator, rng)
        return make_folds(self.cv, rows, strategy.estimator, split_params)

    def get_metadata_routing(self):
        """Return the routing of metadata, to the network, the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            Encapsulates the routing.
        """
        return make_router(self, self._inner(), self.cv, self.scoring).add(
            estimator=self._inner(),
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )
