"""Is the teacher's size found, from the data alone?

A teacher with one or two hidden layers of 5 to 40 relu nodes labels 10,000 rows of 10 columns,
with or without noise. Students start 1 to 10 times as wide. Nothing but the data decides:

- The penalty. One warm path of rising penalties on four fifths of the rows, 100 epochs for each;
  chosen is the largest whose mean squared error on the last fifth exceeds the smallest by at most
  one standard error of the paired difference, or by a ten-thousandth of the variance if that is
  more (without noise the standard error is next to nothing).
- The minimum. Three fits to all rows, from weights of their own, first at a third of the penalty
  and then at the penalty itself; the one with the smallest penalised training loss counts.

Beside them one fit by the recipe of Giambagli et al. (2023), with the penalties that it names on
the first layer.

One row of results/size_recovery.csv per student, with alive nodes and distinct directions (alive
nodes whose incoming weights have a cosine above 0.95 count once) per layer. A size is found if
each layer is within max(1, 5 %) of the teacher's. Rows that are there are skipped: ``python
benchmarks/size_recovery.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import functools
import itertools
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from appending import Appender
from sklearn.base import clone

from skspectral import SpectralMLPRegressor, n_distinct_nodes, spectral_path
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "size_recovery.csv"
TABLE = Path(__file__).parents[1] / "docs" / "size_recovery.csv"
CELLS = TABLE.with_name("size_recovery_cells.csv")
N_ROWS, N_TEST, N_FEATURES = 10_000, 5_000, 10
ALPHAS = np.geomspace(3e-5, 3e-3, 13)
PATH_EPOCHS = 100
N_STARTS = 3
FIRST_EPOCHS = 150
"""At a third of the penalty, half as many as max_iter="auto" plans."""
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
METHODS = {
    "out": {},
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
METHODS_OF_ALL = ("out", "published")
"""Fitted on the whole grid; the others on its first parts."""
NOISES = (0.0, 0.1)
PARTS = (
    ((1,), (10, 20), (2, 5), range(3), METHODS),
    ((1,), (40,), (2, 5), range(3), METHODS),
    ((2,), (10, 20), (2, 5), range(3), METHODS),
    ((1,), (5, 10, 20, 40), (1, 2, 5, 10), range(3), METHODS_OF_ALL),
    ((1,), (5, 10, 20, 40), (1, 2, 5, 10), range(5), METHODS_OF_ALL),
    ((2,), (5, 10, 20, 40), (1, 2, 5, 10), range(5), METHODS_OF_ALL),
)
"""What is fitted, most important first: hidden layers, teacher's nodes, times, seeds, methods."""


def choose_alpha(network, X, y):
    """Return the largest penalty of a warm path on one split that costs next to nothing."""
    n_train = len(X) * 4 // 5
    held = {"X_val": X[n_train:], "y_val": y[n_train:]}
    path = spectral_path(
        X[:n_train],
        y[:n_train],
        estimator=network,
        alphas=ALPHAS,
        path_max_iter=PATH_EPOCHS,
        return_coefs=True,
        **held,
    )
    losses = np.array(
        [
            squared_errors(coefs, intercepts, **held)
            for coefs, intercepts in zip(path.coefs, path.intercepts, strict=True)
        ]
    )
    excess = losses - losses[losses.mean(axis=1).argmin()]
    standard_errors = excess.std(axis=1, ddof=1) / np.sqrt(excess.shape[1])
    tolerances = np.maximum(standard_errors, LEAST_TOLERANCE * np.var(y))
    return ALPHAS[np.flatnonzero(excess.mean(axis=1) <= tolerances)[-1]]


def fit_best(network, X, y):
    """Return the fit with the smallest penalised loss of several starts."""
    starts = network.random_state + 1000 * np.arange(N_STARTS)
    fits = [fit_in_steps(clone(network).set_params(random_state=int(s)), X, y) for s in starts]
    return min(fits, key=lambda fitted: fitted.loss_curve_[-1])


def fit_in_steps(network, X, y):
    """Return the network, fitted at a smaller penalty first: fewer nodes die too early."""
    alpha = network.alpha
    network.set_params(alpha=alpha / 3, max_iter=FIRST_EPOCHS).fit(X, y)
    return network.set_params(alpha=alpha, max_iter="auto", warm_start=True).fit(X, y)


def squared_errors(coefs, intercepts, X_val, y_val):
    """Return the squared error of a relu network for each row."""
    hidden = X_val
    for weights, bias in zip(coefs[:-1], intercepts[:-1], strict=True):
        hidden = np.maximum(hidden @ weights + bias, 0)
    return (np.ravel(hidden @ coefs[-1] + intercepts[-1]) - y_val) ** 2


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
    widths = (times * teacher,) * n_layers
    network = SpectralMLPRegressor(widths, random_state=seed, **METHODS[method])
    if method != "published":
        network.set_params(alpha=choose_alpha(network, X, y))
        network = fit_best(network, X, y)
    else:
        network.fit(X, y)
    seconds = time.perf_counter() - start
    alive = network.n_alive_nodes_
    distinct = [n_distinct_nodes(network, layer=layer) for layer in range(n_layers)]
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    file.add(
        [
            *key,
            f"{network.alpha:.3g}",
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
    """Return the share of students whose size was found, for each method and way to count."""
    found = rows.groupby([*keys, "method"])[["alive_found", "distinct_found"]].mean()
    found.columns = ["alive", "distinct"]
    table = found.unstack().swaplevel(axis=1)[list(methods)].round(2)
    table.columns = [f"{method}, {count}" for method, count in table.columns]
    students = rows[rows["method"] == "out"].groupby(keys).size().rename("students")
    return pd.concat([students, table], axis=1).reset_index()


def write_tables(rows):
    """Write the shares in each cell of the grid, and over all teachers and widths."""
    cells = ["n_layers", "teacher", "times", "noise"]
    shares(rows, cells, METHODS).to_csv(CELLS, index=False)
    start = np.where(rows["times"] == 1, "as wide as the teacher", "wider")
    overall = shares(rows.assign(start=start), ["start", "n_layers", "noise"], METHODS_OF_ALL)
    overall.to_csv(TABLE, index=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    parser.add_argument(
        "--share",
        type=int,
        nargs=2,
        default=(0, 1),
        metavar=("K", "N"),
        help="of N runs side by side, the students of the K-th, from 0",
    )
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=6, budget=arguments.budget)
    warnings.simplefilter("ignore")  # sizes that have not settled
    k, n = arguments.share
    for layers, teachers, times, seeds, methods in PARTS:
        for key in itertools.product(layers, teachers, times, NOISES, seeds, methods):
            mine = (key[2] + key[4]) % n == k
            if mine and file.wants(key):
                measure(file, key)
    write_tables(file.read())


if __name__ == "__main__":
    main()
