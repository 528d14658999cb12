"""Studies on several machines: joblib's Dask backend gives what one process gives."""

import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPruner,
    n_alive_nodes_score,
)
from skspectral._training.fleet import Fleet
from skspectral.datasets import make_teacher_student

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    """Return the client of a cluster of two processes of one thread each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dask's own threads and sockets
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
        with cluster, distributed.Client(cluster) as client:
            assert len(client.scheduler_info()["workers"]) == 2
            yield client


@pytest.mark.filterwarnings("ignore")  # of dask's own threads and sockets
def test_dask_cluster_gives_the_same_study(client):
    X, y = make_teacher_student(300, 4, 3, random_state=0, return_teacher=False)
    study = GridSearchCV(
        make_pipeline(StandardScaler(), SpectralMLPRegressor(max_iter=30, n_threads=1)),
        {
            "spectralmlpregressor__hidden_layer_sizes": [4, 16],
            "spectralmlpregressor__parametrization": ["spectral", "dense"],
            "spectralmlpregressor__random_state": [0, 1],
        },
        scoring={"r2": "r2", "n_nodes": n_alive_nodes_score},
        cv=2,
        refit=False,
    )
    here = study.fit(X, y).cv_results_
    with joblib.parallel_config(backend="dask"):
        there = study.fit(X, y).cv_results_
    for fold in range(2):
        for name in ("r2", "n_nodes"):
            key = f"split{fold}_test_{name}"
            np.testing.assert_array_equal(there[key], here[key])


def watch_fleets():
    """Note the sizes of the fleets of this process, and torch's threads in their steps."""
    run = Fleet.run
    Fleet.seen = []

    def watched(fleet):
        Fleet.seen.append((len(fleet.members), torch.get_num_threads()))
        return run(fleet)

    Fleet.run = watched


def seen_fleets():
    return Fleet.seen


@pytest.mark.filterwarnings("ignore")  # of dask's own threads and sockets
def test_each_worker_trains_a_fleet_of_its_own(client):
    X, y = make_teacher_student(400, 4, 3, noise=0.1, random_state=0, return_teacher=False)
    settings = {"max_iter": 20, "dtype": "float64", "random_state": 0}
    path = SpectralMLPRegressorCV(16, cv=4, alphas=[1e-3, 1e-2], **settings)
    pruner = SpectralPruner(SpectralMLPRegressor(16, **settings), cv=4, random_state=0)
    here = [model.fit(X, y).cv_results_ for model in (path, pruner)]
    client.run(watch_fleets)
    with joblib.parallel_config(backend="dask"):
        there = [model.set_params(n_jobs=2).fit(X, y).cv_results_ for model in (path, pruner)]
    fleets = client.run(seen_fleets).values()
    for ours, theirs in zip(there, here, strict=True):
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, rtol=1e-7, atol=1e-9)
    # two folds of four side by side on each worker, on one thread
    for seen in fleets:
        assert len(seen) >= 3
        assert set(seen) == {(2, 1)}
