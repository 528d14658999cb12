"""Does a network end with its teacher's size when it can ask the teacher?

Teachers of 10 columns and 40 nodes, 2,000 or 5,000 rows, noise of 0.3. *data*: one default fit to
the noisy rows. *asked*: a student that the teacher itself, frozen, tells the labels of these rows
and of ten times as many synthetic ones; its network is the default one, too. A size is found
within 5 % of the teacher's; *distinct* counts nodes that point the same way once. Errors are
those of 5,000 more rows, against the teacher, as a share of its variance. Row by row in
results/known_teacher.csv: ``python benchmarks/known_teacher.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from pathlib import Path

import numpy as np
from appending import run
from sklearn.frozen import FrozenEstimator

from skspectral import SpectralMLPRegressor, SpectralStudentRegressor, n_distinct_nodes
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "known_teacher.csv"
COLUMNS = [
    "rows",
    "seed",
    "learns",
    "nodes",
    "distinct",
    "settled",
    "error",
    "cpu_seconds",
]
N_NODES, NOISE, N_TEST, TIMES = 40, 0.3, 5_000, 10
ROWS, SEEDS = (2_000, 5_000), range(5)


def measure(file, key):
    """Fit one network and append its row."""
    n_rows, seed, learns = key
    made = make_teacher_student(n_rows + N_TEST, 10, (N_NODES,), noise=NOISE, random_state=seed)
    X, X_test = np.split(made.X, [n_rows])
    truth = made.teacher_output[n_rows:]
    network = SpectralMLPRegressor(random_state=seed)
    if learns == "asked":
        network = SpectralStudentRegressor(
            FrozenEstimator(made.teacher),
            network,
            n_synthetic=TIMES * n_rows,
            random_state=seed,
        )
    start = time.process_time()
    network.fit(X, made.y[:n_rows])
    seconds = time.process_time() - start
    (nodes,) = network.n_alive_nodes_
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    distinct = n_distinct_nodes(network)
    file.add([*key, nodes, distinct, network.size_settled_, f"{error:.3g}", round(seconds, 1)])


def doc_tables(rows):
    """Return sizes and errors, a line for each number of rows and way to learn."""
    is_found = {
        name: (rows[name] - N_NODES).abs() <= 0.05 * N_NODES for name in ("nodes", "distinct")
    }
    rows = rows.assign(found=is_found["nodes"], found_distinct=is_found["distinct"])
    groups = rows.groupby(["rows", "learns"], sort=False)
    table = groups.agg(
        fits=("seed", "size"),
        found=("found", "sum"),
        found_distinct=("found_distinct", "sum"),
        nodes=("nodes", lambda nodes: ", ".join(map(str, sorted(nodes)))),
        settled=("settled", "mean"),
        error=("error", "median"),
        seconds=("cpu_seconds", "median"),
    )
    table = table.rename(columns={"found_distinct": "found, distinct"})
    return {"known_teacher": table.round({"settled": 2}).reset_index()}


if __name__ == "__main__":
    keys = itertools.product(ROWS, SEEDS, ("data", "asked"))
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)
