"""In what should the members of an ensemble differ, beyond their seeds?

Five networks each, at `alpha_factor` 0.25, on the rows and splits of encodings.py: of different
seeds alone; fitted to bootstrap samples of the rows; the same with the penalty of the noise in
the rows that their samples leave out (numbers only); with other columns each, at `min_gain` of
the knots from 0.25 to 4; two of the five with two hidden layers. The score is that of the mean
of their outputs, R2 or minus log loss of the test rows. Rows that are in results/diversity.csv
are skipped:
``python benchmarks/diversity.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from scipy.special import softmax
from sklearn.base import BaseEstimator
from table_splits import TABLES, scores, split

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral.preprocessing import make_tabular_preprocessor

RESULTS = Path(__file__).parent / "results" / "diversity.csv"
COLUMNS = ["table", "seed", "members", "score", "nodes", "cpu_seconds"]
SEEDS = range(5)
N_MEMBERS = 5
MIN_GAIN = "encode__numbers__values__encode__hats__min_gain"
MIN_GAINS = (1.0, 0.25, 0.5, 2.0, 4.0)
DEEPER = (128, 32)
BY_NOISE = 2 / 3
"""Power of the variance of the noise that the penalty of one hidden layer follows."""
KINDS = ("seeds", "bootstrap", "bootstrap, noise out of bag", "columns", "depths")


class Mean(BaseEstimator):
    """The mean of the outputs of fitted networks, each with columns of its own."""

    def __init__(self, members):
        self.members = members
        if hasattr(members[0][1], "classes_"):
            self.classes_ = members[0][1].classes_

    def predict(self, X):
        return np.mean([model.predict(encode(X)) for encode, model in self.members], axis=0)

    def predict_proba(self, X):
        logits = [np.log(model.predict_proba(encode(X))) for encode, model in self.members]
        return softmax(np.mean(logits, axis=0), axis=1)

    def score(self, X, y):
        return 1 - np.mean((y - self.predict(X)) ** 2) / np.var(y)


def columns(X, y, gain):
    """Return a function that encodes, and the encoded rows."""
    encoding = make_tabular_preprocessor().set_params(**{MIN_GAIN: gain}).fit(X, y)
    return encoding.transform, encoding.transform(X)


def samples(n_rows, seed):
    """Return a bootstrap sample of the rows for each member."""
    rng = np.random.default_rng(seed)
    return [rng.integers(n_rows, size=n_rows) for _ in range(N_MEMBERS)]


def ensemble(kind, X, y, seed):
    """Return the mean of fitted networks."""
    Network = SpectralMLPClassifier if y.dtype.kind in "iu" else SpectralMLPRegressor
    models = [
        Network(alpha_factor=0.25, random_state=N_MEMBERS * seed + k) for k in range(N_MEMBERS)
    ]
    gains = MIN_GAINS if kind == "columns" else [1.0] * N_MEMBERS
    made = {gain: columns(X, y, gain) for gain in set(gains)}
    rows = [np.arange(len(y))] * N_MEMBERS
    if kind.startswith("bootstrap"):
        rows = samples(len(y), seed)
    if kind == "depths":
        for model in models[1::2]:
            model.set_params(hidden_layer_sizes=DEEPER)
    for model, some, gain in zip(models, rows, gains, strict=True):
        model.fit(made[gain][1][some], y[some])
    if "out of bag" in kind:
        encoded = made[1.0][1]
        follow_noise(models, rows, encoded, y)
    return Mean([(made[gain][0], model) for model, gain in zip(models, gains, strict=True)])


def follow_noise(models, rows, X, y):
    """Fit again, at the penalty of the noise in the rows that the samples leave out."""
    left_out = np.array([~np.isin(np.arange(len(y)), some) for some in rows])
    predicted = np.array([model.predict(X) for model in models])
    n_times = left_out.sum(axis=0)
    mean = (predicted * left_out).sum(axis=0) / np.maximum(n_times, 1)
    noise = np.mean((y - mean)[n_times > 0] ** 2)
    for model, some in zip(models, rows, strict=True):
        ratio = noise / model.noise_variance_
        model.set_params(alpha=model.alpha_ * ratio**BY_NOISE, alpha_factor="auto")
        model.fit(X[some], y[some])


def measure(file, key):
    """Fit, score and append the row."""
    table, seed, kind = key
    (X, y), (X_test, y_test) = split(table, seed)
    start = time.process_time()
    model = ensemble(kind, X, y, seed)
    seconds = round(time.process_time() - start, 1)
    nodes = sum(sum(member.n_alive_nodes_) for _, member in model.members)
    file.add([*key, round(scores(model, X_test, y_test), 4), nodes, seconds])


def doc_tables(rows):
    """Return mean scores and nodes, over splits that have all kinds."""
    numbers = rows.groupby("table")["members"].transform(lambda kinds: len(set(kinds)))
    counts = rows.groupby(["table", "seed"])["members"].transform("size")
    whole = rows[counts == numbers]
    tables = [name for name in TABLES if name in set(whole["table"])]
    cells = pd.DataFrame("", index=list(KINDS), columns=tables)
    for (table, kind), some in whole.groupby(["table", "members"]):
        cells.loc[kind, table] = f"{some['score'].mean():.3f} / {some['nodes'].mean():.0f}"
    splits = [whole.loc[whole["table"] == name, "seed"].nunique() for name in tables]
    cells.loc["splits"] = [str(n) for n in splits]
    return {"diversity": cells.rename_axis("members").reset_index()}


def main():
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    classes = ("mice", "bank", "adult")
    keys = [
        (table, seed, kind)
        for seed, table, kind in itertools.product(SEEDS, TABLES, KINDS)
        if table not in classes or "out of bag" not in kind
    ]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
