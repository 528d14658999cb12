"""Importances of encoded columns find their way back to the columns of the table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
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


def test_the_longer_of_two_names_counts(frame):
    encoder = OneHotEncoder().fit(frame.assign(age=frame["city"])[["age", "age_group"]])
    assert made_from(encoder) == {"age": 3, "age_group": 2}


def test_transformers_without_names_are_refused(frame):
    nameless = FunctionTransformer(lambda X: X)
    encoder = make_pipeline(nameless, StandardScaler()).fit(frame[NUMBERS])
    with pytest.raises(TypeError, match="FunctionTransformer has no `get_feature_names_out`, so"):
        group_importances(encoder, [1, 1])


@pytest.mark.parametrize("mixing", [PCA(2), PolynomialFeatures(2)])
def test_mixed_columns_are_refused(frame, mixing):
    encoder = make_pipeline(StandardScaler(), mixing).fit(frame[NUMBERS])
    with pytest.raises(ValueError, match="does not tell from which column it is made: expected"):
        made_from(encoder)


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
