"""Is there a size that seven real tables ask for? The default fit of each and its interval.

Training rows and columns are those of tables.py, split by split. A row of
results/identified_tables.csv holds all sizes of one table and split. Rows that are there are
skipped: ``python benchmarks/identified_tables.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from pathlib import Path

import numpy as np
from appending import run
from identified import FACTORS, as_sizes, as_text
from tables import TABLES

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor, size_interval

RESULTS = Path(__file__).parent / "results" / "identified_tables.csv"
COLUMNS = [
    "table",
    "seed",
    "n_rows",
    "n_columns",
    "score",
    "reported",
    "smallest",
    "largest",
    "identified",
    "seed_sizes",
    "fold_sizes",
    "settled",
    "fit_seconds",
    "seconds",
]
SEEDS = range(3)


def measure(file, key):
    """Fit one table and append its row."""
    name, seed = key
    split = TABLES[name](seed)
    X, X_test = split.even_encoded
    estimator = SpectralMLPClassifier if split.is_classes else SpectralMLPRegressor
    start = time.perf_counter()
    model = estimator(random_state=seed, n_threads=1).fit(X, split.y)
    fitted = time.perf_counter()
    found = size_interval(model, X, split.y, factors=FACTORS, random_state=seed)
    file.add(
        [
            *key,
            *X.shape,
            round(model.score(X_test, split.y_test), 4),
            *model.n_alive_nodes_,
            *found.interval[0],
            found.identified,
            as_text(found.seed_sizes),
            as_text(found.fold_sizes),
            round(float(np.mean(found.size_settled)), 2),
            round(fitted - start, 1),
            round(time.perf_counter() - fitted, 1),
        ]
    )


def at_factors(row):
    """Return the median size at each multiple of the penalty, as text."""
    sizes = np.concatenate([as_sizes(row[kind]) for kind in ("seed_sizes", "fold_sizes")])
    return ", ".join(f"{size:.0f}" for size in np.median(sizes[..., 0], axis=0))


def doc_tables(rows):
    """Return a row per table: score, sizes of the splits and of the multiples, the interval."""
    shown = rows.assign(at=[at_factors(row) for _, row in rows.iterrows()])
    by_table = shown.groupby("table", sort=False)
    table = by_table.agg(
        splits=("seed", "size"),
        score=("score", "median"),
        nodes=("reported", lambda sizes: ", ".join(map(str, sizes))),
        at=("at", "; ".join),
        smallest=("smallest", "min"),
        largest=("largest", "max"),
        identified=("identified", "sum"),
        share=("seconds", "median"),
    )
    table["share"] = (shown.seconds / shown.fit_seconds).groupby(shown.table).median()
    names = {
        "at": "nodes at 1, 2, 4 times the penalty",
        "share": "seconds of the interval, in fits",
    }
    return {"identified_tables": table.round(3).reset_index().rename(columns=names)}


def main():
    keys = [(name, seed) for seed in SEEDS for name in TABLES]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
