"""What does an epoch cost? Rows, width, depth and batch size, and where the time goes.

The table is of made data with 20 columns, float32, one thread. Around 10,000
rows, two layers of 128 and batches of 200 one quantity is changed at a time;
an epoch is the time of a fit of several epochs less that of a fit of one.

    python benchmarks/epoch_cost.py [--repeats 5]

prints both tables and writes docs/epoch_cost.csv and docs/step_parts.csv.
"""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import csv
import functools
import itertools
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from skspectral import SpectralMLPRegressor
from skspectral._training.backpropagation import Backpropagation
from skspectral._training.lean_update import LeanUpdate

DOCS = Path(__file__).parent.parent / "docs"
N_COLUMNS = 20
BASE = {"rows": 10_000, "width": 128, "depth": 2, "batch": 200}
CHANGES = {
    "rows": (1_000, 10_000, 100_000),
    "width": (16, 32, 64, 128, 256, 512),
    "depth": (1, 2, 3, 4),
    "batch": (25, 50, 100, 200, 400, 1_000),
}


def table(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, N_COLUMNS), dtype=np.float32)
    return X, np.sin(X[:, 0]) * X[:, 1]


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeated(n, work):
    """Return the seconds of `n` calls."""
    return seconds(lambda: [work() for _ in range(n)])


def fit(X, y, width, depth, batch, epochs):
    return SpectralMLPRegressor(
        (width,) * depth,
        batch_size=batch,
        max_iter=epochs,
        shrink=False,
        dtype="float32",
        n_threads=1,
        random_state=0,
    ).fit(X, y)


def epoch(rows, width, depth, batch):
    """Return a callable that measures the seconds of one epoch."""
    X, y = table(rows)
    more = max(2, 100_000 // rows)

    def measure():
        one = seconds(lambda: fit(X, y, width, depth, batch, 1))
        many = seconds(lambda: fit(X, y, width, depth, batch, 1 + more))
        return (many - one) / more

    return measure


def epochs(repeats):
    """Yield a row for each setting: what is changed, milliseconds per epoch, microseconds."""
    settings = [(name, {**BASE, name: value}) for name in CHANGES for value in CHANGES[name]]
    measures = [epoch(**setting) for _, setting in settings]
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    for (name, setting), times in zip(settings, zip(*rounds, strict=True), strict=True):
        cost = statistics.median(times)
        n_steps = -(-setting["rows"] // setting["batch"])
        yield [
            name,
            *setting.values(),
            f"{1e3 * cost:.1f}",
            f"{1e6 * cost / n_steps:.0f}",
            f"{1e6 * cost / setting['rows']:.2f}",
        ]


def parts(width, depth, repeats, batch=200):
    """Return the microseconds of a step: matrix products, other passes, the rest, an epoch's."""
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
    bare, both, whole, an_epoch = (
        1e6 * statistics.median(column) / n_steps for column in zip(*rounds, strict=True)
    )
    return [bare, both - bare, whole - both, an_epoch - whole]


def write(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            print(*row, sep="\t", flush=True)
            writer.writerow(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    header = ["network", "matrix products", "rest of both passes", "loss, optimiser", "epoch"]
    shapes = [(32, 1), (128, 1), (128, 2), (256, 3), (512, 2)]
    costs = ((", ".join([str(w)] * d), parts(w, d, 5 * arguments.repeats)) for w, d in shapes)
    rows = ([name, *(f"{max(cost, 0):.0f}" for cost in row)] for name, row in costs)
    write(DOCS / "step_parts.csv", header, rows)
    header = ["changed", *BASE, "ms per epoch", "µs per step", "µs per row"]
    write(DOCS / "epoch_cost.csv", header, epochs(arguments.repeats))


if __name__ == "__main__":
    main()
