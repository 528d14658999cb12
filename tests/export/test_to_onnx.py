"""What onnxruntime computes from an exported model is what the model predicts."""

import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    to_sklearn,
)
from skspectral._export.sklearn_mlp import make_mlp_classifier, make_mlp_regressor
from skspectral._export.to_onnx import to_onnx
from skspectral.preprocessing import make_tabular_preprocessor

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RTOL = {"float32": 1e-5, "float64": 1e-10}
DTYPES = {
    "tensor(bool)": bool,
    "tensor(int64)": np.int64,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(string)": object,
}
TASKS = ("regression", "outputs", "binary", "multiclass", "two labels", "multilabel")


def session_of(proto):
    onnx.checker.check_model(proto, full_check=True)
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def run(proto, X):
    """Return the outputs by name, for an array or a DataFrame with one input per column."""
    session = session_of(proto)
    inputs = session.get_inputs()
    columns = {"X": X} if [i.name for i in inputs] == ["X"] else {c: X[[c]] for c in X}
    feeds = {i.name: np.asarray(columns[i.name]).astype(DTYPES[i.type]) for i in inputs}
    return dict(
        zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True)
    )


def assert_same(proto, model, X, rtol):
    got = run(proto, X)
    if is_classifier(model):
        assert list(got) == ["label", "probabilities"]
        np.testing.assert_array_equal(got["label"], model.predict(X))
        np.testing.assert_allclose(got["probabilities"], model.predict_proba(X), rtol)
    else:
        assert list(got) == ["variable"]
        expected = model.predict(X).reshape(len(X), -1)
        assert got["variable"].shape == expected.shape
        error = np.abs(got["variable"] - expected)
        assert (error <= rtol * np.abs(expected).max(axis=0)).all()


def data_of(task, request):
    if task == "outputs":
        X, y = request.getfixturevalue("regression")
        return X, np.column_stack([1e3 * y, y - 50, -y])
    if task == "two labels":
        X, y = request.getfixturevalue("multilabel")
        return X, y[:, :2]
    return request.getfixturevalue(task)


def estimator_for(task, hidden_layer_sizes=(8,), **params):
    cls = SpectralMLPRegressor if task in ("regression", "outputs") else SpectralMLPClassifier
    return cls(hidden_layer_sizes, **{"max_iter": 10, "random_state": 0} | params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", TASKS)
def test_to_onnx_predicts_the_same(task, dtype, request):
    X, y = data_of(task, request)
    model = estimator_for(task, dtype=dtype).fit(X, y)
    proto = model.to_onnx()
    kind = {"float32": "tensor(float)", "float64": "tensor(double)"}[dtype]
    session = session_of(proto)
    assert [(i.name, i.type) for i in session.get_inputs()] == [("X", kind)]
    assert session.get_outputs()[-1].type == kind
    assert_same(proto, model, X, RTOL[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", TASKS)
def test_to_onnx_of_a_pipeline_predicts_the_same(task, dtype, request):
    X, y = data_of(task, request)
    X = 7 + 3 * X
    pipeline = make_pipeline(StandardScaler(), estimator_for(task, dtype=dtype)).fit(X, y)
    assert_same(to_onnx(pipeline), pipeline, X, RTOL[dtype])
    assert_same(to_onnx(pipeline, X=X[:9]), pipeline, X, RTOL[dtype])


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "identity"},
        {"activation": "logistic"},
        {"activation": "tanh"},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (6, 5)},
        {"fit_intercept": False},
        {"skip": True},
        {"skip": True, "hidden_layer_sizes": (6, 5), "activation": "tanh"},
        {"skip": True, "hidden_layer_sizes": (6, 5, 4), "activation": "logistic"},
        {"skip": True, "hidden_layer_sizes": (), "activation": "identity"},
        {"alpha": 10, "max_iter": 200},
    ],
    ids=str,
)
@pytest.mark.parametrize("task", ["outputs", "multiclass", "two labels"])
def test_to_onnx_predicts_the_same_for_every_architecture(task, params, request):
    X, y = data_of(task, request)
    for dtype in RTOL:
        model = estimator_for(task, **{"dtype": dtype} | params).fit(X, y)
        assert_same(model.to_onnx(), model, X, RTOL[dtype])


@pytest.mark.parametrize("task", TASKS)
def test_to_onnx_of_a_pipeline_with_a_skip(task, request):
    X, y = data_of(task, request)
    for dtype in RTOL:
        network = estimator_for(task, dtype=dtype, skip=True, activation="tanh")
        pipeline = make_pipeline(StandardScaler(), network).fit(7 + 3 * X, y)
        assert pipeline[-1].skip_coef_.any()
        for proto in (to_onnx(pipeline), to_onnx(pipeline, X=7 + 3 * X[:9])):
            assert_same(proto, pipeline, 7 + 3 * X, RTOL[dtype])
        with pytest.raises(ValueError, match="Export with to_onnx"):
            to_sklearn(pipeline)


def test_to_onnx_of_what_holds_a_network_with_a_skip(regression):
    X, y = regression
    network = estimator_for("regression", skip=True, activation="tanh")
    pruner = SpectralPruner(network, cv=2, random_state=0).fit(X, y)
    options = {"alphas": [1e-3, 1e-2], "cv": 2, "max_iter": 5, "activation": "tanh"}
    chosen = SpectralMLPRegressorCV(8, skip=True, random_state=0, **options).fit(X, y)
    for model in (pruner, chosen):
        assert_same(model.to_onnx(), model, X, 1e-10)


@pytest.mark.parametrize("n_rows", [0, 1])
@pytest.mark.parametrize("task", TASKS)
def test_onnx_model_takes_few_rows(task, n_rows, request):
    X, y = data_of(task, request)
    model = estimator_for(task).fit(X, y)
    proto = model.to_onnx()
    every, few = run(proto, X), run(proto, X[:n_rows])
    for name in every:
        assert few[name].shape == (n_rows, *every[name].shape[1:])
        np.testing.assert_array_equal(few[name], every[name][:n_rows])


def test_to_onnx_of_one_column(regression):
    X, y = regression
    model = estimator_for("regression").fit(X[:, :1], y)
    assert_same(model.to_onnx(), model, X[:, :1], 1e-10)


@pytest.mark.parametrize(
    "mlp",
    [
        MLPRegressor(),
        MLPRegressor(loss="poisson"),
        MLPClassifier(),
        MLPClassifier(activation="tanh", hidden_layer_sizes=()),
    ],
    ids=str,
)
def test_to_onnx_takes_scikit_learn_mlps(mlp, binary):
    X, y = binary
    mlp.set_params(max_iter=5, random_state=0)
    for dtype in (np.float32, np.float64):
        assert_same(to_onnx(mlp.fit(X.astype(dtype), y)), mlp, X, RTOL[np.dtype(dtype).name])


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_probabilities_keep_their_precision(dtype, multilabel):
    n_outputs = 2 if multilabel else 1
    mlp = make_mlp_classifier(
        [np.ones((1, n_outputs), dtype)],
        [np.zeros(n_outputs, dtype)],
        activation="relu",
        classes=[0, 1],
        multilabel=multilabel,
    )
    X = np.array([[-80], [-20], [-5], [0], [5], [20], [80]], dtype=dtype)
    expected = 1 / (1 + np.exp(-X.astype(np.float64).ravel()))
    got = run(to_onnx(mlp), X)["probabilities"]
    np.testing.assert_allclose(got[:, 1], expected, rtol=RTOL[np.dtype(dtype).name])


CLASSES = {
    "bool": np.array([False, True]),
    "strings": np.array(["no", "yes"]),
    "object strings": np.array(["", "é", "ünknown"], dtype=object),
    "negative": np.array([-(2**63), -1, 5]),
    "beyond int32": np.array([2**40, 2**40 + 1, 2**63 - 1]),
    "int8": np.array([-1, 3, 100], dtype=np.int8),
    "uint64": np.array([0, 2**32, 2**63 - 1], dtype=np.uint64),
    "float": np.array([-1.0, 0.0, 2.0**53]),
    "float32": np.array([1, 2, 3], dtype=np.float32),
}


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_labels_are_the_classes(classes, multiclass):
    X, y = multiclass
    y = classes[np.unique(y, return_inverse=True)[1] % len(classes)]
    model = estimator_for("multiclass").fit(X, y)
    label = run(model.to_onnx(), X)["label"]
    expected = model.predict(X)
    np.testing.assert_array_equal(label, expected)
    assert label.dtype.kind == {"U": "O", "u": "i"}.get(expected.dtype.kind, expected.dtype.kind)
    assert len(np.unique(label)) == len(classes)


def test_classes_no_tensor_holds_are_refused(multiclass):
    X, y = multiclass
    y = np.array([1, 2, 2**64 - 1], dtype=np.uint64)[np.unique(y, return_inverse=True)[1]]
    with pytest.raises(ValueError, match=r"integers that int64 holds.*LabelEncoder"):
        estimator_for("multiclass").fit(X, y).to_onnx()


def test_a_single_class_is_refused(binary):
    X, y = binary
    with pytest.raises(ValueError, match="one class"):
        to_onnx(MLPClassifier(max_iter=3).fit(X, 0 * y))


@pytest.fixture
def table(regression):
    """Return a DataFrame of mixed types and a target."""
    X, y = regression
    columns = {
        "size (m²)": 100 + 20 * X[:, 0],
        "variable": X[:, 1].astype(np.float32),
        "label": np.arange(len(X)) % 5,
        "kind": np.array(["x", "y", "z"])[np.arange(len(X)) % 3],
        "flag": X[:, 2] > 0,
        "unused": X[:, 3],
    }
    return pd.DataFrame(columns), y


@pytest.mark.parametrize("task", ["regression", "two labels", "binary"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_to_onnx_of_a_table_has_one_input_per_column(task, dtype, table):
    X, y = table
    y = {"regression": y, "binary": y > 3, "two labels": np.c_[y > 3, y > 4].astype(int)}[task]
    preprocess = ColumnTransformer(
        [
            ("scale", StandardScaler(), ["size (m²)", "variable"]),
            ("encode", OneHotEncoder(), ["kind", "label"]),
            ("pass", "passthrough", ["flag"]),
        ]
    )
    pipeline = make_pipeline(preprocess, estimator_for(task, dtype=dtype)).fit(X, y)
    proto = to_onnx(pipeline, X=X[:10])
    inputs = session_of(proto).get_inputs()
    assert {i.name: i.type for i in inputs} == {
        "size (m²)": "tensor(double)",
        "variable": "tensor(float)",
        "label": "tensor(int64)",
        "kind": "tensor(string)",
        "flag": "tensor(bool)",
        "unused": "tensor(double)",
    }
    outputs = run(proto, X)
    first = next(iter(outputs))
    assert first == {"regression": "variable_"}.get(task, "label_")
    np.testing.assert_allclose(
        outputs[first].astype(float),
        pipeline.predict(X).reshape(outputs[first].shape).astype(float),
        rtol=RTOL[dtype],
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_onnx_takes_the_type_of_the_array(dtype, regression):
    X, y = regression
    pipeline = make_pipeline(StandardScaler(), estimator_for("regression", dtype="float32"))
    X = X.astype(dtype)
    proto = to_onnx(pipeline.fit(X, y), X=X)
    assert run(proto, X)["variable"].dtype == dtype
    assert_same(proto, pipeline, X, 1e-5)


def test_to_onnx_of_nested_and_empty_steps(multilabel):
    X, y = multilabel
    inner = Pipeline([("nothing", None), ("net", estimator_for("multilabel"))])
    pipeline = make_pipeline("passthrough", StandardScaler(), inner).fit(X, y)
    assert_same(to_onnx(pipeline), pipeline, X, 1e-10)
    only = make_pipeline("passthrough", estimator_for("multilabel")).fit(X, y)
    assert_same(to_onnx(only), only, X, 1e-10)
    table = pd.DataFrame(X, columns=list("abcd"))
    assert_same(to_onnx(only.fit(table, y), X=table), only, table, 1e-10)


def test_to_onnx_of_quantiles(regression):
    X, y = regression
    X = X[:, :2]
    for distribution in ("uniform", "normal"):
        quantiles = QuantileTransformer(n_quantiles=20, output_distribution=distribution)
        pipeline = make_pipeline(quantiles, estimator_for("regression"))
        assert_same(to_onnx(pipeline.fit(X, y), X=X), pipeline, X, 1e-10)


@pytest.mark.parametrize(
    "step",
    [
        SplineTransformer(),
        FunctionTransformer(np.tanh),
    ],
    ids=str,
)
def test_steps_that_cannot_be_converted_are_named(step, regression):
    X, y = regression
    pipeline = Pipeline(
        [("first", StandardScaler()), ("second", step), ("net", estimator_for("regression"))]
    ).fit(X, y)
    with pytest.raises(ValueError, match=r"(?s)Step 'second'.*export the last step alone") as info:
        to_onnx(pipeline, X=X)
    assert info.value.__cause__ is not None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_imputing_is_exported(dtype, regression):
    X, y = regression
    X = np.where(X > 1.5, np.nan, X).astype(dtype)
    pipeline = make_pipeline(SimpleImputer(), estimator_for("regression")).fit(X, y)
    assert_same(to_onnx(pipeline, X=X), pipeline, X, RTOL[dtype])


@pytest.fixture
def untidy(regression):
    """Return a DataFrame as users have it, with gaps of all kinds, and a target."""
    X, y = regression
    gone = np.arange(len(X)) % 7 == 0
    columns = {
        "size (m²)": np.where(gone, np.nan, 100 + 20 * X[:, 0]),
        "price": pd.Series(X[:, 1]).map(Decimal).where(~gone, None),
        "rooms": pd.array(np.arange(len(X)) % 4, dtype="Int64"),
        "kind": np.where(gone, None, np.array(["x", "y", "z"])[np.arange(len(X)) % 3]),
        "flag": pd.array(np.where(gone, None, X[:, 2] > 0), dtype="boolean"),
        "class": pd.Categorical(np.where(gone, np.nan, np.arange(len(X)) % 3)),
        "wait": pd.to_timedelta(X[:, 3], unit="h"),
    }
    return pd.DataFrame(columns), y


def fed(table, proto):
    """Return the inputs that the docstring of `to_onnx` asks for."""
    frame = table.assign(wait=table["wait"].dt.total_seconds())
    kinds = {i.name: i.type for i in session_of(proto).get_inputs()}
    return {
        name: frame[[name]].astype(object).to_numpy()
        if kind == "tensor(string)"
        else frame[[name]].astype(float).to_numpy()
        for name, kind in kinds.items()
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", ["regression", "binary"])
def test_to_onnx_of_the_recommended_encoder(task, dtype, untidy):
    X, y = untidy
    y = y if task == "regression" else y > 3
    encoder = make_tabular_preprocessor(n_knots=4, n_quantiles=30)
    pipeline = make_pipeline(encoder, estimator_for(task, dtype=dtype)).fit(X, y)
    proto = to_onnx(pipeline)
    assert proto.graph.input == to_onnx(pipeline, X=X[:9]).graph.input
    got = session_of(proto).run(None, fed(X, proto))[-1]
    expected = pipeline.predict(X)[:, None] if task == "regression" else pipeline.predict_proba(X)
    np.testing.assert_allclose(got, expected, atol=RTOL[dtype], rtol=RTOL[dtype])


def test_to_onnx_of_the_encoder_of_an_array(regression):
    X, y = regression
    encoder = make_tabular_preprocessor(categorical_features=[], n_knots=4, n_quantiles=30)
    pipeline = make_pipeline(encoder, estimator_for("regression")).fit(X, y)
    named = pd.DataFrame(X).add_prefix("x")
    got = run(to_onnx(pipeline, X=X[:5]), named)["variable"]
    np.testing.assert_allclose(got[:, 0], pipeline.predict(X))


def test_dates_are_refused_by_name(untidy):
    pytest.importorskip("skrub")
    X, y = untidy
    X = X.assign(day=pd.date_range("2025-01-01", periods=len(X)))[["price", "day"]]
    encoder = make_tabular_preprocessor(n_knots=None, n_quantiles=30)
    pipeline = make_pipeline(encoder, estimator_for("regression")).fit(X, y)
    with pytest.raises(ValueError, match=r"\['day'\] hold dates"):
        to_onnx(pipeline)


def test_conversions_that_predict_otherwise_are_refused(regression):
    codes = np.array([2**40, 2**40 + 1, -5, 7])[np.arange(120) % 4][:, None]
    pipeline = make_pipeline(OrdinalEncoder(), estimator_for("regression", max_iter=200))
    pipeline.fit(codes, 1000 + np.arange(120) % 4)
    assert_same(to_onnx(pipeline, X=codes), pipeline, codes, 1e-5)
    with pytest.raises(ValueError, match="differ from those of `model`"):
        to_onnx(pipeline, X=codes.astype(float))


def test_columns_by_name_need_rows(table):
    X, y = table
    preprocess = ColumnTransformer([("scale", StandardScaler(), ["unused", "variable"])])
    pipeline = make_pipeline(preprocess, estimator_for("regression")).fit(X, y)
    with pytest.raises(ValueError, match="Give `X`"):
        to_onnx(pipeline)


def test_step_that_does_not_tell_its_columns_needs_rows(regression):
    X, y = regression
    pipeline = make_pipeline(StandardScaler(), estimator_for("regression")).fit(X, y)
    del pipeline[0].n_features_in_
    with pytest.raises(ValueError, match=r"'standardscaler'.*Give `X`"):
        to_onnx(pipeline)


class Wrapper:
    """Estimator around another, which tells that it predicts the same."""

    def __init__(self, estimator):
        self.estimator_ = estimator

    def to_sklearn(self):
        return self.estimator_.to_sklearn()


def test_wrappers_are_exported_only_if_they_say_how(binary):
    X, y = binary
    model = estimator_for("binary").fit(X, y)
    assert_same(to_onnx(Wrapper(model)), model, X, 1e-10)
    with pytest.raises(TypeError, match="got FixedThresholdClassifier"):
        to_onnx(FixedThresholdClassifier(model, threshold=0.9).fit(X, y))


@pytest.mark.parametrize("model", [Ridge(), make_pipeline(StandardScaler(), Ridge())], ids=str)
def test_other_models_are_refused(model, regression):
    with pytest.raises(TypeError, match="got Ridge"):
        to_onnx(model.fit(*regression))


@pytest.mark.parametrize("model", [MLPRegressor(), make_pipeline(MLPClassifier())], ids=str)
def test_models_must_be_fitted(model):
    with pytest.raises(NotFittedError):
        to_onnx(model)


def test_unknown_activations_are_refused(regression):
    model = estimator_for("regression", activation="silu")
    pipeline = make_pipeline(StandardScaler(), model).fit(*regression)
    with pytest.raises(ValueError, match="scikit-learn's MLPs have"):
        to_onnx(pipeline)


@pytest.mark.parametrize("path", [np.nan, 3, True, [], object])
def test_to_onnx_refuses_what_is_no_path(path, regression):
    model = SpectralMLPRegressor(4, max_iter=2, alpha=0).fit(*regression)
    with pytest.raises(TypeError, match="`path` must be a str, a path-like object or None; got"):
        model.to_onnx(path)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_to_onnx_writes_the_file(kind, tmp_path, regression):
    X, y = regression
    model = estimator_for("regression").fit(X, y)
    path = tmp_path / "model.onnx"
    proto = model.to_onnx(kind(path))
    assert path.read_bytes() == proto.SerializeToString()
    assert_same(onnx.load(path), model, X, 1e-10)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "skl2onnx"])
def test_missing_packages_are_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    mlp = make_mlp_regressor([np.ones((1, 1))], [np.ones(1)], activation="relu")
    with pytest.raises(ImportError, match=rf'{package}.*pip install "skspectral\[onnx\]"'):
        to_onnx(mlp)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, pd.DataFrame])
@pytest.mark.parametrize("scaled", [False, True])
def test_rows_may_come_in_any_form(regression, form, scaled):
    X, y = regression
    reg = SpectralMLPRegressor(4, max_iter=2, random_state=0)
    model = (make_pipeline(MaxAbsScaler(), reg) if scaled else reg).fit(X, y)
    if form is pd.DataFrame and scaled:
        pytest.skip("one input a column, which the scaler does not take")
    assert_same(to_onnx(model, X=form(X[:5])), model, X, RTOL["float64"])


def test_rows_that_were_given_are_not_asked_for(regression):
    X, y = regression
    pipeline = make_pipeline(SplineTransformer(), SpectralMLPRegressor(4, max_iter=2)).fit(X, y)
    with pytest.raises(ValueError, match="cannot be converted") as caught:
        to_onnx(pipeline, X=X[:5])
    assert "a few rows" not in str(caught.value)
    with pytest.raises(ValueError, match="Give `X`, a few rows"):
        to_onnx(pipeline)
