"""How many steps until the size settles? The measurement behind max_iter="auto".

Each table is fitted at default settings with a growing number of steps. The
size has settled where `size_settled_` is true; "auto" should be the smallest
number of steps at which that holds for tables from 1,000 to 100,000 rows.

California Housing is read by scikit-learn's loader, Adult from the folder
named by SKSPECTRAL_DATA; what is not there is left out, saying so. Rows that
are in the CSV already are skipped.
"""

import argparse
import csv
import itertools
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import fetch_california_housing
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "settling.csv"
STEPS = (5_000, 10_000, 15_000, 20_000)
SEEDS = (0, 1, 2)
COLUMNS = ["table", "rows", "steps", "seed", "settled", "alive", "test_score"]


def quantile_normal():
    return QuantileTransformer(output_distribution="normal", subsample=None, random_state=0)


def california(n_rows):
    X, y = fetch_california_housing(return_X_y=True, download_if_missing=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    model = make_pipeline(quantile_normal(), SpectralMLPRegressor())
    return model, X_train[:n_rows], X_test, y_train[:n_rows], y_test


def adult(n_rows):
    names = (
        "age workclass fnlwgt education education-num marital-status occupation relationship "
        "race sex capital-gain capital-loss hours-per-week native-country income"
    )
    path = Path(os.environ.get("SKSPECTRAL_DATA", ".")) / "adult" / "adult.data.gz"
    table = pd.read_csv(path, names=names.split(), skipinitialspace=True)
    X, y = table.drop(columns="income"), table["income"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    encoder = make_column_transformer(
        (quantile_normal(), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(min_frequency=50, handle_unknown="infrequent_if_exist"),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    model = make_pipeline(encoder, SpectralMLPClassifier())
    return model, X_train[:n_rows], X_test, y_train[:n_rows], y_test


def teacher(n_rows):
    """Make rows of a network with 20 hidden nodes, with noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows + 10_000, 10))
    weights, outgoing = rng.normal(size=(10, 20)) / np.sqrt(10), rng.normal(size=20)
    y = np.maximum(X @ weights + 0.3 * rng.normal(size=20), 0) @ outgoing
    y += 0.3 * y.std() * rng.normal(size=len(y))
    model = make_pipeline(quantile_normal(), SpectralMLPRegressor())
    return model, X[:n_rows], X[n_rows:], y[:n_rows], y[n_rows:]


CASES = [
    (california, 1_000),
    (california, 4_000),
    (california, 16_512),
    (adult, 26_048),
    (teacher, 10_000),
    (teacher, 100_000),
]


def measure(load, n_rows, steps, seed):
    model, X_train, X_test, y_train, y_test = load(n_rows)
    steps_per_epoch = -(-len(X_train) // 200)
    model[-1].set_params(max_iter=-(-steps // steps_per_epoch), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    return {
        "table": load.__name__,
        "rows": n_rows,
        "steps": steps,
        "seed": seed,
        "settled": model[-1].size_settled_,
        "alive": sum(model[-1].n_alive_nodes_),
        "test_score": round(model.score(X_test, y_test), 4),
    }


def report(path):
    table = pd.read_csv(path).groupby(["table", "rows", "steps"], sort=False)
    print(
        table.agg(
            settled=("settled", "mean"),
            alive_mean=("alive", "mean"),
            alive_min=("alive", "min"),
            alive_max=("alive", "max"),
            test_score=("test_score", "mean"),
        )
        .round(3)
        .to_string()
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(exist_ok=True)
    done = set()
    if arguments.out.exists():
        done = set(pd.read_csv(arguments.out)[COLUMNS[:4]].itertuples(index=False, name=None))
    stop = time.monotonic() + 60 * arguments.budget
    for seed, steps, (load, n_rows) in itertools.product(SEEDS, STEPS, CASES):
        if (load.__name__, n_rows, steps, seed) in done:
            continue
        if time.monotonic() > stop:
            print("The budget is spent; run again to go on.")
            break
        try:
            row = measure(load, n_rows, steps, seed)
        except OSError as error:
            print(f"{load.__name__} left out: {error}")
            continue
        new = not arguments.out.exists()
        with arguments.out.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
        print(*row.values(), sep="\t", flush=True)
    report(arguments.out)


if __name__ == "__main__":
    main()
