"""When does the size of a network count as that of the task?

A default fit of each task; then walks along rising multiples of its penalty, each fit going on
from the one before: on all rows from two more seeds, and on two random four fifths of the rows.
Tasks with a size of their own: teachers with one or two hidden layers, for numbers and for
classes drawn from the teacher's probabilities. Tasks without: Friedman's three functions, a sum
of sines, a product. A linear function and pure noise are told apart: 1 or 2 nodes and 0 are right.

A row of results/identified.csv holds the sizes of one task and seed, so that any rule can be
judged without a new fit; the table has that of :func:`skspectral.size_interval`. Rows that are
there are skipped: ``python benchmarks/identified.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from pathlib import Path

import numpy as np
from appending import run
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3
from sklearn.preprocessing import scale

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, size_interval
from skspectral._path.identification import agreed_size, judge
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "identified.csv"
COLUMNS = [
    "task",
    "noise",
    "n_rows",
    "seed",
    "truth",
    "width",
    "reported",
    "seed_sizes",
    "fold_sizes",
    "settled",
    "seconds",
]
FACTORS = (1.0, 2.0, 4.0)
"""Of the estimator's own penalty."""
SEEDS = range(20)
TEACHERS = {
    "teacher 5": (5,),
    "teacher 10": (10,),
    "teacher 20": (20,),
    "teacher 5, 5": (5, 5),
    "teacher 10, 10": (10, 10),
    "classes 5": (5,),
    "classes 10": (10,),
}
SMOOTH = ("friedman1", "friedman2", "friedman3", "sines", "product")
APART = {"linear": "1 or 2", "noise": "0"}
CELLS = (
    *((task, noise, 10_000) for task in ("teacher 5", "teacher 20") for noise in (0.1, 0.3)),
    *((task, 0.1, 10_000) for task in SMOOTH),
    *((task, 0.1, 2_000) for task in (*APART, "teacher 10")),
    *((task, 0.0, 10_000) for task in ("classes 5", "classes 10", "teacher 10, 10")),
    ("teacher 10", 0.0, 10_000),
    ("teacher 10", 0.3, 1_000),
    ("teacher 10", 1.0, 10_000),
    ("teacher 5, 5", 0.1, 10_000),
    ("teacher 10, 10", 0.1, 10_000),
    ("friedman1", 0.3, 1_000),
    ("sines", 0.3, 1_000),
    ("friedman1", 0.0, 10_000),
)
"""Task, noise as a share of the standard deviation of the truth, rows; most important first."""


def make_task(task, noise, n_rows, seed):
    """Return columns of unit variance and targets."""
    rng = np.random.default_rng(seed)
    if task in TEACHERS:
        made = make_teacher_student(n_rows, 10, TEACHERS[task], random_state=seed)
        X, truth = made.X, made.y
    elif task.startswith("friedman"):
        make = {"1": make_friedman1, "2": make_friedman2, "3": make_friedman3}[task[-1]]
        X, truth = make(n_rows, random_state=seed)
        X = scale(X)
    else:
        X = rng.normal(size=(n_rows, 5))
        truth = {
            "sines": np.sin(2 * X).sum(axis=1),
            "product": X[:, 0] * X[:, 1],
            "linear": X @ rng.normal(size=5),
            "noise": np.zeros(n_rows),
        }[task]
    truth = scale(truth)
    if task.startswith("classes"):
        return X, (rng.random(n_rows) < 1 / (1 + np.exp(-3 * truth))).astype(int)
    return X, truth + (1.0 if task == "noise" else noise) * rng.normal(size=n_rows)


def as_text(sizes):
    """Return sizes of shape (n_runs, n_factors, n_layers) as text: runs; factors, layers."""
    return "; ".join(" | ".join(" ".join(map(str, layers)) for layers in run) for run in sizes)


def as_sizes(text):
    """Return what :func:`as_text` was given."""
    runs = str(text).split("; ")
    return np.array([[[*map(int, one.split())] for one in run.split(" | ")] for run in runs])


def measure(file, key):
    """Fit one task and append its row."""
    task, noise, n_rows, seed = key
    X, y = make_task(task, noise, n_rows, seed)
    estimator = SpectralMLPClassifier if task.startswith("classes") else SpectralMLPRegressor
    truth = TEACHERS.get(task, ())
    width = "auto" if len(truth) < 2 else tuple(5 * size for size in truth)
    start = time.perf_counter()
    model = estimator(width, random_state=seed, n_threads=1).fit(X, y)
    found = size_interval(model, X, y, factors=FACTORS, random_state=seed)
    seconds = round(time.perf_counter() - start, 1)
    start_sizes = model.net_.module.hidden_layer_sizes
    file.add(
        [
            *key,
            " ".join(map(str, truth)) or APART.get(task, "none"),
            " ".join(map(str, start_sizes)),
            " ".join(map(str, model.n_alive_nodes_)),
            as_text(found.seed_sizes),
            as_text(found.fold_sizes),
            round(float(np.mean(found.size_settled)), 2),
            seconds,
        ]
    )


def judged(row, factors=FACTORS, kinds=("seed_sizes", "fold_sizes")):
    """Return the interval and whether the size counts as identified, as the package tells it."""
    kept = [FACTORS.index(factor) for factor in factors]
    sizes = np.concatenate([as_sizes(row[kind])[:, kept] for kind in kinds])
    reported = [*map(int, str(row["reported"]).split())]
    width = [*map(int, str(row["width"]).split())]
    return judge(sizes, np.array(factors), reported, width)


def agreed(row):
    """Return the size that the fits agree on, as text."""
    sizes = np.concatenate([as_sizes(row[kind]) for kind in ("seed_sizes", "fold_sizes")])
    return " ".join(map(str, agreed_size(sizes)))


def is_right(task, reported):
    """Tell whether the reported size is the task's, within max(1, 5 %) of each layer."""
    sizes = [*map(int, str(reported).split())]
    if task in APART:
        return sizes[0] in {"linear": (1, 2), "noise": (0,)}[task]
    return task in TEACHERS and all(
        abs(size - true) <= max(1, 0.05 * true)
        for size, true in zip(sizes, TEACHERS[task], strict=True)
    )


def doc_tables(rows):
    """Return the shares of sizes that are right, identified, and both, a row per cell."""
    found = rows.assign(
        right=[is_right(*pair) for pair in zip(rows.task, rows.reported, strict=True)],
        agreed=[is_right(row["task"], agreed(row)) for _, row in rows.iterrows()],
        identified=[judged(row)[1] for _, row in rows.iterrows()],
    )
    found["both"] = found.right & found.identified
    found["wrong"] = ~found.right & found.identified
    cells = found.groupby(["task", "noise", "n_rows"], sort=False)
    table = cells.agg(
        seeds=("seed", "size"),
        right=("right", "mean"),
        agreed=("agreed", "mean"),
        identified=("identified", "mean"),
        both=("both", "mean"),
        wrong=("wrong", "sum"),
        nodes=("reported", lambda sizes: "; ".join(sorted(set(map(str, sizes))))),
    )
    return {"identified": table.round(2).reset_index()}


def main():
    keys = ((*cell, seed) for seed in SEEDS for cell in CELLS)
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
