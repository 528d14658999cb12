"""Spectral against the strong dense control: nodes at equal test score, for two recipes.

The control is a dense network with L2 on every layer and the same schedule. The
recipes differ in the peak learning rate and in Adam's memory: (0.02, betas
0.9 and 0.99), the default, and (0.01, betas 0.9 and 0.999), torch's betas.
California Housing, quantile-normal inputs, 250 nodes at the start, 15,000 steps.
Rows that are in the CSV already are skipped.
"""

import argparse
import csv
import functools
import itertools
import time
import warnings
from pathlib import Path

import pandas as pd
import torch
from sklearn.datasets import fetch_california_housing
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer

from skspectral import SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "dense_control.csv"
RECIPES = {"default": (0.02, 0.99), "torch betas": (0.01, 0.999)}
ALPHAS = (1e-3, 5e-4, 3e-4)
SEEDS = (0, 1)
COLUMNS = ["recipe", "parametrization", "alpha", "seed", "alive", "test_r2"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=30, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    X, y = fetch_california_housing(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    scaler = QuantileTransformer(output_distribution="normal", random_state=0).fit(X_train)
    arguments.out.parent.mkdir(exist_ok=True)
    done = set()
    if arguments.out.exists():
        done = set(pd.read_csv(arguments.out)[COLUMNS[:4]].itertuples(index=False, name=None))
    stop = time.monotonic() + 60 * arguments.budget
    settings = itertools.product(SEEDS, RECIPES, ALPHAS, ("spectral", "dense"))
    for seed, recipe, alpha, parametrization in settings:
        key = (recipe, parametrization, alpha, seed)
        if key in done or time.monotonic() > stop:
            continue
        rate, beta = RECIPES[recipe]
        reg = SpectralMLPRegressor(
            250,
            parametrization=parametrization,
            alpha=alpha,
            learning_rate_init=rate,
            solver=functools.partial(torch.optim.Adam, betas=(0.9, beta)),
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            reg.fit(scaler.transform(X_train), y_train)
        score = round(reg.score(scaler.transform(X_test), y_test), 4)
        row = [*key, reg.n_alive_nodes_[0], score]
        new = not arguments.out.exists()
        with arguments.out.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(COLUMNS)
            writer.writerow(row)
        print(*row, sep="\t", flush=True)
    table = pd.read_csv(arguments.out).groupby(COLUMNS[:3], sort=False)[["alive", "test_r2"]]
    print(table.mean().round(4).to_string())


if __name__ == "__main__":
    main()
