"""Is the teacher's size found by one fit, from the data alone?

A teacher with one or two hidden layers of 5 to 40 relu nodes labels 10,000 rows of 10 columns,
with or without noise. Students start 1 to 10 times as wide.

"default": one fit in which nothing is chosen but the width at the start, and for one layer also
"auto width" (256 nodes, whatever the teacher), in which nothing is. "published": one fit by the
recipe of Giambagli et al. (2023), with the penalties that it names on the first layer. What
restarts find is in restarts.py.

One row of results/size_recovery.csv per student, with alive nodes and distinct directions (alive
nodes whose incoming weights have a cosine above 0.95 count once) per layer. A size is found if
each layer is within max(1, 5 %) of the teacher's. Rows that are there are skipped: ``python
benchmarks/size_recovery.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import time
from pathlib import Path

import numpy as np
import torch
from appending import run

from skspectral import SpectralMLPRegressor, n_distinct_nodes
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "size_recovery.csv"
N_ROWS, N_TEST, N_FEATURES = 10_000, 5_000, 10
COLUMNS = [
    "n_layers",
    "teacher",
    "times",
    "noise",
    "seed",
    "method",
    "alpha",
    "alive",
    "distinct",
    "alive_found",
    "distinct_found",
    "error",
    "settled",
    "seconds",
]
DEFAULTS = ("default", "auto width")
METHODS = {
    "default": {},
    "published": {
        "alpha": 0.0,
        "alpha_phi": 1e-2,
        "alpha_lambda": 5e-4,
        "learning_rate": "constant",
        "learning_rate_init": 5e-3,
        "batch_size": 300,
        "max_iter": 2000,
        "n_iter_no_change": np.inf,
        "normalize_y": False,
        "solver": functools.partial(torch.optim.Adam, betas=(0.9, 0.999)),
    },
}
NOISES = (0.0, 0.1)
PARTS = (
    ((1, 2), (5, 10, 20, 40), (1, 2, 5, 10), range(5), METHODS),
    ((1,), (5, 10, 20, 40), (0,), range(5), ("auto width",)),
)
"""Hidden layers, teacher's nodes, times (0: the estimator's own width), seeds, methods."""


def is_found(sizes, teacher):
    return all(abs(size - teacher) <= max(1, 0.05 * teacher) for size in sizes)


def measure(file, key):
    """Fit one student and append its row."""
    n_layers, teacher, times, noise, seed, method = key
    made = make_teacher_student(
        N_ROWS + N_TEST, N_FEATURES, (teacher,) * n_layers, noise=noise, random_state=seed
    )
    X, X_test = np.split(made.X, [N_ROWS])
    y, truth = made.y[:N_ROWS], made.teacher_output[N_ROWS:]
    start = time.perf_counter()
    widths = "auto" if method == "auto width" else (times * teacher,) * n_layers
    network = SpectralMLPRegressor(widths, random_state=seed, **METHODS.get(method, {}))
    network.fit(X, y)
    seconds = time.perf_counter() - start
    alive = network.n_alive_nodes_
    distinct = [n_distinct_nodes(network, layer=layer) for layer in range(n_layers)]
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    file.add(
        [
            *key,
            f"{network.alpha_:.3g}",
            " ".join(map(str, alive)),
            " ".join(map(str, distinct)),
            is_found(alive, teacher),
            is_found(distinct, teacher),
            f"{error:.3g}",
            network.size_settled_,
            round(seconds, 1),
        ]
    )


def published_fits(rows):
    """Return the share that the published recipe finds, beside that of one default fit."""
    rows = rows[rows["method"].isin(METHODS)]
    rows = rows.assign(start=np.where(rows["times"] == 1, "as wide as the teacher", "wider"))
    found = rows.groupby(["start", "n_layers", "noise", "method"])["alive_found"]
    table = found.agg(["size", "mean"]).unstack().round(2)
    shares = table["mean"][list(METHODS)]
    return shares.assign(students=table["size"]["default"]).reset_index()


def default_fits(rows):
    """Return what one default fit finds, a row per teacher, noise and width at the start."""
    rows = rows[rows["method"].isin(DEFAULTS)].copy()
    rows["start"] = np.where(
        rows["method"] == "auto width", "auto", rows["times"].astype(str) + " x teacher"
    )
    groups = rows.groupby(["n_layers", "teacher", "noise", "times", "start"])
    table = groups.agg(
        fits=("seed", "size"),
        found=("alive_found", "mean"),
        distinct=("distinct_found", "mean"),
        alive=("alive", lambda sizes: "; ".join(dict.fromkeys(map(str, sizes)))),
        settled=("settled", "mean"),
        seconds=("seconds", "median"),
    )
    return table.reset_index().drop(columns="times").round(2)


def doc_tables(rows):
    """Return what default fits find, and the published recipe."""
    return {"size_recovery": published_fits(rows), "size_recovery_default": default_fits(rows)}


def main():
    keys = (
        key
        for layers, teachers, times, seeds, methods in PARTS
        for key in itertools.product(layers, teachers, times, NOISES, seeds, methods)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
