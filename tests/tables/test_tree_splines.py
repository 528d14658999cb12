"""Hat functions with knots that trees place: where they are, and where there are none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from skspectral._tables.tree_splines import MOST_CLASSES, TreeSplines

N = 2000
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
STEP = np.where(X[:, 0] > 0.3, 1.0, 0.0) + 0.1 * RNG.normal(size=N)


def knots_of(encoder):
    """Return the knots by number of column."""
    return {
        columns[0]: splines.bsplines_[0].t[1:-1]
        for name, splines, columns in encoder.splines_.transformers_
        if name != "remainder"
    }


@parametrize_with_checks([TreeSplines(5)])
def test_scikit_learn_takes_it_for_a_transformer(estimator, check):
    check(estimator)


def test_the_knot_is_where_the_target_jumps():
    knots = knots_of(TreeSplines().fit(X, STEP))
    np.testing.assert_allclose(knots[0], [X[:, 0].min(), 0.3, X[:, 0].max()], atol=0.02)


@pytest.mark.parametrize("n_rows", [50, N])
def test_noise_has_hardly_any_knots(n_rows):
    rng = np.random.default_rng(1)
    columns, noise = rng.normal(size=(n_rows, 40)), rng.normal(size=n_rows)
    assert (
        sum(len(knots) - 2 for knots in knots_of(TreeSplines().fit(columns, noise)).values()) < 40
    )
    labels = rng.choice(["a", "b", "c"], n_rows)
    assert (
        sum(len(knots) - 2 for knots in knots_of(TreeSplines().fit(columns, labels)).values()) < 40
    )


def test_more_rows_and_less_noise_give_more_knots():
    wave = np.sin(3 * X[:, 1])

    def n_knots(rows, noise):
        y = wave[rows] + noise * np.random.default_rng(2).normal(size=N)[rows]
        return len(knots_of(TreeSplines().fit(X[rows], y)).get(1, []))

    few, all_rows = slice(N // 5), slice(N)
    assert n_knots(few, 1.0) < n_knots(all_rows, 1.0) < n_knots(all_rows, 0.1)


@pytest.mark.parametrize("n_most", [2, 3, 7])
def test_no_more_knots_than_asked_for(n_most):
    knots = knots_of(TreeSplines(n_most).fit(X, X[:, 0]))
    assert len(knots.get(0, [])) == (0 if n_most == 2 else n_most)


def test_hats_interpolate_between_the_knots():
    encoder = TreeSplines(9).fit(X, X[:, 2] ** 2)
    (column, knots), *others = knots_of(encoder).items()
    assert column == 2
    assert not others
    expected = [np.interp(X[:, 2], knots, hat) for hat in np.eye(len(knots))[:-1]]
    np.testing.assert_allclose(encoder.transform(X), np.transpose(expected), atol=1e-12)


@pytest.mark.parametrize(
    "y",
    [
        np.where(STEP > 0.5, "far", "near"),
        STEP > 0.5,
        np.round(STEP * 1e3).astype(int),  # integers of many values are numbers
        np.column_stack([1e200 * STEP, RNG.normal(size=N)]),
        np.column_stack([RNG.random(N) > 0.5, STEP > 0.5]).astype(int),
        pd.Series(np.where(STEP > 0.5, "far", "near"), dtype="category"),
        [f"key {i}" for i in RNG.integers(0, 2 * MOST_CLASSES, N // 2)] + ["far"] * (N // 2),
    ],
    ids=["text", "flags", "counts", "two outputs", "labels", "categories", "many classes"],
)
def test_targets_of_all_kinds(y):
    rows = X
    if len(np.unique(y)) > MOST_CLASSES and isinstance(y, list):
        rows = np.column_stack([np.r_[-np.ones(N // 2), np.ones(N // 2)], X[:, 1:]])
        rows[:, 0] += 0.1 * X[:, 0]
    encoder = TreeSplines().fit(rows, y)
    middle = 0.0 if rows is not X else 0.3
    inner = knots_of(encoder)[0][1:-1]
    assert np.abs(inner - middle).min() < 0.5
    assert np.isfinite(encoder.transform(rows)).all()


def test_counts_are_numbers_as_well_as_classes():
    x = np.random.default_rng(3).normal(size=(1000, 1))
    counts = np.random.default_rng(4).poisson(8 * np.exp(0.12 * np.sin(2 * x[:, 0])))
    (few,), (more,) = (
        list(knots_of(TreeSplines().fit(x, y)).values()) or [[]]
        for y in (counts, counts + 1e-3 * x[:, 0])
    )
    assert len(few) >= len(more) > 2
    classes = np.digitize(x[:, 0], [-1, 1]) % 2 * 2 + 1  # 1, 3, 1: their mean says little
    rare = np.where(np.random.default_rng(5).random(1000) < 0.5, classes, 2)
    assert len(knots_of(TreeSplines().fit(x, rare))[0]) >= 4


@pytest.mark.parametrize(
    "wrong", [{"n_knots": None}, {"n_knots": 1}, {"n_knots": 3.5}, {"min_gain": -1}]
)
def test_parameters_out_of_range(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"'{name}' parameter of TreeSplines must be"):
        TreeSplines(**wrong).fit(X, STEP)


def test_scale_of_an_output_does_not_matter():
    y = np.column_stack([STEP, X[:, 1] > 0])
    expected = knots_of(TreeSplines().fit(X, y.astype(float)))
    knots = knots_of(TreeSplines().fit(X, y * [1e6, 1e-6]))
    assert expected.keys() == knots.keys() == {0, 1}
    for column, places in expected.items():
        np.testing.assert_allclose(knots[column], places)


def test_constant_columns_and_targets_have_none():
    constant = np.ones((N, 2))
    assert TreeSplines().fit_transform(constant, STEP).shape == (N, 0)
    assert TreeSplines().fit_transform(X, np.ones(N)).shape == (N, 0)


def test_names_are_those_of_the_columns():
    frame = pd.DataFrame(X, columns=["age", "rooms", "rent"])
    encoder = TreeSplines(4).fit(frame, np.abs(X[:, 2]))
    names = ["rent_sp_0", "rent_sp_1", "rent_sp_2"]
    assert encoder.get_feature_names_out().tolist() == names
    encoded = clone(encoder).set_output(transform="pandas").fit_transform(frame, np.abs(X[:, 2]))
    assert encoded.columns.tolist() == names


def test_what_it_needs():
    with pytest.raises(
        ValueError, match=r"requires y to be passed.* Fit it as part of a pipeline"
    ):
        TreeSplines().fit(X)
    with pytest.raises(ValueError, match="contains NaN"):
        TreeSplines().fit(X, np.where(STEP > 0, STEP, np.nan))
    with pytest.raises(NotFittedError):
        TreeSplines().to_sklearn()
