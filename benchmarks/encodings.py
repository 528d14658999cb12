"""Which encoding of columns is worth it? The measurement behind make_tabular_preprocessor.

A default fit, in which nothing is chosen, to every encoding of every table, on at most 10,000
training rows; boosting and scikit-learn's network at their defaults for comparison. The table of
the documentation has the test score (R2 or minus log loss), means over the splits that have all
encodings, the alive nodes and the columns. Splits keep equal wines, and the rows of one mouse,
together. Seconds are CPU seconds of one thread.

Data are read from the folder that SKSPECTRAL_DATA names. skrub's encoding is left out where
it is not installed. Rows that are in results/encodings.csv already are skipped, so that the
benchmark can stop and go on: ``python benchmarks/encodings.py --budget 60``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib.util
import itertools
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from table_splits import TABLES, scores, split

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor
from skspectral._tables.tree_splines import TreeSplines

RESULTS = Path(__file__).parent / "results" / "encodings.csv"
COLUMNS = [
    "table",
    "seed",
    "encoding",
    "n_columns",
    "score",
    "nodes",
    "cpu_seconds",
]
SEEDS = range(5)


def waves(n_waves):
    """Return sines and cosines of columns that are mapped to numbers from 0 to 1."""

    def waves_of(X):
        angles = np.pi * np.arange(1, n_waves + 1) * X[:, :, None]
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=2).reshape(len(X), -1)

    return make_pipeline(quantiles("uniform"), FunctionTransformer(waves_of))


def quantiles(distribution):
    return QuantileTransformer(n_quantiles=100, output_distribution=distribution, subsample=None)


def hats(n_knots):
    """Return hat functions between evenly spaced knots."""
    return SplineTransformer(n_knots, degree=1, include_bias=False)


def one_hot():
    return OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)


def by_target():
    return make_pipeline(
        TargetEncoder(cv=KFold(5, shuffle=True, random_state=0)), StandardScaler()
    )


def encoder(extra=None, *, line="normal", categories=one_hot):
    """Return numbers as a line and something beside it, and categories encoded."""
    scaled = StandardScaler()
    if line == "scale":
        parts = scaled
    else:
        parts = make_pipeline(
            quantiles("normal"), scaled if extra is None else make_union(scaled, extra)
        )
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    numbers = make_union(make_pipeline(fill, parts), MissingIndicator(error_on_new=False))
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)),
        (categories(), make_column_selector(dtype_exclude=np.number)),
        sparse_threshold=0,
    )


def skrub_encoder():
    """Return skrub's vectorizer with its own scaler."""
    import skrub  # slow to import, and tables are written without it

    return make_pipeline(
        skrub.TableVectorizer(numeric=skrub.SquashingScaler()),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    )


ENCODINGS = {
    "scaled": lambda: encoder(line="scale"),
    "normal": encoder,
    "8 even knots": lambda: encoder(hats(8)),
    "24 even knots": lambda: encoder(hats(24)),
    "tree knots": lambda: encoder(TreeSplines()),
    "tree knots, min_gain 0.5": lambda: encoder(TreeSplines(min_gain=0.5)),
    "tree knots, min_gain 2": lambda: encoder(TreeSplines(min_gain=2)),
    "9 tree knots, min_gain 0": lambda: encoder(TreeSplines(9, min_gain=0)),
    "32 tree knots, min_gain 0": lambda: encoder(TreeSplines(min_gain=0)),
    "4 waves": lambda: encoder(waves(4)),
    "tree knots, target encoder": lambda: encoder(TreeSplines(), categories=by_target),
}
if importlib.util.find_spec("skrub"):
    ENCODINGS["skrub, squashed"] = skrub_encoder


def as_categories(parts):
    """Return the rows with what is not a number as categories, for boosting."""
    rows = pd.concat(parts)
    rows = rows.astype(dict.fromkeys(rows.select_dtypes(exclude="number"), "category"))
    ends = np.cumsum([len(part) for part in parts])
    return [rows[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]


def measure(file, key):
    """Encode, fit, score and append the row."""
    table, seed, name = key
    (X, y), (X_test, y_test) = split(table, seed)
    is_classes = y.dtype.kind in "OUTib"
    Boosting = HistGradientBoostingClassifier if is_classes else HistGradientBoostingRegressor
    MLP = MLPClassifier if is_classes else MLPRegressor
    Network = SpectralMLPClassifier if is_classes else SpectralMLPRegressor
    if name == "boosting":
        X, X_test = as_categories([X, X_test])
        model = Boosting(random_state=seed)
    else:
        encoding = ENCODINGS["scaled" if name == "MLP" else name]()
        X = np.asarray(encoding.fit_transform(X, y))
        X_test = np.asarray(encoding.transform(X_test))
        model = MLP(random_state=seed) if name == "MLP" else Network(random_state=seed)
    start = time.process_time()
    model.fit(X, y)
    seconds = round(time.process_time() - start, 1)
    nodes = sum(model.n_alive_nodes_) if hasattr(model, "n_alive_nodes_") else np.nan
    file.add([*key, X.shape[1], round(scores(model, X_test, y_test), 4), nodes, seconds])


def doc_tables(rows):
    """Return mean test scores, alive nodes and columns, over splits with all encodings."""
    counts = rows.groupby(["table", "seed"])["encoding"].transform("size")
    whole = rows[counts == counts.groupby(rows["table"]).transform("max")]
    order = [name for name in dict.fromkeys(rows["encoding"])]
    tables = [name for name in TABLES if name in set(whole["table"])]
    cells = pd.DataFrame(index=order, columns=tables)
    for (table, name), some in whole.groupby(["table", "encoding"]):
        parts = [f"{some['score'].mean():.3f}"]
        if name not in ("boosting", "MLP"):
            parts += [f"{some[part].mean():.0f}" for part in ("nodes", "n_columns")]
        cells.loc[name, table] = " / ".join(parts)
    cells = cells.rename_axis("encoding").reset_index()
    return {"encodings": cells}


def main():
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    warnings.filterwarnings("ignore", "The spreads of columns differ", UserWarning)
    names = ["boosting", "MLP", *ENCODINGS]
    keys = itertools.product(SEEDS, TABLES, names)
    keys = [(table, seed, name) for seed, table, name in keys if fits(table, name)]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


def fits(table, name):
    """Tell whether an encoding differs from another one on a table."""
    return "target" not in name or table in ("adult", "bank")


if __name__ == "__main__":
    main()
