"""Where does the time of a step go? Matrix products, the passes around them, the rest.

Steps of 200 rows of the table of epoch_cost.py, float32, one thread.

    python benchmarks/step_parts.py [--repeats 25]

writes benchmarks/results/step_parts.csv, a row per network with medians of all rounds,
and the table of the documentation; ``--repeats 0`` writes that again and measures
nothing.
"""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import functools
import itertools
import statistics
import warnings
from pathlib import Path

import pandas as pd
import torch
from documents import read_rows, write_tables
from epoch_cost import BASE, epoch, fit, pin_threads, seconds, table
from sklearn.exceptions import ConvergenceWarning

from skspectral._training.backpropagation import Backpropagation
from skspectral._training.lean_update import LeanUpdate

RESULTS = Path(__file__).parent / "results" / "step_parts.csv"
SHAPES = ((32, 1), (128, 1), (128, 2), (256, 3), (512, 2))
"""Width and depth."""
PARTS = {
    "products": "matrix products",
    "passes": "rest of both passes",
    "step": "loss, optimiser",
    "epoch": "epoch",
}
"""Columns of microseconds, each with what is before it; and what each adds."""


def repeated(n, work):
    """Return the seconds of `n` calls."""
    return seconds(lambda: [work() for _ in range(n)])


def parts(width, depth, repeats, batch=200):
    """Return the microseconds of a step, each part with those before it, as in `PARTS`."""
    X, y = table(BASE["rows"])
    net = fit(X, y, width, depth, batch, 2).net_
    rows, target = torch.tensor(X[:batch]), torch.tensor(y[:batch, None])
    update = LeanUpdate(net.module_, net.criterion_, [], net.optimizer_, batch)
    passes = Backpropagation(net.module_, batch)
    cotangent = torch.randn(batch, 1)
    sizes = net.module_.layer_sizes
    weights = [torch.randn(n_out, n_in) for n_in, n_out in itertools.pairwise(sizes)]
    values = [torch.randn(batch, size) for size in sizes]
    gradients = [torch.empty_like(weight) for weight in weights]

    def products():
        for i, weight in enumerate(weights):
            torch.mm(values[i], weight.t(), out=values[i + 1])
        for i in reversed(range(len(weights))):
            torch.mm(values[i + 1].t(), values[i], out=gradients[i])
            if i:
                torch.mm(values[i + 1], weights[i], out=values[i])
        for value in values:
            value.fill_(1.0)  # or the numbers grow without bounds

    def there_and_back():
        passes.forward(rows)
        passes.backward(cotangent)

    n_steps = BASE["rows"] // batch
    works = (products, there_and_back, lambda: update(rows, target))
    measures = [functools.partial(repeated, n_steps, work) for work in works]
    measures.append(epoch(BASE["rows"], width, depth, batch))
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [1e6 * statistics.median(column) / n_steps for column in zip(*rounds, strict=True)]


def measure(repeats):
    """Return a row for each network."""
    rows = [[width, depth, repeats, *parts(width, depth, repeats)] for width, depth in SHAPES]
    return pd.DataFrame(rows, columns=["width", "depth", "repeats", *PARTS]).round(1)


def doc_tables(rows):
    """Return what each part adds to a step, a row per network."""
    added = rows[list(PARTS)].diff(axis=1).fillna(rows[["products"]]).clip(lower=0)
    shown = added.map("{:.0f}".format).rename(columns=PARTS)
    pairs = zip(rows["width"], rows["depth"], strict=True)
    shown.insert(0, "network", [", ".join([str(width)] * depth) for width, depth in pairs])
    return {"step_parts": shown}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=25)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    pin_threads()
    if arguments.repeats:
        measure(arguments.repeats).to_csv(RESULTS, index=False)
    write_tables(doc_tables(read_rows(RESULTS)))


if __name__ == "__main__":
    main()
