"""How fast is training on a GPU? Epochs of 1,000,000 rows of 100 columns, two layers of 512.

For small and large batches, seconds per epoch of

- ours: the step captured in a CUDA graph, data, order and loss on the device,
- stock skorch with a dense module on the same GPU (fewer rows, scaled up),
- the matrix products of the step alone, in the same graph-free loop of torch.

Then, for networks from small to large, seconds per step on the CPU of that
machine and on the GPU: from which size on device="auto" should take the GPU. And students
per second: fleets on the GPU against one by one there and against all CPU cores.

    python benchmarks/gpu.py [--rows 1000000] [--repeats 3]

prints tables and writes benchmarks/results/gpu.json, with the device and the
date, and the tables of the documentation. Without CUDA it says so and stops.
"""

import argparse
import itertools
import json
import os
import statistics
import time
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import skorch
import torch
from documents import read_rows, write_tables
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

import skspectral
from skspectral import SpectralMLPRegressor, fit_many

RESULTS = Path(__file__).parent / "results" / "gpu.json"
N_COLUMNS, SIZES = 100, (512, 512)
BATCHES = (256, 1024, 8192, 65_536)
SKORCH_ROWS = 50_000
FLEET_ROWS, FLEET_EPOCHS, FLEET_SINGLES = 10_000, 30, 4
FLEET_SIZES = (8, 64, 512, 2048)
SWITCH_SHAPES = (
    (8, (20,)),
    (8, (256,)),
    (100, (128,)),
    (100, (512,)),
    (100, (256, 256)),
    (100, (512, 512)),
    (300, (1024, 1024)),
)
SWITCH_BATCHES = (200, 1024, 8192)


def make_table(n_rows, n_columns=N_COLUMNS):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    return X, np.sin(X[:, 0]) * X[:, 1] + 0.1 * rng.standard_normal(n_rows, dtype=np.float32)


def seconds(work):
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def spectral(X, y, batch_size, epochs, sizes=SIZES, **options):
    return SpectralMLPRegressor(
        sizes, batch_size=batch_size, max_iter=epochs, shrink=False, random_state=0, **options
    ).fit(X, y)


def ours(X, y, batch_size):
    """Return the median seconds of an epoch; each ends by reading the loss from the device."""
    net = spectral(X, y, batch_size, 5, device="cuda").net_
    return statistics.median(net.history[2:, "dur"])


def stock_skorch(X, y, batch_size):
    module = torch.nn.Sequential(
        torch.nn.Linear(N_COLUMNS, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 1),
    )
    net = skorch.NeuralNetRegressor(
        module,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=batch_size,
        max_epochs=1,
        train_split=None,
        device="cuda",
        verbose=0,
    )
    n_rows = min(len(X), max(SKORCH_ROWS, batch_size))
    rows = X[:n_rows], y[:n_rows, None]
    net.fit(*rows)
    return seconds(lambda: net.partial_fit(*rows)) * len(X) / n_rows


def products(n_rows, batch_size):
    sizes = (N_COLUMNS, *SIZES, 1)
    pairs = list(itertools.pairwise(sizes))
    weights = [torch.randn(n_out, n_in, device="cuda") for n_in, n_out in pairs]
    values = [torch.randn(batch_size, size, device="cuda") for size in sizes]

    def work():
        for _ in range(-(-n_rows // batch_size)):
            for x, weight in zip(values, weights, strict=False):
                torch.mm(x, weight.t())
            for i in reversed(range(len(weights))):
                torch.mm(values[i + 1].t(), values[i])
                if i:
                    torch.mm(values[i + 1], weights[i])

    work()
    return seconds(work)


def switch():
    """Return a row per network and batch: multiply-adds of a forward pass, seconds per step."""
    rows = []
    print(f"{'columns':>8}{'layers':>14}{'batch':>7}{'products':>10}{'cpu ms':>9}{'gpu ms':>9}")
    for (n_columns, sizes), batch_size in itertools.product(SWITCH_SHAPES, SWITCH_BATCHES):
        X, y = make_table(20 * batch_size, n_columns)
        cpu, gpu = (
            statistics.median(
                spectral(X, y, batch_size, 8, sizes, device=device).net_.history[2:, "dur"]
            )
            / 20
            for device in ("cpu", "cuda")
        )
        layers = (n_columns, *sizes, 1)
        row = {
            "layer_sizes": layers,
            "batch_size": batch_size,
            "products": batch_size * sum(a * b for a, b in itertools.pairwise(layers)),
            "cpu": cpu,
            "gpu": gpu,
        }
        print(
            f"{n_columns:>8}{sizes!s:>14}{batch_size:>7}{row['products'] / 1e6:>9.1f}M"
            f"{1e3 * cpu:>9.3f}{1e3 * gpu:>9.3f}",
            flush=True,
        )
        rows.append(row)
    return rows


def students(n):
    options = {"alpha": "auto", "max_iter": FLEET_EPOCHS, "batch_size": 200}
    return [SpectralMLPRegressor(64, random_state=k, **options) for k in range(n)]


def clocked(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fleets():
    """Return students per second: a fleet on the GPU, one by one, and on all CPU cores."""
    X, y = make_table(FLEET_ROWS, 10)
    on_gpu = [student.set_params(device="cuda") for student in students(FLEET_SINGLES)]
    alone = clocked(lambda: [student.fit(X, y) for student in on_gpu]) / FLEET_SINGLES
    n_cores = os.cpu_count()
    pool = Parallel(n_jobs=n_cores)
    fit = delayed(lambda student: student.fit(X, y).n_iter_)
    pool(fit(student) for student in students(n_cores))  # processes start, torch is imported
    cores = clocked(lambda: pool(fit(s) for s in students(4 * n_cores))) / (4 * n_cores)
    rows = []
    for n in FLEET_SIZES:
        together = students(n)
        for student in together:
            student.set_params(device="cuda")
        each = clocked(lambda together=together: fit_many(together, X, y)) / n
        rows.append(
            {"students": n, "fleet": 1 / each, "one by one": 1 / alone, "cores": 1 / cores}
        )
        print("  ".join(f"{name} {value:.2f}" for name, value in rows[-1].items()), flush=True)
    return {"n_cores": n_cores, "epochs": FLEET_EPOCHS, "rows": FLEET_ROWS, "sizes": rows}


def doc_tables(result):
    """Return seconds per epoch, and milliseconds per step on both devices."""
    epochs = pd.DataFrame(result["epochs"])
    ratios = {
        "skorch / ours": epochs.skorch / epochs.ours,
        "ours / products": epochs.ours / epochs.products,
    }
    switch = pd.DataFrame(result["switch"])
    shapes = [", ".join(map(str, sizes)) for sizes in switch.layer_sizes]
    return {
        "gpu_fleets": pd.DataFrame(result["fleets"]["sizes"]).round(1),
        "gpu_epochs": epochs.round(3).assign(**{name: r.round(1) for name, r in ratios.items()}),
        "gpu_switch": pd.DataFrame(
            {
                "network": shapes,
                "rows in batch": switch.batch_size,
                "million multiply-adds": (switch.products / 1e6).round(1),
                "ms on the CPU": (1e3 * switch.cpu).round(2),
                "ms on the GPU": (1e3 * switch.gpu).round(2),
                "CPU / GPU": (switch.cpu / switch.gpu).round(1),
            }
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("No CUDA here: this benchmark needs a GPU and a CUDA build of torch.")
    warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs
    X, y = make_table(arguments.rows)
    rows = []
    print(f"{'batch':>8}{'ours':>10}{'skorch':>10}{'products':>10}{'skorch/ours':>13}")
    for batch_size in BATCHES:
        rounds = [
            (
                ours(X, y, batch_size),
                stock_skorch(X, y, batch_size),
                products(len(X), batch_size),
            )
            for _ in range(arguments.repeats)
        ]
        mine, skorchs, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
        rows.append({"batch_size": batch_size, "ours": mine, "skorch": skorchs, "products": bare})
        print(f"{batch_size:>8}{mine:>10.4f}{skorchs:>10.4f}{bare:>10.4f}{skorchs / mine:>13.1f}")
    result = {
        "date": date.today().isoformat(),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "skorch": skorch.__version__,
        "skspectral": skspectral.__version__,
        "rows": arguments.rows,
        "epochs": rows,
    }
    for part in (switch, fleets):
        result[part.__name__] = part()
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    write_tables(doc_tables(read_rows(RESULTS)))


if __name__ == "__main__":
    main()
