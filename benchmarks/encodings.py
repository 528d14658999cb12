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

import functools
import importlib.util
import itertools
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from real_tables import load_adult, load_bank, load_california, load_mice, load_wine
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupShuffleSplit, KFold
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
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

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
MAX_ROWS = 10_000
SEEDS = range(5)


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
    "wine_red": functools.partial(wine, "red"),
    "wine_white": functools.partial(wine, "white"),
    "mice": load_mice,
    "bank": bank,
    "adult": adult,
}


@functools.lru_cache(maxsize=1)
def split(table, seed):
    """Return (X, y) of the rows for training, and for the test."""
    X, y, groups = TABLES[table]()
    y, groups = np.asarray(y), np.asarray(groups)
    outer = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    train, test = next(outer.split(X, y, groups))
    train = np.random.default_rng(seed).permutation(train)[:MAX_ROWS]
    return [(X.iloc[rows], y[rows]) for rows in (train, test)]


class TreeHats(TransformerMixin, BaseEstimator):
    """Hat functions between the thresholds of a small decision tree of each column."""

    def __init__(self, n_leaves=16, share=0.01, joint=False, gain=0.0):
        self.n_leaves, self.share, self.joint, self.gain = n_leaves, share, joint, gain

    def fit(self, X, y):
        X = np.asarray(X)
        is_classes = y.dtype.kind in "OUTib"
        Tree = DecisionTreeClassifier if is_classes else DecisionTreeRegressor
        columns = range(X.shape[1])
        leaf = max(5, int(self.share * len(X)))
        impurity = Tree(max_depth=1).fit(X, y).tree_.impurity[0]
        gain = self.gain * impurity * np.log(len(X)) / len(X)
        make = functools.partial(
            Tree, min_samples_leaf=leaf, min_impurity_decrease=gain, random_state=0
        )
        if self.joint:
            tree = make(max_leaf_nodes=self.n_leaves * X.shape[1]).fit(X, y).tree_
            inner = [np.unique(tree.threshold[tree.feature == j]) for j in columns]
        else:
            trees = [make(max_leaf_nodes=self.n_leaves).fit(X[:, [j]], y).tree_ for j in columns]
            inner = [np.unique(tree.threshold[tree.feature >= 0]) for tree in trees]
        self.knots_ = []
        for j, knots in enumerate(inner):
            low, high = X[:, j].min(), X[:, j].max()
            knots = knots[(knots > low) & (knots < high)]
            self.knots_.append(np.r_[low, knots, high] if len(knots) else None)
        self.hats_ = [
            None
            if knots is None
            else SplineTransformer(knots=knots[:, None], degree=1, include_bias=False).fit(
                X[:, [j]]
            )
            for j, knots in enumerate(self.knots_)
        ]
        return self

    def transform(self, X):
        X = np.asarray(X)
        parts = [h.transform(X[:, [j]]) for j, h in enumerate(self.hats_) if h is not None]
        return np.hstack(parts) if parts else np.empty((len(X), 0))


def sines(n_waves):
    """Return sines and cosines of columns that are uniform from 0 to 1."""

    def waves(X):
        angles = np.pi * np.arange(1, n_waves + 1) * X[:, :, None]
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=2).reshape(len(X), -1)

    return make_pipeline(quantiles("uniform"), FunctionTransformer(waves))


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
    "8 knots": lambda: encoder(hats(8)),
    "24 knots": lambda: encoder(hats(24)),
    "tree, 8 leaves": lambda: encoder(TreeHats(8)),
    "tree, 32 leaves": lambda: encoder(TreeHats(32)),
    "tree, gain 0.5": lambda: encoder(TreeHats(32, gain=0.5)),
    "tree, gain 1": lambda: encoder(TreeHats(32, gain=1)),
    "tree, gain 2": lambda: encoder(TreeHats(32, gain=2)),
    "4 sines": lambda: encoder(sines(4)),
    "24 knots, target": lambda: encoder(hats(24), categories=by_target),
}
if importlib.util.find_spec("skrub"):
    ENCODINGS["skrub, squashed"] = skrub_encoder


def scores(model, X, y):
    """Return R2 or minus log loss."""
    if not hasattr(model, "classes_"):
        return model.score(X, y)
    return -log_loss(y, model.predict_proba(X), labels=model.classes_)


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
        if is_classes and "target" in name and not np.issubdtype(y.dtype, np.number):
            y_code = np.unique(y, return_inverse=True)[1]
        else:
            y_code = y
        X = np.asarray(encoding.fit_transform(X, y_code))
        X_test = np.asarray(encoding.transform(X_test))
        model = MLP(random_state=seed) if name == "MLP" else Network(random_state=seed)
    start = time.process_time()
    model.fit(X, y)
    seconds = round(time.process_time() - start, 1)
    nodes = sum(model.n_alive_nodes_) if hasattr(model, "n_alive_nodes_") else np.nan
    file.add([*key, X.shape[1], round(scores(model, X_test, y_test), 4), nodes, seconds])


def doc_tables(rows):
    return {}


def main():
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    names = ["boosting", "MLP", *ENCODINGS]
    keys = itertools.product(TABLES, SEEDS, names)
    with_categories = ("adult", "bank")
    keys = [key for key in keys if "target" not in key[2] or key[0] in with_categories]
    keys = sorted(keys, key=lambda key: key[1])  # all tables at one split before the next
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)


if __name__ == "__main__":
    main()
