"""How many steps until the size settles? The measurement behind max_iter="auto".

Each table is fitted at a fixed penalty (256 nodes, alpha 1e-3) with a growing number of steps,
in one cycle of the schedule, and once at default settings ("auto": penalty, width and number of
steps from the data). The size has settled where `size_settled_` is true.

California Housing is read by scikit-learn's loader, Adult from the folder
named by SKSPECTRAL_DATA; what is not there is left out, saying so. One row of
results/settling.csv per fit; rows that are there are skipped:
``python benchmarks/settling.py --budget 60``.
"""

import argparse
import itertools
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import Appender
from documents import write_tables
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import fetch_california_housing
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "settling.csv"
STEPS = (5_000, 10_000, 15_000, 20_000)
AUTO = 0
"""Stands for the steps of a default fit in the rows."""
SEEDS = (0, 1, 2)
TITLES = {
    "adult": "Adult",
    "california": "California Housing",
    "teacher": "20-node teacher, noisy",
}
"""Tables as the documentation names them."""
COLUMNS = ["table", "rows", "steps", "seed", "settled", "alive", "test_score", "steps_made"]


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


def measure(file, load, n_rows, steps, seed):
    """Fit one network and append its row."""
    model, X_train, X_test, y_train, y_test = load(n_rows)
    model[-1].set_params(random_state=seed)
    if steps != AUTO:
        model[-1].set_params(hidden_layer_sizes=256, alpha=1e-3, batch_size=200)
        model[-1].set_params(max_iter=-(-steps // -(-len(X_train) // 200)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    score = round(model.score(X_test, y_test), 4)
    alive = sum(model[-1].n_alive_nodes_)
    made = model[-1].n_iter_ * -(-len(X_train) // model[-1].net_.batch_size)
    file.add([load.__name__, n_rows, steps, seed, model[-1].size_settled_, alive, score, made])


def span(sizes):
    """Return the range of sizes in words."""
    low, high = sizes.min(), sizes.max()
    return str(low) if low == high else f"{low} to {high}"


def doc_tables(rows):
    """Return what the seeds say together, a row per table, rows and steps."""
    groups = rows.groupby(["table", "rows", "steps"])
    table = groups.agg(
        made=("steps_made", span),
        settled=("settled", lambda settled: f"{settled.sum()}/{len(settled)}"),
        alive=("alive", span),
        score=("test_score", lambda scores: f"{scores.mean():.3f}"),
    ).reset_index()
    table = table.rename(columns={"steps": "planned steps", "made": "steps made"})
    table["planned steps"] = table["planned steps"].replace(AUTO, "auto").astype(str)
    return {"settling": table.assign(table=table["table"].map(TITLES))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    for seed, steps, (load, n_rows) in itertools.product(SEEDS, (AUTO, *STEPS), CASES):
        if file.wants((load.__name__, n_rows, steps, seed)):
            try:
                measure(file, load, n_rows, steps, seed)
            except OSError as error:
                print(f"{load.__name__} left out: {error}")
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
