"""Few rows: one fit, five networks folded into one, restarts, and gradient boosting.

Friedman's first and second problem with 100 to 1,000 rows, whose truth is known. The error is
that of 5,000 more rows, against the truth without noise, as a share of its variance; columns are
standardised. Boosting is scikit-learn's at its defaults. Row by row in results/few_rows.csv:
``python benchmarks/few_rows.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from sklearn.datasets import make_friedman1, make_friedman2
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "few_rows.csv"
COLUMNS = ["task", "rows", "seed", "model", "error", "nodes", "noise", "cpu_seconds"]
N_TEST = 5_000
TASKS = {"friedman1": (make_friedman1, 1.0), "friedman2": (make_friedman2, 125.0)}
"""The problem, and the standard deviation of its noise."""
OPTIONS = {"one fit": {}, "five networks": {"n_members": 5}, "restarts": {"n_restarts": 2}}
MODELS = (*OPTIONS, "boosting")
ROWS, SEEDS = (100, 200, 500, 1_000), range(5)
MOST_ROWS_RESTARTED = 500
"""Beyond, restarts take minutes and find what one fit does."""


def make_rows(task, n_rows, seed):
    """Return columns, truth and noisy target."""
    make, noise = TASKS[task]
    X, truth = make(n_rows + N_TEST, random_state=seed)
    rng = np.random.default_rng(seed)
    return StandardScaler().fit_transform(X), truth, truth + noise * rng.normal(size=len(truth))


def make_model(name, seed):
    if name == "boosting":
        return HistGradientBoostingRegressor(random_state=seed)
    return SpectralMLPRegressor(random_state=seed, n_threads=1, **OPTIONS[name])


def measure(file, key):
    """Fit one model and append its row."""
    task, n_rows, seed, name = key
    X, truth, y = make_rows(task, n_rows, seed)
    model = make_model(name, seed)
    start = time.process_time()
    model.fit(X[:n_rows], y[:n_rows])
    seconds = time.process_time() - start
    error = np.mean((model.predict(X[n_rows:]) - truth[n_rows:]) ** 2) / truth[n_rows:].var()
    nodes, noise = "", ""
    if name != "boosting":
        nodes = sum(model.n_alive_nodes_)
        noise = f"{model.noise_variance_ / TASKS[task][1] ** 2:.3f}"
    file.add([*key, f"{error:.4g}", nodes, noise, round(seconds, 2)])


def doc_tables(rows):
    """Return medians over the seeds, a line for each problem and number of rows."""
    groups = rows.groupby(["task", "rows", "model"])
    medians = groups[["error", "nodes", "noise"]].median().unstack("model")
    table = pd.DataFrame(index=medians.index)
    for name in MODELS:
        table[f"error, {name}"] = medians["error", name].map("{:.3f}".format)
    for what, form in (("nodes", "{:.0f}"), ("noise", "{:.1f}")):
        for name in ("one fit", "restarts"):  # whose sizes are to be compared
            table[f"{what}, {name}"] = medians[what, name].map(form.format)
    return {"few_rows": table.replace("nan", "").reset_index()}


def keys():
    """Yield what is measured, most important first."""
    for seed, n_rows, task, name in itertools.product(SEEDS, ROWS, TASKS, MODELS):
        if name != "restarts" or n_rows <= MOST_ROWS_RESTARTED:
            yield task, n_rows, seed, name


def main():
    # what is loaded once is not part of the first row
    SpectralMLPRegressor(4, max_iter=2).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    run(keys(), measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
