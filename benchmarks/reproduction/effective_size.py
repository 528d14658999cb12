"""How many nodes do students of different widths end with? The sweeps of the paper.

Giambagli et al. (2023), figures on a teacher 10 -> 20 -> 20 -> sum: students
10 -> width -> 20 -> 1 learn from 10,000 rows and are tested on 5,000 more; a node of the first
hidden layer is alive above 0.05 of the largest relevance. Recipes:

- "spectral" and "dense": this package's schedule, L2 on every layer ("strong");
- "spectral, published" and "dense, published": as in the paper, with L2 on the first layer only
  and a constant learning rate, 2,000 epochs.

One row of results/effective_size.csv per fit: alive nodes, distinct directions, mean squared
error as a share of the variance, its growth where only so many nodes are kept (teacher's size
and more or less), a histogram of relevances, and for "dense" the fewest nodes with which it
reaches the error of the spectral network, at any of five penalties. The students of one width
and teacher are fitted side by side, and their seconds are the mean. Rows that are there are
skipped: ``python benchmarks/reproduction/effective_size.py --budget 60``. Tables and figures of
the documentation are written at the end, from what there is; they need matplotlib.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

sys.path.insert(0, str(Path(__file__).parents[1]))  # the modules that benchmarks share

from appending import Appender, read_arguments
from documents import write_tables
from effective_size_figures import doc_tables, draw_all
from one_cycle import one_cycle

from skspectral import SpectralMLPRegressor, fit_many, match_nodes, n_distinct_nodes
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parents[1] / "results" / "effective_size.csv"
N_TRAIN, N_TEST = 10_000, 5_000
SECOND = 20
"""Nodes of the second hidden layer, of teachers and students."""
WIDTHS = (10, 20, 40, 100, 500)
MORE_WIDTHS = (60, 200)
FEW, MORE, ALL = range(5), range(5, 10), range(10, 30)
"""Repetitions."""
MORE_OR_LESS = (-10, -5, -3, -2, -1, 0, 1, 2, 3, 5, 10, 20, 40)
"""Nodes kept, beyond those of the teacher."""
BINS = np.linspace(0, 1, 21)
ALPHA = 1e-3
OTHER_ALPHAS = (1e-4, 3e-4, 6e-4, 2e-3)
"""At which the dense network is fitted as well, to find its size at equal score."""
COLUMNS = [
    "teacher",
    "repetition",
    "width",
    "recipe",
    "alive",
    "alive_second",
    "distinct",
    "similarity",
    "error",
    "nodes_at_equal_score",
    "seconds",
    *(f"kept {k:+d}" for k in MORE_OR_LESS),
    "histogram",
]
PUBLISHED = {
    "alpha": 0.0,
    "alpha_phi": 1e-2,
    "learning_rate": "constant",
    "max_iter": 2000,
    "n_iter_no_change": np.inf,
    "normalize_y": False,
    "solver": functools.partial(torch.optim.Adam, betas=(0.9, 0.999)),
}
RECIPES = {
    "spectral": {"alpha": ALPHA},
    "dense": {"alpha": ALPHA, "parametrization": "dense"},
    "spectral, published": {
        **PUBLISHED,
        "alpha_lambda": 5e-4,
        "learning_rate_init": 5e-3,
        "batch_size": 300,
    },
    # eigenvalues fixed at their start, 1 or -1, make a dense layer whose penalty is its own
    "dense, published": {
        **PUBLISHED,
        "trainable": "eigenvectors",
        "learning_rate_init": 2e-3,
        "batch_size": 500,
    },
}
PARTS = (
    ((20,), FEW, WIDTHS),
    ((20,), MORE, WIDTHS),
    ((40,), FEW, WIDTHS),
    ((10, 5), FEW[:3], WIDTHS),
    ((20,), ALL, WIDTHS),
    ((10, 5), FEW, WIDTHS),
    ((20,), (*FEW, *MORE, *ALL), MORE_WIDTHS),
)
"""What is fitted, most important first: teacher's first layer, repetitions, widths."""


def student(width, recipe, repetition):
    """Return an unfitted student; all but its first layer is dense."""
    usual = {"parametrization": ("spectral", "dense"), **one_cycle(N_TRAIN)}
    settings = {**usual, **RECIPES[recipe]}
    return SpectralMLPRegressor((width, SECOND), random_state=repetition, **settings)


def relative_error(y, prediction):
    return float(np.mean((y - prediction) ** 2) / np.var(y))


def errors_by_size(network, sizes, X, y):
    """Return the error where only so many nodes of the first layer are kept; NaN if impossible."""
    width = network.hidden_layer_sizes[0]
    return [
        relative_error(y, network.prune(n_nodes=[size, SECOND]).predict(X))
        if 0 < size <= width
        else np.nan
        for size in sizes
    ]


def nodes_at_error(networks, error, X, y):
    """Return the fewest nodes of the first layer with which a network reaches `error`."""
    sizes = [
        network.n_alive_nodes_[0]
        for network in networks
        if relative_error(y, network.predict(X)) <= error
    ]
    return min(sizes, default="inf")


def students(key):
    """Return the student of a key, and a dense one at all other penalties too."""
    _, repetition, width, recipe = key
    network = student(width, recipe, repetition)
    others = OTHER_ALPHAS if recipe == "dense" else ()
    return [network, *(clone(network).set_params(alpha=alpha) for alpha in others)]


def measure(file, keys):
    """Fit the students of one width to the rows of one teacher, and append their rows."""
    teacher_size, repetition = keys[0][:2]
    made = make_teacher_student(
        N_TRAIN + N_TEST, 10, (teacher_size, SECOND), random_state=repetition
    )
    X, X_test = np.split(made.X, [N_TRAIN])
    y, y_test = np.split(made.y, [N_TRAIN])
    groups = [students(key) for key in keys]
    start = time.perf_counter()
    n_fits = len(fit_many([network for group in groups for network in group], X, y))
    seconds = (time.perf_counter() - start) / n_fits
    for key, group in zip(keys, groups, strict=True):
        add(file, key, group, made.teacher, X_test, y_test, seconds)


def add(file, key, networks, teacher, X, y, seconds):
    """Append the row of fitted students, from rows to test on."""
    teacher_size, _, _, recipe = key
    network = networks[0]
    error = relative_error(y, network.predict(X))
    equal = ""
    if recipe == "dense":
        rows = file.read()
        of_same = (rows[COLUMNS[:3]] == list(key[:3])).all(axis=1)
        target = rows[of_same & (rows["recipe"] == "spectral")]["error"].item()
        equal = nodes_at_error(networks, target, X, y)
    by_size = errors_by_size(network, [teacher_size + k for k in MORE_OR_LESS], X, y)
    relevance = network.feature_relevance_[0]
    share = relevance / max(relevance.max(), np.finfo(float).tiny)
    counts = np.histogram(share, BINS)[0]
    numbers = (np.mean(match_nodes(network, teacher).similarity), error)
    file.add(
        [
            *key,
            *network.n_alive_nodes_,
            n_distinct_nodes(network),
            *(f"{number:.4g}" for number in numbers),
            equal,
            round(seconds, 1),
            *(f"{number:.4g}" for number in by_size),
            " ".join(map(str, counts)),
        ]
    )


def main():
    arguments = read_arguments(__doc__, RESULTS, budget=60)
    file = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # settled or not is what is looked at
    k, n = arguments.share
    for teachers, repetitions, widths in PARTS:
        mine = [repetition for repetition in repetitions if repetition % n == k]
        for table_and_width in itertools.product(teachers, mine, widths):
            keys = [(*table_and_width, recipe) for recipe in RECIPES]
            if wanted := [key for key in keys if file.wants(key)]:
                measure(file, wanted)
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))
        draw_all(file.read(), BINS, MORE_OR_LESS)


if __name__ == "__main__":
    main()
