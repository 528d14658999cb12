"""What do five networks in one cost, as a multiple of one fit?

Fits at the defaults with `n_members` 1 and 5, one after the other on one thread, on small tables:
the wines without knots and with 8 for each column, California without knots, and synthetic data.
Five are fitted a second time with the longer cycles of one network. A row of
results/members_cost.csv has the CPU time of the fits in seconds, R2 of the test rows, and the
epochs of the one network and of the first of the five. Rows that are there are skipped:
``python benchmarks/members_cost.py --budget 10``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import contextlib
import itertools
import time
from pathlib import Path
from unittest import mock

import numpy as np
from appending import run
from tables import TABLES

from skspectral import SpectralMLPRegressor
from skspectral._training.schedule import CYCLES
from skspectral.preprocessing import make_tabular_preprocessor

RESULTS = Path(__file__).parent / "results" / "members_cost.csv"
COLUMNS = [
    "task",
    "seed",
    "rows",
    "columns",
    "seconds_one",
    "seconds_five",
    "seconds_longer",
    "score_one",
    "score_five",
    "score_longer",
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
SYNTHETIC_ROWS, TEST_ROWS = 2000, 10_000


def rows_of(task, seed):
    """Return training rows and targets, and test rows and targets."""
    _, table, n_knots = TASKS[task]
    if table is not None:
        split = TABLES[table](seed)
        encoder = make_tabular_preprocessor(n_knots=n_knots).fit(split.X, split.y)
        return encoder.transform(split.X), split.y, encoder.transform(split.X_test), split.y_test
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(SYNTHETIC_ROWS + TEST_ROWS, 20))
    signal = np.sin(2 * X[:, 0]) + np.abs(X[:, 1]) * X[:, 2]
    y = signal + 0.3 * rng.normal(size=len(X))
    train, test = slice(SYNTHETIC_ROWS), slice(SYNTHETIC_ROWS, None)
    return X[train], y[train], X[test], y[test]


def longer_cycles():
    """Let several networks train in the cycles of one."""
    return mock.patch("skspectral._training.schedule.MEMBER_CYCLES", CYCLES)


def measure(file, key):
    """Fit one network, and twice five, and append the row."""
    task, seed = key
    X, y, X_test, y_test = rows_of(task, seed)
    models, seconds, scores = [], [], []
    as_it_is = contextlib.nullcontext()
    for n_members, cycles in ((1, as_it_is), (5, as_it_is), (5, longer_cycles())):
        model = SpectralMLPRegressor(n_members=n_members, random_state=seed, n_threads=1)
        start = time.process_time()  # on one thread: others may use the machine
        with cycles:
            model.fit(X, y)
        seconds.append(round(time.process_time() - start, 2))
        models.append(model)
        scores.append(round(model.score(X_test, y_test), 5))
    file.add([*key, *X.shape, *seconds, *scores, models[0].n_iter_, models[1].n_iter_])


def doc_tables(rows):
    """Return of each task the median seconds and ratios, and the mean scores."""
    rows = rows.assign(
        ratio=rows["seconds_five"] / rows["seconds_one"],
        longer=rows["seconds_longer"] / rows["seconds_one"],
    )
    groups = rows.groupby("task")
    table = groups[["rows"]].first()
    columns = groups["columns"]
    least, most = columns.min().map(str), columns.max().map(str)
    table["columns"] = least.where(least == most, least + " to " + most)
    for name in ("one", "five"):
        table[f"seconds, {name}"] = groups[f"seconds_{name}"].median().map("{:.1f}".format)
    ratio = groups["ratio"]
    table["ratio"] = ratio.median().map("{:.1f}".format)
    lowest, highest = (extreme.map("{:.1f}".format) for extreme in (ratio.min(), ratio.max()))
    table["from to"] = lowest + " to " + highest
    table["ratio, longer cycles"] = groups["longer"].median().map("{:.1f}".format)
    for name, text in {"one": "one", "five": "five", "longer": "longer cycles"}.items():
        table[f"R2, {text}"] = groups[f"score_{name}"].mean().map("{:.3f}".format)
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
