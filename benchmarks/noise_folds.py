"""Who tells alpha="auto" the noise: the residuals of the training rows, or the rows of folds?

Default fits (alpha_factor 0.5) of the tasks of noise_penalty.py, with `noise_cv` None and 5, one
after the other; grouped rows have grouped folds. A row of results/noise_folds.csv has alive nodes,
score, noise and seconds of both. Rows that are there are skipped:
``python benchmarks/noise_folds.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
from pathlib import Path

import numpy as np
from appending import run
from noise_penalty import (
    CLASSES,
    MANY_COLUMNS,
    NAMES,
    NOISE,
    TEACHERS,
    log_loss,
    many_columns,
    network,
    row_scores,
    split_of,
    synthetic,
    timed,
)
from sklearn.model_selection import GroupKFold
from tables import TABLES

RESULTS = Path(__file__).parent / "results" / "noise_folds.csv"
KINDS = ("residuals", "folds")
MEASURED = ("alive_nodes", "score", "noise", "seconds")
COLUMNS = ["task", "seed", *(f"{what}_{kind}" for kind in KINDS for what in MEASURED)]
N_FOLDS = 5
SEEDS = (0, 1, 2)


def task_of(task, seed):
    """Return X, y, whether there are classes, groups, and a function that scores a model."""
    if task in MANY_COLUMNS:
        X, X_test, y, y_test = many_columns(task, seed)

        def score(model):
            return -log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)

        return X, y, True, None, score
    if task in TABLES:
        split = split_of(task, seed)
        X, X_test = split.even_encoded

        def score(model):
            return row_scores(split, model, X_test)[0].mean()

        return X, split.y, split.is_classes, split.groups, score
    X, y, truth = synthetic(task, seed)

    def score(model):
        if task not in TEACHERS:
            return np.nan
        return 1 - np.mean((model.predict(X) - truth) ** 2) / np.var(truth)

    return X, y, task in CLASSES, None, score


def measure(file, key):
    """Fit both and append their row."""
    task, seed = key
    X, y, is_classes, groups, score = task_of(task, seed)
    folds = N_FOLDS if groups is None else list(GroupKFold(N_FOLDS).split(X, y, groups))
    found = []
    for noise_cv in (None, folds):
        model = network(0.5, seed, is_classes).set_params(noise_cv=noise_cv)
        seconds = timed(model, X, y)
        noise = round(float(np.mean(model.noise_variance_)), 5)
        found += [model.n_alive_nodes_[0], round(score(model), 5), noise, seconds]
    file.add([task, seed, *found])


def doc_tables(rows):
    """Return nodes and mean scores by residuals and by folds, and the ratio of seconds."""
    names = {**NAMES, **{task: task for task in (*MANY_COLUMNS, *TEACHERS, *CLASSES, *NOISE)}}
    rows["ratio"] = rows["seconds_folds"] / rows["seconds_residuals"]
    groups = rows.sort_values("seed").groupby("task")
    table = groups[["score_residuals", "score_folds", "ratio"]].mean()
    table["ratio"] = groups["ratio"].median().round(1)
    for kind in KINDS:
        nodes = groups[f"alive_nodes_{kind}"].agg(lambda column: ", ".join(map(str, column)))
        table.insert(0, f"nodes, {kind}", nodes)
        table[f"score_{kind}"] = table[f"score_{kind}"].map(
            lambda score: "" if np.isnan(score) else f"{score:.3f}"
        )
    ordered = table.loc[[task for task in names if task in table.index]].rename(index=names)
    columns = ["nodes, residuals", "nodes, folds", "score_residuals", "score_folds", "ratio"]
    shown = ordered[columns].reset_index(names="task")
    return {"noise_folds": shown.rename(columns=lambda name: name.replace("score_", "score, "))}


def main():
    tasks = (*TABLES, *MANY_COLUMNS, *TEACHERS, *CLASSES, *NOISE)
    keys = ((task, seed) for seed, task in itertools.product(SEEDS, tasks))
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
