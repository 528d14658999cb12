"""Synthetic rows: near the data, of the values that its columns have."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from skspectral._students.near_rows import N_NEIGHBOURS, draw_near, equal_rows


def mixed(n=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": np.where(x > 1, np.nan, x),
            "whole": rng.integers(0, 5, size=n),
            "kind": np.where(x > 0, "a", None),
            "flag": x > 0.3,
            "code": pd.Categorical(np.where(x > 0.5, "p", "q")),
            "big": pd.array([None if v > 1 else round(v * 9) for v in x], dtype="Int64"),
        }
    )


def test_every_value_is_one_of_its_column():
    X = mixed()
    drawn = draw_near(X, 500, None, np.random.RandomState(0))
    assert 400 < len(drawn) <= 500  # what lends gives a row that is there, is left out
    assert list(drawn.dtypes) == list(X.dtypes)
    for name in X:
        assert set(drawn[name].dropna()) <= set(X[name].dropna())
        assert drawn[name].isna().any() == X[name].isna().any()


def test_each_row_lies_between_a_row_and_one_of_its_nearest():
    X = np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 100]
    drawn = draw_near(X, 200, None, np.random.RandomState(0))
    index = NearestNeighbors(n_neighbors=N_NEIGHBOURS + 1).fit(X / X.std(axis=0))
    near = index.kneighbors(X / X.std(axis=0), return_distance=False)
    source = np.array([[np.flatnonzero(X[:, j] == row[j])[0] for j in range(3)] for row in drawn])
    for of_row in source:
        assert any(set(of_row) <= {i, other} for i in set(of_row) for other in near[i]), (
            "columns of rows that are not near each other, or of three rows"
        )
    assert (source != source[:, :1]).any(axis=1).all()
    # each row has its turn
    assert len(np.unique(source)) == 40


def test_rows_are_drawn_by_their_weight():
    X = np.arange(40.0)[:, None] + [0, 0.5]
    weight = np.where(X[:, 0] < 10, 1.0, 1e-9)
    drawn = draw_near(X, 300, weight, np.random.RandomState(0))
    assert drawn.max() < 11 + N_NEIGHBOURS


@pytest.mark.parametrize("n_columns", [2, 3])
@pytest.mark.parametrize("as_frame", [False, True])
def test_no_row_is_one_of_the_table(n_columns, as_frame):
    X = np.random.default_rng(0).integers(0, 9, size=(30, n_columns)).astype(float)
    X = pd.DataFrame(X) if as_frame else X
    drawn = draw_near(X, 400, None, np.random.RandomState(0))
    known = set(map(tuple, np.asarray(X)))
    new = set(map(tuple, np.asarray(drawn)))
    assert new
    assert not known & new


def test_a_single_column_makes_no_new_rows():
    assert draw_near(np.arange(40.0)[:, None], 30, None, np.random.RandomState(0)).shape == (0, 1)
    frame = pd.DataFrame({"a": list("abcd")})
    assert draw_near(frame, 30, None, np.random.RandomState(0)).shape == (0, 1)


@pytest.mark.parametrize("times", [1, 3])
def test_a_row_that_is_there_twice_is_no_neighbour_of_itself(times):
    X = np.repeat(np.random.default_rng(0).normal(size=(8, 2)), times, axis=0)
    drawn = draw_near(X, 100, None, np.random.RandomState(0))
    assert len(np.unique(drawn, axis=0)) > 16
    assert len(drawn) == 100


def test_repeated_rows_are_drawn_as_weighted_ones():
    X, times = np.random.default_rng(0).normal(size=(12, 3)), np.arange(12) % 3 + 1
    weighted = draw_near(X, 50, times.astype(float), np.random.RandomState(0))
    repeated = draw_near(np.repeat(X, times, axis=0), 50, None, np.random.RandomState(0))
    np.testing.assert_array_equal(weighted, repeated)


def test_two_rows_are_enough():
    drawn = draw_near(np.array([[0.0, 1.0], [2.0, 3.0]]), 50, None, np.random.RandomState(0))
    np.testing.assert_array_equal(np.unique(drawn, axis=0), [[0, 3], [2, 1]])


def test_equal_rows_share_a_number():
    X = np.array([[1.0, np.nan], [0.0, 2.0], [1.0, np.nan], [1.0, 2.0]])
    np.testing.assert_array_equal(equal_rows(X), equal_rows(pd.DataFrame(X)))
    groups = equal_rows(X)
    assert groups[0] == groups[2]
    assert len(set(groups)) == 3
    text = pd.DataFrame({"a": ["x", None, "x", "y"], "b": [1, 1, 1, 1]})
    groups = equal_rows(text)
    assert groups[0] == groups[2]
    assert len(set(groups)) == 3
