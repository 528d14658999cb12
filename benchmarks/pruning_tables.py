"""What pruning saves: nodes, parameters, bytes and prediction time, and what it costs in score.

A network of far too many nodes is fitted and pruned by ``SpectralPruner`` at its
default tolerance, one standard error. Compared are the network before pruning,
the pruned one, its scikit-learn export and its ONNX export: all predict the same
10,000 rows (fewer where the test set is smaller), interleaved, on one thread. The
loss is that of the scored kind per test row, full minus pruned, with its paired
standard error. Rows that are in the CSV already are skipped.
"""

import argparse
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from appending import Appender
from documents import write_tables
from real_tables import load_adult, load_california, load_images
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, SplineTransformer

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, SpectralPruner

RESULTS = Path(__file__).parent / "results" / "pruning_tables.csv"
SEEDS = range(5)
N_PREDICTED = 10_000
ROUNDS = 15
ROUNDING = 1e-6
"""Losses per row below this are float32 rounding, whatever their standard error."""
COLUMNS = [
    "table",
    "start",
    "seed",
    "model",
    "nodes",
    "alive",
    "parameters",
    "test_score",
    "loss_per_row",
    "standard_error",
    "bytes",
    "predict_ms",
]


def encoder():
    return make_union(
        QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0),
        make_pipeline(
            QuantileTransformer(n_quantiles=200, random_state=0),
            SplineTransformer(n_knots=16, degree=1, include_bias=False),
        ),
    )


def california():
    X, y = load_california()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
    numeric = encoder().fit(X)
    return numeric.transform(X), numeric.transform(X_test), y, y_test


def adult():
    X, X_test, y, y_test = load_adult()
    columns = make_column_transformer(
        (encoder(), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(min_frequency=50, handle_unknown="infrequent_if_exist"),
            make_column_selector(dtype_exclude="number"),
        ),
        sparse_threshold=0,
    ).fit(X)
    return columns.transform(X), columns.transform(X_test), y.to_numpy(), y_test.to_numpy()


def fashion():
    X, X_test, y, y_test = load_images("fashion_mnist")
    mean, scale = X.mean(axis=0), X.std(axis=0) + 0.1
    return (X - mean) / scale, (X_test - mean) / scale, y, y_test


CASES = {
    ("California Housing", "256"): (
        california,
        SpectralMLPRegressor(256, alpha=1e-3, batch_size=400, max_iter=200),
    ),
    ("California Housing", "256+64"): (
        california,
        SpectralMLPRegressor((256, 64), alpha=1e-3, batch_size=400, max_iter=200),
    ),
    ("Adult", "256"): (adult, SpectralMLPClassifier(256, alpha=2e-4, batch_size=400, max_iter=80)),
    ("Adult", "256+64"): (
        adult,
        SpectralMLPClassifier((256, 64), alpha=2e-4, batch_size=400, max_iter=80),
    ),
    ("Fashion-MNIST", "500"): (
        fashion,
        SpectralMLPClassifier(500, alpha=1e-4, max_iter=20, learning_rate_init=0.01),
    ),
}


def row_losses(network, X, y):
    """Return the squared error or log loss of each row."""
    if not hasattr(network, "predict_proba"):
        return (y - network.predict(X)) ** 2
    return -network.predict_log_proba(X)[np.arange(len(y)), np.searchsorted(network.classes_, y)]


def onnx_predictor(network):
    """Return a function that predicts with onnxruntime, and the bytes of the file."""
    import onnxruntime

    content = network.to_onnx().SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda X: session.run(None, {name: X})[0], len(content)


def median_times(predictors, X):
    """Return the median milliseconds of each, measured in turns."""
    times = {name: [] for name in predictors}
    for _ in range(ROUNDS):
        for name, predict in predictors.items():
            start = time.perf_counter()
            predict(X)
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: round(float(np.median(t)), 3) for name, t in times.items()}


def measure(case, seed):
    """Return the rows of one fit."""
    load, network = CASES[case]
    X, X_test, y, y_test = load()
    X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    pruner = SpectralPruner(network.set_params(random_state=seed), random_state=seed).fit(X, y)
    full, small = pruner.full_estimator_, pruner.estimator_
    exported = small.to_sklearn()
    onnx_predict, onnx_bytes = onnx_predictor(small)
    times = median_times(
        {
            "full": full.predict,
            "pruned": small.predict,
            "scikit-learn": exported.predict,
            "onnx": onnx_predict,
        },
        X_test[:N_PREDICTED],
    )
    sizes = {
        "full": len(pickle.dumps(full)),
        "pruned": len(pickle.dumps(small)),
        "scikit-learn": len(pickle.dumps(exported)),
        "onnx": onnx_bytes,
    }
    lost = row_losses(small, X_test, y_test) - row_losses(full, X_test, y_test)
    difference = [f"{lost.mean():.2e}", f"{lost.std() / np.sqrt(len(lost)):.2e}"]
    for model, estimator in (
        ("full", full),
        ("pruned", small),
        ("scikit-learn", exported),
        ("onnx", exported),
    ):
        yield [
            *case,
            seed,
            model,
            sum(c.shape[1] for c in estimator.coefs_[:-1]),
            sum(full.n_alive_nodes_),
            sum(a.size for a in (*estimator.coefs_, *estimator.intercepts_)),
            round(estimator.score(X_test, y_test), 4),
            *(["", ""] if model == "full" else difference),
            sizes[model],
            times[model],
        ]


def summarise(rows):
    """Return a row per table and model: means over seeds, of costs medians of ratios to full."""
    costs = ["parameters", "bytes", "predict_ms"]
    full = rows[rows["model"] == "full"].set_index(["table", "start", "seed"])[costs]
    ratios = rows.join(full.add_suffix("_full"), on=["table", "start", "seed"])
    for cost in costs:
        ratios[cost] = ratios[cost] / ratios[f"{cost}_full"]
    lost = ratios["loss_per_row"] > np.maximum(ratios["standard_error"], ROUNDING)
    ratios["lost"] = lost.astype(int)
    grouped = ratios.groupby(["table", "start", "model"], sort=False)
    summary = grouped[["alive", "nodes", "test_score"]].mean().join(grouped[costs].median())
    summary.insert(3, "fits_that_lost", grouped["lost"].sum())
    return summary.reset_index()


def doc_tables(rows):
    """Return the summary, its numbers as text."""
    formats = {
        "alive": "{:.1f}",
        "nodes": "{:.1f}",
        "test_score": "{:.4f}",
        "parameters": "{:.3f}",
        "bytes": "{:.3f}",
        "predict_ms": "{:.2f}",
    }
    table = summarise(rows)
    for column, text in formats.items():
        table[column] = [text.format(v) if v == v else "" for v in table[column]]
    table.columns = [column.replace("_", " ") for column in table.columns]
    return {"pruning_tables": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    table = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    for seed in SEEDS:
        for case in CASES:
            if table.wants((*case, seed, "onnx")):
                for row in measure(case, seed):
                    table.add(row)
    if arguments.out == RESULTS:
        write_tables(doc_tables(table.read()))


if __name__ == "__main__":
    main()
