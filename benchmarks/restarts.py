"""Do restarts, and a linear skip, find sizes that one fit does not?

Teachers of one or two hidden layers label rows of 10 normal columns, with or without noise; the
students differ in `n_restarts` and `skip`: nothing else is set but the width at the start, one
layer of the estimator's own, or two of 160. A size is found if every layer is within max(1, 5 %)
of the teacher's. A row per student in results/restarts.csv; rows that are there are skipped:
``python benchmarks/restarts.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
from appending import run
from size_recovery import N_FEATURES, N_TEST, is_found

from skspectral import SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "restarts.csv"
COLUMNS = [
    "n_layers",
    "teacher",
    "rows",
    "noise",
    "seed",
    "n_restarts",
    "skip",
    "alive",
    "found",
    "error",
    "gain",
    "settled",
    "seconds",
]
WIDTHS = {1: "auto", 2: (160, 160)}
TASKS = (
    ((2,), (20,), (10_000,), (0.0, 0.1), range(3), (0, 3), (False,)),
    ((1,), (10, 20, 40), (10_000,), (0.0, 0.1), range(3), (0, 3), (False, True)),
    ((2,), (40,), (20_000,), (0.0,), range(5), (0, 3), (False,)),
    ((2,), (40,), (50_000,), (0.1,), range(5), (0, 3), (False,)),
    ((2,), (40,), (10_000,), (0.0,), range(3), (0, 3), (False,)),
    ((2,), (10, 20), (10_000,), (0.0, 0.1), range(3), (0, 3), (False, True)),
)
"""Hidden layers, the teacher's nodes in each, rows, noises, seeds, restarts, skips; most important
first."""


def measure(file, key):
    """Fit one student and append its row."""
    n_layers, teacher, n_rows, noise, seed, n_restarts, skip = key
    sizes = (teacher,) * n_layers
    made = make_teacher_student(n_rows + N_TEST, N_FEATURES, sizes, noise=noise, random_state=seed)
    X, X_test = np.split(made.X, [n_rows])
    y, truth = made.y[:n_rows], made.teacher_output[n_rows:]
    start = time.process_time()
    options = {"n_restarts": n_restarts, "skip": skip, "random_state": seed}
    network = SpectralMLPRegressor(WIDTHS[n_layers], **options).fit(X, y)
    seconds = time.process_time() - start
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    alive, gain = network.n_alive_nodes_, network.restart_gain_
    file.add(
        [
            *key,
            " ".join(map(str, alive)),
            is_found(alive, teacher),
            f"{error:.3g}",
            "" if gain is None else round(gain, 4),
            network.size_settled_,
            round(seconds, 1),
        ]
    )


def doc_tables(rows):
    """Return what was found with and without restarts, a line for each kind of teacher."""
    groups = rows.groupby(["n_layers", "teacher", "rows", "noise", "n_restarts", "skip"])
    table = groups.agg(
        fits=("seed", "size"),
        found=("found", "sum"),
        alive=("alive", lambda sizes: "; ".join(map(str, sizes))),
        error=("error", lambda errors: f"{errors.median():.1e}"),
        seconds=("seconds", "median"),
    )
    return {"restarts": table.reset_index().round({"seconds": 0})}


def main():
    keys = dict.fromkeys(key for task in TASKS for key in itertools.product(*task))
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
