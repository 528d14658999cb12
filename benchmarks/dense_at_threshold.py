"""Dense and spectral networks, each at its own noise threshold.

Both are default fits, in which the rule sets the penalty of the parametrisation (two penalised
factors of a node in the dense network, three in the spectral one); they differ in nothing else.
Teachers of 5 to 40 nodes label 1,000 to 10,000 rows of 10 columns, with noise as a share of the
standard deviation of their output. *excess* is the squared error against the noise-free output
of the teacher on fresh rows, as a share of its variance.

One row of results/dense_at_threshold.csv per fit; rows that are there are skipped:
``python benchmarks/dense_at_threshold.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
from appending import run

from skspectral import SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "dense_at_threshold.csv"
COLUMNS = [
    "rows",
    "noise",
    "teacher",
    "seed",
    "parametrization",
    "alive",
    "settled",
    "excess",
    "alpha",
    "seconds",
]
TEACHERS = (5, 10, 20, 40)
N_TEST = 5_000
CELLS = (
    *itertools.product((10_000,), (0.0, 0.1, 0.3, 1.0), TEACHERS),
    *itertools.product((1_000, 3_000), (0.1, 0.3), TEACHERS),
)
"""Rows, noise, teacher's nodes."""
SEEDS = range(5)
KINDS = ("spectral", "dense")


def measure(file, key):
    """Fit one network and append its row."""
    n_rows, noise, teacher, seed, parametrization = key
    made = make_teacher_student(n_rows + N_TEST, 10, (teacher,), noise=noise, random_state=seed)
    X, X_test = np.split(made.X, [n_rows])
    truth = made.teacher_output[n_rows:]
    network = SpectralMLPRegressor(parametrization=parametrization, random_state=seed)
    start = time.perf_counter()
    network.fit(X, made.y[:n_rows])
    seconds = round(time.perf_counter() - start, 2)
    excess = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    found = [network.n_alive_nodes_[0], network.size_settled_]
    file.add([*key, *found, f"{excess:.3g}", f"{network.alpha_:.3g}", seconds])


def doc_tables(rows):
    """Return sizes and errors of both, and the median ratio of errors, a row per cell."""
    groups = rows.groupby(["rows", "noise", "teacher", "parametrization"])
    sizes = groups["alive"].agg(lambda sizes: ", ".join(map(str, sizes))).unstack()
    excess = groups["excess"].median().unstack()
    pairs = rows.pivot(
        index=["rows", "noise", "teacher", "seed"], columns="parametrization", values="excess"
    )
    ratio = (pairs["dense"] / pairs["spectral"]).groupby(["rows", "noise", "teacher"]).median()
    table = sizes[list(KINDS)].add_suffix(" nodes")
    for kind in KINDS:
        table[f"{kind} excess"] = excess[kind].map("{:.2g}".format)
    table["dense / spectral"] = ratio.round(1)
    return {"dense_at_threshold": table.reset_index()}


def main():
    keys = (
        (*cell, seed, kind) for seed in SEEDS for cell, kind in itertools.product(CELLS, KINDS)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=30)


if __name__ == "__main__":
    main()
