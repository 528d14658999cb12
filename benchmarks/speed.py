"""How fast is training? Cases S1 to S12 and F1 to F7, each a ratio of medians against a peer.

S: one fit against those of others. F: what is trained side by side, as one program, against the
same fits one after the other in skorch's loop, as large networks are trained.

Both sides of a case run in turn, in one process, on one thread each, and get
the data as a user would hand them over: a float64 data frame unless the case
says otherwise. Same architecture and batch size, no early stopping. "Per epoch"
is the time of a whole fit divided by its epochs, the same on both sides but for
skorch, which gets 5 and an array as it wants it. Arithmetic is what each side
chooses: float32 for ours from 1,000 rows on, that of the data for scikit-learn.

    python benchmarks/speed.py [--cases S1 S9] [--repeats 5]

prints a table and writes benchmarks/results/speed.json and the table of the documentation;
``--cases none`` writes that again and measures nothing.
California Housing is read by scikit-learn's loader, the other tables from the
folder named by SKSPECTRAL_DATA; cases whose data or peer are missing are left
out, saying so.
"""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import itertools
import json
import platform
import statistics
import subprocess
import sys
import time
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import real_tables
import sklearn
import skorch
import torch
from documents import read_rows, write_tables
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import QuantileTransformer, StandardScaler

import skspectral
from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    fit_many,
    size_interval,
)
from skspectral._training import together
from skspectral._training.lean_update import LeanUpdate
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "speed.json"
CASES = {}
N_ROWS, N_COLUMNS, BATCH = 16_512, 8, 256
TWO, THREE = (128, 128), (256, 256, 256)


class MissingError(Exception):
    """The case cannot run here."""


def case(name, what, target, repeats=None):
    """Register a function that returns the two sides: callables, ours first."""

    def register(sides):
        CASES[name] = (what, target, repeats, sides)
        return sides

    return register


def timed(work, divisor=1):
    """Return a callable that gives the seconds of `work()`, divided."""

    def measure():
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) / divisor

    return measure


def table(n_rows=N_ROWS, n_columns=N_COLUMNS, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * rng.normal(size=n_rows)
    return pd.DataFrame(X.astype(dtype)), y.astype(dtype)


def ours(X, y, sizes, epochs, batch_size=BATCH, **options):
    options = {"shrink": False, "alpha": 1e-3, **options}
    model = SpectralMLPRegressor(
        sizes, batch_size=batch_size, max_iter=epochs, random_state=0, n_threads=1, **options
    )
    return timed(lambda: model.fit(X, y), epochs)


def theirs(X, y, sizes, epochs, batch_size=BATCH):
    model = MLPRegressor(
        hidden_layer_sizes=sizes,
        batch_size=batch_size,
        max_iter=epochs,
        tol=0,
        n_iter_no_change=epochs,
        random_state=0,
    )
    return timed(lambda: model.fit(X, y), epochs)


for _sizes, _text in ((TWO, "128, 128"), (THREE, "256, 256, 256")):
    for _dtype in ("float64", "float32"):

        @case(
            f"S1 ({_text}) {_dtype}",
            "per epoch / scikit-learn's MLPRegressor",
            0.55 if _dtype == "float64" else None,
        )
        def _(sizes=_sizes, dtype=_dtype):
            X, y = table(dtype=dtype)
            return ours(X, y, sizes, 30), theirs(X, y, sizes, 30)


def dense_module(sizes):
    layers = []
    for n_in, n_out in zip((N_COLUMNS, *sizes), sizes, strict=False):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))


for _sizes, _text in ((TWO, "128, 128"), (THREE, "256, 256, 256")):

    @case(f"S2 ({_text})", "per epoch / stock skorch, dense", 0.22)
    def _(sizes=_sizes):
        X, y = table()
        net = skorch.NeuralNetRegressor(
            dense_module(sizes),
            optimizer=torch.optim.Adam,
            lr=1e-3,
            batch_size=BATCH,
            max_epochs=5,
            train_split=None,
            verbose=0,
        )
        arrays = X.to_numpy(np.float32), y.astype(np.float32)[:, None]
        return ours(X, y, sizes, 30), timed(lambda: net.fit(*arrays), 5)


for _sizes, _text in ((TWO, "128, 128"), (THREE, "256, 256, 256")):

    @case(f"S3 ({_text})", "per epoch / dense in our own engine", 1.10)
    def _(sizes=_sizes):
        X, y = table()
        return ours(X, y, sizes, 30), ours(X, y, sizes, 30, parametrization="dense")


def california():
    try:
        X, y = real_tables.load_california()
    except OSError as error:
        raise MissingError("California Housing is not in scikit-learn's cache") from error
    scaler = QuantileTransformer(output_distribution="normal", random_state=0)
    return pd.DataFrame(scaler.fit_transform(X[:N_ROWS])), y[:N_ROWS]


@case("S4", "California, 1024 nodes shrinking / 64 nodes, 150 epochs", 2.0, repeats=3)
def _():
    X, y = california()
    return ours(X, y, (1024,), 150, shrink=True), ours(X, y, (64,), 150, shrink=True)


@case("S5", "California, 1024 nodes, shrinking on / off, 150 epochs", 0.30, repeats=3)
def _():
    X, y = california()
    return ours(X, y, (1024,), 150, shrink=True), ours(X, y, (1024,), 150)


@case("S6", "California, 1024 nodes shrinking / scikit-learn's, 150 epochs", 0.20, repeats=3)
def _():
    X, y = california()
    return ours(X, y, (1024,), 150, shrink=True), theirs(X, y, (1024,), 150)


def steps(sizes):
    """Return one pass over the table in bare steps: forward, backward and optimiser."""
    X, y = table(dtype=np.float32)
    X, y = torch.tensor(X.to_numpy()), torch.tensor(y)[:, None]
    net = (
        SpectralMLPRegressor(sizes, batch_size=BATCH, max_iter=1, random_state=0, dtype="float32")
        .fit(X.numpy(), y[:, 0].numpy())
        .net_
    )
    update = LeanUpdate(net.module_, net.criterion_, [], net.optimizer_, BATCH)

    def work():
        for batch in zip(X.split(BATCH), y.split(BATCH), strict=True):
            update(*batch)

    return timed(work)


def products(sizes):
    """Multiply the matrices of these steps, forth and back, and nothing else."""
    sizes = (N_COLUMNS, *sizes, 1)
    X = torch.randn(N_ROWS, N_COLUMNS)
    pairs = list(itertools.pairwise(sizes))
    weights = [torch.randn(n_out, n_in) for n_in, n_out in pairs]
    gradients = [torch.empty_like(weight) for weight in weights]
    values, products, cotangents = (
        [torch.randn(BATCH, size) for size in sizes[1:]] for _ in range(3)
    )

    def work():
        for x in X.split(BATCH):
            inputs = [x, *(value[: len(x)] for value in values)]
            for i, weight in enumerate(weights):
                torch.mm(inputs[i], weight.t(), out=products[i][: len(x)])
            for i in reversed(range(len(weights))):
                cotangent = cotangents[i][: len(x)]
                torch.mm(cotangent.t(), inputs[i], out=gradients[i])
                if i:
                    torch.mm(cotangent, weights[i], out=products[i - 1][: len(x)])

    return timed(work)


for _sizes, _text, _target in ((TWO, "128, 128", 2.3), (THREE, "256, 256, 256", 1.4)):

    @case(f"S7 ({_text})", "the step / its matrix products alone", _target, repeats=30)
    def _(sizes=_sizes):
        return steps(sizes), products(sizes)


@case("S8", "MNIST 784-256-10, per epoch / scikit-learn's MLPClassifier", 0.50, repeats=3)
def _():
    if "SKSPECTRAL_DATA" not in os.environ:
        raise MissingError("SKSPECTRAL_DATA is not set")
    X, _, y, _ = real_tables.load_images("mnist")
    X = pd.DataFrame(X.astype(np.float64))
    options = {"batch_size": BATCH, "random_state": 0, "max_iter": 8}
    spectral = SpectralMLPClassifier((256,), alpha=1e-3, shrink=False, n_threads=1, **options)
    dense = MLPClassifier(hidden_layer_sizes=(256,), tol=0, n_iter_no_change=9, **options)
    return timed(lambda: spectral.fit(X, y), 8), timed(lambda: dense.fit(X, y), 8)


@case("S9", "1,000 x 20, 100 nodes, 100 epochs / scikit-learn's MLPRegressor", 1.0)
def _():
    X, y = table(1000, 20)
    return ours(X, y, (100,), 100, batch_size=200), theirs(X, y, (100,), 100, batch_size=200)


MEMORY = """
import re
import numpy as np, pandas as pd
from skspectral import SpectralMLPRegressor
def kilobytes(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
def above(work):
    np.asarray(X).sum()  # have all of it in memory
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # forget the peak so far
    before = kilobytes("VmRSS")
    result = work()
    return 1024 * (kilobytes("VmHWM") - before), result
def fit(X, y):
    return SpectralMLPRegressor((64,), batch_size=1000, max_iter=1, random_state=0).fit(X, y)
rng = np.random.default_rng(0)
small = rng.standard_normal((2000, 50), dtype=np.float32)
fit(small, small[:, 0]).predict(small)
X = rng.standard_normal(({rows}, 50), dtype=np.float32)
y = X[:, 0] * X[:, 1]
size, X = X.nbytes, {wrap}(X)
fitting, model = above(lambda: fit(X, y))
predicting, _ = above(lambda: model.predict(X))
print(fitting / size, predicting / size)
"""


def in_new_process(code):
    """Run Python code; return the numbers it prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(number) for number in done.stdout.split()]


def memory(which, wrap="np.asarray", rows=1_000_000):
    if not Path("/proc/self/status").exists():
        raise MissingError("peak memory is read from /proc, which only Linux has")
    code = MEMORY.format(rows=rows, wrap=wrap)
    return lambda: in_new_process(code)[which], lambda: 1.0


@case("S10 fit, array", "1,000,000 x 50 float32, peak memory of fit / the data", 1.5, repeats=1)
def _():
    return memory(0)


@case("S10 fit, data frame", "the same, handed over as a data frame", 1.5, repeats=1)
def _():
    return memory(0, "pd.DataFrame")


@case("S10 predict, array", "peak memory of predict / the data", 0.1, repeats=1)
def _():
    return memory(1)


@case("S10 predict, data frame", "the same, handed over as a data frame", 0.1, repeats=1)
def _():
    return memory(1, "pd.DataFrame")


@case("S11", "mice protein, 100 nodes, per epoch / LassoNet's dense fit", 0.5)
def _():
    if "SKSPECTRAL_DATA" not in os.environ:
        raise MissingError("SKSPECTRAL_DATA is not set")
    try:
        from lassonet import LassoNetClassifier
    except ImportError as error:
        raise MissingError("lassonet is not installed: pip install '.[bench]'") from error
    mice = pd.read_csv(real_tables.folder("mice_protein") / "Data_Cortex_Nuclear.csv")
    proteins, y = mice.iloc[:, 1:78], mice["class"].astype("category").cat.codes.to_numpy()
    X = StandardScaler().fit_transform(proteins.fillna(proteins.mean()))
    lasso = LassoNetClassifier(
        hidden_dims=(100,), n_iters=(200, 0), patience=None, random_state=0, verbose=0
    )
    spectral = SpectralMLPClassifier(
        (100,),
        alpha=1e-3,
        batch_size=len(X),
        max_iter=200,
        random_state=0,
        dtype="float32",
        shrink=False,
    )
    return (
        timed(lambda: spectral.fit(X, y), 200),
        timed(lambda: lasso.path(X, y, X_val=X[::10], y_val=y[::10], lambda_seq=[]), 200),
    )


IMPORT = """
import time
import sklearn.ensemble, sklearn.model_selection, sklearn.neural_network, skorch, torch
start = time.perf_counter()
import skspectral
print(time.perf_counter() - start)
"""


def loop(work):
    """Return the work with every network trained by itself, in skorch's loop."""

    def serial():
        usual, together.LARGEST = together.LARGEST, {"cpu": 0, "cuda": 0}
        try:
            return work()
        finally:
            together.LARGEST = usual

    return serial


def against_loop(work):
    """Return both sides: side by side, and one after the other."""
    return timed(work), timed(loop(work))


def students(widths, seeds, **options):
    """Return networks that differ in width and seed."""
    options = {"alpha": 1e-3, "shrink": False, "n_threads": 1, **options}
    return [SpectralMLPRegressor(w, random_state=s, **options) for w in widths for s in seeds]


for _width in (8, 20, 64, 256):

    @case(
        f"F1 ({_width})",
        "one fit, 10,000 x 8, so many nodes / in skorch's loop",
        0.6 if _width <= 64 else None,
    )
    def _(width=_width):
        X, y = table(10_000)
        return against_loop(lambda: students((width,), (0,), max_iter=20)[0].fit(X, y))


for _width in (8, 20, 64, 256):

    @case(f"F2 ({_width})", "8 fits, 10,000 x 8, so many nodes / in skorch's loop", None)
    def _(width=_width):
        X, y = table(10_000)
        return against_loop(lambda: fit_many(students((width,), range(8), max_iter=10), X, y))


def teacher(n_rows):
    return make_teacher_student(n_rows, 8, (10,), noise=0.1, random_state=0)


for _rows in (1000, 10_000):

    @case(
        f"F3 ({_rows:,})",
        "CV estimator, so many rows x 8 / in skorch's loop",
        0.33,
        repeats=3 if _rows < 10_000 else 1,
    )
    def _(rows=_rows):
        data = teacher(rows)
        search = SpectralMLPRegressorCV(random_state=0, n_threads=1)
        return against_loop(lambda: search.fit(data.X, data.y))


@case("F4", "CV estimator, California / in skorch's loop", 0.33, repeats=2)
def _():
    X, y = california()
    search = SpectralMLPRegressorCV(random_state=0, n_threads=1)
    return against_loop(lambda: search.fit(X, y))


@case("F5", "size_interval, 2,000 x 8 / in skorch's loop", None, repeats=3)
def _():
    data = teacher(2000)
    reg = SpectralMLPRegressor(random_state=0, n_threads=1).fit(data.X, data.y)
    return against_loop(lambda: size_interval(reg, data.X, data.y, random_state=0))


SWEEP = (10, 20, 40, 60, 100, 200, 500)

for _kind in ("spectral", "dense"):

    @case(f"F6 ({_kind})", "7 widths x 10 seeds, 10,000 x 10 / in skorch's loop", 0.2, repeats=1)
    def _(kind=_kind):
        data = make_teacher_student(10_000, 10, (20,), random_state=0)
        options = {"max_iter": 60, "shrink": True, "parametrization": kind}
        return against_loop(
            lambda: fit_many(students(SWEEP, range(10), **options), data.X, data.y)
        )


for _rows in (1000, 10_000):

    @case(
        f"F7 ({_rows:,})",
        "CV estimator, so many rows x 8 / GridSearchCV over 7 widths of scikit-learn's MLP",
        0.1,
        repeats=2,
    )
    def _(rows=_rows):
        data = teacher(rows)
        network = MLPRegressor(early_stopping=True, random_state=0)
        widths = {"hidden_layer_sizes": [(width,) for width in SWEEP]}
        peer = GridSearchCV(network, widths, cv=KFold(5))
        search = SpectralMLPRegressorCV(cv=KFold(5), random_state=0, n_threads=1)
        return (
            timed(lambda: search.fit(data.X, data.y)),
            timed(lambda: peer.fit(data.X, data.y)),
        )


@case("S12", "seconds of import beyond torch, scikit-learn and skorch", 0.1)
def _():
    return lambda: in_new_process(IMPORT)[0], lambda: 1.0


def measure(sides, repeats):
    """Run both sides in turn; the first round warms up and does not count."""
    rounds = []
    for i in range(repeats + (repeats > 1)):
        turn = sides if i % 2 else sides[::-1]
        times = [side() for side in turn]
        rounds.append(times if i % 2 else times[::-1])
    if repeats > 1:
        del rounds[0]
    mine, peer = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(a / b for a, b in rounds)
    return {
        "ours": mine,
        "peer": peer,
        "ratio": mine / peer,
        "lowest": ratios[0],
        "highest": ratios[-1],
        "repeats": repeats,
    }


def processor():
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def environment():
    packages = (skspectral, torch, sklearn, skorch, np)
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "python": platform.python_version(),
        **{package.__name__: package.__version__ for package in packages},
    }


def doc_tables(rows):
    """Return the ratios, a row per case.

    Parameters
    ----------
    rows : dict
        Content of `RESULTS`.
    """
    table = pd.DataFrame.from_dict(rows["cases"], orient="index").rename_axis("case")
    numbers = table[["ratio", "lowest", "highest", "target"]].astype(float)
    numbers = numbers.map(lambda number: "" if np.isnan(number) else f"{number:.2f}")
    shown = table[["what"]].join(numbers).reset_index()
    is_fleet = shown["case"].str.startswith("F")
    return {"speed": shown[~is_fleet], "fleets": shown[is_fleet]}


def write(results):
    """Write what was measured, now and before, and the table."""
    before = read_rows(RESULTS)["cases"] if RESULTS.exists() else {}
    known = {**before, **results}
    rows = {"cases": {name: known[name] for name in CASES if name in known}}
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    write_tables(doc_tables(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=[""], help="beginnings of names")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds (default 5)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    results = {}
    print(f"{'case':<28}{'ours':>10}{'peer':>10}{'ratio':>8}  target")
    for name, (what, target, repeats, sides) in CASES.items():
        if not name.startswith(tuple(arguments.cases)):
            continue
        try:
            row = measure(sides(), repeats or arguments.repeats)
        except MissingError as reason:
            print(f"{name:<28}left out: {reason}")
            continue
        results[name] = {"what": what, "target": target, **row, "environment": environment()}
        verdict = "-" if target is None else f"{target:.2f}"
        if target is not None and row["ratio"] > target:
            verdict += "  missed"
        numbers = f"{row['ours']:>10.4f}{row['peer']:>10.4f}{row['ratio']:>8.2f}"
        print(f"{name:<28}{numbers}  {verdict}", flush=True)
        write(results)  # of each case, as the next may take long
    write(results)


if __name__ == "__main__":
    main()
