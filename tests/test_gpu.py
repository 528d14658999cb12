"""Training on CUDA; every test here is skipped where there is none."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, fit_many
from skspectral._training import fleet, together
from skspectral._training.graphed_step import GraphedStep
from skspectral._training.lean_update import GraphedUpdate
from skspectral._training.net import SpectralNet
from skspectral.nn import SpectralMLP, grow

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
# the order of rows is drawn on the device, so it is another one there
SAME = {"dtype": "float64", "batch_size": 32, "max_iter": 30, "shuffle": False, "random_state": 0}


def predict(model, X):
    return model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_cuda_trains_as_the_cpu(request, task, weighted, solver):
    X, y = request.getfixturevalue(task)
    weight = np.linspace(0.5, 2, len(y)) if weighted else None
    cls = SpectralMLPRegressor if task == "regression" else SpectralMLPClassifier
    fits = {
        device: cls((12, 9), device=device, solver=solver, learning_rate_init=0.01, **SAME).fit(
            X, y, sample_weight=weight
        )
        for device in ("cpu", "cuda")
    }
    assert fits["cuda"].device_ == "cuda"
    np.testing.assert_allclose(predict(fits["cuda"], X), predict(fits["cpu"], X), rtol=1e-5)
    np.testing.assert_allclose(fits["cuda"].loss_curve_, fits["cpu"].loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_fleet_on_cuda_trains_as_alone_on_the_cpu(request, task):
    X, y = request.getfixturevalue(task)
    cls = SpectralMLPRegressor if task == "regression" else SpectralMLPClassifier
    options = [{"alpha": 1e-3 * k, "learning_rate_init": 0.01 / k, **SAME} for k in (1, 2, 3)]
    single = [cls((12, 9), device="cpu", **each).fit(X, y) for each in options]
    many = fit_many([cls((12, 9), device="cuda", **each) for each in options], X, y)
    for ours, theirs in zip(many, single, strict=True):
        np.testing.assert_allclose(predict(ours, X), predict(theirs, X), rtol=1e-5)
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)


@pytest.fixture
def alone(monkeypatch):
    """Let small networks be trained as large ones are, which no fleet serves."""
    monkeypatch.setattr(together, "LARGEST", {"cpu": 0, "cuda": 0})


def test_captured_steps_equal_ordinary_ones(binary, monkeypatch, alone):
    X, y = binary
    model = SpectralMLPClassifier((30,), alpha=0.01, device="cuda", **SAME)
    replays = []
    call = GraphedUpdate.__call__

    def count(self, X, y):
        replays.append(self.replay is not None)
        return call(self, X, y)

    monkeypatch.setattr(GraphedUpdate, "__call__", count)
    graphed = model.fit(X, y).predict_proba(X)
    assert sum(replays) > len(replays) / 2
    monkeypatch.setattr(SpectralNet, "_choose_update", lambda self, iterator: self.update)
    np.testing.assert_allclose(graphed, model.fit(X, y).predict_proba(X), rtol=1e-5)


def test_captured_steps_of_a_fleet_equal_ordinary_ones(binary, monkeypatch):
    X, y = binary
    models = [SpectralMLPClassifier(30, alpha=a, device="cuda", **SAME) for a in (0.01, 0.02)]
    replays = []
    call = GraphedStep.__call__

    def count(self, batch):
        replays.append(self.replay is not None)
        return call(self, batch)

    monkeypatch.setattr(GraphedStep, "__call__", count)
    graphed = fit_many([clone(model) for model in models], X, y)
    assert sum(replays) > len(replays) / 2
    monkeypatch.setattr(fleet, "fastest", lambda step, n_rows, device: step)
    for ours, plain in zip(graphed, fit_many(models, X, y), strict=True):
        np.testing.assert_allclose(ours.predict_proba(X), plain.predict_proba(X), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_no_step_waits_for_the_gpu(regression, monkeypatch, alone):
    X, y = regression
    step = SpectralNet.step

    def strict(self, *arguments, **options):
        if self.steps_done_ > 20:  # capture may wait
            torch.cuda.set_sync_debug_mode("error")
        try:
            return step(self, *arguments, **options)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(SpectralNet, "step", strict)
    reg = SpectralMLPRegressor((8,), batch_size=40, max_iter=30, device="cuda").fit(X, y)
    assert reg.n_iter_ == 30


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_no_step_of_a_fleet_waits_for_the_gpu(regression, monkeypatch):
    X, y = regression
    call = GraphedStep.__call__

    def strict(self, batch):
        if self.replay is not None:
            torch.cuda.set_sync_debug_mode("error")
        try:
            return call(self, batch)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(GraphedStep, "__call__", strict)
    options = {"batch_size": 40, "max_iter": 30, "device": "cuda"}
    regs = fit_many([SpectralMLPRegressor((8,), **options) for _ in range(2)], X, y)
    assert [reg.n_iter_ for reg in regs] == [30, 30]


@pytest.mark.parametrize("largest", [0, 10**9])
def test_network_shrinks_on_cuda(largest, monkeypatch):
    monkeypatch.setattr(together, "LARGEST", {"cuda": largest})
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 4))
    y = np.abs(X[:, 0])
    reg = SpectralMLPRegressor(
        60, alpha=1e-2, device="cuda", max_iter=200, shrink=True, random_state=0
    ).fit(X, y)
    assert reg.module_.layer_sizes[1] < 30
    assert reg.score(X, y) > 0.9


def test_network_pruned_on_cuda_predicts_without_it(tmp_path, regression):
    X, y = regression
    small = SpectralMLPRegressor(12, device="cuda", max_iter=50).fit(X, y).prune(n_nodes=4)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(small))
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, sys, warnings, numpy as np; warnings.simplefilter('ignore');"
        "model = pickle.load(open('model.pkl', 'rb'));"
        "np.save('predicted.npy', model.predict(np.load('X.npy')))"
    )
    without = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=without, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "predicted.npy"), small.predict(X), rtol=1e-4)


def test_network_grown_on_cuda_is_that_of_the_cpu():
    module = SpectralMLP((3, 5, 4, 1), generator=torch.Generator().manual_seed(0))
    wide = grow(module, (3, 12, 9, 1), generator=torch.Generator().manual_seed(1))
    there = grow(module.cuda(), (3, 12, 9, 1), generator=torch.Generator().manual_seed(1))
    for ours, theirs in zip(wide.parameters(), there.parameters(), strict=True):
        assert theirs.is_cuda
        torch.testing.assert_close(theirs.cpu(), ours)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_second_gpu_trains_as_the_first(binary):
    X, y = binary
    fits = [SpectralMLPClassifier((9,), device=d, **SAME).fit(X, y) for d in ("cuda:0", "cuda:1")]
    assert fits[1].net_.history[-1, "train_loss"] < fits[1].net_.history[0, "train_loss"]
    np.testing.assert_allclose(fits[1].predict_proba(X), fits[0].predict_proba(X), rtol=1e-5)
