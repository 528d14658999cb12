"""The first step of a preprocessor: a table of any library with one dtype a column."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import importlib.util
from numbers import Integral
from operator import methodcaller

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skspectral._doc_link import EncodingLinkMixin
from skspectral._tables.kinds import column_kind, value_kind
from skspectral._tables.uneven import uneven_named
from skspectral._warn import warn_caller

CATEGORIES = ("flags", "strings", "codes")
"""The kinds that are one-hot encoded."""
EQUAL = {"numbers", "flags"}
"""Kinds of which 1 and True are one category."""
LARGEST = 1e290
"""Of numbers: differences of doubles up to here, and down to its inverse, can be divided by."""
NARROWEST = 1e-5
"""Spread at which a hundredth of a column of numbers is lost at either end."""
ROUNDING = 1e-12
"""Share of its size at which the spread of a column is that of a constant."""
# A category is never missing, so this makes NaN of every None, NA and NaT. By way of object,
# as strings with an NA of their own would keep it.
TO_CATEGORY = (methodcaller("astype", object), methodcaller("astype", "category"))
CLEANING = {
    "numbers": (methodcaller("apply", pd.to_numeric), methodcaller("astype", "float64")),
    "durations": (
        methodcaller("apply", pd.to_timedelta),
        methodcaller("div", np.timedelta64(1, "s")),  # NumPy's, as skops cannot read pandas'
    ),
    "dates": (methodcaller("apply", pd.to_datetime),),
    "flags": (methodcaller("astype", "boolean"), methodcaller("astype", "string"), *TO_CATEGORY),
    "strings": TO_CATEGORY,
    "codes": (methodcaller("astype", "category"),),
}
"""Methods of a data frame that bring its columns to the dtype of their kind."""


class TableCleaner(  # type: ignore[call-arg]
    EncodingLinkMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Bring every column of a table to the dtype of what it holds.

    Parameters
    ----------
    categorical_features : "auto" or columns, default="auto"
        Columns of categories, as :func:`~skspectral.preprocessing.make_tabular_preprocessor`
        takes them.
    min_frequency : int, float or None, default=10
        Number or share of rows below which a category is rare to the encoder that
        follows.

    Attributes
    ----------
    cleaner_ : :class:`~sklearn.compose.ColumnTransformer`
        What `transform` does to a pandas data frame, in scikit-learn's and pandas' own
        terms.
    kinds_ : dict of str
        The kind of each column, by name.
    dtypes_ : dict of dtype
        What NumPy makes of each cleaned column, by name.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where all are strings.
    """

    def __init__(self, categorical_features="auto", min_frequency=10):
        self.categorical_features = categorical_features
        self.min_frequency = min_frequency

    def fit(self, X, y=None):
        """Decide by its values what each column holds.

        Raises
        ------
        ImportError
            If there are dates, and skrub, which encodes them, is not installed.
        ValueError
            If the values of a column are of several kinds, or its numbers are of a size or
            spread that the encoder cannot take; or if `X` is no table.

        Warns
        -----
        UserWarning
            If all categories of a column are rare, so that nothing is left of it.
        """
        X = _table(X)
        validate_data(self, X, reset=True, skip_check_array=True)
        frame = self._frame(X)
        self.kinds_ = self._kinds(frame)
        _check_dates([name for name, kind in self.kinds_.items() if kind == "dates"])
        self.cleaner_ = ColumnTransformer(
            [
                (kind, _cleaning(kind), names)
                for kind in CLEANING
                if (names := [name for name in frame if self.kinds_[name] == kind])
            ],
            verbose_feature_names_out=False,
        ).set_output(transform="pandas")
        clean = self._clean(self.cleaner_.fit_transform, frame)
        _check_range(clean.select_dtypes("float64"))
        self.dtypes_ = {name: np.asarray(clean[name]).dtype for name in self.kinds_}
        self._value_kinds = {
            name: value_kind(frame[name])
            for name, kind in self.kinds_.items()
            if kind in ("strings", "codes")
        }
        self._warn_of_rare(frame)
        return self

    def transform(self, X):
        """Return the table as a pandas data frame.

        Numbers and time spans, these in seconds, are float64, dates datetime64, and
        the rest is "category".

        Raises
        ------
        ValueError
            If a column does not hold what it held in `fit`, or its categories are of another
            type.
        """
        check_is_fitted(self)
        frame = self._frame(_table(X))
        frame = self._with_checked_categories(frame)
        return self._clean(self.cleaner_.transform, frame)[list(self.kinds_)]

    def to_sklearn(self):
        """Return a transformer of pandas data frames, or arrays, that needs no skspectral."""
        check_is_fitted(self)
        if hasattr(self, "feature_names_in_"):
            return self.cleaner_
        name = methodcaller("set_axis", list(self.kinds_), axis=1)
        return make_pipeline(
            FunctionTransformer(pd.DataFrame), FunctionTransformer(name), self.cleaner_
        )

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns, which stay as they are."""
        check_is_fitted(self)
        return np.array(list(self.kinds_), dtype=object)

    def set_output(self, *, transform=None):
        """Do nothing: what follows needs a pandas data frame."""
        return self

    def _frame(self, X):
        """Return a table as a pandas data frame with names of type str."""
        if not isinstance(X, pd.DataFrame):
            X = pd.DataFrame({name: _values(X[name], name) for name in X.columns})
        halves = X.columns[X.dtypes == np.float16]
        X = X.astype(dict.fromkeys(halves, np.float32))  # pandas makes no categories of those
        if all(isinstance(name, str) for name in X.columns):
            return X
        validate_data(self, X, reset=False, skip_check_array=True)
        # otherwise as scikit-learn names them
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
        return X.set_axis(names, axis=1)

    def _kinds(self, frame):
        """Return the kind of each column, dict by name."""
        chosen = self.categorical_features
        if isinstance(chosen, str) and chosen == "auto":
            return {name: column_kind(frame[name]) for name in frame}
        chosen = _names(frame, chosen)
        return {name: _stated_kind(frame[name], name in chosen) for name in frame}

    def _clean(self, clean, frame):
        """Return `clean(frame)`; raise ValueError that names the column that is at fault."""
        try:
            return clean(frame)
        except (TypeError, ValueError) as error:
            for name in frame.columns.intersection(list(self.kinds_)):
                _check_cleanable(frame[[name]], self.kinds_[name])
            raise error

    def _with_checked_categories(self, frame):
        """Return the frame, in which columns of categories that are all missing hold None.

        Raises
        ------
        ValueError
            If categories are no longer of the kind that `fit` saw, as none of them would be
            known to the encoder that follows.
        """
        # cleaners that were saved by version 0.1 do not know the kinds
        fitted = getattr(self, "_value_kinds", {})
        missing = []
        for name in frame.columns.intersection(list(fitted)):
            kind, expected = value_kind(frame[name]), fitted[name]
            if kind is None:
                missing += [name] if frame[name].isna().all() else []
            elif expected is not None and kind != expected and {kind, expected} != EQUAL:
                raise ValueError(
                    f"Column {name!r} must hold {expected}, as in `fit`; got {kind}. Read it as "
                    "the same type, for example by the `dtype` of pandas.read_csv."
                )
        return frame.assign(**dict.fromkeys(missing, np.full(len(frame), None)))

    def _warn_of_rare(self, frame):
        """Warn of columns of which the encoder leaves nothing."""
        limit = self.min_frequency
        if limit is None:
            return
        limit = limit if isinstance(limit, Integral) else limit * len(frame)
        for name in (name for name, kind in self.kinds_.items() if kind in CATEGORIES):
            counts = frame[name].value_counts(dropna=False)
            if len(counts) > 1 and counts.max() < limit:
                warn_caller(
                    f"Nothing is left of column {name!r}: each of its {len(counts)} categories "
                    f"is rare (`min_frequency`={self.min_frequency}), and all become one "
                    "constant. Drop the column, or convert it before: numbers by "
                    "pandas.to_numeric, dates by pandas.to_datetime."
                )


def _table(X):
    """Return a data frame of any library as it is, and what is none as one of pandas.

    Raises
    ------
    ValueError
        If there are no rows or no columns, or it is no table.
    """
    if not hasattr(X, "columns"):
        with uneven_named(X=X):
            return pd.DataFrame(check_array(X, dtype=None, ensure_all_finite=False))
    if isinstance(X, pd.DataFrame) and X.columns.has_duplicates:
        twice = X.columns[X.columns.duplicated()].unique().tolist()
        raise ValueError(f"The names of columns must be distinct; {twice} are not.")
    if 0 in X.shape:
        raise ValueError(f"X must have rows and columns; got a table of shape {tuple(X.shape)}.")
    return X


def _values(column, name):
    """Return the values of a column of any library."""
    values = np.asarray(column)
    if values.ndim != 1:
        raise ValueError(
            f"Column {name!r} must hold one value in a row; got arrays. Make columns of them."
        )
    return values


def _check_range(numbers):
    """Raise ValueError if a data frame has a column that no map to a normal distribution takes.

    The map divides by differences of values, and scikit-learn's sends what is within 1e-7 of
    the least or the largest value to the ends of the distribution.
    """
    for name, column in numbers.items():
        sizes = column.abs()
        wrong = sizes[(sizes > LARGEST) | ((sizes > 0) & (sizes < 1 / LARGEST))]
        if len(wrong):
            raise ValueError(
                f"Column {name!r} must hold numbers that are 0, missing or from {1 / LARGEST:g} "
                f"to {LARGEST:g} in size; got {wrong.iloc[0]:g}. Change its unit, or replace "
                "infinite values."
            )
        spread = column.max() - column.min()
        if ROUNDING * sizes.max() < spread < NARROWEST:
            raise ValueError(
                f"Column {name!r} must spread over {NARROWEST:g} or more (seconds, for spans of "
                f"time); got {spread:g}. Give it in a smaller unit, as a number."
            )


def _cleaning(kind):
    """Return the transformer of data frames that CLEANING has for `kind`."""
    return make_pipeline(
        *(FunctionTransformer(step, feature_names_out="one-to-one") for step in CLEANING[kind])
    )


def _names(frame, columns):
    """Return the names of columns, given in any form that ColumnTransformer takes."""
    columns = columns(frame) if callable(columns) else columns
    chosen = ColumnTransformer(
        [("chosen", "passthrough", columns)], verbose_feature_names_out=False
    )
    return set(chosen.fit(frame[:1]).get_feature_names_out())


def _stated_kind(column, is_category):
    """Return the kind of a column, where the user has told which hold categories."""
    if is_category:
        kind = column_kind(column)
        return kind if kind in CATEGORIES else "codes"
    kind = column_kind(column)
    return "numbers" if kind in CATEGORIES else kind


def _check_dates(names):
    """Raise ImportError if there are dates, and the package that encodes them is missing."""
    if names and importlib.util.find_spec("skrub") is None:
        raise ImportError(
            f"Columns {names} hold dates, which skrub encodes. Install it by "
            '`pip install "skspectral[dates]"`, or replace them by the numbers that matter, such '
            "as month and weekday."
        )


def _check_cleanable(column, kind):
    """Raise ValueError if a data frame of one column does not hold `kind`."""
    try:
        for clean in CLEANING[kind]:
            column = clean(column)
    except (TypeError, ValueError) as error:
        name = column.columns[0]
        raise ValueError(f"Column {name!r} must hold {kind}: {error}") from error
