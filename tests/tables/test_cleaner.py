"""Strange columns come out with one dtype, and columns that are lost are named."""

import datetime
import importlib.util
import io
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_selector

from skspectral._tables.cleaner import TableCleaner
from skspectral.preprocessing import make_tabular_preprocessor

N = 60
NUMBERS = np.random.default_rng(0).normal(size=N)
GAP = np.arange(N) == 3
DAYS = pd.date_range("2026-01-30", periods=N, freq="7h")


def cleaned(values, **settings):
    """Return the only column, "x", of a cleaned table."""
    frame = pd.DataFrame({"x": values})
    return TableCleaner(**settings).fit_transform(frame)["x"]


@pytest.mark.parametrize(
    "values",
    [
        NUMBERS.astype(object),
        np.where(GAP, None, NUMBERS),
        np.where(GAP, pd.NA, NUMBERS),
        [Decimal(x) for x in NUMBERS],
        [None if gap else Decimal(x) for x, gap in zip(NUMBERS, GAP, strict=True)],
        pd.array(NUMBERS, dtype="Float64"),
        pd.arrays.SparseArray(NUMBERS),
    ],
    ids=["object", "None", "NA", "Decimal", "Decimal and None", "Float64", "sparse"],
)
def test_cleaner_makes_float64_of_numbers(values):
    column = cleaned(values)
    assert column.dtype == np.float64
    missing = pd.isna(np.asarray(values, dtype=object))
    np.testing.assert_array_equal(column, np.where(missing, np.nan, NUMBERS))


def test_cleaner_takes_a_transposed_frame():
    rows = pd.DataFrame({i: {"size": float(i), "kind": "ab"[i % 2]} for i in range(N)}).T
    assert set(rows.dtypes.astype(str)) == {"object"}
    frame = TableCleaner().fit_transform(rows)
    assert frame.dtypes.astype(str).to_dict() == {"size": "float64", "kind": "category"}


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_cleaner_makes_seconds_of_time_spans(unit):
    spans = pd.Series(pd.to_timedelta([90, None] * (N // 2), unit="min")).astype(
        f"timedelta64[{unit}]"
    )
    expected = [5400.0, np.nan] * (N // 2)
    np.testing.assert_array_equal(cleaned(spans), expected)
    np.testing.assert_array_equal(cleaned(spans.astype(object)), expected)


@pytest.mark.parametrize(
    "values",
    [
        pd.array(["a", pd.NA] * (N // 2), dtype="string"),
        np.array(["a", pd.NA] * (N // 2), dtype=object),
        np.array(["a", None] * (N // 2), dtype=object),
        np.array(["a", np.nan] * (N // 2), dtype=object),
        pd.Categorical(["a", None] * (N // 2)),
    ],
    ids=["string", "NA", "None", "nan", "category"],
)
def test_cleaner_knows_one_missing_category(values):
    assert np.asarray(cleaned(values))[:2].tolist() == ["a", pytest.approx(np.nan, nan_ok=True)]


@pytest.mark.parametrize("values", [[True, False], [True, None], [True, pd.NA]], ids=str)
@pytest.mark.parametrize("dtype", [object, "boolean"])
def test_cleaner_makes_text_of_truth_values(values, dtype):
    column = cleaned(pd.Series(values * (N // 2), dtype=dtype))
    assert column.cat.categories.isin(["False", "True"]).all()
    assert column.isna().sum() == N // 2 * pd.isna(values[1])


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_cleaner_takes_the_dtypes_of_read_csv(backend):
    if backend == "pyarrow":
        pytest.importorskip("pyarrow")
    text = "size,kind,old,n\n1.5,a,True,1\n,,,\n2.5,b,False,3\n"
    frame = pd.read_csv(io.StringIO(text), dtype_backend=backend)
    cleaner = TableCleaner(min_frequency=1).fit(frame)
    assert cleaner.kinds_ == {"size": "numbers", "kind": "strings", "old": "flags", "n": "numbers"}
    assert cleaner.transform(frame).isna().sum().tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "values",
    [
        [f"id{i}" for i in range(N)],
        DAYS.strftime("%Y-%m-%d"),
        NUMBERS.astype(str),
        pd.period_range("2026-01", periods=N, freq="M"),
    ],
    ids=["keys", "dates", "numbers", "periods"],
)
def test_cleaner_names_columns_of_which_nothing_is_left(values):
    frame = pd.DataFrame({"lost": values, "kept": ["a"] * N})
    with pytest.warns(UserWarning, match="'lost'.*`min_frequency`=10.*to_datetime") as record:
        TableCleaner().fit(frame)
    assert len(record) == 1
    with pytest.warns(UserWarning, match="'lost'"):
        TableCleaner(["lost", "kept"], min_frequency=0.5).fit(frame)


def test_cleaner_is_silent_where_some_category_is_left():
    some = pd.DataFrame({"x": ["a"] * 10 + [f"id{i}" for i in range(N)]})
    TableCleaner().fit(some)
    rare = pd.DataFrame({"x": [f"id{i}" for i in range(N)]})
    TableCleaner(min_frequency=None).fit(rare)
    TableCleaner(min_frequency=1).fit(rare)


@pytest.mark.parametrize("dates", [DAYS, DAYS.tz_localize("Europe/Rome"), DAYS.date])
def test_cleaner_makes_datetimes_of_dates(dates):
    pytest.importorskip("skrub")
    column = cleaned(pd.Series(dates).where(~GAP, None).astype(object))
    assert column.dt.day.dropna().tolist() == [day.day for day in pd.Series(dates)[~GAP]]


def test_cleaner_refuses_dates_without_skrub(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"\['x'\] hold dates.*skspectral\[dates\]"):
        cleaned(DAYS)


@pytest.mark.parametrize(
    "columns",
    ["list", [1], slice(1, 2), [False, True], make_column_selector("kind")],
    ids=["list", "index", "slice", "mask", "selector"],
)
def test_cleaner_takes_stated_categories(columns):
    columns = ["kind"] if isinstance(columns, str) else columns
    frame = pd.DataFrame({"x": NUMBERS, "kind": np.arange(N) % 3})
    cleaner = TableCleaner(columns).fit(frame)
    assert cleaner.kinds_ == {"x": "numbers", "kind": "codes"}


def test_cleaner_takes_all_others_as_numbers_where_categories_are_stated():
    frame = pd.DataFrame({"text": ["1.5"] * N, "flag": [True, None] * (N // 2), "kind": ["a"] * N})
    frame = TableCleaner(["kind"]).fit_transform(frame)
    assert frame["text"].tolist() == [1.5] * N
    assert frame["flag"].isna().sum() == N // 2
    with pytest.raises(ValueError, match="'kind' must hold numbers"):
        TableCleaner([]).fit(pd.DataFrame({"x": NUMBERS, "kind": ["a"] * N}))


CODES = np.arange(N) % 3


@pytest.mark.parametrize(
    ("fitted", "new", "words"),
    [
        (CODES.astype(str), CODES, "must hold strings, as in `fit`; got numbers"),
        (CODES.astype(str), CODES > 0, "must hold strings, as in `fit`; got flags"),
        (CODES.astype(str), [pd.Timestamp(2020, 1, 1)] * N, "must hold strings, .* got dates"),
        (pd.Categorical(CODES), CODES.astype(str), "must hold numbers, as in `fit`; got strings"),
        (
            pd.Categorical(CODES.astype(str), [*"012", 3]),
            CODES,
            "must hold strings, .* got numbers",
        ),
    ],
)
def test_categories_of_another_type_are_refused_by_name(fitted, new, words):
    frame = pd.DataFrame({"x": NUMBERS, "kind": fitted})
    cleaner = TableCleaner().fit(frame)
    with pytest.raises(ValueError, match=f"Column 'kind' {words}"):
        cleaner.transform(frame.assign(kind=new))


@pytest.mark.parametrize(
    ("fitted", "new"),
    [
        (CODES.astype(str), pd.Categorical(CODES.astype(str))),
        (pd.Categorical(CODES.astype(str)), CODES.astype(str).astype(object)),
        (pd.Categorical(CODES), CODES),
        (pd.Categorical(CODES), np.where(CODES > 0, CODES, np.nan)),
        (pd.Categorical(CODES.astype(str), [*"012", 3]), CODES.astype(str)),
        (CODES.astype(str), pd.Categorical(CODES.astype(str), [*"012", 3])),
        (pd.Categorical(CODES > 0), (CODES > 0).astype(int)),
        *(
            (fitted, missing)
            for fitted in (CODES.astype(str), pd.Categorical(CODES.astype(str)))
            for missing in (
                [None] * N,
                [np.nan] * N,
                [pd.NaT] * N,
                pd.array([pd.NA] * N, dtype="Int64"),
                pd.Categorical([np.nan] * N),
                pd.Categorical([np.nan] * N, categories=[1, 2]),
            )
        ),
        (pd.Categorical(CODES), [np.nan] * N),
        (pd.Categorical(CODES > 0), [np.nan] * N),
    ],
)
def test_categories_of_one_type_may_come_in_any_form(fitted, new):
    frame = pd.DataFrame({"x": NUMBERS, "kind": fitted})
    cleaner = TableCleaner().fit(frame)
    cleaned = cleaner.transform(frame.assign(kind=new))["kind"]
    known = ~pd.isna(pd.Series(new))
    assert (cleaned[known].astype(object) == pd.Series(fitted)[known].astype(object)).all()
    assert cleaned[~known].isna().all()
    encoder = make_tabular_preprocessor(knots="even", n_quantiles=N).fit(frame)
    encoded = encoder.transform(frame.assign(kind=new))
    np.testing.assert_array_equal(encoded[known], encoder.transform(frame)[known])


@pytest.mark.parametrize("missing", [np.nan, None, pd.NaT])
def test_a_single_row_may_lack_its_category(missing):
    frame = pd.DataFrame({"x": NUMBERS, "kind": CODES.astype(str)})
    cleaner = TableCleaner().fit(frame)
    assert cleaner.transform(pd.DataFrame({"x": [1.0], "kind": [missing]}))["kind"].isna().all()


def test_polars_columns_of_nothing_are_missing_categories():
    polars = pytest.importorskip("polars")
    cleaner = TableCleaner().fit(pd.DataFrame({"x": NUMBERS, "kind": CODES.astype(str)}))
    new = polars.DataFrame({"x": [1.0], "kind": [None]})
    assert cleaner.transform(new)["kind"].isna().all()


def test_columns_of_one_name_are_refused():
    frame = pd.DataFrame(np.zeros((N, 3)), columns=["a", "b", "a"])
    with pytest.raises(ValueError, match=r"names of columns must be distinct; \['a'\] are not"):
        TableCleaner().fit(frame)


def test_cleaner_names_the_column_that_changed():
    frame = pd.DataFrame({"x": NUMBERS, "day": ["a"] * N})
    cleaner = TableCleaner().fit(frame)
    with pytest.raises(ValueError, match="'x' must hold numbers"):
        cleaner.transform(frame.assign(x="five"))
    with pytest.raises(ValueError, match=r"missing.*'x'"):
        cleaner.transform(frame[["day"]])


def test_cleaner_takes_arrays():
    array = np.array([[1.5, "a", None], [2.5, "b", True]] * 30, dtype=object)
    cleaner = TableCleaner().fit(array)
    assert cleaner.kinds_ == {"x0": "numbers", "x1": "strings", "x2": "flags"}
    assert cleaner.n_features_in_ == 3
    assert not hasattr(cleaner, "feature_names_in_")
    with pytest.raises(ValueError, match="2 features"):
        cleaner.transform(array[:, :2])
    integers = pd.DataFrame(array, columns=[7, 8, 9])
    pd.testing.assert_frame_equal(cleaner.transform(integers), cleaner.transform(array))


def test_cleaner_takes_polars():
    pl = pytest.importorskip("polars")
    pytest.importorskip("skrub")
    frame = pl.DataFrame(
        {
            "price": [Decimal("1.5"), None] * 30,
            "day": [datetime.date(2026, 1, 31), None] * 30,
            "wait": [datetime.timedelta(hours=1), None] * 30,
            "old": [True, None] * 30,
            "kind": pl.Series(["a", None] * 30, dtype=pl.Categorical),
            "rooms": [1, None] * 30,
        }
    )
    cleaner = TableCleaner().fit(frame)
    assert list(cleaner.kinds_.values()) == [
        *["numbers", "dates", "durations", "flags", "strings", "numbers"]
    ]
    assert cleaner.transform(frame).isna().sum().tolist() == [30] * 6


def test_cleaner_refuses_names_that_occur_twice():
    frame = pd.DataFrame(np.ones((N, 3)), columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="'a'"):
        TableCleaner().fit(frame)


def test_cleaner_gives_pandas_whatever_the_output_is_set_to():
    frame = pd.DataFrame({"x": NUMBERS, "kind": ["a"] * N})
    with config_context(transform_output="polars"):
        assert isinstance(TableCleaner().fit_transform(frame), pd.DataFrame)
    cleaner = TableCleaner().set_output(transform="polars").fit(frame)
    assert cleaner.transform(frame)["kind"].dtype == "category"
    again = clone(pickle.loads(pickle.dumps(cleaner))).fit(frame)
    pd.testing.assert_frame_equal(again.transform(frame), cleaner.transform(frame))


@pytest.mark.parametrize("table", [{}, {"a": [1, 2]}, [], None, 3, "a", [{}]], ids=str)
def test_cleaner_refuses_what_is_no_table(table):
    for use in (TableCleaner().fit, TableCleaner().fit(np.ones((3, 2))).transform):
        with pytest.raises(ValueError, match="Expected 2D array, got"):
            use(table)


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"a": []})], ids=["none", "rows"])
def test_cleaner_refuses_empty_tables(table):
    for use in (TableCleaner().fit, TableCleaner().fit(np.ones((3, 2))).transform):
        with pytest.raises(ValueError, match=r"X must have rows and columns; got .* \(0, "):
            use(table)


def test_cleaner_names_lists_of_several_lengths():
    for use in (TableCleaner().fit, TableCleaner().fit(np.ones((3, 2))).transform):
        with pytest.raises(ValueError, match="`X` must hold entries of one length"):
            use([[1], [2, 3]])


def test_cleaner_makes_categories_of_half_floats():
    X = np.array([[0.5], [1.5]] * N, dtype=np.float16)
    assert TableCleaner([0]).fit_transform(X)["x0"].cat.categories.tolist() == [0.5, 1.5]


def test_cleaner_refuses_a_column_of_arrays():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": np.ones((N, 2))})
    with pytest.raises(ValueError, match="Column 'a' must hold one value in a row; got arrays"):
        TableCleaner().fit(frame)


@pytest.mark.parametrize("unit", [1e-6, 1e-12, 1e-150])
def test_cleaner_refuses_columns_that_are_taken_for_constants(unit):
    X = unit * np.arange(N, dtype=float)[:, None] / N
    with pytest.raises(ValueError, match="Column 'x0' must spread over 1e-05 or more"):
        TableCleaner().fit(X)
    assert len(TableCleaner().fit_transform(0.1 + np.zeros((N, 1)) + 1e-17 * X)) == N


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1.7e308, -1e300, 5e-324, -1e-300])
def test_cleaner_refuses_numbers_whose_differences_are_beyond_float64(value):
    X = np.vstack([np.arange(N, dtype=float), np.arange(N) % 2.0]).T
    assert len(TableCleaner().fit_transform(X)) == N
    X[3, 1] = value
    with pytest.raises(ValueError, match="Column 'x1' must hold numbers that are 0, missing or"):
        TableCleaner().fit(X)
