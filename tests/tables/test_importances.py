"""Importances of encoded columns find their way back to the columns of the table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from skspectral import SpectralMLPRegressor, group_importances
from skspectral.preprocessing import make_tabular_preprocessor

N_ROWS = 200


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    gaps = np.where(rng.random(N_ROWS) < 0.2, np.nan, rng.normal(size=N_ROWS))
    return pd.DataFrame(
        {
            "age": rng.normal(size=N_ROWS),
            "city": rng.choice(["Rome", "Pisa", "Bari"], N_ROWS),
            "age_group": rng.choice(["old", "young"], N_ROWS),
            "gaps": gaps,
            "since": pd.date_range("2024-01-01", periods=N_ROWS),
            "income": rng.normal(size=N_ROWS),
        }
    )


NUMBERS = ["age", "income"]


def made_from(encoder):
    """Return the sum of as many ones, which counts what is made of each column."""
    return group_importances(encoder, np.ones(len(encoder.get_feature_names_out())))


def test_encoded_names_may_occur_twice():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": rng.choice(["x_large", "small"], N_ROWS),
            "size_x": rng.choice(["large", "tiny", "nan", None], N_ROWS),
            "a": rng.normal(size=N_ROWS),
            "a_sp_0": rng.normal(size=N_ROWS),
        }
    )
    encoder = make_tabular_preprocessor(knots="even", n_knots=3, n_quantiles=100).fit(table)
    with pytest.raises(ValueError, match="not unique"):
        encoder.get_feature_names_out()
    n_columns = encoder.transform(table).shape[1]
    counts = group_importances(encoder, np.ones(n_columns))
    assert counts == {"size": 2, "size_x": 4, "a": 3, "a_sp_0": 3}


def test_counts_are_those_of_the_encoders(frame):
    encoder = make_column_transformer(
        (OneHotEncoder(), ["city", "age_group"]),
        (SplineTransformer(n_knots=4, degree=1), NUMBERS),
        (SimpleImputer(add_indicator=True), ["gaps"]),
        ("drop", ["since"]),
    ).fit(frame)
    expected = {"age": 4, "city": 3, "age_group": 2, "gaps": 2, "since": 0, "income": 4}
    assert made_from(encoder) == expected
    assert list(made_from(encoder)) == list(frame)


def test_each_number_goes_to_the_column_that_changes_it(frame):
    numbers = frame[["age", "income"]].assign(third=frame["age"] ** 2)
    union = FeatureUnion(
        [
            ("line", StandardScaler()),
            ("splines", SplineTransformer()),
            (
                "bins",
                KBinsDiscretizer(encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
            ),
        ]
    )
    encoder = ColumnTransformer([("a", union, ["third", "age"]), ("b", "passthrough", [1])])
    before = encoder.fit_transform(numbers)
    importances = np.random.default_rng(1).random(before.shape[1])
    expected = dict.fromkeys(numbers, 0.0)
    for column in numbers:  # by brute force: which of the columns out move with it?
        moved = encoder.transform(numbers.assign(**{column: numbers[column].to_numpy()[::-1]}))
        expected[column] = importances[(moved != before).any(axis=0)].sum()
    assert group_importances(encoder, importances) == pytest.approx(expected)


NUMERIC = make_column_selector(dtype_include=float)


@pytest.mark.parametrize(
    "columns", [[0, 1], slice(0, 2), [True, True, False], NUMBERS, slice("age", "income"), NUMERIC]
)
def test_columns_are_chosen_in_many_ways(frame, columns):
    table = frame[["age", "income", "city"]]
    encoder = ColumnTransformer([("splines", SplineTransformer(n_knots=3), columns)]).fit(table)
    assert made_from(encoder) == {"age": 5, "income": 5, "city": 0}


def test_selectors_and_scalers_on_the_way_keep_the_track(frame):
    table = frame[["city", "age"]].assign(constant=1.0)
    encoder = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough"),
        VarianceThreshold(),
        StandardScaler(),
    ).fit(table)
    assert group_importances(encoder, [0.1, 0.2, 0.3, 0.4]) == pytest.approx(
        {"city": 0.6, "age": 0.4, "constant": 0.0}
    )


@pytest.mark.parametrize("knots", ["tree", "even"])
def test_own_preprocessor_is_understood(frame, knots):
    target = frame["age"] + (frame["city"] == "Rome")
    encoder = make_tabular_preprocessor(knots=knots).fit(frame, target)
    counts = made_from(encoder)
    assert list(counts) == list(frame)
    assert sum(counts.values()) == len(encoder.get_feature_names_out())
    assert counts["city"] == 3
    assert min(counts.values()) > 0


def test_importances_of_a_network_find_the_columns_that_matter(frame):
    target = 2 * frame["age"] + 3 * (frame["city"] == "Rome")
    model = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(16, random_state=0))
    model.fit(frame[["age", "city", "income"]], target)
    grouped = group_importances(model[:-1], model[-1].feature_importances_)
    assert sum(grouped.values()) == pytest.approx(1)
    assert set(sorted(grouped, key=grouped.get)[-2:]) == {"age", "city"}


def test_columns_of_arrays_are_numbered():
    X = np.random.default_rng(0).normal(size=(50, 12))
    encoder = SplineTransformer(n_knots=3, degree=1).fit(X)
    assert group_importances(encoder, np.ones(36)) == {f"x{k}": 3.0 for k in range(12)}
    nested = make_pipeline(StandardScaler(), SplineTransformer(n_knots=3, degree=1)).fit(X)
    assert group_importances(nested, np.arange(36.0))["x11"] == 33 + 34 + 35


def test_names_that_begin_with_another_are_told_apart(frame):
    encoder = OneHotEncoder().fit(frame.assign(age=frame["city"])[["age", "age_group"]])
    assert made_from(encoder) == {"age": 3, "age_group": 2}


def test_categories_that_complete_another_name_are_told_apart():
    table = pd.DataFrame({"city": ["x_1", "x_2"], "city_x": ["1", "3"]})
    encoder = OneHotEncoder().fit(table)
    assert len(set(encoder.get_feature_names_out())) == 3
    assert group_importances(encoder, [1, 2, 4, 8]) == {"city": 3.0, "city_x": 12.0}
    dropped = OneHotEncoder(drop="first").fit(table)
    assert group_importances(dropped, [1, 2]) == {"city": 1.0, "city_x": 2.0}


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        (MissingIndicator(), {"gaps": 1.0}),
        (make_union(SimpleImputer(), MissingIndicator()), {"gaps": 2.0}),
        (SimpleImputer(add_indicator=True), {"gaps": 2.0}),
    ],
)
def test_indicators_can_be_scaled(frame, first, counts):
    encoder = make_pipeline(first, StandardScaler()).set_output(transform="pandas")
    assert made_from(encoder.fit(frame[["gaps"]])) == counts
    assert made_from(FrozenEstimator(encoder)) == counts


def test_columns_called_like_indicators_are_columns(frame):
    table = frame[["age"]].assign(missingindicator_age=frame["income"])
    encoder = StandardScaler().fit(table)
    assert made_from(encoder) == {"age": 1, "missingindicator_age": 1}


class Named(TransformerMixin, BaseEstimator):
    """Takes any table, and names what it would return whatever its columns are called."""

    def __init__(self, names):
        self.names = names

    def fit(self, X, y=None):
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        return self

    def get_feature_names_out(self, input_features=None):
        return self.names


def test_transformers_with_names_of_their_own_are_taken_at_them(frame):
    table = frame[["age", "age_group", "city"]]
    assert made_from(Named(["city_1", "city_2"]).fit(table)) == {
        "age": 0,
        "age_group": 0,
        "city": 2,
    }
    assert made_from(Named(["age_group"]).fit(table)) == {"age": 0, "age_group": 1, "city": 0}
    called = {"age": "age_2"}
    squared = FunctionTransformer(
        np.square, feature_names_out=lambda self, names: [called[name] for name in names]
    )
    assert made_from(squared.fit(frame[["age"]])) == {"age": 1}
    with pytest.raises(ValueError, match=r"one column; got age, age_group\..*alike, rename them"):
        made_from(Named(["age_group_old", "city"]).fit(table))


def test_transformers_without_names_are_refused(frame):
    nameless = FunctionTransformer(lambda X: X)
    encoder = make_pipeline(nameless, StandardScaler()).fit(frame[NUMBERS])
    with pytest.raises(TypeError, match="FunctionTransformer has no `get_feature_names_out`, so"):
        group_importances(encoder, [1, 1])


@pytest.mark.parametrize("names", [NUMBERS, ["x_1", "x"], ["pca0", "pca1"]])
@pytest.mark.parametrize(
    "mixing",
    [PCA(2), PolynomialFeatures(2), PolynomialFeatures(interaction_only=True, include_bias=False)],
)
def test_mixed_columns_are_refused(frame, mixing, names):
    encoder = make_pipeline(StandardScaler(), mixing).fit(frame[NUMBERS].set_axis(names, axis=1))
    with pytest.raises(ValueError, match="does not tell from which column it is made: expected"):
        made_from(encoder)


def test_powers_are_those_of_their_column(frame):
    encoder = make_column_transformer(
        (PolynomialFeatures(3, include_bias=False), ["age"]), remainder="passthrough"
    ).fit(frame[NUMBERS])
    assert made_from(encoder) == {"age": 3, "income": 1}


@pytest.mark.parametrize("importances", [[1.0], np.ones((2, 2)), [], [1, 2, 3]])
def test_importances_are_one_number_for_each_column(frame, importances):
    with pytest.raises(ValueError, match="importances"):
        group_importances(StandardScaler().fit(frame[NUMBERS]), importances)


@pytest.mark.parametrize("importances", [[np.nan, 1], ["a", "b"], None])
def test_importances_are_finite(frame, importances):
    with pytest.raises(ValueError, match=r"importances|NaN|convert"):
        group_importances(StandardScaler().fit(frame[NUMBERS]), importances)


def test_preprocessor_is_fitted():
    for encoder in (StandardScaler(), Pipeline([("s", StandardScaler())])):
        with pytest.raises(NotFittedError):
            group_importances(encoder, [1])
    with pytest.raises(TypeError):
        group_importances("passthrough", [1])


class ByName(StandardScaler):
    """Return the columns in the order of their names reversed, or refuse other names."""

    def get_feature_names_out(self, input_features=None):
        if self.copy is None and input_features is not None:
            raise NotImplementedError
        return sorted(self.feature_names_in_ if input_features is None else input_features)[::-1]


@pytest.mark.parametrize("refuses", [False, True])
def test_parts_that_go_by_the_names_of_columns_are_taken_at_their_own(refuses):
    encoder = ByName().fit(pd.DataFrame({"c": [0.0, 1], "a": [0.0, 1], "b": [0.0, 1]}))
    encoder.copy = None if refuses else True
    assert group_importances(encoder, [1, 2, 4]) == {"c": 1.0, "a": 4.0, "b": 2.0}
