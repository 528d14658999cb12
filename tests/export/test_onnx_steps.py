"""What onnxruntime computes from a converted step is what the step does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, SplineTransformer

from skspectral._export.onnx_steps import STEPS, custom_converters
from skspectral._tables.tree_splines import TreeSplines

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
data_types = pytest.importorskip("skl2onnx.common.data_types")

RNG = np.random.default_rng(0)
N = 300
NUMBERS = np.column_stack(
    [
        RNG.lognormal(sigma=2, size=N),
        RNG.integers(0, 4, N),
        np.r_[np.zeros(N - 1), 1e6],
        np.ones(N),
        RNG.normal(size=N).round(1),
        np.arange(N) % 2,
    ]
)
NEW = np.vstack([NUMBERS, NUMBERS[RNG.permutation(N)] + 1e-3, -NUMBERS[:50], NUMBERS[:50] * 3])
GAPS = np.where(RNG.random(NUMBERS.shape) < 0.2, np.nan, NUMBERS)
TYPES = {
    "f": ("FloatTensorType", np.float32),
    "d": ("DoubleTensorType", np.float64),
    "l": ("Int64TensorType", np.int64),
    "?": ("BooleanTensorType", np.bool_),
    "O": ("StringTensorType", object),
}


def converted(step, X):
    """Return what the ONNX model of a fitted step makes of an array, or of columns of a frame."""
    feeds = {"X": X} if isinstance(X, np.ndarray) else {c: X[[c]].to_numpy() for c in X}
    feeds = {c: v if v.dtype.char in TYPES else v.astype(object) for c, v in feeds.items()}
    inputs = [
        (name, getattr(data_types, TYPES[array.dtype.char][0])([None, array.shape[1]]))
        for name, array in feeds.items()
    ]
    proto = skl2onnx.convert_sklearn(
        step,
        initial_types=inputs,
        target_opset={"": 17, "ai.onnx.ml": 3},
        **custom_converters(STEPS),
    )
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)[0]


def transformed(step, X):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Found unknown categories")
        return step.transform(X)


def assert_same(step, X, atol=1e-10):
    got, expected = converted(step, X), transformed(step, X)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("n_quantiles", [2, 3, 100, 256])
def test_quantiles_are_those_of_scikit_learn(n_quantiles, distribution):
    step = QuantileTransformer(n_quantiles=n_quantiles, output_distribution=distribution)
    step.fit(NUMBERS)
    assert_same(step, NEW)
    gaps = np.where(RNG.random(NEW.shape) < 0.2, np.nan, NEW)
    assert_same(step, gaps)
    assert_same(step, NEW[:1])


def test_quantiles_of_float32_and_of_columns():
    columns = NUMBERS[:, [0, 4]].astype(np.float32)
    step = QuantileTransformer(n_quantiles=50, output_distribution="normal").fit(columns)
    got = converted(step, columns)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, step.transform(columns.astype(float)), atol=1e-5)
    frame = pd.DataFrame(columns, columns=["a", "b"]).astype({"b": float})
    step = QuantileTransformer(n_quantiles=50).fit(frame)
    np.testing.assert_allclose(converted(step, frame), step.transform(frame), atol=1e-6)


@pytest.mark.parametrize("include_bias", [False, True])
@pytest.mark.parametrize("n_knots", [2, 3, 24])
def test_hats_are_those_of_scikit_learn(n_knots, include_bias):
    step = SplineTransformer(n_knots, degree=1, include_bias=include_bias).fit(NUMBERS)
    assert_same(step, NEW)


def test_hats_between_quantiles_are_those_of_scikit_learn():
    step = SplineTransformer(5, degree=1, knots="quantile").fit(NUMBERS[:, [0]])
    assert_same(step, NEW[:, [0]])


@pytest.mark.parametrize(
    "settings", [{"degree": 3}, {"degree": 1, "extrapolation": "linear"}], ids=str
)
def test_other_splines_are_refused(settings):
    step = SplineTransformer(**settings).fit(NUMBERS[:, :1])
    with pytest.raises(NotImplementedError, match="degree=1"):
        converted(step, NUMBERS[:, :1])


@pytest.mark.parametrize("n_knots", [2, 3, 24])  # 2: no hat functions at all
def test_hats_between_knots_of_trees_are_those_of_the_encoder(n_knots):
    target = np.abs(NUMBERS[:, 1]) + NUMBERS[:, 0] ** 2
    assert_same(TreeSplines(n_knots).fit(NUMBERS, target), NUMBERS)


def test_equal_knots_are_refused():
    x = np.r_[np.zeros(9), 5, 6][:, None]
    step = SplineTransformer(4, degree=1, knots="quantile").fit(x)
    with pytest.raises(NotImplementedError, match="must not be equal"):
        converted(step, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
def test_imputer_fills_in_either_precision(add_indicator, keep_empty_features, dtype):
    gaps = np.c_[GAPS, np.full(N, np.nan)].astype(dtype)
    step = SimpleImputer(
        strategy="median", add_indicator=add_indicator, keep_empty_features=keep_empty_features
    )
    step.fit(gaps)
    assert converted(step, gaps).dtype == dtype
    assert_same(step, gaps)


def test_imputer_fills_another_number():
    step = SimpleImputer(missing_values=1.0, strategy="constant", fill_value=-7.0)
    assert_same(step.fit(NUMBERS[:, :3]), NUMBERS[:, :3])


def test_imputer_of_text_is_that_of_skl2onnx():
    text = np.array([["a"], ["?"], ["b"], ["b"]], dtype=object)
    step = SimpleImputer(missing_values="?", strategy="most_frequent").fit(text)
    np.testing.assert_array_equal(converted(step, text), step.transform(text))


@pytest.mark.parametrize("features", ["missing-only", "all"])
def test_indicator_marks_the_same(features):
    gaps = np.c_[NUMBERS[:, 0], GAPS]
    step = MissingIndicator(features=features, error_on_new=False).fit(gaps)
    assert_same(step, gaps)
    assert_same(step, np.where(NUMBERS[:, [0]] > 5, np.nan, gaps))


def test_indicator_of_complete_columns_is_empty():
    step = MissingIndicator(error_on_new=False).fit(NUMBERS)
    assert converted(step, NUMBERS).shape == (N, 0)


TEXT = pd.DataFrame(
    {
        "port": RNG.choice(["S", "C", "rare", None], N, p=[0.5, 0.3, 0.01, 0.19]),
        "deck": RNG.choice(["a", "b", "infrequent_sklearn", "ü"], N),
    }
).astype(object)
UNSEEN = TEXT.assign(port=TEXT["port"].where(TEXT.index > 9, "new"))


@pytest.mark.parametrize(
    "settings",
    [
        {"handle_unknown": "ignore"},
        {"handle_unknown": "ignore", "drop": "first"},
        {"handle_unknown": "ignore", "min_frequency": 10},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 10},
        {"handle_unknown": "infrequent_if_exist", "max_categories": 2},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 10, "drop": "first"},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 10, "drop": "if_binary"},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": N},
    ],
    ids=str,
)
def test_categories_of_text_are_those_of_scikit_learn(settings):
    step = OneHotEncoder(sparse_output=False, **settings).fit(TEXT)
    assert_same(step, TEXT)
    assert_same(step, UNSEEN)
    complete = step.fit(TEXT.fillna("S"))
    assert_same(complete, UNSEEN)
    array = TEXT.to_numpy()
    assert_same(OneHotEncoder(sparse_output=False, **settings).fit(array), array)


def test_categories_that_spell_a_missing_value_stay_apart():
    text = pd.DataFrame({"x": ["nan", "None", np.nan, "a"] * 5}, dtype=object)
    step = OneHotEncoder(sparse_output=False).fit(text)
    got = converted(step, pd.DataFrame({"x": ["nan", "None", "<NA>", "a"]}))
    expected = step.transform(pd.DataFrame({"x": ["nan", "None", np.nan, "a"]}, dtype=object))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(-2, 3, N),
        2**53 + RNG.integers(0, 3, N),
        RNG.integers(0, 3, N).astype(float),
        RNG.integers(0, 3, N) / 7,
        np.where(RNG.random(N) < 0.3, np.nan, RNG.integers(0, 3, N) / 7),
        RNG.integers(0, 3, N).astype(np.float32),
        RNG.random(N) < 0.3,
    ],
    ids=["int", "large int", "float", "fraction", "missing", "float32", "bool"],
)
@pytest.mark.parametrize("min_frequency", [None, 70])
def test_categories_of_numbers_are_those_of_scikit_learn(values, min_frequency):
    frame = pd.DataFrame({"x": values})
    step = OneHotEncoder(
        sparse_output=False, handle_unknown="infrequent_if_exist", min_frequency=min_frequency
    ).fit(frame)
    assert_same(step, frame)
    if values.dtype.kind in "if":
        assert_same(step, frame + 9)


def test_steps_are_converted_inside_others():
    frame = TEXT.assign(x=GAPS[:, 0], y=GAPS[:, 4])
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["port", "deck"]),
        (
            make_pipeline(
                SimpleImputer(),
                QuantileTransformer(n_quantiles=40, output_distribution="normal"),
                SplineTransformer(5, degree=1),
            ),
            ["y", "x"],
        ),
    ).fit(frame)
    assert_same(steps, frame)


def test_converters_of_skl2onnx_are_left_alone():
    step = QuantileTransformer(n_quantiles=20, output_distribution="normal").fit(NUMBERS[:, :1])
    converted(step, NUMBERS[:, :1])
    types = [("X", data_types.DoubleTensorType([None, 1]))]
    with pytest.raises(RuntimeError, match="not supported"):
        skl2onnx.convert_sklearn(step, initial_types=types)
