"""One default fit: sizes of teachers, pure noise and seven real tables, and where noise is told.

Teachers of known size label synthetic rows (10 columns), with noise as a share of the standard
deviation of their output; "classes" are drawn from the probabilities of a teacher. "Pure noise"
has no teacher. The real tables are those of tables.py, on encoded columns; beside them stand
scikit-learn's network at its defaults on the same columns, and gradient boosting on the table.
"Many columns" are synthetic classes with few rows for their columns. "auto 0.5" is a default fit
with alpha_factor 0.5; "held out 0.5" is fitted to four fifths of the rows, and the last fifth
tells it the noise (X_val).

One row of results/noise_penalty.csv per fit; rows that are there are skipped:
``python benchmarks/noise_penalty.py --budget 30``.
"""

import argparse
import functools
import itertools
import os
import time
import warnings
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pandas as pd
from appending import Appender
from documents import write_tables
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from tables import TABLES, row_scores

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "noise_penalty.csv"
COLUMNS = ["task", "model", "seed", "alive_nodes", "settled", "score", "noise", "alpha", "seconds"]
FACTORS = (0.3, 0.5, 0.6, 1.0)
SEEDS = (0, 1, 2)
TEACHERS = {
    "teacher 5, noise 0.1, 3000 rows": (5, 0.1, 3000),
    "teacher 8, noise 0.1, 10000 rows": (8, 0.1, 10_000),
    "teacher 10, noise 0.1, 1000 rows": (10, 0.1, 1000),
    "teacher 12, noise 0.3, 10000 rows": (12, 0.3, 10_000),
    "teacher 12, noise 1, 10000 rows": (12, 1.0, 10_000),
    "teacher 20, noise 0.1, 10000 rows": (20, 0.1, 10_000),
    "teacher 40, noise 0.1, 10000 rows": (40, 0.1, 10_000),
}
CLASSES = {"classes, teacher 6, 10000 rows": 6, "classes, teacher 12, 10000 rows": 12}
NOISE = {"pure noise, 2000 rows": 2000, "pure noise, 10000 rows": 10_000}
MANY_COLUMNS = {
    "26 classes, 1170 rows of 617 columns": {
        "n_samples": 1560,
        "n_features": 617,
        "n_informative": 40,
        "n_redundant": 400,
        "n_classes": 26,
        "n_clusters_per_class": 1,
        "class_sep": 3.0,
    },
    "2 classes, 1950 rows of 500 columns, 5 inform": {
        "n_samples": 2600,
        "n_features": 500,
        "n_informative": 5,
        "n_redundant": 0,
    },
}
SYNTHETIC = (*TEACHERS, *CLASSES, *NOISE)
PEERS = ("MLP default", "boosting", "constant")
HELD_OUT = ("held out 0.5", "held out 1.0")
NAMES = {
    "california": "California",
    "wine_red": "red wine",
    "wine_white": "white wine",
    "mice": "mice",
    "bank": "Bank",
    "adult": "Adult",
    "fashion": "Fashion-MNIST",
}


@functools.lru_cache(maxsize=1)
def synthetic(task, seed):
    """Return X, y and the noise-free target, or None for classes."""
    if task in TEACHERS:
        size, noise, n_rows = TEACHERS[task]
        made = make_teacher_student(n_rows, 10, (size,), noise=noise, random_state=seed)
        return made.X, made.y, made.teacher_output
    rng = np.random.default_rng(seed)
    if task in NOISE:
        X = rng.normal(size=(NOISE[task], 10))
        return X, rng.normal(size=NOISE[task]), np.zeros(NOISE[task])
    made = make_teacher_student(10_000, 10, (CLASSES[task],), noise=0.0, random_state=seed)
    logit = 3 * (made.y - made.y.mean()) / made.y.std()
    return made.X, (rng.random(10_000) < 1 / (1 + np.exp(-logit))).astype(int), None


@functools.lru_cache(maxsize=1)
def split_of(task, seed):
    """Return the rows of a real table; only the last is kept."""
    return TABLES[task](seed)


@functools.lru_cache(maxsize=1)
def many_columns(task, seed):
    """Return scaled training and test rows of classes with few rows for their columns."""
    X, y = make_classification(**MANY_COLUMNS[task], random_state=seed)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def network(factor, seed, is_classes):
    """Return the network of one fit."""
    Network = SpectralMLPClassifier if is_classes else SpectralMLPRegressor
    return Network(alpha_factor=factor, random_state=seed, n_threads=1)


def peer(name, seed, is_classes):
    """Return scikit-learn's model."""
    kinds = {
        "MLP default": (MLPRegressor, MLPClassifier),
        "boosting": (HistGradientBoostingRegressor, HistGradientBoostingClassifier),
        "constant": (None, functools.partial(DummyClassifier, strategy="prior")),
    }
    return kinds[name][is_classes](random_state=seed)


def rows_held_out(n_rows, groups):
    """Return which rows train, and which tell the noise: a fifth, whole groups where there are."""
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    splits = splitter(1, test_size=0.2, random_state=0).split(np.empty(n_rows), groups=groups)
    return next(splits)


def timed(model, X, y, *, holds_out=False, groups=None):
    """Fit without the warnings that the columns of the row tell, and return the seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if holds_out:
            train, held = rows_held_out(len(y), groups)
            model.fit(X[train], y[train], X_val=X[held], y_val=y[held])
        else:
            model.fit(X, y)
    return round(time.perf_counter() - start, 2)


def describe(model):
    """Return what a row tells of a network, blanks for other models."""
    if not hasattr(model, "alpha_"):
        return ["", ""], ["", ""]
    noise = round(float(np.mean(model.noise_variance_)), 5)
    return [model.n_alive_nodes_[0], model.size_settled_], [noise, f"{model.alpha_:.3g}"]


def measure(file, key):
    """Fit one model and append its row."""
    task, name, seed = key
    holds_out = name.startswith("held out")
    if task in SYNTHETIC:
        X, y, truth = synthetic(task, seed)
        model = network(float(name.split()[-1]), seed, task in CLASSES)
        seconds = timed(model, X, y, holds_out=holds_out)
        # share of the variance that is missed, of the truth without noise
        score = np.nan
        if task in TEACHERS:
            score = 1 - np.mean((model.predict(X) - truth) ** 2) / np.var(truth)
    elif task in MANY_COLUMNS:
        X, X_test, y, y_test = many_columns(task, seed)
        is_peer = name in PEERS
        model = peer(name, seed, True) if is_peer else network(float(name.split()[-1]), seed, True)
        seconds = timed(model, X, y, holds_out=holds_out)
        score = -log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
    else:
        split = split_of(task, seed)
        X, X_test = split.table if name == "boosting" else split.even_encoded
        if name in PEERS:
            model = peer(name, seed, split.is_classes)
        else:
            model = network(float(name.split()[-1]), seed, split.is_classes)
        seconds = timed(model, X, split.y, holds_out=holds_out, groups=split.groups)
        score = row_scores(split, model, X_test)[0].mean()
    size, penalty = describe(model)
    file.add([*key, *size, round(score, 5), *penalty, seconds])


def settings():
    """Yield what is measured: synthetic rows first, then one split of every table at a time."""
    auto = [f"auto {factor}" for factor in FACTORS]
    yield from itertools.product(SYNTHETIC, (*auto[1::2], *HELD_OUT), SEEDS)
    models = ("auto 0.5", "auto 1.0", *HELD_OUT, "MLP default", "constant")
    yield from itertools.product(MANY_COLUMNS, models, SEEDS)
    for seed in SEEDS:
        yield from itertools.product(TABLES, (*auto, *HELD_OUT, *PEERS[:2]), (seed,))


def doc_tables(rows):
    """Return alive nodes of the synthetic tasks, and scores with nodes of the real tables."""
    on_teachers = rows[rows["task"].isin(SYNTHETIC)]
    listed = on_teachers.sort_values("seed").groupby(["task", "model"])["alive_nodes"]
    nodes = listed.agg(lambda column: ", ".join(f"{n:.0f}" for n in column)).unstack("model")
    nodes = nodes.loc[[task for task in SYNTHETIC if task in nodes.index]]
    nodes = nodes[[name for name in ("auto 0.5", "auto 1.0", *HELD_OUT) if name in nodes]]
    nodes.columns = [name.replace("auto", "factor") for name in nodes.columns]
    names = {**NAMES, **{task: task for task in MANY_COLUMNS}}
    real = rows[rows["task"].isin(names)]
    means = real.groupby(["task", "model"])[["score", "alive_nodes", "seconds"]].mean()
    order = [f"auto {factor}" for factor in FACTORS] + [*HELD_OUT, *PEERS]
    cells = {
        name: {
            names[task]: cell(means.loc[(task, name)])
            for task in names
            if (task, name) in means.index
        }
        for name in order
    }
    scores = pd.DataFrame(cells).reindex(names.values()).fillna("")
    scores.columns = [name.replace("auto", "factor") for name in scores.columns]
    return {
        "noise_penalty_teachers": nodes.reset_index(names="task"),
        "noise_penalty_tables": scores.reset_index(names="table"),
    }


def cell(means):
    """Return score and nodes as the documentation shows them."""
    nodes = "" if np.isnan(means["alive_nodes"]) else f", {means['alive_nodes']:.1f}"
    return f"{means['score']:.3f}{nodes}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=30, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=3, budget=arguments.budget)
    for key in settings():
        if file.wants(key):
            measure(file, key)
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
