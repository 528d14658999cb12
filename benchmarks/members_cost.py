"""What do five networks in one cost, as a multiple of one fit?

Fits at the defaults with `n_members` 1 and 5, one after the other on one thread, on small tables:
the wines without knots and with 8 for each column, California without knots, and synthetic data.
A row of results/members_cost.csv has the CPU time of both fits in seconds, and the epochs of the
one network and of the first of the five. Rows that are there are skipped:
``python benchmarks/members_cost.py --budget 10``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
from appending import run
from tables import TABLES

from skspectral import SpectralMLPRegressor
from skspectral.preprocessing import make_tabular_preprocessor

RESULTS = Path(__file__).parent / "results" / "members_cost.csv"
COLUMNS = [
    "task",
    "seed",
    "rows",
    "columns",
    "seconds_one",
    "seconds_five",
    "epochs_one",
    "epochs_first",
]
TASKS = {
    "red": ("red wine", "wine_red", None),
    "red, 8 knots": ("red wine, 8 knots", "wine_red", 8),
    "white": ("white wine", "wine_white", None),
    "white, 8 knots": ("white wine, 8 knots", "wine_white", 8),
    "california": ("California", "california", None),
    "synthetic": ("synthetic", None, None),
}
SEEDS = range(5)


def rows_of(task, seed):
    """Return training rows and targets."""
    _, table, n_knots = TASKS[task]
    if table is not None:
        split = TABLES[table](seed)
        return make_tabular_preprocessor(n_knots=n_knots).fit_transform(split.X), split.y
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 20))
    signal = np.sin(2 * X[:, 0]) + np.abs(X[:, 1]) * X[:, 2]
    return X, signal + 0.3 * rng.normal(size=len(X))


def seconds_of(model, X, y):
    """Fit, and return the CPU time: on one thread, as others may use the machine."""
    start = time.process_time()
    model.fit(X, y)
    return round(time.process_time() - start, 2)


def measure(file, key):
    """Fit once with one network and once with five, and append the row."""
    task, seed = key
    X, y = rows_of(task, seed)
    one, five = (SpectralMLPRegressor(n_members=n, random_state=seed, n_threads=1) for n in (1, 5))
    seconds = [seconds_of(model, X, y) for model in (one, five)]
    file.add([*key, *X.shape, *seconds, one.n_iter_, five.n_iter_])


def doc_tables(rows):
    """Return the median seconds and the median ratio of each task."""
    rows = rows.assign(ratio=rows["seconds_five"] / rows["seconds_one"])
    groups = rows.groupby("task")
    table = groups[["rows", "columns"]].first()
    for name in ("one", "five"):
        table[f"seconds, {name}"] = groups[f"seconds_{name}"].median().map("{:.1f}".format)
    ratio = groups["ratio"]
    table["ratio"] = ratio.median().map("{:.1f}".format)
    lowest, highest = (extreme.map("{:.1f}".format) for extreme in (ratio.min(), ratio.max()))
    table["from to"] = lowest + " to " + highest
    names = {task: name for task, (name, *_) in TASKS.items()}
    ordered = table.loc[[task for task in TASKS if task in table.index]].rename(index=names)
    return {"members_cost": ordered.reset_index(names="task")}


def main():
    # what is loaded once is not part of the first row
    SpectralMLPRegressor(4, max_iter=2).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    keys = [(task, seed) for seed, task in itertools.product(SEEDS, TASKS)]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
