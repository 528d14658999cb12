"""The scikit-learn MLP that an estimator exports is equal to it."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RTOL = {"float32": 1e-5, "float64": 1e-10}
TASKS = ("regression", "outputs", "binary", "multiclass", "multilabel")


def data_of(task, request):
    if task == "outputs":
        X, y = request.getfixturevalue("regression")
        return X, np.column_stack([1e3 * y, y - 50])
    return request.getfixturevalue(task)


def fit_task(task, request, hidden_layer_sizes=(8,), **params):
    X, y = data_of(task, request)
    cls = SpectralMLPRegressor if task in ("regression", "outputs") else SpectralMLPClassifier
    model = cls(hidden_layer_sizes, **{"max_iter": 10, "random_state": 0} | params)
    return model.fit(X, y), X, y


def assert_equal(model, exported, X):
    rtol = RTOL[str(model.net_.dtype).removeprefix("torch.")]
    expected = model.predict(X)
    if is_classifier(model):
        np.testing.assert_allclose(exported.predict_proba(X), model.predict_proba(X), rtol)
        np.testing.assert_allclose(
            exported.predict_log_proba(X), model.predict_log_proba(X), rtol, rtol
        )
        np.testing.assert_array_equal(exported.predict(X), expected)
        assert exported.predict(X).dtype == expected.dtype
        np.testing.assert_array_equal(exported.classes_, model.classes_)
    else:
        assert exported.predict(X).shape == expected.shape
        assert (np.abs(exported.predict(X) - expected) <= rtol * model.y_scale_).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("task", TASKS)
def test_to_sklearn_predicts_the_same(task, activation, dtype, request):
    model, X, y = fit_task(task, request, activation=activation, dtype=dtype)
    exported = model.to_sklearn()
    assert type(exported) is (MLPClassifier if is_classifier(model) else MLPRegressor)
    assert exported.activation == activation
    assert exported.n_features_in_ == X.shape[1]
    assert_equal(model, exported, X)
    assert exported.score(X, y) == pytest.approx(model.score(X, y), rel=1e-5)


@pytest.mark.parametrize(
    "params",
    [
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (6, 4, 3)},
        {"fit_intercept": False},
        {"parametrization": "dense"},
        {"hidden_layer_sizes": (6, 4), "parametrization": ("dense", "spectral")},
        {"eigenvalues": "in"},
        {"eigenvalues": "out-in"},
        {"eigenvalues": "both"},
        {"trainable": "eigenvalues"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", ["outputs", "multiclass"])
def test_to_sklearn_predicts_the_same_for_every_architecture(task, dtype, params, request):
    model, X, _ = fit_task(task, request, dtype=dtype, **params)
    assert_equal(model, model.to_sklearn(), X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("normalize_y", [True, False])
def test_to_sklearn_keeps_the_scale_of_the_target(normalize_y, dtype, regression):
    X, y = regression
    if normalize_y:
        y = 1e7 + 1e-1 * y
    model = SpectralMLPRegressor(
        8, max_iter=30, dtype=dtype, normalize_y=normalize_y, random_state=0
    ).fit(X, y)
    difference = model.to_sklearn().predict(X) - model.predict(X)
    noise = np.finfo(float).eps * np.abs(y).max()
    assert np.abs(difference).max() <= RTOL[dtype] * y.std() + 2 * noise


@pytest.mark.parametrize(("task", "dtype"), [("regression", "float32"), ("multiclass", "float64")])
def test_to_sklearn_leaves_dead_nodes_out(task, dtype, request):
    model, X, _ = fit_task(
        task, request, (40, 30), alpha=0.02, dtype=dtype, max_iter=1500, learning_rate_init=0.05
    )
    exported = model.to_sklearn()
    assert all(new < old for new, old in zip(exported.hidden_layer_sizes, (40, 30), strict=True))
    assert exported.hidden_layer_sizes == tuple(W.shape[1] for W in exported.coefs_[:-1])
    assert_equal(model, exported, X)


@pytest.mark.parametrize("task", TASKS)
def test_to_sklearn_of_a_network_collapsed_to_a_constant(task, request):
    # a dead logistic node still emits 1/2
    model, X, _ = fit_task(task, request, activation="logistic", alpha=10, max_iter=200)
    assert model.n_alive_nodes_ == [0]
    assert_equal(model, model.to_sklearn(), X)


def test_to_sklearn_leaves_the_estimator_as_it_is(regression):
    model = SpectralMLPRegressor(8, max_iter=30, random_state=0).fit(*regression)
    before = pickle.dumps(model.coefs_)
    exported = model.to_sklearn()
    for array in (*exported.coefs_, *exported.intercepts_):
        array[:] = 0
    assert pickle.dumps(model.coefs_) == before


def test_to_sklearn_exports_what_was_fitted_not_what_is_set(regression):
    X, y = regression
    model = SpectralMLPRegressor(8, activation="tanh", max_iter=30, random_state=0).fit(X, y)
    model.set_params(activation="gelu", hidden_layer_sizes=3)
    assert_equal(model, model.to_sklearn(), X)


def test_to_sklearn_carries_feature_names_over(regression):
    X, y = regression
    table = pd.DataFrame(X, columns=list("abcd"))
    exported = SpectralMLPRegressor(8, max_iter=3, random_state=0).fit(table, y).to_sklearn()
    assert exported.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        exported.predict(table.rename(columns={"a": "e"}))


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_to_sklearn_refuses_activations_scikit_learn_lacks(activation, binary):
    model = SpectralMLPClassifier(8, activation=activation, max_iter=3, random_state=0)
    with pytest.raises(ValueError, match=f"scikit-learn's MLPs have.*got '{activation}'"):
        model.fit(*binary).to_sklearn()


@pytest.mark.parametrize("method", ["to_sklearn", "to_onnx"])
@pytest.mark.parametrize("cls", [SpectralMLPRegressor, SpectralMLPClassifier])
def test_export_needs_a_fit(cls, method):
    if method == "to_onnx":
        pytest.importorskip("skl2onnx")
        pytest.importorskip("onnxruntime")
    with pytest.raises(NotFittedError):
        getattr(cls(), method)()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("task", TASKS)
def test_exported_mlp_trains_on(task, solver, dtype, request):
    model, X, y = fit_task(task, request, dtype=dtype)
    if task == "outputs":
        y = (y - model.y_mean_) / model.y_scale_  # as scikit-learn's penalty and steps want it
        model.fit(X, y)
    exported = model.to_sklearn().set_params(
        solver=solver, learning_rate_init=1e-3, random_state=0
    )
    before = exported.score(X, y)
    if solver != "lbfgs":
        exported.partial_fit(X, y)
        assert exported.t_ == len(X)
        assert exported.score(X, y) == pytest.approx(before, abs=0.1)
    exported.set_params(warm_start=True, max_iter=20).fit(X, y)
    assert exported.score(X, y) > before - 0.1


USE_WITHOUT_TORCH = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    model, X, y, expected, score = pickle.load(file)
assert np.array_equal(model.predict(X), expected)
assert model.score(X, y) == score
assert not {"torch", "skorch", "skspectral"} & set(sys.modules)
"""


@pytest.mark.parametrize("task", ["outputs", "multiclass"])
def test_exported_mlp_is_unpickled_and_used_without_torch(task, request, tmp_path):
    model, X, y = fit_task(task, request)
    exported = model.to_sklearn()
    saved = exported, X, y, exported.predict(X), exported.score(X, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(saved))
    done = subprocess.run(
        [sys.executable, "-c", USE_WITHOUT_TORCH, str(tmp_path / "model.pkl")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("task", TASKS)
def test_exported_mlp_is_clean_for_skops(task, request):
    skops_io = pytest.importorskip("skops.io")
    model, X, _ = fit_task(task, request)
    data = skops_io.dumps(model.to_sklearn())
    assert skops_io.get_untrusted_types(data=data) == []
    assert_equal(model, skops_io.loads(data), X)


@pytest.mark.parametrize("wrap", [lambda reg: reg, make_pipeline, lambda reg: [reg]])
def test_skops_is_refused_with_what_to_save_instead(regression, wrap):
    skops_io = pytest.importorskip("skops.io")
    reg = SpectralMLPRegressor(4, max_iter=2, random_state=0).fit(*regression)
    with pytest.raises(TypeError, match=r"skops .* Save what `to_sklearn\(\)` returns"):
        skops_io.dumps(wrap(reg))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_and_copies_are_not_refused(regression, protocol):
    reg = SpectralMLPRegressor(4, max_iter=2, random_state=0).fit(*regression)
    for copied in (pickle.loads(pickle.dumps(reg, protocol)), copy.deepcopy(reg)):
        np.testing.assert_array_equal(copied.predict(regression[0]), reg.predict(regression[0]))
