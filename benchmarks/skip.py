"""A linear skip: are sizes found more exactly with it, and do real tables gain?

One default fit each, with ``skip=False`` and ``skip=True``, to the same rows. Teachers of 10
columns have no hidden node (linear), one layer of 10 or 20 nodes, or one layer and a linear part
of the same variance; their noise is a tenth of the standard deviation. A size is
exact if each layer has the teacher's number of alive nodes, and found if it is within one node
or 5 % of it. *distinct* counts nodes of the first layer that point the same way once; the error is
that of 5,000 more rows, against the teacher without noise, as a share of its variance. Real tables
are the splits of tables.py, scored by R2 or minus log loss on the test rows. Row by row in
results/skip.csv: ``python benchmarks/skip.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import time
from ast import literal_eval
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from tables import TABLES, row_scores

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, n_distinct_nodes
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "skip.csv"
COLUMNS = [
    "task",
    "teacher",
    "rows",
    "seed",
    "skip",
    "nodes",
    "distinct",
    "settled",
    "score",
    "cpu_seconds",
]
N_FEATURES, N_TEST, NOISE = 10, 5_000, 0.1
TEACHERS = {
    "linear": ("(0,)",),
    "one layer": ("(10,)", "(20,)"),
    "one layer + linear": ("(10,)",),
}
"""Hidden nodes of the teachers of each task, per layer."""
REAL = {
    "california": "California",
    "wine_red": "red wine",
    "wine_white": "white wine",
    "mice": "mice",
    "bank": "bank",
}
NO_TEACHER, OF_SPLIT = "-", 0
"""Stand for the teacher and the rows of a split of a real table."""
ROWS, SEEDS, SPLITS = (2_000, 10_000), range(5), range(2)


def plain(text):
    """Return the nodes per layer, written as a tuple, for a table."""
    return " + ".join(map(str, literal_eval(text)))


def standardised(values):
    """Return values of mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()


@functools.lru_cache(maxsize=1)
def teacher_rows(task, teacher, n_rows, seed):
    """Return columns, the teacher's output and the noisy target of rows for training and test."""
    made = make_teacher_student(
        n_rows + N_TEST,
        N_FEATURES,
        literal_eval(teacher) if task != "linear" else 1,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    linear = standardised(made.X @ rng.normal(size=N_FEATURES))
    truth = standardised(made.teacher_output)
    truth = {"linear": linear, "one layer + linear": truth + linear}.get(task, truth)
    truth = standardised(truth)
    return made.X, truth, truth + NOISE * rng.normal(size=len(truth))


def fit_to_teacher(task, teacher, n_rows, seed, network):
    """Fit a network; return the share of the variance of the teacher that it misses."""
    X, truth, y = teacher_rows(task, teacher, n_rows, seed)
    network.fit(X[:n_rows], y[:n_rows])
    missed = network.predict(X[n_rows:]) - truth[n_rows:]
    return np.mean(missed**2) / np.var(truth[n_rows:])


@functools.lru_cache(maxsize=1)
def split_of(table, seed):
    """Return the split of a table, for both networks."""
    return TABLES[table](seed)


def measure(file, key):
    """Fit one network and append its row."""
    task, teacher, n_rows, seed, skip = key
    options = {"skip": bool(skip), "random_state": seed, "n_threads": 1}
    start = time.process_time()
    if task in TEACHERS:
        network = SpectralMLPRegressor(**options)
        score = fit_to_teacher(task, teacher, n_rows, seed, network)
    else:
        split = split_of(task, seed)
        X, X_test = split.even_encoded
        start = time.process_time()  # the encoding is the same for both
        Network = SpectralMLPClassifier if split.is_classes else SpectralMLPRegressor
        network = Network(**options).fit(X, split.y)
        score = row_scores(split, network, X_test)[0].mean()
    seconds = time.process_time() - start
    nodes = tuple(network.n_alive_nodes_)
    distinct, settled = n_distinct_nodes(network), network.size_settled_
    file.add([*key, nodes, distinct, settled, f"{score:.4g}", round(seconds, 2)])


def is_within(row, share, least):
    """Tell whether each layer is as near to the teacher's size."""
    pairs = zip(literal_eval(row["nodes"]), literal_eval(row["teacher"]), strict=True)
    return all(abs(found - true) <= max(least, share * true) for found, true in pairs)


def of_teachers(rows):
    """Return how often sizes are exact and found, a line for each teacher and number of rows."""
    rows = rows[rows["task"].isin(TEACHERS)]
    rows = rows.assign(
        exact=rows.apply(is_within, axis=1, share=0, least=0),
        found=rows.apply(is_within, axis=1, share=0.05, least=1),
        distinct_exact=[
            literal_eval(row.teacher)[0] == row.distinct for row in rows.itertuples(index=False)
        ],
    )
    groups = rows.groupby(["task", "teacher", "rows", "skip"], sort=False)
    table = groups.agg(
        fits=("seed", "size"),
        exact=("exact", "sum"),
        distinct_exact=("distinct_exact", "sum"),
        found=("found", "sum"),
        nodes=("nodes", lambda nodes: ", ".join(map(plain, sorted(nodes, key=literal_eval)))),
        settled=("settled", "sum"),
        error=("score", "median"),
        seconds=("cpu_seconds", "median"),
    )
    table["error"] = table["error"].map("{:.1e}".format)
    table = table.rename(columns={"distinct_exact": "exact, distinct"}).reset_index()
    table = table.round({"seconds": 1})
    return in_order(table, [(task, each) for task, many in TEACHERS.items() for each in many])


def in_order(table, teachers):
    """Return the lines in the order of tasks and teachers, with words for the skip."""
    places = {pair: place for place, pair in enumerate(teachers)}
    place = [places[pair] for pair in zip(table["task"], table["teacher"], strict=True)]
    table = table.assign(place=place).sort_values(["place", "rows", "skip"], kind="stable")
    table["skip"] = table["skip"].map({0: "no", 1: "yes"})
    table["teacher"] = table["teacher"].map(plain)
    return table.drop(columns="place")


def of_tables(rows):
    """Return scores, nodes and seconds of both networks on each split of the real tables."""
    rows = rows[rows["task"].isin(REAL)]
    wide = rows.pivot_table(
        index=["task", "seed"],
        columns="skip",
        values=["score", "nodes", "cpu_seconds"],
        aggfunc="first",
    ).dropna()
    table = pd.DataFrame(index=wide.index)
    for name in ("score", "nodes", "cpu_seconds"):
        for skip, heading in ((0, ""), (1, " with skip")):
            table[f"{name}{heading}"] = wide[name, skip]
            if name == "nodes":
                table[f"{name}{heading}"] = table[f"{name}{heading}"].map(plain)
    table = table.rename(columns=lambda name: name.replace("cpu_seconds", "seconds"))
    table = table.loc[[name for name in REAL if name in table.index.get_level_values(0)]]
    return table.rename(index=REAL).reset_index(names=["table", "split"])


def doc_tables(rows):
    """Return what was found on teachers and on real tables."""
    return {"skip_teachers": of_teachers(rows), "skip_tables": of_tables(rows)}


def keys():
    """Yield what is measured, most important first."""
    of_real = itertools.product(SPLITS, REAL)
    for (seed, table), skip in itertools.product(of_real, (0, 1)):
        yield table, NO_TEACHER, OF_SPLIT, seed, skip
    pairs = [(task, teacher) for task, teachers in TEACHERS.items() for teacher in teachers]
    for seed, n_rows, (task, teacher), skip in itertools.product(SEEDS, ROWS, pairs, (0, 1)):
        yield task, teacher, n_rows, seed, skip


def main():
    # what is loaded once is not part of the first row
    SpectralMLPRegressor(4, max_iter=2).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    run(keys(), measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
