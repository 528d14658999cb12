"""Importances of encoded columns, added up over the columns that they were made from."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_array, check_is_fitted

MARK = "<column {}>"
"""Name of a column that no other name contains."""
MARKED = re.compile(MARK.format(r"(\d+)"))


def group_importances(preprocessor, importances):
    """Add up importances of encoded columns over the columns of the table.

    A preprocessor makes several columns of one: an indicator for each category, splines. What
    they tell together is the importance of the column that the user knows.

    Parameters
    ----------
    preprocessor : fitted transformer
        A :class:`~sklearn.compose.ColumnTransformer`, a
        :class:`~sklearn.pipeline.Pipeline` or :class:`~sklearn.pipeline.FeatureUnion` of
        transformers, or a single one. Each of its parts needs ``get_feature_names_out``, whose
        names contain that of the column, as those of scikit-learn's encoders do.
    importances : array-like of shape (n_features_out,)
        One number for each column that `preprocessor` returns, such as
        ``feature_importances_`` of the model behind it.

    Returns
    -------
    dict of str to float
        The sum for each column of the table, in its order; 0 for columns that were dropped.
        Columns of arrays are called "x0", "x1" and so on.

    Raises
    ------
    TypeError
        If a part has no ``get_feature_names_out``.
    ValueError
        If the number of importances is not that of the encoded columns, or if an encoded column
        is made from several columns, as those of PCA are, or does not tell from which one.
    sklearn.exceptions.NotFittedError
        If `preprocessor` is not fitted.

    See Also
    --------
    skspectral.preprocessing.make_tabular_preprocessor : A preprocessor of mixed tables.
    sklearn.inspection.permutation_importance : Importances of the columns of a whole pipeline.

    Notes
    -----
    Sums suit importances that are shares of a whole, as ``feature_importances_`` are.

    Whatever the columns are called, such as "age" and "age_group": each part is asked which
    names it would return for columns with other names, of which none contains another. Parts
    that do not use the names given to ``get_feature_names_out`` are taken at their own: all of
    them names of columns, or each beginning with that of one column alone.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from skspectral import group_importances
    >>> table = pd.DataFrame({"age": [31, 45, 28], "city": ["Rome", "Pisa", "Rome"]})
    >>> encoder = make_column_transformer(
    ...     (OneHotEncoder(), ["city"]), remainder="passthrough"
    ... ).fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['onehotencoder__city_Pisa', 'onehotencoder__city_Rome', 'remainder__age']
    >>> group_importances(encoder, [0.25, 0.25, 0.5])
    {'age': 0.5, 'city': 0.5}
    """
    check_is_fitted(preprocessor)
    names = _names_in(preprocessor)
    sources = _sources(preprocessor, len(names))
    numbers = check_array(
        importances,
        ensure_2d=False,
        ensure_min_samples=0,
        dtype=np.float64,
        input_name="importances",
    )
    if numbers.shape != (len(sources),):
        raise ValueError(
            f"`importances` must hold one number for each of the {len(sources)} columns that "
            f"`preprocessor` returns; got shape {numbers.shape}."
        )
    sums = np.bincount(sources, weights=numbers, minlength=len(names))
    return dict(zip(names, sums.tolist(), strict=True))


def _names_in(transformer: Any) -> list[str]:
    """Return the names of the columns that a transformer was fitted on."""
    names = getattr(transformer, "feature_names_in_", None)
    if names is not None:
        return [str(name) for name in names]
    n_features = getattr(transformer, "n_features_in_", None)
    if n_features is None:
        raise ValueError(
            f"{_called(transformer)} does not tell how many columns it was fitted on. Each "
            "transformer needs `n_features_in_`, or `feature_names_in_`."
        )
    return [f"x{index}" for index in range(n_features)]


def _sources(transformer: Any, n_features: int) -> np.ndarray:
    """Return the column in from which each column out is made, int ndarray."""
    if isinstance(transformer, Pipeline):
        return _through_steps([step for _, step in transformer.steps], n_features)
    if isinstance(transformer, FeatureUnion):
        parts = [_sources(part, n_features) for _, part in transformer.transformer_list]
        return np.concatenate([np.empty(0, dtype=int), *parts])
    if isinstance(transformer, ColumnTransformer):
        return _through_columns(transformer)
    if isinstance(transformer, FrozenEstimator):
        return _sources(transformer.estimator, n_features)
    if transformer in ("passthrough", None):
        return np.arange(n_features)
    if transformer == "drop":
        return np.empty(0, dtype=int)
    return _by_names(transformer)


def _through_steps(steps: Sequence[Any], n_features: int) -> np.ndarray:
    sources = np.arange(n_features)
    for step in steps:
        sources = sources[_sources(step, len(sources))]
    return sources


def _through_columns(transformer: ColumnTransformer) -> np.ndarray:
    # not by `get_feature_names_out`, which refuses names that occur twice
    places = transformer.output_indices_
    sources = np.full(max(place.stop for place in places.values()), -1)
    for name, part, columns in transformer.transformers_:
        taken = np.arange(transformer.n_features_in_)[_positions(transformer, columns)]
        place = places[name]
        if place.stop > place.start:  # nothing is left of a part without columns
            sources[place] = taken[_sources(part, len(taken))]
    return sources


def _positions(transformer: ColumnTransformer, columns: Any) -> Any:
    """Return columns as `transformers_` has them as an index of arrays."""
    if isinstance(columns, slice):
        start, stop = (_position(transformer, end) for end in (columns.start, columns.stop))
        # a slice of names includes its end
        return slice(start, stop + 1 if isinstance(columns.stop, str) else stop, columns.step)
    if isinstance(columns, (str, Integral)):
        return [_position(transformer, columns)]
    return [_position(transformer, column) for column in columns]


def _position(transformer: ColumnTransformer, column: Any) -> Any:
    names = getattr(transformer, "feature_names_in_", ())
    return list(names).index(column) if isinstance(column, str) else column


def _by_names(transformer: Any) -> np.ndarray:
    """Return the columns in that the names of the columns out contain."""
    if not hasattr(transformer, "get_feature_names_out"):
        raise TypeError(
            f"{_called(transformer)} has no `get_feature_names_out`, so its columns cannot be "
            "told. Give it one; a FunctionTransformer has it with "
            "feature_names_out='one-to-one'."
        )
    names = _names_in(transformer)
    made = [str(name) for name in transformer.get_feature_names_out()]
    marked = _marked_names(transformer, names, made)
    fitting = _marked_in(marked) if marked else _begun_with(made, names)
    for name, columns in zip(made, fitting, strict=True):
        if len(columns) != 1:
            raise _not_told(name, transformer, [names[column] for column in columns])
    return np.array([column for [column] in fitting], dtype=int)


def _marked_names(transformer: Any, names: Sequence[str], made: Sequence[str]) -> list[str]:
    """Return the names out for columns that are called by marks; none if they are not used.

    They must be the names that were made but for the marks: columns may be chosen by name.
    """
    renamed = copy(transformer)
    try:
        vars(renamed).pop("feature_names_in_", None)  # scikit-learn takes no others beside them
        found = renamed.get_feature_names_out([MARK.format(k) for k in range(len(names))])
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):  # not foreseen
        return []
    marked = [str(name) for name in found]
    is_used = any(_marked_in(marked)) or isinstance(transformer, ClassNamePrefixFeaturesOutMixin)
    unmarked = [MARKED.sub(lambda mark: names[int(mark[1])], name) for name in marked]
    return marked if is_used and unmarked == list(made) else []


def _marked_in(names: Sequence[str]) -> list[list[int]]:
    """Return of each name the columns whose marks it contains."""
    return [sorted({int(column) for column in MARKED.findall(name)}) for name in names]


def _begun_with(made: Sequence[str], names: Sequence[str]) -> list[list[int]]:
    """Return of each name out the columns in with whose names it begins."""
    places = {name: place for place, name in enumerate(names)}
    if places.keys() >= set(made):  # columns that are chosen or changed, and keep their names
        return [[places[name]] for name in made]
    return [
        [place for name, place in places.items() if out == name or out.startswith(f"{name}_")]
        for out in made
    ]


def _not_told(made: str, transformer: Any, columns: Sequence[str]) -> ValueError:
    """Return the error of a column that is made from none or from several columns."""
    found = f"; got {', '.join(columns[:5])}{', ...' if len(columns) > 5 else ''}"
    return ValueError(
        f"Column {made!r} of {_called(transformer)} does not tell from which column it is made: "
        f"expected a name that contains that of one column{found if columns else ''}. Where "
        "columns are mixed, as by PCA, use sklearn.inspection.permutation_importance on the "
        "whole pipeline; where their names are much alike, rename them."
    )


def _called(transformer: Any) -> str:
    return type(transformer).__name__
