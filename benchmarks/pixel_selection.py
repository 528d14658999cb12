"""Which pixels tell digits apart? Accuracy of networks that see the chosen ones alone.

5,000 training images of MNIST for each seed; the ways to choose are those of column_selection.py.
What counts is not known here, so a fresh default network is fitted to the best 25, 50 and 100
pixels of each, and to those that are kept, and scored on the 10,000 test images. "all" keeps
everything, and for the best ones has those of the largest variance.

One row of results/pixel_selection.csv per choice; rows that are there are skipped:
``python benchmarks/pixel_selection.py --budget 30``. Data are read from the folder that
SKSPECTRAL_DATA names.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from appending import run
from column_selection import METHODS, NEEDS, network, span
from documents import IMAGES, read_rows
from real_tables import load_images

RESULTS = Path(__file__).parent / "results" / "pixel_selection.csv"
MOST = (25, 50, 100)
COLUMNS = [
    "method",
    "seed",
    "n_kept",
    "accuracy_kept",
    *(f"accuracy_{k}" for k in MOST),
    "seconds",
]
SEEDS = range(2)
N_ROWS = 5_000


def everything(X, y, seed):
    """Keep all pixels, in the order of their variance."""
    return X.var(axis=0), np.ones(X.shape[1], dtype=bool)


WAYS = {name: way for name, way in METHODS.items() if name != "SHAP"} | {"all": everything}
"""SHAP would ask the network about a million images."""


def images(seed):
    """Return training and test images with their digits; each seed has images of its own."""
    X, X_test, y, y_test = load_images("mnist")
    rows = slice(seed * N_ROWS, (seed + 1) * N_ROWS)
    return X[rows], y[rows].astype(int), X_test, y_test.astype(int)


def measure(file, key):
    """Let a method choose pixels, and append how well a network does with them."""
    method, seed = key
    X, y, X_test, y_test = images(seed)
    start = time.process_time()
    importances, kept = WAYS[method](X, y, seed)
    seconds = round(time.process_time() - start, 1)
    best = np.argsort(-importances, kind="stable")
    choices = [np.flatnonzero(kept), *(best[:most] for most in MOST)]
    accuracies = [
        network(y, seed).fit(X[:, chosen], y).score(X_test[:, chosen], y_test)
        for chosen in choices
    ]
    file.add([*key, int(kept.sum()), *(round(value, 4) for value in accuracies), seconds])


def doc_tables(rows):
    """Return means over the seeds, a row per method."""
    groups = rows.groupby("method", sort=False)
    table = groups["n_kept"].agg(span).to_frame("kept")
    for column in ("kept", *MOST):
        name = f"accuracy, {column}"
        table[name] = groups[f"accuracy_{column}"].mean().map("{:.3f}".format)
    table["seconds"] = groups["seconds"].median().round(1)
    return {
        "pixel_selection": table.loc[[name for name in WAYS if name in table.index]].reset_index()
    }


def draw(rows):
    """Draw accuracy against pixels: lines of the best ones, and a ring for those that are kept."""
    from matplotlib import pyplot as plt  # the table needs no picture

    means = rows.groupby("method").mean()
    figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for index, (name, marker) in enumerate(zip(WAYS, "osD^vPX*", strict=True)):
        color = f"C{index}"
        best = [100 * means.loc[name, f"accuracy_{most}"] for most in MOST]
        label = "largest variance" if name == "all" else name
        ax.plot(MOST, best, marker=marker, color=color, label=label)
        kept = means.loc[name, ["n_kept", "accuracy_kept"]]
        ax.plot(kept.iloc[0], 100 * kept.iloc[1], "o", color=color, mfc="none", ms=9)
    ax.set(xscale="log", xlabel="pixels", ylabel="test accuracy, %")
    ax.set_xticks([25, 50, 100, 200, 400, 784], labels=["25", "50", "100", "200", "400", "784"])
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, title="ring: all that are kept")
    figure.savefig(IMAGES / "pixels.png", dpi=120)


def main():
    keys = [
        (method, seed)
        for seed, method in itertools.product(SEEDS, WAYS)
        if method not in NEEDS or find_spec(NEEDS[method]) is not None
    ]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=30)
    draw(read_rows(RESULTS))


if __name__ == "__main__":
    main()
