"""A task of ten nodes: how many are left of a network that starts with 20 to 500?

Teachers of 10 columns and 10 nodes label 5,000 rows, with a tenth of noise. Nothing is set but
the width: this package's estimator, the same with `parametrization="dense"`, and scikit-learn's. A
node counts if its relevance is above 0.05 of the largest; of a dense layer that is the norm of
its weights. R2 is that of 2,000 more rows. Row by row in results/widths.csv, and the picture of
the first page: ``python benchmarks/widths.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
from appending import run
from documents import IMAGES, read_rows
from sklearn.neural_network import MLPRegressor

from skspectral import SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "widths.csv"
COLUMNS = ["seed", "width", "network", "nodes", "r2", "cpu_seconds"]
N_NODES, N_ROWS, N_TEST, NOISE = 10, 5_000, 2_000, 0.1
SEEDS, WIDTHS = range(5), (20, 50, 100, 200, 500)
THRESHOLD = 0.05
NETWORKS = {
    "scikit-learn": ("#888888", "s", "MLPRegressor of scikit-learn"),
    "dense": ("#e69f00", "^", "skspectral with dense weights"),
    "spectral": ("#0072b2", "o", "skspectral"),
}


def make(network, width, seed):
    """Return an estimator at its defaults but for the width."""
    if network == "scikit-learn":
        return MLPRegressor(hidden_layer_sizes=(width,), random_state=seed)
    return SpectralMLPRegressor(width, parametrization=network, random_state=seed)


def n_nodes(network):
    """Return the number of hidden nodes with more than a twentieth of the largest relevance."""
    if hasattr(network, "n_alive_nodes_"):
        return sum(network.n_alive_nodes_)
    relevance = np.linalg.norm(network.coefs_[0], axis=0)
    return np.count_nonzero(relevance > THRESHOLD * relevance.max())


def measure(file, key):
    """Fit one network and append its row."""
    seed, width, name = key
    X, y = make_teacher_student(
        N_ROWS + N_TEST, 10, (N_NODES,), noise=NOISE, random_state=seed, return_teacher=False
    )
    start = time.process_time()
    network = make(name, width, seed).fit(X[:N_ROWS], y[:N_ROWS])
    seconds = time.process_time() - start
    r2 = network.score(X[N_ROWS:], y[N_ROWS:])
    file.add([*key, n_nodes(network), f"{r2:.4f}", f"{seconds:.2f}"])


def doc_tables(rows):
    """Return nodes, score and seconds, a line for each width and a column for each network."""
    nodes = rows.groupby(["width", "network"])["nodes"]
    means = rows.groupby(["width", "network"])[["r2", "cpu_seconds"]].mean().unstack()
    table = nodes.agg(lambda values: " ".join(map(str, sorted(values)))).unstack()[[*NETWORKS]]
    table.columns = [f"nodes, {name}" for name in table]
    for name in NETWORKS:
        table[f"R2, {name}"] = means["r2", name].map("{:.4f}".format)
    for name in NETWORKS:
        table[f"s, {name}"] = means["cpu_seconds", name].map("{:.1f}".format)
    return {"widths": table.reset_index()}


def draw(rows):
    """Draw the nodes that are left against the width at the start: median and range."""
    from matplotlib import pyplot as plt  # the table needs no picture

    with plt.rc_context({"font.size": 13}):
        figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, (color, marker, label) in NETWORKS.items():
        nodes = rows[rows["network"] == name].groupby("width")["nodes"]
        median = nodes.median()
        ax.fill_between(median.index, nodes.min(), nodes.max(), color=color, alpha=0.2, lw=0)
        size = 13 if name == "dense" else 8  # it lies below the spectral one
        ax.plot(median, color=color, marker=marker, lw=2, ms=size, label=label)
    ax.axhline(N_NODES, color="black", lw=1, ls="--", zorder=0)
    ax.annotate(
        f"the size of the task: {N_NODES} nodes",
        (WIDTHS[-1], N_NODES),
        xytext=(0, -8),
        textcoords="offset points",
        ha="right",
        va="top",
    )
    ticks = [5, 10, 20, 50, 100, 200, 500]
    ax.set(xscale="log", yscale="log", ylim=(5, 700))
    ax.set_xticks(WIDTHS, WIDTHS)
    ax.set_yticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(xlabel="hidden nodes at the start", ylabel="hidden nodes left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left", fontsize=13)
    figure.savefig(IMAGES / "widths.png", dpi=120)


def main():
    keys = itertools.product(SEEDS, WIDTHS, NETWORKS)
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)
    draw(read_rows(RESULTS))


if __name__ == "__main__":
    main()
