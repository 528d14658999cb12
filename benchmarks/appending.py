"""A CSV that grows by a row per measurement, so that a benchmark can stop and go on."""

import argparse
import csv
import time
import warnings
from pathlib import Path

import pandas as pd
from documents import write_tables
from sklearn.exceptions import ConvergenceWarning


class Appender:
    """Append rows to a CSV; tell which are missing and whether time is left.

    Parameters
    ----------
    path : Path
    columns : list of str
    n_keys : int
        Leading columns that tell measurements apart.
    budget : float
        Minutes after which nothing more is wanted.
    """

    def __init__(self, path, columns, *, n_keys, budget):
        self.path, self.columns, self.n_keys = path, columns, n_keys
        self.stop = time.monotonic() + 60 * budget
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            self._write(columns)
        keys = self.read()[columns[:n_keys]]
        self.done = set(keys.itertuples(index=False, name=None))

    def wants(self, key):
        """Tell whether the measurement is missing and time is left."""
        return tuple(key) not in self.done and time.monotonic() < self.stop

    def add(self, row):
        """Append a row, and print it."""
        self._write(row)
        self.done.add(tuple(row[: self.n_keys]))
        print(*row, sep="\t", flush=True)

    def read(self):
        """Return all rows as a data frame."""
        return pd.read_csv(self.path)

    def _write(self, row):
        with self.path.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(row)


def read_arguments(about, results, budget):
    """Read the command line: minutes, the CSV that grows, and the share of several runs."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--budget", type=float, default=budget, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=results, help="CSV that grows row by row")
    parser.add_argument(
        "--share",
        type=int,
        nargs=2,
        default=(0, 1),
        metavar=("K", "N"),
        help="of N runs side by side, the measurements of the K-th, from 0",
    )
    return parser.parse_args()


def run(keys, measure, doc_tables, *, about, results, columns, budget=30):
    """Read the command line, measure what is missing, and write the tables of the documentation.

    Parameters
    ----------
    keys : iterable of tuple
        What tells the measurements apart, most important first.
    measure : callable
        ``measure(file, key)`` adds a row to an Appender.
    doc_tables : callable
        Data frames by name, from all rows.
    about : str
        Docstring of the script, whose first line describes it.
    results : Path
    columns : list of str
        The first are the entries of a key.
    budget : float, default=30
        Minutes after which to stop, unless told otherwise.
    """
    keys = [tuple(key) for key in keys]
    arguments = read_arguments(about, results, budget)
    file = Appender(arguments.out, columns, n_keys=len(keys[0]), budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # sizes that have not settled
    k, n = arguments.share
    for key in keys[k::n]:
        if file.wants(key):
            measure(file, key)
    if arguments.out == results:
        write_tables(doc_tables(file.read()))
