"""Is the teacher's size found, from the data alone?

A teacher with one or two hidden layers of 5 to 40 relu nodes labels 10,000 rows of 10 columns,
with or without noise. Students start 1 to 10 times as wide. Nothing but the data decides:

- The penalty. A first network is fitted to four fifths of the rows at a small penalty; from it a
  warm path of rising ones, 100 epochs for each. Chosen is the largest whose mean squared error on
  the last fifth exceeds the smallest by at most one standard error of the paired difference, or
  by a ten-thousandth of the variance if that is more (without noise the standard error is next to
  nothing).
- The minimum. The first network, and that of the chosen penalty on all rows, are led out of local
  minima: grown to their first width and fitted again, first at a third of the penalty, as long as
  the penalised training loss falls.

Beside them "default": one fit in which nothing is chosen but the width at the start, and for one
layer also "auto width" (256 nodes, whatever the teacher), in which nothing is. Further the
procedure, but grown to twice the alive nodes each time; on a part of the grid the same
without growing, and with eigenvalues on the output layer; and one fit by the recipe of Giambagli
et al. (2023), with the penalties that it names on the first layer.

One row of results/size_recovery.csv per student, with alive nodes and distinct directions (alive
nodes whose incoming weights have a cosine above 0.95 count once) per layer. A size is found if
each layer is within max(1, 5 %) of the teacher's. Rows that are there are skipped: ``python
benchmarks/size_recovery.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import copy
import functools
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from appending import run
from one_cycle import one_cycle

from skspectral import SpectralMLPRegressor, n_distinct_nodes
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "size_recovery.csv"
N_ROWS, N_TEST, N_FEATURES = 10_000, 5_000, 10
ALPHAS = np.geomspace(3e-5, 3e-3, 13)
GROWING_ALPHA = ALPHAS[3]
EPOCHS = 100
"""Of each fit, but for the last."""
MAX_ROUNDS = 12
PATIENCE = 4
"""Rounds of growing in vain after which to stop."""
LEAST_GAIN = 5e-3
"""Share of the penalised loss by which a round that is not in vain lowers it."""
LEAST_TOLERANCE = 1e-4
"""Share of the variance."""
COLUMNS = [
    "n_layers",
    "teacher",
    "times",
    "noise",
    "seed",
    "method",
    "alpha",
    "alive",
    "distinct",
    "alive_found",
    "distinct_found",
    "error",
    "settled",
    "seconds",
]
DEFAULTS = ("default", "auto width")
METHODS = {
    "out": {},
    "default": {},
    "doubled": {},
    "not grown": {},
    "out-in": {"eigenvalues": "out-in"},
    "published": {
        "alpha": 0.0,
        "alpha_phi": 1e-2,
        "alpha_lambda": 5e-4,
        "learning_rate": "constant",
        "learning_rate_init": 5e-3,
        "batch_size": 300,
        "max_iter": 2000,
        "n_iter_no_change": np.inf,
        "normalize_y": False,
        "solver": functools.partial(torch.optim.Adam, betas=(0.9, 0.999)),
    },
}
METHODS_OF_ALL = ("out", "default", "doubled", "published")
"""Fitted on the whole grid; the others on its first parts."""
NOISES = (0.0, 0.1)
PARTS = (
    ((1,), (10, 20), (2, 5), range(3), METHODS),
    ((1,), (40,), (2, 5), range(3), METHODS),
    ((2,), (10, 20), (2, 5), range(3), METHODS),
    ((1, 2), (10, 20), (1,), range(3), METHODS),
    ((1,), (5, 10, 20, 40), (1, 2, 5, 10), range(3), METHODS_OF_ALL),
    ((2,), (5, 10, 20, 40), (1, 2, 5, 10), range(3), METHODS_OF_ALL),
    ((1,), (5, 10, 20, 40), (1, 2, 5, 10), range(5), METHODS_OF_ALL),
    ((2,), (5, 10, 20, 40), (1, 2, 5, 10), range(5), METHODS_OF_ALL),
    ((1,), (5, 10, 20, 40), (0,), range(5), ("auto width",)),
)
"""What is fitted, most important first: hidden layers, teacher's nodes, times (0: the estimator's
own width), seeds, methods."""


def fit_size(network, X, y, widths, max_rounds):
    """Return the network at the penalty that the data choose, led out of local minima."""
    n_train = len(X) * 4 // 5
    train, held = (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])
    network = lead_out(network.set_params(alpha=GROWING_ALPHA), *train, widths, max_rounds)
    path = [network := fit_on(network, *train, alpha=alpha, epochs=EPOCHS) for alpha in ALPHAS]
    chosen = path[choose(np.array([squared_errors(fitted, *held) for fitted in path]), np.var(y))]
    network = lead_out(chosen, X, y, widths, max_rounds)
    return fit_on(network, X, y, alpha=network.alpha, epochs=one_cycle(len(X))["max_iter"])


def lead_out(network, X, y, widths, max_rounds, epochs=EPOCHS):
    """Grow the network and fit it again as long as the penalised loss falls.

    It is grown to the widths, or where they are None to twice its alive nodes.
    """
    best = fit_in_steps(network, X, y, epochs)
    in_vain = 0
    for seed in range(max_rounds):
        if in_vain == PATIENCE:
            break
        sizes = widths or [2 * max(n_alive, 1) for n_alive in best.n_alive_nodes_]
        grown = fit_in_steps(best.grow(sizes, random_state=seed), X, y, epochs)
        gain = 1 - grown.loss_curve_[-1] / best.loss_curve_[-1]
        in_vain = 0 if gain > LEAST_GAIN else in_vain + 1
        best = grown if gain > 0 else best
    return best


def fit_in_steps(network, X, y, epochs):
    """Fit at a smaller penalty first: fewer nodes die too early."""
    alpha = network.alpha
    network = fit_on(network, X, y, alpha=alpha / 3, epochs=epochs)
    return fit_on(network, X, y, alpha=alpha, epochs=epochs)


def fit_on(network, X, y, *, alpha, epochs):
    """Return a copy of the network, trained on."""
    network = copy.deepcopy(network)
    return network.set_params(alpha=alpha, max_iter=epochs, warm_start=True).fit(X, y)


def choose(losses, variance):
    """Return the index of the largest penalty that costs next to nothing.

    Parameters
    ----------
    losses : ndarray of shape (n_alphas, n_rows)
        Squared errors on held-out rows.
    variance : float
        Of the target.
    """
    excess = losses - losses[losses.mean(axis=1).argmin()]
    standard_errors = excess.std(axis=1, ddof=1) / np.sqrt(excess.shape[1])
    tolerances = np.maximum(standard_errors, LEAST_TOLERANCE * variance)
    return np.flatnonzero(excess.mean(axis=1) <= tolerances)[-1]


def squared_errors(network, X, y):
    return (network.predict(X) - y) ** 2


def is_found(sizes, teacher):
    return all(abs(size - teacher) <= max(1, 0.05 * teacher) for size in sizes)


def measure(file, key):
    """Fit one student and append its row."""
    n_layers, teacher, times, noise, seed, method = key
    made = make_teacher_student(
        N_ROWS + N_TEST, N_FEATURES, (teacher,) * n_layers, noise=noise, random_state=seed
    )
    X, X_test = np.split(made.X, [N_ROWS])
    y, truth = made.y[:N_ROWS], made.teacher_output[N_ROWS:]
    start = time.perf_counter()
    widths = "auto" if method == "auto width" else (times * teacher,) * n_layers
    network = SpectralMLPRegressor(widths, random_state=seed, **METHODS.get(method, {}))
    if method not in ("published", *DEFAULTS):
        max_rounds = 0 if method == "not grown" else MAX_ROUNDS
        grown_to = None if method == "doubled" else widths
        network = fit_size(network, X, y, grown_to, max_rounds)
    else:
        network.fit(X, y)
    seconds = time.perf_counter() - start
    alive = network.n_alive_nodes_
    distinct = [n_distinct_nodes(network, layer=layer) for layer in range(n_layers)]
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    file.add(
        [
            *key,
            f"{network.alpha_:.3g}",
            " ".join(map(str, alive)),
            " ".join(map(str, distinct)),
            is_found(alive, teacher),
            is_found(distinct, teacher),
            f"{error:.3g}",
            network.size_settled_,
            round(seconds, 1),
        ]
    )


def shares(rows, keys, methods):
    """Return the share of found sizes for each method, over students that all were fitted to."""
    rows = rows[rows["method"].isin(methods)]
    student = ["n_layers", "teacher", "times", "noise", "seed"]
    rows = rows[rows.groupby(student)["method"].transform("nunique") == len(methods)]
    found = rows.groupby([*keys, "method"])[["alive_found", "distinct_found"]].mean()
    found.columns = ["alive", "distinct"]
    table = found.unstack().swaplevel(axis=1)[list(methods)].round(2)
    table.columns = [f"{method}, {count}" for method, count in table.columns]
    students = rows[rows["method"] == "out"].groupby(keys).size().rename("students")
    return pd.concat([students, table], axis=1).reset_index()


def default_fits(rows):
    """Return what one default fit finds, a row per teacher, noise and width at the start."""
    rows = rows[rows["method"].isin(DEFAULTS)].copy()
    rows["start"] = np.where(
        rows["method"] == "auto width", "auto", rows["times"].astype(str) + " x teacher"
    )
    groups = rows.groupby(["n_layers", "teacher", "noise", "times", "start"])
    table = groups.agg(
        fits=("seed", "size"),
        found=("alive_found", "mean"),
        distinct=("distinct_found", "mean"),
        alive=("alive", lambda sizes: "; ".join(dict.fromkeys(map(str, sizes)))),
        settled=("settled", "mean"),
        seconds=("seconds", "median"),
    )
    return table.reset_index().drop(columns="times").round(2)


def doc_tables(rows):
    """Return the shares in each cell, over the grid, and of all methods where all were fitted."""
    rows = rows.assign(start=np.where(rows["times"] == 1, "as wide as the teacher", "wider"))
    cells, overall = ["n_layers", "teacher", "times", "noise"], ["start", "n_layers", "noise"]
    return {
        "size_recovery_cells": shares(rows, cells, METHODS_OF_ALL),
        "size_recovery": shares(rows, overall, METHODS_OF_ALL),
        "size_recovery_methods": shares(rows, overall, METHODS),
        "size_recovery_default": default_fits(rows),
    }


def main():
    keys = (
        key
        for layers, teachers, times, seeds, methods in PARTS
        for key in itertools.product(layers, teachers, times, NOISES, seeds, methods)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
