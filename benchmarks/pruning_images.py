"""Accuracy against the share of trimmed nodes on Fashion-MNIST, 784 -> 500 -> 10.

As figure 3 of Buffoni et al. 2022: nodes ranked after training by relevance and
by eigenvalue, or before training by eigenvalue, where what is left is trained;
beside two dense networks ranked by the norm of the incoming weights. "published"
penalises the incoming weights only and trains at a constant rate, "strong"
penalises every layer and has the schedule of the spectral network. All see the
60,000 training images 20 times, in batches of 200. Rows that are in the CSV
already are skipped.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from appending import Appender
from documents import IMAGES, write_tables
from real_tables import load_images
from sklearn.exceptions import ConvergenceWarning

from skspectral import SpectralMLPClassifier, SpectralPruner, pruning_curve

RESULTS = Path(__file__).parent / "results" / "pruning_images.csv"
WIDTH = 500
TRIMMED = (0, 50, 70, 80, 85, 88, 90, 92, 94, 96, 98, 99)
SEEDS = range(5)
COLUMNS = ["network", "ranking", "seed", "trimmed_percent", "kept", "alive", "accuracy"]

COMMON = {"hidden_layer_sizes": WIDTH, "max_iter": 20, "learning_rate_init": 0.01}
# trained eigenvectors at a fixed eigenvalue are dense weights, here with a penalty of their own
NETWORKS = {
    "spectral": {"alpha": 1e-4},
    "dense, strong": {"alpha": 1e-4, "parametrization": "dense"},
    "dense, published": {
        "alpha": 0.0,
        "alpha_phi": 1e-4,
        "trainable": "eigenvectors",
        "learning_rate": "constant",
        "learning_rate_init": 1e-3,
        "n_iter_no_change": np.inf,
    },
}
RANKINGS = {
    "spectral": ("spectral", "lambda", "path", "random"),
    "dense, strong": ("spectral",),
    "dense, published": ("spectral",),
}


def kept_nodes(trimmed):
    return round(WIDTH * (100 - trimmed) / 100)


def after_training(data, name, seed):
    """Yield a row per ranking and size, from one fit."""
    X, X_test, y, y_test = data
    network = SpectralMLPClassifier(**{**COMMON, **NETWORKS[name]}, random_state=seed).fit(X, y)
    sizes = [kept_nodes(trimmed) for trimmed in TRIMMED]
    for ranking in RANKINGS[name]:
        curve = pruning_curve(
            network, X_test, y_test, n_nodes=sizes, relevance=ranking, random_state=seed
        )
        accuracy = dict(zip(curve.n_nodes.tolist(), curve.score.tolist(), strict=True))
        for trimmed, kept in zip(TRIMMED, sizes, strict=True):
            label = "norm" if ranking == "spectral" and name != "spectral" else ranking
            alive = network.n_alive_nodes_[0]
            yield [name, label, seed, trimmed, kept, alive, round(accuracy[kept], 4)]


def before_training(data, seed, trimmed):
    """Return the row of one size, from a fit of its own."""
    X, X_test, y, y_test = data
    network = SpectralMLPClassifier(**{**COMMON, **NETWORKS["spectral"]}, random_state=seed)
    kept = kept_nodes(trimmed)
    pruner = SpectralPruner(network, n_nodes=kept, strategy="before").fit(X, y)
    alive = pruner.estimator_.n_alive_nodes_[0]
    accuracy = round(pruner.score(X_test, y_test), 4)
    return ["spectral", "before training", seed, trimmed, kept, alive, accuracy]


def doc_tables(rows):
    """Return mean accuracies: a row per ranking, a column per percentage of trimmed nodes."""
    grouped = rows.groupby(["network", "ranking", "trimmed_percent"], sort=False)["accuracy"]
    summary = grouped.mean().map("{:.3f}".format).unstack("trimmed_percent")
    seeds = rows.groupby(["network", "ranking"], sort=False)["seed"].nunique()
    summary.insert(0, "seeds", seeds)
    summary.columns = [c if isinstance(c, str) else f"{c} %" for c in summary.columns]
    return {"pruning_images": summary.reset_index()}


def draw(rows, path):
    """Draw mean accuracy, and its range over seeds, against the share of trimmed nodes."""
    fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for (network, ranking), curve in rows.groupby(["network", "ranking"], sort=False):
        accuracy = curve.groupby("trimmed_percent")["accuracy"]
        (line,) = ax.plot(accuracy.mean(), marker="o", markersize=3, label=f"{network}: {ranking}")
        ax.fill_between(
            accuracy.min().index, accuracy.min(), accuracy.max(), alpha=0.2, color=line.get_color()
        )
    ax.set(
        xlabel=f"trimmed nodes, % of {WIDTH}",
        ylabel="test accuracy",
        title="Fashion-MNIST, 784 -> 500 -> 10",
    )
    ax.set_xscale("function", functions=(lambda t: -np.log(101 - t), lambda u: 101 - np.exp(-u)))
    ax.set_xticks(TRIMMED, [str(t) for t in TRIMMED])
    ax.legend(fontsize=8)
    fig.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, X_test, y, y_test = load_images("fashion_mnist")
    mean, scale = X.mean(axis=0), X.std(axis=0) + 0.1
    data = (X - mean) / scale, (X_test - mean) / scale, y, y_test
    table = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    for seed in SEEDS:
        for name in NETWORKS:
            if table.wants((name, "norm" if name != "spectral" else "spectral", seed, 0)):
                for row in after_training(data, name, seed):
                    table.add(row)
        for trimmed in TRIMMED[1:]:
            if table.wants(("spectral", "before training", seed, trimmed)):
                table.add(before_training(data, seed, trimmed))
    if arguments.out == RESULTS:
        write_tables(doc_tables(table.read()))
        draw(table.read(), IMAGES / "pruning_images.png")


if __name__ == "__main__":
    main()
