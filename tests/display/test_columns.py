"""Inputs of a network are traced back to the columns of the user's table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import KNNImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skspectral import SpectralMLPRegressor
from skspectral._display.columns import one_cycle, read_table
from skspectral.preprocessing import make_tabular_preprocessor

QUICK = {"max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def mixed_table():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "kind": rng.choice(["a", "b", "c"], 90),
            "height": rng.normal(size=90),
            "width": rng.normal(size=90),
            "constant": 1.0,
            "kind_height": rng.normal(size=90),
        }
    )
    table.loc[:5, "height"] = np.nan
    return table


def fitted(encoder, X):
    y = np.random.default_rng(1).normal(size=len(X))
    return make_pipeline(encoder, SpectralMLPRegressor(4, **QUICK)).fit(X, y)


def by_name(model, X, **options):
    return {column.name: column for column in read_table(model, X, **options)[1]}


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_encoded_columns_go_back_to_those_of_the_table(mixed_table, container):
    encoder = make_tabular_preprocessor(knots="even", n_knots=4, n_quantiles=20)
    model = fitted(encoder, mixed_table)
    names = model[0].get_feature_names_out()
    X = mixed_table
    if container == "polars":
        polars = pytest.importorskip("polars")
        X = polars.DataFrame({name: X[name].tolist() for name in X}, nan_to_null=True)
    columns = by_name(model, X)
    found = {name: list(names[column.inputs]) for name, column in columns.items()}
    hats = ("", "_sp_0", "_sp_1", "_sp_2")
    assert found == {
        "kind": ["kind_a", "kind_b", "kind_c"],
        "height": [*(f"height{hat}" for hat in hats), "missingindicator_height"],
        "width": [f"width{hat}" for hat in hats],
        "kind_height": [f"kind_height{hat}" for hat in hats],
    }
    assert columns["kind"].values.tolist() == mixed_table["kind"].tolist()


def test_many_columns_take_few_transformations(mixed_table):
    calls = []

    def count(X):
        calls.append(X)
        return X

    X = np.random.default_rng(0).normal(size=(40, 100))
    model = fitted(make_pipeline(FunctionTransformer(count), StandardScaler()), X)
    calls.clear()
    columns = by_name(model, X)
    assert [column.inputs.tolist() for column in columns.values()] == [[i] for i in range(100)]
    assert len(calls) == 1 + 2 * 7


def test_inputs_that_mix_columns_keep_their_own_names():
    X = np.random.default_rng(0).normal(size=(60, 3))
    X += X[:, :1]
    assert list(by_name(fitted(PCA(2), X), X)) == ["pca0", "pca1"]
    columns = by_name(fitted(PolynomialFeatures(interaction_only=True), X), X)
    assert list(columns) == ["x0", "x1", "x2", "x0 x1", "x0 x2", "x1 x2"]
    model = fitted(FunctionTransformer(lambda X: X + X.sum(axis=1, keepdims=True)), X)
    assert list(by_name(model, X)) == ["input 0", "input 1", "input 2"]


def test_an_imputer_that_looks_at_other_columns_does_not_mix():
    X = np.random.default_rng(0).normal(size=(100, 3))
    X[:4, 1] = np.nan
    columns = by_name(fitted(make_pipeline(KNNImputer(), StandardScaler()), X), X)
    assert [column.inputs.tolist() for column in columns.values()] == [[0], [1], [2]]


def test_texts_are_named_by_their_words():
    texts = ["red green", "green blue", "blue", "red", "red blue"] * 5
    columns = by_name(fitted(CountVectorizer(), texts), texts)
    assert list(columns) == ["blue", "green", "red"]


def test_sparse_and_dropped_columns():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.choice(list("xyz"), 50), "b": 1.5, "c": rng.normal(size=50)})
    encoder = make_column_transformer((OneHotEncoder(), ["a"]), (StandardScaler(), ["c"]))
    columns = by_name(fitted(encoder, table), table)
    assert {name: list(column.inputs) for name, column in columns.items()} == {
        "a": [0, 1, 2],
        "c": [3],
    }


@pytest.mark.parametrize("n", [2, 3, 50])
def test_one_cycle_moves_every_row(n):
    order = one_cycle(n)
    place, seen = 0, set()
    while place not in seen:
        seen.add(place)
        place = order[place]
    assert len(seen) == n


def test_names_come_from_the_user_the_table_or_the_fit():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["a", "b"])
    reg = SpectralMLPRegressor(4, **QUICK).fit(X, X["a"])
    assert list(by_name(reg, X)) == ["a", "b"]
    assert list(by_name(reg, X, feature_names=["c", "d"])) == ["c", "d"]
    with pytest.warns(UserWarning, match="valid feature names"):
        assert list(by_name(reg, X.to_numpy())) == ["a", "b"]
    plain = SpectralMLPRegressor(4, **QUICK).fit(X.to_numpy(), X["a"])
    assert list(by_name(plain, X.to_numpy())) == ["x0", "x1"]
    with pytest.raises(ValueError, match="each of the 2 columns; got 1 names"):
        read_table(reg, X, ["c"])


def test_rows_must_differ_and_be_of_a_size_that_can_be_squared():
    X = np.random.default_rng(0).normal(size=(30, 2))
    reg = SpectralMLPRegressor(4, **QUICK).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="All rows of `X` are the same"):
        read_table(reg, np.ones((5, 2)))
    with pytest.raises(ValueError, match="numbers up to 1e\\+100"):
        read_table(reg, 1e200 * X)
