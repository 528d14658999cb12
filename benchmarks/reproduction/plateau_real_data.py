"""Does the plateau of alive nodes against width exist on real data?

Giambagli et al. (2023) show it for MNIST, Fashion-MNIST, California Housing and features of a
ResNet50 on CIFAR-100. One hidden layer, spectral and dense with L2 on every layer, default
schedule. One row of results/plateau_real_data.csv per fit, with alive nodes and test score (R2 or
accuracy); rows that are there are skipped. The networks of one width are fitted side by side, and
their seconds are the mean. Data are read from the folders that SKSPECTRAL_DATA and
SCIKIT_LEARN_DATA name.

Features of your own: ``--features features.npz``, a file with arrays X_train (n, n_features),
y_train (n,), X_test and y_test, for example the outputs of a network's last but one layer. Labels
of integers or strings are classes. The row's table is the name of the file. Without `--features`
the table and the figure of the documentation are written at the end, from what there is.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the modules that benchmarks share

from appending import Appender
from documents import write_tables
from one_cycle import one_cycle
from real_tables import load_california, load_images
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, fit_many

RESULTS = Path(__file__).parents[1] / "results" / "plateau_real_data.csv"
WIDTHS = (20, 50, 100, 200, 500)
SEEDS = range(3)
ALPHA = 1e-3
ARRAYS = ("X_train", "X_test", "y_train", "y_test")
COLUMNS = [
    "table",
    "seed",
    "width",
    "parametrization",
    "alive",
    "train_score",
    "test_score",
    "settled",
    "seconds",
]
DECIMALS = {"alive": 1, "alive, std": 1, "train_score": 3, "test_score": 3, "seconds": 0}
"""Of the table of the documentation."""


def california():
    """Return training and test rows, on a normal scale."""
    X, X_test, y, y_test = train_test_split(*load_california(), test_size=0.2, random_state=0)
    scaler = QuantileTransformer(output_distribution="normal", random_state=0).fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def images(name):
    """Return centred pixels; they have one unit."""
    X, X_test, y, y_test = load_images(name)
    scaler = StandardScaler(with_std=False).fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def features(path):
    """Return scaled features of a file that the user made."""
    try:
        with np.load(path) as file:
            missing = sorted(set(ARRAYS) - set(file.files))
            if missing:
                raise SystemExit(f"{path} must hold the arrays {ARRAYS}; it has no {missing}.")
            X, X_test, y, y_test = (file[name] for name in ARRAYS)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} must be a file that np.savez wrote: {error}") from error
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def measure(file, keys, data):
    """Fit the networks of one width, and append their rows."""
    X, X_test, y, y_test = data
    is_classes = np.asarray(y).dtype.kind in "iuOUb"
    Network = SpectralMLPClassifier if is_classes else SpectralMLPRegressor
    settings = {"alpha": ALPHA, **one_cycle(len(y))}
    networks = [
        Network(width, parametrization=parametrization, random_state=seed, **settings)
        for _, seed, width, parametrization in keys
    ]
    start = time.perf_counter()
    fit_many(networks, X, y)
    seconds = (time.perf_counter() - start) / len(networks)
    for key, network in zip(keys, networks, strict=True):
        scores = [round(network.score(*rows), 4) for rows in ((X, y), (X_test, y_test))]
        alive = sum(network.n_alive_nodes_)
        file.add([*key, alive, *scores, network.size_settled_, round(seconds, 1)])


def doc_tables(rows):
    """Return means over seeds, a row per table, parametrization and width."""
    groups = rows.groupby(["table", "parametrization", "width"], sort=False)
    means = groups[["alive", "train_score", "test_score", "seconds"]].mean()
    means.insert(1, "alive, std", groups["alive"].std(ddof=0))
    means.insert(0, "fits", groups.size())
    table = means.sort_index(level=[0, 1, 2], ascending=[True, False, True]).reset_index()
    return {"plateau_real_data": table.round(DECIMALS)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    parser.add_argument("--features", type=Path, help="features.npz, in place of the tables")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    arguments = parser.parse_args()
    tables = {
        "california": california,
        "mnist": lambda: images("mnist"),
        "fashion_mnist": lambda: images("fashion_mnist"),
    }
    if arguments.features is not None:
        tables = {arguments.features.stem: lambda: features(arguments.features)}
    file = Appender(arguments.out, COLUMNS, n_keys=4, budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # whether settled is in the rows
    for name, load in tables.items():
        data = None
        for width in arguments.widths:
            keys = itertools.product([name], arguments.seeds, [width], ("spectral", "dense"))
            if wanted := [key for key in keys if file.wants(key)]:
                data = data or load()
                measure(file, wanted, data)
    if arguments.features is None and arguments.out == RESULTS:
        from plateau_real_data_figures import draw_plateaus  # needs matplotlib

        write_tables(doc_tables(file.read()))
        draw_plateaus(file.read())


if __name__ == "__main__":
    main()
