"""Does `size_interval` tell whether restarts have found a size that few rows hardly tell?

Teachers of two hidden layers of 40 nodes label 10,000 rows of 10 normal columns, without noise or
with a tenth; students start with (160, 160) nodes and have three restarts, and so have
the fits of `size_interval`, at its defaults. A row per teacher in results/restarts_identified.csv;
rows that are there are skipped: ``python benchmarks/restarts_identified.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

from appending import run
from restarts import WIDTHS
from size_recovery import N_FEATURES, is_found

from skspectral import SpectralMLPRegressor, size_interval
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "restarts_identified.csv"
COLUMNS = ["noise", "seed", "alive", "size", "found", "interval", "identified", "seconds"]
N_ROWS, TEACHER, N_RESTARTS = 10_000, 40, 3
NOISES, SEEDS = (0.1, 0.0), range(2)


def measure(file, key):
    """Fit one student, ask for its interval, and append its row."""
    noise, seed = key
    sizes = (TEACHER, TEACHER)
    data = make_teacher_student(N_ROWS, N_FEATURES, sizes, noise=noise, random_state=seed)
    start = time.process_time()
    network = SpectralMLPRegressor(WIDTHS[2], n_restarts=N_RESTARTS, random_state=seed)
    network.fit(data.X, data.y)
    found = size_interval(network, data.X, data.y, random_state=seed)
    seconds = time.process_time() - start
    file.add(
        [
            *key,
            " ".join(map(str, network.n_alive_nodes_)),
            " ".join(map(str, found.size)),
            is_found(found.size, TEACHER),
            ", ".join(f"{least} to {most}" for least, most in found.interval),
            found.identified,
            round(seconds),
        ]
    )


def doc_tables(rows):
    """Return all rows."""
    return {"restarts_identified": rows}


def main():
    keys = list(itertools.product(NOISES, SEEDS))
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
