"""Which learning rate suits eigenvalues, decompositions and dense layers? Held-out accuracy.

The networks of decompositions.py with 100 nodes, seed 0: each kind is trained at each peak rate
on 4,000 of the 5,000 training images, and its accuracy is that on the other 1,000.

One row of results/decomposition_rates.csv per network; rows that are there are skipped:
``python benchmarks/decomposition_rates.py --budget 20``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
from pathlib import Path

from appending import run
from decompositions import IMAGE_SETS, KINDS, PEAK_RATES, accuracy, images, make, train

RESULTS = Path(__file__).parent / "results" / "decomposition_rates.csv"
COLUMNS = ["images", "trained", "rate", "accuracy"]
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
NODES, SEED, N_HELD_OUT = 100, 0, 1_000


def measure(file, key):
    """Train one network and append its row."""
    name, kind, rate = key
    X, y, _, _ = images(name)
    module = make(kind, NODES, SEED)
    train(module, X[N_HELD_OUT:], y[N_HELD_OUT:], rate, SEED)
    file.add([*key, round(accuracy(module, X[:N_HELD_OUT], y[:N_HELD_OUT]), 4)])


def doc_tables(rows):
    """Return accuracies by kind, set of images and rate, and the rate that is taken."""
    table = rows.pivot_table(index=["trained", "images"], columns="rate", values="accuracy")
    keys = itertools.product(KINDS, IMAGE_SETS)
    table = (100 * table.loc[list(keys)]).round(1).rename(index=IMAGE_SETS)
    table = table.reset_index()
    return {"decomposition_rates": table.assign(taken=table["trained"].map(PEAK_RATES))}


def main():
    keys = ((name, kind, rate) for kind, rate, name in itertools.product(KINDS, RATES, IMAGE_SETS))
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=20)


if __name__ == "__main__":
    main()
