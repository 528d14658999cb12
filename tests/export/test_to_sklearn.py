"""Exported pipelines predict the same, and are loaded without torch and this package."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    to_sklearn,
)
from skspectral.preprocessing import make_tabular_preprocessor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
N = 120
TABLE = pd.DataFrame(
    {
        "age": pd.Series(RNG.normal(size=N)).astype(object).where(RNG.random(N) < 0.9, None),
        "wait": pd.to_timedelta(RNG.random(N), unit="h"),
        "kind": np.array(["x", "y", None], dtype=object)[np.arange(N) % 3],
        "flag": pd.array(RNG.random(N) < 0.5, dtype="boolean"),
    }
)
Y = TABLE["age"].notna() + TABLE["wait"].dt.total_seconds() / 3600
NETWORK = SpectralMLPRegressor((8,), max_iter=5, random_state=0)


def encoder(**settings):
    return make_tabular_preprocessor(n_knots=4, n_quantiles=30, **settings)


def assert_same(exported, model, X):
    predict = "predict_proba" if is_classifier(model) else "predict"
    got, expected = (getattr(one, predict)(X) for one in (exported, model))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "network",
    [
        NETWORK,
        SpectralMLPClassifier((8,), max_iter=5, random_state=0),
        SpectralPruner(NETWORK, n_nodes=3, random_state=0),
        SpectralMLPRegressorCV((8,), alphas=[1e-3, 1e-2], cv=2, max_iter=5, random_state=0),
        MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, random_state=0),
    ],
    ids=lambda network: type(network).__name__,
)
def test_pipeline_predicts_the_same(network):
    model = make_pipeline(encoder(), clone(network)).fit(
        TABLE, Y > 1 if is_classifier(network) else Y
    )
    exported = to_sklearn(model)
    assert [name for name, _ in exported.steps] == [name for name, _ in model.steps]
    assert type(exported[-1]).__module__.startswith("sklearn.neural_network")
    assert_same(exported, model, TABLE)
    one = TABLE.iloc[[2]].assign(age=None, flag=pd.NA)
    assert_same(exported, model, one)


def test_pipeline_is_loaded_without_torch(tmp_path):
    model = make_pipeline(encoder(), clone(NETWORK)).fit(TABLE, Y)
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((to_sklearn(model), TABLE)))
    code = (
        "import pickle, sys; from pathlib import Path; "
        "model, table = pickle.loads(Path(sys.argv[1]).read_bytes()); "
        "print(repr(float(model.predict(table)[0])), {'torch', 'skspectral'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    value, loaded = done.stdout.split(maxsplit=1)
    assert float(value) == pytest.approx(model.predict(TABLE)[0])
    assert loaded.strip() == "set()"


def test_pipeline_is_read_by_skops():
    sio = pytest.importorskip("skops.io")
    exported = to_sklearn(make_pipeline(encoder(), clone(NETWORK)).fit(TABLE, Y))
    untrusted = sio.get_untrusted_types(data=sio.dumps(exported))
    assert not [name for name in untrusted if name.startswith(("skspectral", "torch"))]
    assert_same(sio.loads(sio.dumps(exported), trusted=untrusted), exported, TABLE)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame], ids=["array", "numbered"])
def test_pipeline_takes_the_arrays_that_it_was_fitted_to(container):
    X = container(TABLE.drop(columns="wait").to_numpy(dtype=object))
    model = make_pipeline(encoder(), clone(NETWORK)).fit(X, Y)
    assert_same(to_sklearn(model), model, X)


def test_pipeline_keeps_nested_steps_and_settings():
    inner = Pipeline([("nothing", "passthrough"), ("encode", encoder())])
    network = Pipeline([("scale", StandardScaler()), ("net", clone(NETWORK))])
    model = Pipeline([("inner", inner), ("none", None), ("network", network)], verbose=False)
    model.fit(TABLE, Y)
    exported = to_sklearn(model)
    assert isinstance(exported[-1][-1], MLPRegressor)
    assert_same(exported, model, TABLE)


def test_pipeline_shares_nothing_with_the_first():
    X = RNG.normal(size=(N, 3))
    model = make_pipeline(StandardScaler(), clone(NETWORK)).fit(X, Y)
    expected = model.predict(X)
    to_sklearn(model)[0].fit(5 + 9 * X)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_network_alone_is_its_own_export():
    X = RNG.normal(size=(N, 3))
    network = clone(NETWORK).fit(X, Y)
    assert_same(to_sklearn(network), network, X)
    mlp = network.to_sklearn()
    assert to_sklearn(mlp) is mlp


def test_steps_that_need_the_package_are_named():
    X = RNG.normal(size=(N, 3))
    model = make_pipeline(SelectFromModel(clone(NETWORK)), clone(NETWORK)).fit(X, Y)
    with pytest.raises(ValueError, match=r"'selectfrommodel'.*needs SpectralMLPRegressor"):
        to_sklearn(model)
    pruner = make_pipeline(SpectralPruner(NETWORK, n_nodes=2), clone(NETWORK)).fit(X, Y)
    with pytest.raises(ValueError, match=r"'spectralpruner'.*needs SpectralPruner"):
        to_sklearn(pruner)


def test_other_models_are_refused():
    X = RNG.normal(size=(N, 3))
    with pytest.raises(TypeError, match="got Ridge"):
        to_sklearn(make_pipeline(StandardScaler(), Ridge()).fit(X, Y))
    with pytest.raises(NotFittedError):
        to_sklearn(make_pipeline(StandardScaler(), clone(NETWORK)))
    with pytest.raises(NotFittedError):
        to_sklearn(MLPRegressor())


@pytest.mark.parametrize("columns", [[], [False] * 4])
def test_parts_of_a_column_transformer_without_columns_are_left_out(columns):
    steps = ColumnTransformer([("none", encoder(), columns)], remainder=encoder())
    model = make_pipeline(steps, clone(NETWORK)).fit(TABLE, Y)
    exported = to_sklearn(model)
    assert b"skspectral" not in pickle.dumps(exported)
    assert_same(exported, model, TABLE)
