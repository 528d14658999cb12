"""Networks whose penalty, and with it their size, is chosen by cross-validation."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import functools
import inspect
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._compat import Interval, StrOptions, _fit_context, _routing_enabled
from skspectral._estimators.checks import check_alphas
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._estimators.rows import Rows, check_weights
from skspectral._estimators.targets import target_kind
from skspectral._path.alphas import alpha_grid
from skspectral._path.plateau import find_plateau
from skspectral._path.summary import describe, gather, order_of_leaving, warn_if_alive
from skspectral._path.walk import check_path_estimator, walk
from skspectral._selection.network_inside import NetworkInsideMixin
from skspectral._selection.row_scores import row_score
from skspectral._selection.scoring import score_rows, score_whole
from skspectral._selection.size_choice import smallest_within

MAX_INT = np.iinfo(np.int32).max
NARROWEST, WIDEST = 64, 512
"""Bounds of the width that hidden_layer_sizes="auto" starts with."""
CROWDED = 0.5
"""Share of alive nodes above which a layer may have been too narrow at the start."""
NETWORK_PARAMETERS = (
    "activation",
    "fit_intercept",
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
OWN_COLUMNS = ("feature_names_in_", "n_features_in_")
"""What `fit` sets itself, before there is a network."""


def auto_width(n_rows):
    """Return the power of two nearest to twice the root of the rows, from 64 to 512."""
    power = 2 ** round(np.log2(2 * np.sqrt(n_rows)))
    return int(np.clip(power, NARROWEST, WIDEST))


@dataclass(frozen=True)
class FoldPath:
    """Path of one fold, arrays with one entry per penalty.

    Parameters
    ----------
    score : ndarray of shape (n_alphas,)
        On the rows that the fold holds out.
    n_alive_nodes : int ndarray of shape (n_alphas, n_hidden_layers)
    """

    score: np.ndarray
    n_alive_nodes: np.ndarray


def fold_path(network, train, test, alphas, path_max_iter, score):
    """Walk along the penalties on `train`, score each network on `test`."""
    scores, sizes = [], []
    train = train.positive()
    options = {"sample_weight": train.weight, "path_max_iter": path_max_iter}
    for fitted in walk(network, train.X, train.y, alphas, **options):
        scores.append(score(fitted, test)[0])
        sizes.append(fitted.n_alive_nodes_)
    return FoldPath(np.array(scores, dtype=float), np.array(sizes))


class BaseSpectralMLPCV(NetworkInsideMixin, BaseEstimator):
    """Paths on the folds and on all rows, and the choice among their networks."""

    _parameter_constraints: dict = {
        **{
            name: SpectralMLPRegressor._parameter_constraints[name]
            for name in (*NETWORK_PARAMETERS, "random_state", "verbose")
        },
        "hidden_layer_sizes": [
            *SpectralMLPRegressor._parameter_constraints["hidden_layer_sizes"],
            StrOptions({"auto"}),
        ],
        "alphas": ["array-like", None],
        "n_alphas": [Interval(Integral, 2, None, closed="left")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "path_max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions({"1se", "best"})],
        "n_jobs": [Integral, None],
    }
    _network_class: Any
    _own_parameter: str

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty by cross-validation; keep the network of all rows at that penalty.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; scale them in a pipeline.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, in fitting and, where the score takes them, in
            scoring.
        **params : dict
            `groups`, for splitters that need them; with metadata routing enabled
            what `cv` requests.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described.
        """
        split_params = self._split_params(params)
        if self.alphas is not None:
            check_alphas(self.alphas)
        rng = check_random_state(self.random_state)
        rows = self._check_rows(X, y, sample_weight)
        network = self._network(len(rows.positive()))
        check_path_estimator(network)
        folds = self._folds(rows, network, split_params)
        score = self._score(network, sample_weight is not None)
        path, estimators = self._full_path(self._seeded(network, rng), rows.positive())
        fold_networks = [self._seeded(network, rng) for _ in folds]
        paths = Parallel(n_jobs=self.n_jobs, verbose=int(self.verbose))(
            delayed(fold_path)(one, train, test, path.alphas, self.path_max_iter, score)
            for one, (train, test) in zip(fold_networks, folds, strict=True)
        )
        self._choose(path, estimators, paths)
        self._warn()
        return self

    def _split_params(self, params):
        if _routing_enabled():
            return process_routing(self, "fit", **params).splitter.split
        unknown = sorted(set(params) - {"groups"})
        if unknown:
            raise TypeError(f"fit() takes `sample_weight` and `groups`; got {unknown}.")
        return params

    def _inner(self):
        """Return the network that is trained, but for its width."""
        names = [*NETWORK_PARAMETERS, self._own_parameter]
        return self._network_class(**{name: getattr(self, name) for name in names})

    def _network(self, n_rows):
        auto = isinstance(self.hidden_layer_sizes, str)
        sizes = (auto_width(n_rows),) if auto else self.hidden_layer_sizes
        return self._inner().set_params(hidden_layer_sizes=sizes)

    def _seeded(self, network, rng):
        return copy.copy(network).set_params(random_state=rng.randint(MAX_INT))

    def _check_rows(self, X, y, sample_weight):
        """Check the data; X with column names stays as it is, for the network to see them."""
        checked, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32)
        )
        y = target_kind(self._inner()).check(y)
        X = X if "feature_names_in_" in vars(self) else checked
        rows = Rows(X, y, check_weights(sample_weight, checked))
        return rows.positive() if self._makes_folds() else rows  # others may name all indices

    def _makes_folds(self):
        return self.cv is None or isinstance(self.cv, Integral)

    def _folds(self, rows, network, split_params):
        splitter = check_cv(self.cv, rows.y, classifier=is_classifier(network))
        params = {} if self._makes_folds() else split_params  # plain folds have no groups
        splits = splitter.split(rows.X, rows.y, **params)
        folds = [(rows.take(train), rows.take(test)) for train, test in splits]
        for k, (train, test) in enumerate(folds):
            if not len(train.positive()) or not len(test.positive()):
                raise ValueError(
                    f"Fold {k} of `cv` must have rows to train on and rows to score; got "
                    f"{len(train.positive())} and {len(test.positive())} of positive weight."
                )
        if len(folds) < 2:
            raise ValueError(
                f"`cv` must give at least 2 folds, to tell how sure a score is; it gave "
                f"{len(folds)}. (A generator is used up by one fit; give a list of its folds.)"
            )
        return folds

    def _score(self, network, weigh):
        """Return how networks are scored, ``score(network, rows)``."""
        by_row = row_score(self.scoring, network)
        if by_row is not None:
            return functools.partial(score_rows, by_row)
        scorer = check_scoring(network, self.scoring)
        metric = getattr(scorer, "_score_func", scorer)
        takes_weight = "sample_weight" in inspect.signature(metric).parameters
        return functools.partial(score_whole, scorer, weigh and takes_weight)

    def _scoring_name(self):
        """Return the name of the score that chooses; the scorer itself where it has none."""
        if self.scoring is None:
            return "neg_log_loss" if is_classifier(self._inner()) else "r2"
        return self.scoring

    def _full_path(self, network, rows):
        """Return the path of all rows, and the network at each of its penalties."""
        options = {"sample_weight": rows.weight, "path_max_iter": self.path_max_iter}
        found = self.alphas is None
        alphas = self.alphas
        if found:
            alphas = alpha_grid(network, rows.X, rows.y, self.n_alphas, self.eps, **options)
        estimators, entries = [], []
        for fitted in walk(network, rows.X, rows.y, alphas, **options):
            entries.append(describe(fitted))
            estimators.append(copy.deepcopy(fitted))
            if found and not any(fitted.n_alive_nodes_):
                break
        path = gather(entries)
        if found:
            warn_if_alive(path)
        return path, estimators

    def _choose(self, path, estimators, paths):
        """Set the results, and what is chosen from those of the folds."""
        scores = np.array([path.score for path in paths])
        sizes = np.array([path.n_alive_nodes for path in paths])
        mean = scores.mean(axis=0)
        if np.isnan(mean).all():
            missing = np.flatnonzero(np.isnan(scores).all(axis=1)).tolist()
            raise ValueError(
                f"`scoring` gave NaN at every penalty, in the folds {missing} throughout. Choose "
                "another one, or folds in which it is defined (with all classes, say)."
            )
        best = int(np.nanargmax(mean))
        margin = scores[:, best].std(ddof=1) / np.sqrt(len(paths))
        last, within = smallest_within(mean[::-1], margin)  # sizes fall along the path
        within = within[::-1]
        chosen = len(mean) - 1 - last if self.selection == "1se" else best
        in_all = sizes.sum(axis=2)
        self.path_, self.alphas_ = path, path.alphas
        self.cv_results_ = {
            "alpha": self.alphas_,
            "mean_test_score": mean,
            "std_test_score": scores.std(axis=0),
            **{f"split{k}_test_score": path.score for k, path in enumerate(paths)},
            "mean_n_alive_nodes": in_all.mean(axis=0),
            "std_n_alive_nodes": in_all.std(axis=0),
            **{f"split{k}_n_alive_nodes": n for k, n in enumerate(in_all)},
            "within_tolerance": within,
        }
        self.alpha_ = float(self.alphas_[chosen])
        self.estimator_ = estimators[chosen].set_params(
            warm_start=False, max_iter=self.max_iter, random_state=self.random_state
        )
        most = CROWDED * np.sum(self.estimator_.hidden_layer_sizes)
        self.size_plateau_ = find_plateau(self.alphas_, in_all, within, chosen, most)
        self.size_identified_ = self.size_plateau_ is not None
        self.alive_features_ = self.path_.alive_features[chosen]
        self.feature_path_ = order_of_leaving(self.path_)

    def _warn(self):
        sizes = self.estimator_.hidden_layer_sizes
        widths = np.atleast_1d(sizes)
        crowded = [
            f"{alive} of {width}"
            for alive, width in zip(self.n_alive_nodes_, widths, strict=True)
            if alive > CROWDED * width
        ]
        complaints = []
        if not any(self.n_alive_nodes_):
            or_best = ", or selection='best'" if self.selection == "1se" else ""
            complaints.append(
                f"Every node died: at the chosen alpha={self.alpha_:g} the network predicts a "
                "constant, which scores as well as any on the folds. Where the data should tell "
                f"more, give smaller `alphas`{or_best}."
            )
        if crowded:
            complaints.append(
                f"The network may have been too narrow: {' and '.join(crowded)} nodes are alive "
                "at the chosen penalty. Raise `hidden_layer_sizes`."
            )
        if self.size_settled_ is False and any(self.n_alive_nodes_):
            complaints.append(
                f"The size has not settled: at alpha={self.alpha_:g} more training would remove "
                "more nodes. Raise `path_max_iter`, or read the size as an upper bound."
            )
        for complaint in complaints:
            warnings.warn(complaint, ConvergenceWarning, stacklevel=4)

    def __getattr__(self, name):
        """Look what is not here up in the network: coefs_, feature_relevance_, net_ and so on."""
        public = name.endswith("_") and not name.startswith("_")
        if public and name not in OWN_COLUMNS and "estimator_" in self.__dict__:
            return getattr(self.estimator_, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def prune(self, *, n_nodes=None, threshold=None):
        """Return a physically smaller fitted network.

        Parameters
        ----------
        n_nodes : int, float in (0, 1], list of int or None, default=None
            As in :meth:`SpectralMLPRegressor.prune`.
        threshold : float in [0, 1) or None, default=None
            As there.

        Returns
        -------
        SpectralMLPRegressor or SpectralMLPClassifier
            Fitted.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.prune(n_nodes=n_nodes, threshold=threshold)

    def to_onnx(self, path=None):
        """Return the network as an ONNX model.

        Parameters
        ----------
        path : str, path-like or None, default=None
            File to write; None writes none.

        Returns
        -------
        onnx.ModelProto
            As the network's own ``to_onnx``.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        return self.estimator_.to_onnx(path)

    def get_metadata_routing(self):
        """Return the routing of metadata to the splitter.

        Returns
        -------
        routing : MetadataRouter
            Encapsulates the routing.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        network = get_tags(self._inner())
        tags.target_tags = copy.deepcopy(network.target_tags)
        tags.classifier_tags = copy.deepcopy(network.classifier_tags)
        tags.regressor_tags = copy.deepcopy(network.regressor_tags)
        tags.input_tags = copy.deepcopy(network.input_tags)
        return tags
