"""Spectral against the strong dense control: nodes at equal test score, for two recipes.

The control is a dense network with L2 on every layer and the same schedule. The
recipes differ in the peak learning rate and in Adam's memory: (0.02, betas
0.9 and 0.99), the default, and (0.01, betas 0.9 and 0.999), torch's betas.
California Housing, quantile-normal inputs, 250 nodes at the start, 15,000 steps.
One row of results/dense_control.csv per fit; rows that are there are skipped:
``python benchmarks/dense_control.py --budget 30``.
"""

import argparse
import functools
import itertools
import warnings
from pathlib import Path

import torch
from appending import Appender
from documents import write_tables
from one_cycle import one_cycle
from real_tables import load_california
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer

from skspectral import SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "dense_control.csv"
RECIPES = {"default": (0.02, 0.99), "torch betas": (0.01, 0.999)}
LABELS = {"default": "default (0.02; 0.9, 0.99)", "torch betas": "0.01; 0.9, 0.999"}
"""Recipes as the documentation names them."""
ALPHAS = (1e-3, 5e-4, 3e-4)
SEEDS = (0, 1)
COLUMNS = ["recipe", "parametrization", "alpha", "seed", "alive", "test_r2"]


@functools.cache
def california():
    """Return training and test rows, on a normal scale."""
    X, X_test, y, y_test = train_test_split(*load_california(), test_size=0.2, random_state=0)
    scaler = QuantileTransformer(output_distribution="normal", random_state=0).fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def measure(file, key):
    """Fit one network and append its row."""
    recipe, parametrization, alpha, seed = key
    X, X_test, y, y_test = california()
    rate, beta = RECIPES[recipe]
    reg = SpectralMLPRegressor(
        250,
        parametrization=parametrization,
        alpha=alpha,
        learning_rate_init=rate,
        solver=functools.partial(torch.optim.Adam, betas=(0.9, beta)),
        random_state=seed,
        **one_cycle(len(y)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reg.fit(X, y)
    file.add([*key, reg.n_alive_nodes_[0], round(reg.score(X_test, y_test), 4)])


def doc_tables(rows):
    """Return means over seeds, a row per recipe, alpha and parametrization."""
    groups = rows.groupby(["recipe", "alpha", "parametrization"], sort=False)
    means = groups[["alive", "test_r2"]].mean().reset_index()
    table = means[["recipe", "parametrization", "alpha", "alive", "test_r2"]].assign(
        recipe=means["recipe"].map(LABELS),
        alive=means["alive"].map("{:g}".format),
        test_r2=means["test_r2"].map("{:.3f}".format),
    )
    table.columns = [
        "recipe (peak rate; Adam's betas)",
        "parametrization",
        "alpha",
        "alive nodes",
        "test R2",
    ]
    return {"dense_control": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=30, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    settings = itertools.product(SEEDS, RECIPES, ALPHAS, ("spectral", "dense"))
    for seed, recipe, alpha, parametrization in settings:
        key = (recipe, parametrization, alpha, seed)
        if file.wants(key):
            measure(file, key)
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
