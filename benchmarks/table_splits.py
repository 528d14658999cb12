"""Rows of real tables for training and for the test, at most 10,000 and the rest.

Equal wines, and the rows of one mouse, stay together. Data are read from the folder that
SKSPECTRAL_DATA names.
"""

import functools

import numpy as np
import pandas as pd
from real_tables import load_adult, load_bank, load_california, load_mice, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupShuffleSplit

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
    y = np.unique(y, return_inverse=True)[1] if y.dtype.kind in "OUTib" else y
    return [(X.iloc[rows], y[rows]) for rows in (train, test)]


def scores(model, X, y):
    """Return R2 or minus log loss."""
    if not hasattr(model, "classes_"):
        return model.score(X, y)
    return -log_loss(y, model.predict_proba(X), labels=model.classes_)
