"""Several networks folded into one: which factor of the penalty?

Fits of real tables with `n_members` 1 and 5, at the `alpha_factor` of a single network and at
half of it, on the splits of tables.py and on two small tables of scikit-learn. A row of
results/members.csv has the score on the test rows (R2, or minus log loss), the nodes of the
folded network, those of each member, and the CPU time in seconds. Rows that are there are
skipped: ``python benchmarks/members.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import time
from pathlib import Path

import pandas as pd
from appending import run
from sklearn.datasets import load_breast_cancer, load_digits
from tables import TABLES, random_split, row_scores

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "members.csv"
COLUMNS = [
    "table",
    "seed",
    "n_members",
    "factor",
    "score",
    "nodes",
    "member_nodes",
    "seconds",
    "n_iter",
]
NAMES = {
    "wine_red": "red wine",
    "wine_white": "white wine",
    "california": "California",
    "cancer": "breast cancer",
    "digits": "digits",
    "mice": "mice",
    "bank": "Bank",
    "adult": "Adult",
}
SMALL = {"cancer": load_breast_cancer, "digits": load_digits}
SETTINGS = ((1, 0.5), (5, 0.5), (5, 0.25), (1, 0.25))
SEEDS = range(5)


@functools.lru_cache(maxsize=1)
def split_of(table, seed):
    """Return the split of a table; the next settings are measured on the same."""
    if table in TABLES:
        return TABLES[table](seed)
    X, y = SMALL[table](return_X_y=True)
    return random_split(pd.DataFrame(X).add_prefix("x"), y, seed)


def measure(file, key):
    """Fit once and append the row."""
    table, seed, n_members, factor = key
    split = split_of(table, seed)
    X, X_test = split.encoded
    Network = SpectralMLPClassifier if split.is_classes else SpectralMLPRegressor
    model = Network(n_members=n_members, alpha_factor=factor, random_state=seed, n_threads=1)
    start = time.process_time()  # on one thread: others may use the machine
    model.fit(X, split.y)
    seconds = round(time.process_time() - start, 2)
    sizes = getattr(model, "member_sizes_", [model.n_alive_nodes_])
    nodes = " ".join(str(sum(each)) for each in sizes)
    score = round(row_scores(split, model, X_test)[0].mean(), 5)
    file.add([*key, score, sum(model.n_alive_nodes_), nodes, seconds, model.n_iter_])


def label(n_members, factor):
    """Return the heading of a setting."""
    return f"{n_members} at {factor:g}"


def doc_tables(rows):
    """Return mean scores, and mean nodes of the whole."""
    keys = ["table", "seed"]
    measured = [f"{what}, {label(*s)}" for what in ("score", "nodes") for s in SETTINGS]
    wide = rows[keys].drop_duplicates().set_index(keys)
    for n_members, factor in SETTINGS:
        some = rows[(rows["n_members"] == n_members) & (rows["factor"] == factor)]
        some = some.set_index(keys)
        for what in ("score", "nodes"):
            wide[f"{what}, {label(n_members, factor)}"] = some[what]
    wide = wide.dropna()  # splits with all settings
    groups = wide.groupby("table")
    table = groups[measured].mean()
    table["splits"] = groups.size()
    for name in measured:
        decimals = 3 if name.startswith("score") else 0
        table[name] = table[name].map(f"{{:.{decimals}f}}".format)
    ordered = table.loc[[name for name in NAMES if name in table.index]].rename(index=NAMES)
    return {"members": ordered.reset_index(names="table")}


def main():
    # what is loaded once is not part of the first row
    SpectralMLPRegressor(4, max_iter=2).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    splits = itertools.product(SEEDS, NAMES)
    keys = [
        (table, seed, *setting) for (seed, table), setting in itertools.product(splits, SETTINGS)
    ]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
