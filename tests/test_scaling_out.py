"""Studies on several machines: joblib's Dask backend gives what one process gives."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPRegressor, n_alive_nodes_score
from skspectral.datasets import make_teacher_student

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")  # of dask's own threads and sockets
def test_dask_cluster_gives_the_same_study():
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
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with cluster, distributed.Client(cluster) as client:
        assert len(client.scheduler_info()["workers"]) == 2
        with joblib.parallel_config(backend="dask"):
            there = study.fit(X, y).cv_results_
    for fold in range(2):
        for name in ("r2", "n_nodes"):
            key = f"split{fold}_test_{name}"
            np.testing.assert_array_equal(there[key], here[key])
