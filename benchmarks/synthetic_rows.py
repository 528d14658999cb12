"""How should the synthetic rows of a student be made, and how many of them?

Students of gradient boosting on four tables (splits of students.py): without synthetic rows; with
rows whose columns come from two near rows, one, four and sixteen for each real one (the package
makes four for each different one); and with mixtures, where measured numbers, not whole ones, lie
at a random point between those of the two rows. Fidelity to the teacher and score are R2 on test
rows, or nats and minus nats. Row by row in results/synthetic_rows.csv:
``python benchmarks/synthetic_rows.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
import warnings
from pathlib import Path

import numpy as np
from appending import run
from students import TEACHERS, split_of, student_of
from tables import NAMES, row_scores

from skspectral._students import base, near_rows
from skspectral._students.labels import ClassLabels, NumberLabels

RESULTS = Path(__file__).parent / "results" / "synthetic_rows.csv"
COLUMNS = ["table", "seed", "rows", "fidelity", "score", "teacher_score", "nodes", "cpu_seconds"]
DATA = ("wine_white", "wine_red", "california", "bank")
SEEDS = range(2)


def draw_mixtures(X, n_rows, weight, rng):
    """Return rows between two near ones: numbers mixed, all else from the one or the other."""
    X = X.iloc[near_rows.first_of_each(near_rows.equal_rows(X))]
    first = rng.choice(len(X), size=n_rows)
    second = near_rows.Neighbours(near_rows._points(X)).some_of(first, rng)
    share = rng.random_sample(n_rows)
    mixed = X.iloc[first].reset_index(drop=True)
    for j, dtype in enumerate(X.dtypes):
        one, other = (X.iloc[rows, j].array for rows in (first, second))
        if dtype.kind == "f":
            mixed.isetitem(j, share * np.asarray(one) + (1 - share) * np.asarray(other))
        else:
            mixed.isetitem(j, one.copy())
            mixed.iloc[share < 0.5, j] = other[share < 0.5]
    return mixed


KINDS = {
    "none": (0, None),
    "columns, as many": (1, near_rows.draw_near),
    "columns, 4 times": (4, near_rows.draw_near),
    "columns, 16 times": (16, near_rows.draw_near),
    "mixtures, 4 times": (4, draw_mixtures),
}


def measure(file, key):
    """Append the row of one table, split and kind."""
    table, seed, kind = key
    times, draw = KINDS[kind]
    split = split_of(table, seed)
    X, X_test = split.table
    model = student_of(TEACHERS["boosting"](split), split)
    model.set_params(n_synthetic=times * len(X))
    usual, base.draw_near = base.draw_near, draw
    start = time.process_time()
    try:
        model.fit(X, split.y)
    finally:
        base.draw_near = usual
    seconds = time.process_time() - start
    labels = ClassLabels(model.classes_) if split.is_classes else NumberLabels()
    said = labels.of(model.teacher_, X_test)
    numbers = [
        labels.fidelity(said, model.student_, X_test),
        *(row_scores(split, each, X_test)[0].mean() for each in (model.student_, model.teacher_)),
    ]
    nodes = sum(model.n_alive_nodes_)
    file.add([*key, *(round(float(n), 4) for n in numbers), nodes, round(seconds, 1)])


def doc_tables(rows):
    """Return means over splits, a line for each kind and a column for each table."""
    order = list(dict.fromkeys(rows["rows"]))
    means = rows.groupby(["rows", "table"])[["fidelity", "score", "nodes"]].mean()
    cells = means.apply(lambda m: f"{m.fidelity:.3f} / {m.score:.3f} / {m.nodes:.0f}", axis=1)
    table = cells.unstack().loc[order, [name for name in DATA if name in set(rows["table"])]]
    return {"synthetic_rows": table.rename(columns=NAMES).reset_index()}


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    keys = [(table, k, kind) for k, table, kind in itertools.product(SEEDS, DATA, KINDS)]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)
