"""Encoding of mixed-type tables for networks, built from scikit-learn's own transformers."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import importlib
import importlib.util
from numbers import Integral

from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from skspectral._compat import Interval, RealNotInt, StrOptions, validate_params
from skspectral._tables.cleaner import TableCleaner
from skspectral._tables.tree_splines import TreeSplines

__all__ = ["make_tabular_preprocessor"]

MOST_KNOTS = 10_000
"""scikit-learn's SplineTransformer holds a matrix of as many rows and columns."""


@validate_params(
    {
        "categorical_features": ["array-like", callable, slice, StrOptions({"auto"})],
        "knots": [StrOptions({"tree", "even"})],
        "n_knots": [Interval(Integral, 2, MOST_KNOTS, closed="both"), None],
        "n_quantiles": [Interval(Integral, 2, None, closed="left")],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
    },
    prefer_skip_nested_validation=True,
)
def make_tabular_preprocessor(
    *, categorical_features="auto", knots="tree", n_knots=32, n_quantiles=100, min_frequency=10
):
    """Make a transformer that encodes numbers and categories for a network.

    Numbers are mapped to a normal distribution, which tames outliers. The network gets
    them in two forms: as mapped numbers, and as hat functions, one for each knot but
    the last [1]_. With these a node can bend a column at any knot, and fewer nodes are
    spent on single columns. The knots of a column are where a small decision tree, fitted
    to it alone, splits it, as far as the split lowers the Bayesian information criterion
    (BIC). So few are left where the target depends little on the column. Missing
    numbers are filled with the median, and an extra column tells where. Categories are
    one-hot encoded. Rare categories, and those that `fit` has not seen, share one column;
    a missing value is a category. Dates become numbers: year, month, day, weekday, hour
    and seconds; time spans become seconds.

    Parameters
    ----------
    categorical_features : "auto" or columns, default="auto"
        Columns of categories, in any form that
        :class:`~sklearn.compose.ColumnTransformer` takes; all others are numbers, dates
        or time spans. "auto": those that hold text, booleans or pandas categories. What
        counts is what a column holds, not its dtype: numbers remain numbers beside None
        and as Decimals.
    knots : {"tree", "even"}, default="tree"
        Where the knots are: "tree", where the target changes, which `fit` needs then;
        "even", at equal distances of the mapped numbers, whatever the target.
    n_knots : int from 2 to 10_000 or None, default=32
        Knots of each column of numbers, "tree": at most; None leaves the hat functions
        out.
    n_quantiles : int >= 2, default=100
        Quantiles that define the map to a normal distribution. scikit-learn warns
        where there are fewer rows, and takes as many quantiles as rows.
    min_frequency : int >= 1, float in (0, 1) or None, default=10
        Number or share of rows below which a category is rare. None: none is rare.

    Returns
    -------
    encoder : :class:`~sklearn.pipeline.Pipeline`
        Not fitted. "clean" takes a data frame of pandas or polars, or an array, and tells
        by its values what each column holds. "encode" is a
        :class:`~sklearn.compose.ColumnTransformer` of scikit-learn's transformers, and
        returns a dense float64 array of shape (n_samples, n_columns).

    Raises
    ------
    ValueError
        If a parameter is out of range or of the wrong type. `fit` raises it if the
        values of a column are of several kinds, or its numbers are infinite or spread over
        less than 1e-5 without being constant, and names the column; or if knots="tree"
        and there is no target.

    Warns
    -----
    UserWarning
        `fit` warns, by name, of columns of which nothing is left as all their
        categories are rare: names, keys, dates written as text.

    See Also
    --------
    skspectral.SpectralMLPClassifierCV : A network to come after it.
    skspectral.SpectralMLPRegressorCV : A network to come after it.

    Notes
    -----
    Nothing is random. Where rows are held out to choose or to score something, put the
    encoder into the pipeline that is fitted to the others, as scikit-learn's searches do:
    targets of held-out rows place knots otherwise. Folds inside the estimator, of the CV
    estimators, `noise_cv` and `early_stopping`, do see such knots; in tables of pure noise
    no score rose by it. Weights of rows do not count for the knots.

    A column of numbers in which all values are missing becomes constant. Text is never read
    as a number or a date: convert such columns before, with :func:`pandas.to_numeric` and
    :func:`pandas.to_datetime`. Dates need skrub (``pip install "skspectral[dates]"``).

    The knots can be searched over as
    ``pipeline__encode__numbers__values__encode__hats__n_knots`` (int; the whole step
    ``...__hats`` as "drop" leaves the hat functions out), and ``pipeline`` is the
    name that :func:`~sklearn.pipeline.make_pipeline` gives.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", Advances in Neural Information Processing
       Systems 35, 2022. https://doi.org/10.48550/arXiv.2203.05556

    Examples
    --------
    >>> import pandas as pd
    >>> from skspectral.preprocessing import make_tabular_preprocessor
    >>> X = pd.DataFrame({"age": [22.0, None, 35.0, 4.0], "deck": ["B", "C", "C", "B"]})
    >>> encoder = make_tabular_preprocessor(
    ...     knots="even", n_knots=3, n_quantiles=4, min_frequency=2
    ... )
    >>> encoder.fit(X).get_feature_names_out().tolist()
    ['deck_B', 'deck_C', 'age', 'age_sp_0', 'age_sp_1', 'missingindicator_age']
    """
    numbers = _number_encoder(_hats(knots, n_knots), n_quantiles)
    encode = ColumnTransformer(
        [
            (
                "categories",
                _category_encoder(min_frequency),
                make_column_selector(dtype_include="category"),
            ),
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            (
                "dates",
                _date_encoder(numbers),
                make_column_selector(dtype_include=["datetime", "datetimetz"]),
            ),
        ],
        sparse_threshold=0,
        verbose_feature_names_out=False,
    )
    return Pipeline(
        [("clean", TableCleaner(categorical_features, min_frequency)), ("encode", encode)]
    )


def _category_encoder(min_frequency):
    return OneHotEncoder(
        # a category that fit has not seen is as rare as can be; "error" would stop predictions
        handle_unknown="infrequent_if_exist",
        min_frequency=min_frequency,
        sparse_output=False,
    )


def _hats(knots, n_knots):
    """Return the encoder of hat functions, or None."""
    if n_knots is None:
        return None
    if knots == "tree":
        return TreeSplines(n_knots)
    # The last hat function is one minus the others, which a bias can replace.
    return SplineTransformer(n_knots, degree=1, include_bias=False)


def _number_encoder(hats, n_quantiles):
    """Return the encoder of numbers, which marks missing ones before they are filled."""
    # The map sends a column of two values to -5.2 and 5.2, hence a scaler after it.
    encodings = [("line", StandardScaler())]
    if hats is not None:
        encodings.append(("hats", hats))
    # subsample=None: a random subsample would make the encoding depend on a seed
    quantiles = QuantileTransformer(
        n_quantiles=n_quantiles, output_distribution="normal", subsample=None
    )
    values = Pipeline(
        [
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("quantiles", quantiles),
            ("encode", FeatureUnion(encodings, verbose_feature_names_out=False)),
        ]
    )
    # a column may be complete in the training rows of a fold, and not in those it holds out
    missing = MissingIndicator(error_on_new=False)
    return FeatureUnion(
        [("values", values), ("missing", missing)], verbose_feature_names_out=False
    )


def _date_encoder(numbers):
    """Return the encoder of dates: their parts, encoded as numbers are."""
    if importlib.util.find_spec("skrub") is None:
        return "drop"  # there are no dates then: the cleaner refuses them
    skrub = importlib.import_module("skrub")
    parts = skrub.ApplyToCols(skrub.DatetimeEncoder(add_weekday=True))
    return Pipeline([("parts", parts), ("numbers", clone(numbers))])
