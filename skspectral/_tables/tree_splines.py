"""Hat functions between knots that small decision trees place, where the target changes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from skspectral._compat import Interval, _fit_context
from skspectral._doc_link import EncodingLinkMixin

MOST_CLASSES = 50
"""Numbers of more values than this are no classes, and text of more has no columns of its own."""
LEAST_ROWS = 5
LEAST_SHARE = 0.01
"""Rows between two knots, at least; and as a share of all rows."""


class TreeSplines(EncodingLinkMixin, TransformerMixin, BaseEstimator):
    """Encode columns of numbers as hat functions, with knots that depend on the target.

    Hat functions are B-splines of degree 1. A decision tree is fitted to each column alone, and
    its splits are the knots. A split must lower the squared error by log(n) times its mean over
    the n rows, which is what a parameter costs in the Bayesian information criterion (BIC). So
    columns get as many knots as the data speak for. As the place of a split is chosen, too,
    about a quarter of the columns that have nothing to do with the target keep a knot where
    rows are few.

    Whole numbers may be counts or classes: trees are fitted to both.

    Parameters
    ----------
    n_knots : int >= 2, default=32
        Knots of a column, at most. The least and the largest value are two of them.
    min_gain : float >= 0, default=1.0
        By how much a split must lower the squared error, in multiples of log(n) times its mean.

    Attributes
    ----------
    splines_ : :class:`~sklearn.compose.ColumnTransformer`
        A :class:`~sklearn.preprocessing.SplineTransformer` for each column that has
        knots; columns without are left out.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they have any.
    """

    _parameter_constraints: dict = {
        "n_knots": [Interval(Integral, 2, None, closed="left")],
        "min_gain": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, n_knots=32, min_gain=1.0):
        self.n_knots = n_knots
        self.min_gain = min_gain

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Place the knots.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers, classes or labels. Weights of rows do not count.

        Raises
        ------
        ValueError
            If there is no `y`, or it holds missing values.
        """
        if y is None:
            raise ValueError(
                "knots='tree' places knots where the target changes: it requires y to be passed, "
                "but the target y is None. Fit it as part of a pipeline, or with fit(X, y); or "
                "give knots='even'."
            )
        values = validate_data(self, X, dtype=np.float64)
        check_consistent_length(X, y)
        targets = _targets(check_array(y, ensure_2d=False, dtype=None, input_name="y"))
        knots = [self._knots(column, targets) for column in values.T]
        self.splines_ = ColumnTransformer(
            [
                (f"column{j}", _hats(knots[j]), [j])
                for j in range(len(knots))
                if len(knots[j]) > 2  # the line between the ends is a column already
            ],
            verbose_feature_names_out=False,
        ).fit(values)
        return self

    def transform(self, X):
        """Return the hat functions of all columns, ndarray of shape (n_samples, n_hats)."""
        check_is_fitted(self)
        return self.splines_.transform(validate_data(self, X, reset=False, dtype=np.float64))

    def to_sklearn(self):
        """Return a transformer that does the same and needs no skspectral."""
        check_is_fitted(self)
        return self.splines_

    def get_feature_names_out(self, input_features=None):
        """Return the names of the hat functions: that of the column, "_sp_" and a number."""
        check_is_fitted(self)
        return self.splines_.get_feature_names_out(_check_feature_names_in(self, input_features))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _knots(self, column, targets):
        """Return the ends of a column and the splits between them, in rising order."""
        ends = np.array([column.min(), column.max()])
        inner = np.array([])
        for target in targets:
            room = self.n_knots - len(ends) - len(inner)
            inner = np.union1d(inner, _splits(column, target, room, self.min_gain))
        inner = inner[(inner > ends[0]) & (inner < ends[1])]
        return np.unique(np.concatenate([ends, inner]))


def _targets(y):
    """Return targets of trees, list of ndarray: numbers of unit variance, classes one-hot."""
    with np.errstate(invalid="ignore"):  # numbers too large for integers
        kind = type_of_target(y)
    if kind not in ("binary", "multiclass"):
        return [_scaled(y.astype(np.float64))]
    y = y.ravel()
    labels, counts = np.unique(y, return_counts=True)
    common = labels[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    classes = np.equal.outer(y, common).astype(np.float64)
    if kind == "binary" or y.dtype.kind not in "iuf":
        return [classes]
    numbers = _scaled(y.astype(np.float64))
    return [numbers, classes] if len(labels) <= MOST_CLASSES else [numbers]


def _scaled(y):
    """Return numbers of which no output outweighs the others, or is too large to square."""
    y = y / np.maximum(np.abs(y).max(axis=0), np.finfo(float).tiny)
    spread = y.std(axis=0)
    return y / np.where(spread > 0, spread, 1.0)


def _splits(column, target, n_most, min_gain):
    """Return where a tree splits a column, in up to `n_most` places."""
    if n_most < 1:
        return np.array([])
    n_rows = len(column)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=n_most + 1,
        min_samples_leaf=max(LEAST_ROWS, int(np.ceil(LEAST_SHARE * n_rows))),
        min_impurity_decrease=min_gain * np.var(target, axis=0).mean() * np.log(n_rows) / n_rows,
        random_state=0,
    ).fit(column[:, None], target)
    return tree.tree_.threshold[tree.tree_.feature == 0]


def _hats(knots):
    """Return hat functions between knots; the last, one minus the others, is left out."""
    return SplineTransformer(degree=1, knots=knots[:, None], include_bias=False)
