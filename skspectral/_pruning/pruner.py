"""Meta-estimator that cuts a spectral network down to a size that validation chooses."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    clone,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MethodMapping

from skspectral._compat import Interval, RealNotInt, StrOptions, _fit_context
from skspectral._estimators.ranking import SCOPES, check_n_nodes, masks_of
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.resizing import keep_nodes, present_masks
from skspectral._estimators.rollback import unchanged_on_failure
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
from skspectral._selection.defined import check_defined
from skspectral._selection.fit_routing import make_router, route
from skspectral._selection.fold_fits import beside_folds
from skspectral._selection.folds import check_rows, check_two_folds, hold_out_fold, make_folds
from skspectral._selection.network_inside import seeded
from skspectral._selection.row_scores import ROW_SCORES, row_score
from skspectral._selection.scoring import network_score
from skspectral._training.interrupts import interrupts_reach_the_caller
from skspectral._training.together import finish
from skspectral._training.torch_state import outside_of_modes
from skspectral._warn import warn_caller

HELD_OUT = 0.2
"""Share of the rows that are held out to choose the size if there are no folds."""
STRATEGIES = {"after": CutTrained, "before": CutUntrained}
VALIDATION = {"X_val", "y_val", "sample_weight_val"}
"""Keywords that are handed on to the fits of the network."""
# What every fit starts without; `cv_results_` is not set by each of them.
FITTED = (
    "estimator_",
    "full_estimator_",
    "n_nodes_",
    "node_support_",
    "node_ranking_",
    "cv_results_",
)


class SpectralPruner(PrunedNetworkMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a spectral network and keep the smallest part of it that scores as well.

    The network is fitted, and its hidden nodes are ranked by relevance. The nested
    smaller networks are scored on rows that were not used for the fit. The
    smallest network whose score is within `tolerance` of the best is chosen. Then
    a network fitted on all rows is cut at the same level of relevance. The cut is
    physical: `estimator_` has smaller matrices. The pruner predicts with
    `estimator_`, and transforms rows into the activations of its last hidden
    layer.

    Parameters
    ----------
    estimator : SpectralMLPRegressor, SpectralMLPClassifier or FrozenEstimator, default=None
        The network to fit and prune; None: ``SpectralMLPRegressor()``. A fitted
        network in a :class:`~sklearn.frozen.FrozenEstimator` is not trained again.
        Its size is chosen on the rows given to `fit`, which should not be those
        that it was trained on.
    n_nodes : int, float in (0, 1], list of int or "auto", default="auto"
        Hidden nodes to keep: the total number, a share of those at the start, or
        one number per hidden layer. "auto": the smallest total whose score is
        within `tolerance` of the best.
    tolerance : float >= 0 or "1se", default="1se"
        How far the score of the smaller network may be below the best, in units of
        the score. "1se": one standard error of the paired difference to the best
        size, over folds, or over held-out rows if there are no folds. It is at
        least a twentieth of the standard error of the best score itself, so that
        differences too small for the rows to show do not count.
    scoring : str, callable or None, default=None
        Score of the networks, as in
        :func:`~sklearn.model_selection.cross_val_score`. None: R2 for a
        regressor, negative log loss in nats (mean over labels) for a
        classifier. Metrics such as "f1" take class 1 for the positive one, as in
        scikit-learn; where neither class is 1, the last. Without folds "1se" needs a
        score that is a mean over rows:
        "r2", "neg_mean_squared_error", "neg_mean_absolute_error", "accuracy",
        "neg_log_loss" or None.
    cv : int, splitter, iterable or None, default=None
        Folds. The estimator is fitted again on each, and the curves are averaged
        size by size. None: 20 % of the rows are held out, stratified for classes.
        Used for n_nodes="auto" only.
    strategy : {"after", "before"}, default="after"
        When nodes are cut. "after": after training. "before": before it [2]_. Only
        the eigenvalues are trained first, with random eigenvectors. The nodes of
        the largest eigenvalues are kept, and the remaining network is trained.
        Each size that n_nodes="auto" compares then costs a fit, so each size is
        about twice the one before.
    scope : {"global", "layer"}, default="global"
        "global" compares relevance divided by the maximum of its layer; "layer"
        cuts the same share of every layer.
    min_nodes : int >= 1, default=1
        Nodes that every hidden layer keeps.
    fine_tune : int >= 0, default=0
        Epochs for which the cut network is trained further. The scores that choose
        the size are those of networks without fine-tuning.
    random_state : int, RandomState instance or None, default=None
        Seed for the choice of the held-out rows, and for the estimator if its own
        `random_state` is None.
    n_jobs : int or None, default=None
        Processes among which the folds are shared. In one process they are trained
        side by side, together with the network of all rows.
    verbose : bool or int, default=0
        Whether to show the progress: one bar, or plain lines, for all networks; with
        `n_jobs` lines of joblib's, one for each share of the folds.

    Attributes
    ----------
    estimator_ : SpectralMLPRegressor or SpectralMLPClassifier
        The pruned network, fitted and physically small.
    full_estimator_ : SpectralMLPRegressor or SpectralMLPClassifier
        The network before the cut. For strategy="before" only its eigenvalues are
        trained.
    n_nodes_ : list of int
        Kept nodes per hidden layer. For n_nodes="auto" their sum may differ from
        the size chosen on the folds; see Notes.
    node_support_ : list of bool ndarray of shape (n_nodes,)
        Which nodes of `full_estimator_` are kept, per hidden layer.
    node_ranking_ : list of int ndarray of shape (n_nodes,)
        Rank of the nodes over all hidden layers: 1 for the last to be cut.
    cv_results_ : dict of ndarray
        Only for n_nodes="auto", one entry per size: `n_nodes`,
        `mean_test_score`, `std_test_score`, `split<k>_test_score`,
        `n_parameters` (mean over folds), `margin` (how far the score may be below
        the best), `within_tolerance` (whether it is within that margin).
    n_alive_nodes_ : list of int
        Alive nodes of `estimator_` per hidden layer. This and the attributes below
        are its fitted attributes.
    size_settled_ : bool or None
        Whether it was trained long enough for its penalty; None if alive nodes
        were cut.
    feature_relevance_ : list of ndarray of shape (n_nodes,)
        Relevance of its nodes, per hidden layer.
    node_indices_ : list of int ndarray
        Index of each of its nodes; fine-tuning may remove some.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Importance of each column for the network; their sum is 1.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Its effective weights, in units of y.
    intercepts_ : list of ndarray of shape (n_out,)
        Its biases, in units of y.
    loss_curve_ : list of float
        Its penalised loss per epoch, including those before the cut.
    n_iter_ : int
        Epochs for which it was trained, including those before the cut.
    n_layers_ : int
        Number of layers, with input and output.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        Activation of the output.
    classes_ : ndarray of shape (n_classes,)
        Class labels, for a classifier.
    y_mean_ : ndarray of shape (n_outputs,)
        For a regressor: values that are subtracted from the targets in training.
    y_scale_ : ndarray of shape (n_outputs,)
        For a regressor: values by which the targets are then divided.
    device_ : str
        Device on which it was trained.
    net_ : skorch.NeuralNet
        The skorch net, with its history and callbacks.
    module_ : skspectral.nn.SpectralMLP
        The torch module.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package; raised by `fit`.
    ValueError
        If `n_nodes` does not fit the hidden layers, or `tolerance` is not available
        with the given `scoring` and `cv`; raised by `fit`.

    See Also
    --------
    pruning_curve : The curve of one fitted network.
    PruningCurveDisplay : Draws `cv_results_`.
    SpectralMLPRegressor.prune : Cuts a fitted network without validation.

    Notes
    -----
    Fits on different rows keep different numbers of nodes alive. So the folds do
    not choose a number of nodes for the network fitted on all rows. They choose a
    level of relevance between kept and cut nodes, as a share of the largest
    relevance (the geometric mean of the two next to the cut, and over folds). If
    training was long enough for the penalty, the number hardly differs from the
    one chosen on the folds. If not, it may be smaller or larger by a third or
    more, so look at `size_settled_` of `full_estimator_`. The number
    itself, without dead nodes, carries over for scope="layer" and for a frozen
    estimator; for strategy="before", which trains the remaining network anew, the
    whole number does.

    `transform` is supervised: activations of the rows that were used for training
    look better than those of new rows. Use it inside a pipeline that is
    cross-validated as a whole.

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
            Training rows; for a frozen estimator rows that it was not trained on.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, in training and in scoring.
        **fit_params : dict
            `groups`, for a `cv` that needs them; validation rows and their weights for
            the ``fit`` of the estimator. With metadata routing enabled, all are routed.

        Returns
        -------
        self : object
            The fitted pruner.

        Raises
        ------
        TypeError
            If `estimator` is not a network of this package, or if `fit_params` holds
            anything else.
        ValueError
            If a parameter does not fit the network or the data.
        NotFittedError
            If a frozen estimator is not fitted.
        """
        with outside_of_modes(), unchanged_on_failure(self), interrupts_reach_the_caller():
            # Results of the fit before must not mix with those of this one.
            for name in FITTED:
                self.__dict__.pop(name, None)
            complaints = self._fit(X, y, sample_weight, fit_params)
        # last: where warnings are errors, the pruner is fitted when they are raised
        for complaint in complaints:
            warn_caller(complaint, ConvergenceWarning)
        return self

    def _fit(self, X, y, sample_weight, fit_params):
        """Set the fitted attributes, and return what to warn of."""
        # The constraints take True for a number, which nobody means as a tolerance of 1.
        if isinstance(self.tolerance, (bool, np.bool_)):
            raise TypeError(f"`tolerance` must be a number or '1se'; got {self.tolerance!r}.")
        routed = route(self, sample_weight, fit_params)
        rng = check_random_state(self.random_state)
        strategy = self._strategy(rng, routed.fit)
        rows = check_rows(self, X, y, routed.weight)
        strategy.check_rows(rows, self.fine_tune)
        strategy = strategy.as_wide_as_for(rows)
        if isinstance(self.n_nodes, str):
            (full, complaint), choice = self._fit_and_choose(rows, strategy, rng, routed)
            masks = strategy.chosen(full, choice.n_nodes, choice.level)
            self.cv_results_ = choice.cv_results
            self._chosen_by = {"scoring": self.scoring}  # `summary` tells it
        else:
            # Checked before the network is fitted: a wrong number must not cost a fit.
            n_nodes = check_n_nodes(self.n_nodes, strategy.widths(), self.min_nodes)
            full, complaint = finish(strategy.full(rows))
            masks = masks_of(n_nodes, strategy.ranking(full))
        # Nodes that `shrink` removed in training are in the ranking, but cannot be kept.
        masks = present_masks(full, masks)
        complaints = [complaint]
        small, complaint = finish(strategy.finish(keep_nodes(full, masks), rows))
        complaints.append(complaint)
        if self.fine_tune:
            small, complaint = finish(strategy.train_on(small, rows, max_iter=self.fine_tune))
            complaints.append(complaint)
        for network in () if self._is_frozen() else (full, small):
            network.set_params(
                dtype=self._inner().dtype
            )  # as given; the folds had that of all rows
        self.full_estimator_, self.estimator_ = full, small
        self.node_ranking_, self.node_support_ = strategy.ranking(full), masks
        self.n_nodes_ = [int(mask.sum()) for mask in masks]
        return [complaint for complaint in complaints if complaint]

    def _inner(self):
        """Return the network as it was given, without a frozen wrapper."""
        if self.estimator is None:
            return SpectralMLPRegressor()
        return self.estimator.estimator if self._is_frozen() else self.estimator

    def _is_frozen(self):
        return isinstance(self.estimator, FrozenEstimator)

    def _strategy(self, rng, fit_params):
        """Return how the network is fitted and cut, after checking that it can be."""
        network = self._inner()
        check_prunable(network, self._is_frozen())
        # Weights go with the rows of each fold, so only the question whether there are any stays.
        others = {name: value for name, value in fit_params.items() if name != "sample_weight"}
        unknown = sorted(set(others) - VALIDATION)
        if unknown:
            raise TypeError(
                "fit() takes `sample_weight`, `groups` for `cv`, and for the network "
                f"{', '.join(f'`{name}`' for name in sorted(VALIDATION))}; got {unknown} for it."
            )
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
        # With a seed, one for all folds and the full fit: they then start from the same weights,
        # and their curves differ by the rows alone. The estimator's own seed is respected.
        no_seed = self.random_state is not None and network.random_state is None
        network = seeded(network, rng) if no_seed else clone(network)
        return STRATEGIES[self.strategy](network, **options)

    def _fit_and_choose(self, rows, strategy, rng, routed):
        """Return what `strategy.full` does, and the size that the folds choose for it."""
        score = network_score(self.scoring, strategy.estimator, routed.score)
        folds = self._folds(rows, strategy, rng, routed.split)
        # A standard error takes several folds, or several rows with a score each.
        if self.tolerance == "1se" and row_score(self.scoring, strategy.estimator) is None:
            check_two_folds(
                folds,
                f"tolerance='1se' with scoring={self.scoring!r}",
                "Give `cv` more folds, or `tolerance` as a number, or a `scoring` that is a mean "
                f"over rows, one of {sorted(ROW_SCORES)}.",
            )
        check_defined(score, folds, strategy.estimator, self.scoring)
        tasks = [(strategy, *fold, score, f"fold {k} of `cv`") for k, fold in enumerate(folds)]
        verbose = int(self.verbose) or strategy.estimator.verbose == 1
        full, curves = beside_folds(
            strategy.full(rows),
            fold_curve,
            tasks,
            n_jobs=self.n_jobs,
            verbose=verbose,
            n_trainings=strategy.n_trainings(),
        )
        return full, choose_size(curves, self.tolerance)

    def _folds(self, rows, strategy, rng, split_params):
        """Return pairs of rows to fit on and rows to score on."""
        if self._is_frozen():
            # Nothing is trained, so all rows are free to score on.
            return [(rows, rows.positive())]
        if self.cv is None:
            advice = "Give `cv`, or `n_nodes` as a number."
            return [hold_out_fold(rows, HELD_OUT, strategy.estimator, rng, "The pruner", advice)]
        return make_folds(self.cv, rows, strategy.estimator, split_params)

    def get_metadata_routing(self):
        """Return the routing of metadata, to the network, the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            Encapsulates the routing.
        """
        # The network is added here alone: the CV estimators pass no keywords on to theirs.
        return make_router(self, self._inner(), self.cv, self.scoring).add(
            estimator=self._inner(),
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )
