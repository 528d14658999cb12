"""A CSV that grows by a row per measurement, so that a benchmark can stop and go on."""

import csv
import time

import pandas as pd


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
