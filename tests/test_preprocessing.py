"""Encoding of tables: what the columns are, and that strange columns come through."""

import functools
import importlib.util
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skspectral import SpectralMLPClassifier
from skspectral.preprocessing import make_tabular_preprocessor

N = 200
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "age": np.where(RNG.random(N) < 0.1, np.nan, RNG.gamma(2, size=N)),
        "rooms": RNG.integers(1, 4, N),
        "member": RNG.random(N) < 0.5,
        "deck": RNG.choice(["A", "B", "C"], N),
        "port": pd.Series(RNG.choice(["S", None], N), dtype=object),
        "class": pd.Categorical(RNG.integers(1, 4, N)),
    }
)
CATEGORIES = ["member", "deck", "port", "class"]
even_encoder = functools.partial(make_tabular_preprocessor, knots="even")  # needs no target
KNOTS = "pipeline__encode__numbers__values__encode__hats__n_knots"


def encode(X, **settings):
    """Return the encoded columns as a data frame."""
    encoder = even_encoder(**settings).set_output(transform="pandas")
    return encoder.fit_transform(X)


def hats_of(encoded, column):
    return encoded.filter(regex=f"^{column}_sp_").to_numpy()


def test_preprocessor_hats_interpolate_between_knots():
    x = pd.DataFrame({"x": RNG.lognormal(sigma=2, size=N)})
    encoded = encode(x, n_knots=5)
    line = encoded["x"].to_numpy()
    knots = np.linspace(line.min(), line.max(), 5)
    expected = np.column_stack([np.interp(line, knots, hat) for hat in np.eye(5)[:-1]])
    np.testing.assert_allclose(hats_of(encoded, "x"), expected, atol=1e-12)


def test_preprocessor_line_is_the_standardised_normal_score():
    x = pd.DataFrame({"x": RNG.lognormal(sigma=2, size=N)})
    score = QuantileTransformer(n_quantiles=50, output_distribution="normal").fit_transform(x)
    line = encode(x, n_quantiles=50)[["x"]].to_numpy()
    np.testing.assert_allclose(line, (score - score.mean()) / score.std(), atol=1e-12)


def test_preprocessor_does_not_depend_on_the_unit_of_numbers():
    x = pd.DataFrame({"x": RNG.normal(size=N)})
    np.testing.assert_allclose(encode(x), encode(3 * x + 7), atol=1e-9)


@pytest.mark.parametrize("n_knots", [2, 7, None])
def test_preprocessor_has_a_hat_for_each_knot_but_the_last(n_knots):
    hats = hats_of(encode(X, n_knots=n_knots), "age")
    assert hats.shape[1] == (0 if n_knots is None else n_knots - 1)


def test_preprocessor_tells_missing_numbers_and_fills_the_median():
    encoded, missing = encode(X), X["age"].isna()
    np.testing.assert_array_equal(encoded["missingindicator_age"], missing)
    filled = encode(X.fillna({"age": X["age"].median()}))
    pd.testing.assert_frame_equal(encoded.drop(columns="missingindicator_age"), filled)


def test_preprocessor_takes_values_missing_only_in_new_rows():
    encoder = even_encoder().fit(X.fillna({"age": 1.0}))
    assert np.isfinite(encoder.transform(X)).all()


def test_preprocessor_columns_of_categories_by_dtype():
    names = encode(X, n_knots=None).columns
    assert list(names) == [
        *["member_False", "member_True", "deck_A", "deck_B", "deck_C", "port_S", "port_nan"],
        *["class_1", "class_2", "class_3", "age", "rooms", "missingindicator_age"],
    ]


def test_preprocessor_one_hot_rows_sum_to_one():
    encoded = encode(X)
    for column in CATEGORIES:
        np.testing.assert_array_equal(encoded.filter(regex=f"^{column}_").sum(axis=1), 1)


def test_preprocessor_unknown_categories_count_as_rare():
    rare = X.assign(deck=X["deck"].where(X.index > 4, "R"))
    encoder = even_encoder().fit(rare)
    names = encoder.get_feature_names_out()
    unseen = encoder.transform(rare[10:13].assign(deck=["new", "R", None]))
    deck = pd.DataFrame(unseen, columns=names).filter(regex="^deck_")
    np.testing.assert_array_equal(deck["deck_infrequent_sklearn"], 1)
    np.testing.assert_array_equal(deck.sum(axis=1), 1)


def test_preprocessor_unknown_categories_are_zero_where_none_is_rare():
    encoder = even_encoder().fit(X)
    unseen = encoder.transform(X[:1].assign(deck="new"))
    unseen = pd.DataFrame(unseen, columns=encoder.get_feature_names_out())
    np.testing.assert_array_equal(unseen.filter(regex="^deck_"), 0)


@pytest.mark.filterwarnings("ignore:Nothing is left of column")
@pytest.mark.parametrize("min_frequency", [1, 0.5, None])
def test_preprocessor_min_frequency_is_that_of_the_one_hot_encoder(min_frequency):
    names = encode(X, min_frequency=min_frequency).filter(regex="^deck_").columns
    assert ("deck_infrequent_sklearn" in names) == (min_frequency == 0.5)


@pytest.mark.parametrize(
    "values",
    [
        np.ones(N),
        np.full(N, np.nan),
        np.r_[1.0, np.full(N - 1, np.nan)],
        np.arange(N) % 2,
        np.arange(N) % 3,
        np.r_[np.zeros(N - 1), 1e30],
        np.arange(N, dtype=np.float32),
        pd.array([1, None] * (N // 2), dtype="Int64"),
        pd.array([0.5, None] * (N // 2), dtype="Float64"),
        pd.array([True, None] * (N // 2), dtype="boolean"),
        pd.Categorical(["a", None] * (N // 2)),
        pd.Series([None] * N, dtype=object),
        pd.Series(["a", np.nan] * (N // 2)),
        pd.array(["a", "b"] * (N // 2), dtype="string"),
    ],
    ids=[
        *["constant", "no value", "one value", "two values", "three values", "outlier", "float32"],
        *["Int64", "Float64", "boolean", "category", "None", "missing string", "string"],
    ],
)
def test_preprocessor_gives_finite_columns(values):
    encoder = even_encoder(n_knots=4)
    x = pd.DataFrame({"x": values})
    encoded = encoder.fit_transform(x)
    assert isinstance(encoded, np.ndarray)
    assert encoded.dtype.kind == "f"
    assert np.isfinite(encoded).all()
    assert np.abs(encoded).max() < 20
    assert encoded.shape == (N, len(encoder.get_feature_names_out()))


def test_preprocessor_takes_an_array_of_numbers():
    encoder = even_encoder(categorical_features=[], n_knots=4)
    array = X[["rooms", "age"]].to_numpy()
    frame = even_encoder(n_knots=4).fit_transform(X[["rooms", "age"]])
    np.testing.assert_array_equal(encoder.fit_transform(array), frame)


@pytest.mark.parametrize("categorical_features", [[1], slice(1, 2), [False, True]])
def test_preprocessor_takes_columns_of_an_array(categorical_features):
    array = np.column_stack([RNG.normal(size=N), RNG.integers(0, 3, N)])
    encoder = even_encoder(categorical_features=categorical_features, n_knots=None)
    encoder.fit(array)
    assert list(encoder.get_feature_names_out()) == ["x1_0.0", "x1_1.0", "x1_2.0", "x0"]


@pytest.mark.parametrize("categorical_features", ["auto", ["kind"]])
def test_preprocessor_takes_polars(categorical_features):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"x": [1.0, None, 3.0, 4.0] * 50, "kind": ["a", "b", None, "a"] * 50})
    encoder = even_encoder(categorical_features=categorical_features, n_knots=3)
    encoded = encoder.set_output(transform="polars").fit_transform(frame)
    assert isinstance(encoded, pl.DataFrame)
    assert encoded.columns == [
        *["kind_a", "kind_b", "kind_nan"],
        *["x", "x_sp_0", "x_sp_1", "missingindicator_x"],
    ]


def test_preprocessor_tells_the_columns_of_an_array_by_their_values():
    array = X[["age", "deck", "member"]].to_numpy(dtype=object)
    frame = encode(X[["age", "deck", "member"]])
    np.testing.assert_array_equal(even_encoder().fit_transform(array), frame)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(object).where(x.notna(), None),
        lambda x: x.convert_dtypes(),
        lambda x: x.map(lambda value: None if np.isnan(value) else Decimal(value)),
    ],
    ids=["None", "Float64", "Decimal"],
)
def test_preprocessor_encodes_numbers_of_any_dtype_alike(change):
    ages = X[["age"]]
    pd.testing.assert_frame_equal(encode(ages.assign(age=change(ages["age"]))), encode(ages))
    encoder = even_encoder().fit(ages)
    changed = ages.assign(age=change(ages["age"]))[:3]
    np.testing.assert_array_equal(encoder.transform(changed), encoder.transform(ages[:3]))


def test_preprocessor_does_not_lose_a_column_of_numbers_with_a_gap():
    x = pd.DataFrame({"x": RNG.normal(size=N)})
    y = np.sin(2 * x["x"])
    x = x.astype(object)
    x.loc[5, "x"] = None
    model = make_pipeline(even_encoder(), Ridge(1e-3)).fit(x, y)
    assert model.score(x, y) > 0.97


def test_preprocessor_encodes_parts_of_dates_as_numbers():
    pytest.importorskip("skrub")
    days = pd.Series(pd.date_range("2025-01-01", periods=N, freq="31h"))
    encoder = even_encoder(n_knots=8).fit(pd.DataFrame({"day": days}))
    names = list(encoder.get_feature_names_out())
    parts = ["year", "month", "day", "hour", "total_seconds", "weekday"]
    assert [name for name in names if "_sp_" not in name] == [f"day_{part}" for part in parts]
    gone = pd.DataFrame({"day": days.where(days.index != 0)})
    encoded = encoder.transform(gone)
    assert encoded.shape == (N, len(names))
    assert np.isfinite(encoded).all()
    weekend = days.dt.day_of_week >= 5
    model = make_pipeline(encoder, Ridge(1e-3)).fit(gone, weekend)
    assert model.score(gone, weekend) > 0.8


def test_preprocessor_needs_skrub_for_dates_only(monkeypatch):
    expected = encode(X)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    pd.testing.assert_frame_equal(encode(X), expected)
    with pytest.raises(ImportError, match=r"\['day'\] hold dates"):
        encode(X.assign(day=pd.Timestamp("2026-01-31")))


def test_preprocessor_repeats_itself():
    encoder = even_encoder().fit(X)
    encoded = encoder.transform(X)
    np.testing.assert_array_equal(clone(encoder).fit_transform(X), encoded)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(X), encoded)


def test_preprocessor_is_read_by_skops():
    sio = pytest.importorskip("skops.io")
    encoder = even_encoder().fit(X)
    untrusted = sio.get_untrusted_types(data=sio.dumps(encoder))
    own = [name for name in untrusted if name.startswith("skspectral")]
    assert own == ["skspectral._tables.cleaner.TableCleaner"]
    again = sio.loads(sio.dumps(encoder), trusted=untrusted)
    np.testing.assert_array_equal(again.transform(X), encoder.transform(X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_preprocessor_lets_a_linear_network_bend_a_column():
    rows = pd.DataFrame({"x": RNG.uniform(-3, 3, size=400), "kind": ["a", "b"] * 200})
    inside = np.where(np.abs(rows["x"]) < 1.5, "in", "out")
    network = SpectralMLPClassifier(
        (2,), activation="identity", alpha=1e-4, max_iter=300, random_state=0
    )
    bent = make_pipeline(even_encoder(), network).fit(rows, inside)
    straight = make_pipeline(even_encoder(n_knots=None), network)
    straight = clone(straight).fit(rows, inside)
    assert bent.score(rows, inside) > 0.95 > 0.85 > straight.score(rows, inside)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_preprocessor_knots_can_be_searched():
    y = X["member"]
    network = SpectralMLPClassifier((4,), max_iter=2, random_state=0)
    pipeline = make_pipeline(even_encoder(), network)
    search = GridSearchCV(pipeline, {KNOTS: [2, 5]}, cv=2).fit(X.drop(columns="member"), y)
    n_hats = search.best_params_[KNOTS] - 1
    names = search.best_estimator_[0].get_feature_names_out()
    assert sum(name.startswith("rooms_sp_") for name in names) == n_hats
    assert search.predict(X.drop(columns="member")).shape == (N,)


def test_preprocessor_warns_of_fewer_rows_than_quantiles():
    with pytest.warns(UserWarning, match="n_quantiles"):
        even_encoder(n_quantiles=N + 1).fit(X)


def test_preprocessor_places_knots_by_the_target():
    frame = X.assign(noise=RNG.normal(size=N))
    y = np.where(frame["rooms"] > 1, 1.0, 0.0) + 0.1 * RNG.normal(size=N)
    encoded = make_tabular_preprocessor().set_output(transform="pandas").fit_transform(frame, y)
    assert hats_of(encoded, "rooms").shape[1] == 2  # two ends and the jump, but the last
    assert hats_of(encoded, "noise").shape[1] <= 2
    assert encoded.shape[1] < encode(frame).shape[1] / 2
    with pytest.raises(ValueError, match=r"knots='tree' .* requires y to be passed"):
        make_tabular_preprocessor().fit(frame)
    make_tabular_preprocessor(n_knots=None).fit(frame)  # without knots nothing depends on it


@pytest.mark.parametrize(
    "wrong",
    [
        {"categorical_features": None},
        {"categorical_features": 0.5},
        {"knots": "quantile"},
        {"knots": None},
        {"n_knots": 1},
        {"n_knots": 4.0},
        {"n_knots": 10_001},
        {"n_knots": 2**63},
        {"n_quantiles": 1},
        {"n_quantiles": None},
        {"min_frequency": 0},
        {"min_frequency": 1.0},
    ],
    ids=str,
)
def test_preprocessor_refuses_wrong_parameters(wrong):
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=f"'{name}' parameter of make_tabular_preprocessor must"):
        even_encoder(**wrong)


@pytest.mark.parametrize("unit", [1e-2, 1e150, 1e289])
def test_preprocessor_takes_numbers_of_any_unit(unit):
    X = np.random.default_rng(0).normal(size=(200, 1))
    wanted = even_encoder(n_knots=3).fit_transform(X)
    found = even_encoder(n_knots=3).fit_transform(unit * X)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_preprocessor_takes_parameters_by_name_only():
    with pytest.raises(TypeError, match="positional"):
        even_encoder(["deck"])
