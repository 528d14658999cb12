"""What does an epoch cost? Rows, width, depth and batch size.

The table is of synthetic data with 20 columns, float32, one thread. Around 10,000
rows, two layers of 128 and batches of 200 one quantity is changed at a time;
an epoch is the time of a fit of several epochs less that of a fit of one.

    python benchmarks/epoch_cost.py [--repeats 5]

writes benchmarks/results/epoch_cost.csv, a row per setting with the median of all
rounds, and the table of the documentation; ``--repeats 0`` writes that again and
measures nothing.
"""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from documents import read_rows, write_tables
from sklearn.exceptions import ConvergenceWarning

from skspectral import SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "epoch_cost.csv"
N_COLUMNS = 20
BASE = {"rows": 10_000, "width": 128, "depth": 2, "batch": 200}
CHANGES = {
    "rows": (1_000, 10_000, 100_000),
    "width": (16, 32, 64, 128, 256, 512),
    "depth": (1, 2, 3, 4),
    "batch": (25, 50, 100, 200, 400, 1_000),
}


def table(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, N_COLUMNS), dtype=np.float32)
    return X, np.sin(X[:, 0]) * X[:, 1]


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fit(X, y, width, depth, batch, epochs):
    return SpectralMLPRegressor(
        (width,) * depth,
        alpha=1e-3,
        batch_size=batch,
        max_iter=epochs,
        shrink=False,
        dtype="float32",
        n_threads=1,
        random_state=0,
    ).fit(X, y)


def epoch(rows, width, depth, batch):
    """Return a callable that measures the seconds of one epoch."""
    X, y = table(rows)
    more = max(2, 100_000 // rows)

    def measure():
        one = seconds(lambda: fit(X, y, width, depth, batch, 1))
        many = seconds(lambda: fit(X, y, width, depth, batch, 1 + more))
        return (many - one) / more

    return measure


def measure(repeats):
    """Return a row for each setting: what is changed, and milliseconds per epoch."""
    settings = [(name, {**BASE, name: value}) for name in CHANGES for value in CHANGES[name]]
    measures = [epoch(**setting) for _, setting in settings]
    rounds = [[one() for one in measures] for _ in range(repeats)]
    rows = [{"changed": name, **setting} for name, setting in settings]
    costs = [1e3 * statistics.median(times) for times in zip(*rounds, strict=True)]
    return pd.DataFrame(rows).assign(repeats=repeats, ms_per_epoch=np.round(costs, 3))


def doc_tables(rows):
    """Return the cost of an epoch, of a step and of a row, a row per setting."""
    cost = rows["ms_per_epoch"]
    n_steps = np.ceil(rows["rows"] / rows["batch"])
    table = rows[["changed", *BASE]].assign(
        **{
            "ms per epoch": cost.map("{:.1f}".format),
            "µs per step": (1e3 * cost / n_steps).map("{:.0f}".format),
            "µs per row": (1e3 * cost / rows["rows"]).map("{:.2f}".format),
        }
    )
    return {"epoch_cost": table}


def pin_threads():
    """Have one thread, and the denormal numbers of training."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    pin_threads()
    if arguments.repeats:
        measure(arguments.repeats).to_csv(RESULTS, index=False)
    write_tables(doc_tables(read_rows(RESULTS)))


if __name__ == "__main__":
    main()
