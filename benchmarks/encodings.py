"""Which encoding of columns is worth it? The measurement behind make_tabular_preprocessor.

A network of 128 nodes is fitted to every encoding of every table at five alphas, on at most
10,000 training rows. A fifth of the training rows, which the network does not see, chooses
alpha; the table of the documentation has the test score (R2 or minus log loss) and the alive
nodes there. Boosting and scikit-learn's network at their defaults are for comparison. Splits keep
equal wines, and the rows of one mouse, together. Seconds are CPU seconds of one thread.

Data are read from the folder that SKSPECTRAL_DATA names. skrub's encodings are left out where
it is not installed. Rows that are in results/encodings.csv already are skipped, so that the
benchmark can stop and go on: ``python benchmarks/encodings.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import functools
import importlib.util
import itertools
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import Appender
from documents import write_tables
from one_cycle import one_cycle
from real_tables import load_adult, load_bank, load_california, load_mice, load_wine
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GroupShuffleSplit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "encodings.csv"
COLUMNS = [
    "table",
    "encoding",
    "model",
    "seed",
    "alpha",
    "n_columns",
    "validation_score",
    "test_score",
    "test_accuracy",
    "alive",
    "cpu_seconds",
]
ALPHAS = (1e-3, 3e-3, 3e-4, 1e-2, 3e-2)
MAX_ROWS = 10_000


def california():
    X, y = load_california()
    return pd.DataFrame(X).add_prefix("x"), y, np.arange(len(y))


def adult():
    X, X_test, y, y_test = load_adult()
    X = pd.concat([X, X_test], ignore_index=True)
    return X, np.concatenate([y, y_test]), np.arange(len(X))


def bank():
    X, y = load_bank()
    return X, y, np.arange(len(X))


def wine(color):
    X, y = load_wine(color)
    return X, y, X.groupby(list(X.columns)).ngroup()


TABLES = {
    "california": california,
    "bank": bank,
    "wine_red": functools.partial(wine, "red"),
    "adult": adult,
    "wine_white": functools.partial(wine, "white"),
    "mice": load_mice,
}


@functools.lru_cache(maxsize=1)
def split(table, seed):
    """Return (X, y) of the rows for training, for the choice of alpha, and for the test."""
    X, y, groups = TABLES[table]()
    y, groups = np.asarray(y), np.asarray(groups)
    outer = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    rows, test = next(outer.split(X, y, groups))
    rows = np.random.default_rng(seed).permutation(rows)[:MAX_ROWS]
    inner = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    train, validation = next(inner.split(rows, y[rows], groups[rows]))
    return [(X.iloc[part], y[part]) for part in (rows[train], rows[validation], test)]


def quantiles(distribution):
    return QuantileTransformer(n_quantiles=100, output_distribution=distribution, subsample=None)


def hats(n_knots, distribution):
    """Return hat functions between knots, uniform on the scale of the distribution."""
    return make_pipeline(
        quantiles(distribution), SplineTransformer(n_knots, degree=1, include_bias=False)
    )


def encoder(line="normal", knots=None, *, on="uniform"):
    """Return numbers as a line and hat functions (or none), and categories one-hot."""
    scaled = StandardScaler()
    parts = [scaled if line == "scale" else make_pipeline(quantiles("normal"), scaled)]
    if knots is not None:
        parts.append(hats(knots, on))
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    numbers = make_union(
        make_pipeline(fill, make_union(*parts)), MissingIndicator(error_on_new=False)
    )
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)),
        (one_hot, make_column_selector(dtype_exclude=np.number)),
        sparse_threshold=0,
    )


def skrub_encoder(scaler="SquashingScaler"):
    """Return skrub's vectorizer, with a scaler or the name of one of skrub's own."""
    import skrub  # slow to import, and tables are written without it

    scaler = getattr(skrub, scaler)() if isinstance(scaler, str) else scaler
    return make_pipeline(
        skrub.TableVectorizer(numeric=scaler),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    )


ENCODINGS = {
    "scaled": functools.partial(encoder, "scale"),
    "normal": encoder,
    "normal + 8 knots": functools.partial(encoder, knots=8),
    "normal + 16 knots": functools.partial(encoder, knots=16),
    "normal + 32 knots": functools.partial(encoder, knots=32),
    "normal + 24 knots on it": functools.partial(encoder, knots=24, on="normal"),
}
if importlib.util.find_spec("skrub"):
    ENCODINGS["skrub, scaled"] = lambda: skrub_encoder(StandardScaler())
    ENCODINGS["skrub, squashed"] = skrub_encoder


@functools.lru_cache(maxsize=1)
def encoded(table, name, seed):
    """Return the encoded rows for training, for the choice of alpha, and for the test."""
    (X, _), *others = split(table, seed)
    encoding = ENCODINGS[name]().fit(X)
    return [np.asarray(encoding.transform(rows)) for rows in (X, *(other[0] for other in others))]


def scores(model, X, y):
    """Return R2 and nothing, or minus log loss and accuracy."""
    if not hasattr(model, "classes_"):
        return model.score(X, y), np.nan
    proba = model.predict_proba(X)
    guess = model.classes_[proba.argmax(axis=1)]
    return -log_loss(y, proba, labels=model.classes_), accuracy_score(y, guess)


def measure(model, parts, targets):
    """Fit, and return the end of a row: scores, alive nodes and seconds."""
    start = time.process_time()
    model.fit(parts[0], targets[0])
    seconds = time.process_time() - start
    validation_score, _ = scores(model, parts[1], targets[1])
    test_score, accuracy = scores(model, parts[2], targets[2])
    alive = sum(model.n_alive_nodes_) if hasattr(model, "n_alive_nodes_") else np.nan
    numbers = validation_score, test_score, accuracy
    return [parts[0].shape[1], *(round(n, 4) for n in numbers), alive, round(seconds, 1)]


def as_categories(parts):
    """Return the rows with what is not a number as categories, for boosting."""
    rows = pd.concat(parts)
    rows = rows.astype(dict.fromkeys(rows.select_dtypes(exclude="number"), "category"))
    ends = np.cumsum([len(part) for part in parts])
    return [rows[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]


def references(table, seed, file):
    """Measure boosting and scikit-learn's network."""
    classes = split(table, seed)[0][1].dtype.kind in "OUTib"
    Boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    MLP = MLPClassifier if classes else MLPRegressor
    for name, model in (("boosting", Boosting), ("MLP", MLP)):
        encoding = "none" if name == "boosting" else "scaled"
        key = [table, encoding, name, seed, 0.0]
        if not file.wants(key):
            continue
        parts, targets = zip(*split(table, seed), strict=True)
        parts = as_categories(parts) if name == "boosting" else encoded(table, "scaled", seed)
        file.add([*key, *measure(model(random_state=seed), parts, targets)])


def networks(table, name, seed, file):
    """Measure the spectral network at all alphas."""
    for alpha in ALPHAS:
        key = [table, name, "spectral", seed, alpha]
        if not file.wants(key):
            continue
        targets = [y for _, y in split(table, seed)]
        classes = targets[0].dtype.kind in "OUTib"
        Model = SpectralMLPClassifier if classes else SpectralMLPRegressor
        model = Model((128,), alpha=alpha, random_state=seed, **one_cycle(len(targets[0])))
        file.add([*key, *measure(model, encoded(table, name, seed), targets)])


def doc_tables(rows):
    """Return test scores at the alpha of the best validation score, and the alive nodes."""
    best = rows.loc[
        rows.groupby(["table", "encoding", "model", "seed"])["validation_score"].idxmax()
    ]
    best = best.pivot_table(
        index=["model", "encoding"], columns="table", values=["test_score", "alive"]
    )
    score = best["test_score"].round(3).astype(str)
    nodes = best["alive"].reindex_like(score)
    table = score.where(nodes.isna(), score + " / " + nodes.map("{:.0f}".format))
    return {"encodings": table.reset_index()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--tables", nargs="*", default=list(TABLES), choices=TABLES)
    parser.add_argument("--encodings", nargs="*", default=list(ENCODINGS), choices=ENCODINGS)
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=5, budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # networks that have not settled
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    for seed in arguments.seeds:
        for table in arguments.tables:
            references(table, seed, file)
        for name, table in itertools.product(arguments.encodings, arguments.tables):
            networks(table, name, seed, file)
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
