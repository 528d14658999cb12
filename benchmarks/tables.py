"""How good, how small and how fast: networks sized by their penalty on real tables.

Each table is split 5 times. All models of a split are fitted to the same training rows, one
after the other on one thread, and scored on the same test rows: R2, or minus log loss. All
networks but RealMLP get the same encoded columns, and all searches the same 3 folds; seconds
are without the encoding. One row of results/tables.csv per fit; rows that are there are
skipped, so that the benchmark can stop and go on: ``python benchmarks/tables.py --budget 60``.

Data are read from the folders that SKSPECTRAL_DATA and SCIKIT_LEARN_DATA name. LassoNet and
RealMLP are left out where they are not installed (``pip install skspectral[bench]``).
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import copy
import functools
import importlib.util
import time
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from appending import Appender
from documents import write_tables
from real_tables import (
    load_adult,
    load_bank,
    load_california,
    load_images,
    load_mice,
    load_wine,
)
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPClassifierCV,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
)
from skspectral._path.cv import full_path
from skspectral._path.penalty_choice import choose_penalty
from skspectral.preprocessing import make_tabular_preprocessor

# Rows of "spectral 1se", "dense best", "spectral 128 1se" and the like are kept, not fitted again.
# They are of the CV estimators as they once were (commit 5c7a303): warm paths over 25 penalties or
# more, with few steps at each.
RESULTS = Path(__file__).parent / "results" / "tables.csv"
COLUMNS = [
    "table",
    "seed",
    "model",
    "score",
    "std_error",
    "accuracy",
    "alive_nodes",
    "n_parameters",
    "fit_seconds",
    "predict_seconds",
    "alpha",
    "cv_score",
    "identified",
    "nodes_at_equal_score",
]
SEEDS = range(5)
FOLDS = 3
WIDTHS = [(16,), (32,), (64,), (128,), (256,), (512,), (256, 256)]
START_WIDTHS = (128, 256, 512)
CROSS_VALIDATED = ("CV 1se", "CV best")
OTHER_STARTS = [f"spectral {width} {name}" for width in START_WIDTHS for name in ("1se", "best")]
FASHION_ROWS = 10_000
LASSONET_TABLES = ("wine_red", "wine_white", "mice")
"""Elsewhere its path takes longer than all other models together."""
DECIMALS = {
    "score": 3,
    "alive_nodes": 1,
    "n_parameters": 0,
    "fit_seconds": 1,
    "nodes_at_equal_score": 1,
}
"""Of the tables of the documentation, one for each of these columns."""
NUMBERS = make_column_selector(dtype_include=np.number)
OTHERS = make_column_selector(dtype_exclude=np.number)


class Split:
    """Training and test rows of a table, in the forms that the models need."""

    def __init__(self, X, y, train, test, *, encoder=None, groups=None, seed=0):
        self.is_classes = np.asarray(y).dtype.kind in "OUTib"
        y = np.unique(y, return_inverse=True)[1] if self.is_classes else np.asarray(y)
        take = X.iloc if hasattr(X, "iloc") else X
        self.X, self.X_test, self.y, self.y_test = take[train], take[test], y[train], y[test]
        self.encoder = make_tabular_preprocessor() if encoder is None else encoder
        self.groups = None if groups is None else np.asarray(groups)[train]
        self.seed = seed

    @functools.cached_property
    def encoded(self):
        return self._transformed(self.encoder)

    @functools.cached_property
    def scaled(self):
        """Scaled and one-hot, as is usual."""
        if not hasattr(self.X, "columns"):
            return self._transformed(StandardScaler())
        scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        usual = make_column_transformer((scale, NUMBERS), (one_hot, OTHERS), sparse_threshold=0)
        return self._transformed(usual)

    @functools.cached_property
    def table(self):
        """The table itself, categories as such."""
        if not hasattr(self.X, "columns"):
            return self.X, self.X_test
        names = self.X.select_dtypes(exclude="number").columns
        dtypes = {name: pd.CategoricalDtype(self.X[name].dropna().unique()) for name in names}
        return self.X.astype(dtypes), self.X_test.astype(dtypes)

    @functools.cached_property
    def filled(self):
        """The same without missing numbers."""
        X, X_test = self.table
        if not hasattr(X, "columns"):
            return X, X_test
        median = X.median(numeric_only=True)
        return X.fillna(median), X_test.fillna(median)

    @property
    def folds(self):
        """Folds of the searches."""
        options = {"n_splits": FOLDS, "shuffle": True, "random_state": self.seed}
        if self.groups is not None:
            return list(StratifiedGroupKFold(**options).split(self.X, self.y, self.groups))
        return StratifiedKFold(**options) if self.is_classes else KFold(**options)

    def _transformed(self, encoder):
        return encoder.fit_transform(self.X), encoder.transform(self.X_test)


def random_split(X, y, seed):
    stratify = y if np.asarray(y).dtype.kind in "OUTib" else None
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=0.2, stratify=stratify, random_state=seed)
    return Split(X, y, train, test, seed=seed)


def california(seed):
    X, y = load_california()
    return random_split(pd.DataFrame(X).add_prefix("x"), y, seed)


def adult(seed):
    X, X_test, y, y_test = load_adult()
    X = pd.concat([X, X_test], ignore_index=True)
    return random_split(X, np.concatenate([y, y_test]), seed)


def bank(seed):
    return random_split(*load_bank(), seed)


def wine(color, seed):
    return random_split(*load_wine(color), seed)


def mice(seed):
    X, y, mouse = load_mice()
    train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(X, y, mouse))
    return Split(X, y, train, test, groups=mouse, seed=seed)


def fashion(seed):
    X, X_test, y, y_test = load_images("fashion_mnist")
    some = np.random.default_rng(seed).choice(len(X), FASHION_ROWS, replace=False)
    X, y = np.concatenate([X[some], X_test]), np.concatenate([y[some], y_test])
    train, test = np.split(np.arange(len(X)), [FASHION_ROWS])
    centred = StandardScaler(with_std=False)  # pixels have one unit
    return Split(X, y, train, test, encoder=centred, seed=seed)


TABLES = {
    "california": california,
    "wine_red": functools.partial(wine, "red"),
    "wine_white": functools.partial(wine, "white"),
    "mice": mice,
    "bank": bank,
    "adult": adult,
    "fashion": fashion,
}


def width_search(network, split):
    """Return scikit-learn's network with early stopping, its width by cross-validation."""
    network.set_params(early_stopping=True)
    scoring = "neg_log_loss" if split.is_classes else "r2"
    return GridSearchCV(network, {"hidden_layer_sizes": WIDTHS}, scoring=scoring, cv=split.folds)


def is_installed(name):
    return importlib.util.find_spec(name) is not None


def lasso_net(split):
    """Return LassoNet at its defaults."""
    import lassonet  # slow to import, and tables are written without it

    Model = lassonet.LassoNetClassifier if split.is_classes else lassonet.LassoNetRegressor
    return Model(random_state=split.seed, torch_seed=split.seed)


def fit_lasso_net(model, X, y):
    """Follow its path; keep the network of the best loss on the rows that it sets aside."""
    if not hasattr(model, "predict_proba"):
        y = y.astype(np.float32)
    path = model.path(X.astype(np.float32), y, return_state_dicts=True)
    model.load(min(path, key=lambda step: step.val_loss).state_dict)


def real_mlp(split):
    """Return RealMLP at its tuned defaults, without an ensemble."""
    import pytabkit

    Model = pytabkit.RealMLP_TD_Classifier if split.is_classes else pytabkit.RealMLP_TD_Regressor
    return Model(device="cpu", random_state=split.seed, n_cv=1, n_refit=0, n_threads=1)


def fit_both(model, X, y):
    """Fit a CV estimator; return what "1se" and "best" choose from the same networks."""
    seen = {}

    def keep_path(*arguments):
        seen["path"], seen["networks"] = yield from full_path(*arguments)
        return seen["path"], copy.copy(seen["networks"])

    def keep_choice(penalties, paths, selection, tolerance):
        seen["paths"] = paths
        seen["choose"] = functools.partial(choose_penalty, penalties, paths)
        return seen["choose"](selection, tolerance)

    with (
        mock.patch("skspectral._path.cv.full_path", keep_path),
        mock.patch("skspectral._path.cv.choose_penalty", keep_choice),
    ):
        model.fit(X, y)
    best = copy.copy(model).set_params(selection="best")
    choice = seen["choose"]("best")
    network = seen["networks"][choice.index]
    best._set_fitted_attributes(seen["path"], seen["paths"], choice, network)
    return {"1se": model, "best": best}


def row_scores(split, model, X_test):
    """Return what the score is the mean of, and the accuracy."""
    if not split.is_classes:
        error = (split.y_test - np.ravel(model.predict(X_test))) ** 2
        return 1 - error / np.var(split.y_test), np.nan
    proba = np.clip(model.predict_proba(X_test), 1e-15, 1)
    rows = np.arange(len(proba))
    return np.log(proba[rows, split.y_test]), (proba.argmax(axis=1) == split.y_test).mean()


def size(model):
    """Return alive nodes and parameters, without those of dead nodes; NaN if not a network."""
    model = getattr(model, "best_estimator_", model)
    if hasattr(model, "prune"):
        alive = sum(model.n_alive_nodes_)
        if not alive:
            return 0, model.intercepts_[-1].size
        model = model.prune()
    if not hasattr(model, "coefs_"):
        return np.nan, np.nan
    n_nodes = sum(len(intercept) for intercept in model.intercepts_[:-1])
    return n_nodes, sum(array.size for array in (*model.coefs_, *model.intercepts_))


def cv_score(model):
    """Return the mean score over the folds of what was chosen; NaN where nothing was."""
    if isinstance(model, GridSearchCV):
        return model.best_score_
    if not hasattr(model, "cv_results_"):
        return np.nan
    return model.cv_results_["mean_test_score"][np.argmax(model.alphas_ == model.alpha_)]


class Measurement:
    """Fit the models of one table and seed that are missing, and append their rows."""

    def __init__(self, table, seed, file):
        self.table, self.seed, self.file = table, seed, file

    @functools.cached_property
    def split(self):
        return TABLES[self.table](self.seed)

    def main(self):
        """Fit what the question is about."""
        classes, seed = self.split.is_classes, self.split.seed
        Network = SpectralMLPClassifier if classes else SpectralMLPRegressor
        MLP = MLPClassifier if classes else MLPRegressor
        Boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        self.one("spectral default", Network(random_state=seed))
        self.one("MLP default", MLP(random_state=seed))
        self.one("MLP default, scaled", MLP(random_state=seed), "scaled")
        self.one("boosting", Boosting(random_state=seed), "table")
        self.path("CV")
        self.one("MLP width search", width_search(MLP(random_state=seed), self.split))

    def others(self):
        """Fit the networks of others."""
        if is_installed("lassonet") and self.table in LASSONET_TABLES:
            self.one("LassoNet", lasso_net(self.split), "scaled", fit=fit_lasso_net)
        if is_installed("pytabkit"):
            self.one("RealMLP", real_mlp(self.split), "filled")

    def one(self, name, model, form="encoded", fit=None):
        """Fit and score a model."""
        if not self._wants(name):
            return
        X, X_test = getattr(self.split, form)
        start = time.perf_counter()
        fit = fit or type(model).fit
        fit(model, X, self.split.y)
        self._add(name, model, X_test, time.perf_counter() - start)

    def path(self, name):
        """Fit a CV estimator, and score what both selections choose."""
        if not self._wants(f"{name} 1se"):
            return
        Path_ = SpectralMLPClassifierCV if self.split.is_classes else SpectralMLPRegressorCV
        model = Path_(cv=self.split.folds, random_state=self.seed)
        X, X_test = self.split.encoded
        start = time.perf_counter()
        both = fit_both(model, X, self.split.y)
        seconds = time.perf_counter() - start
        for selection, chosen in both.items():
            self._add(f"{name} {selection}", chosen, X_test, seconds)

    def _wants(self, name):
        return self.file.wants([self.table, self.seed, name])

    def _add(self, name, model, X_test, fit_seconds):
        start = time.perf_counter()
        by_row, accuracy = row_scores(self.split, model, X_test)
        predict_seconds = time.perf_counter() - start
        error = by_row.std(ddof=1) / np.sqrt(len(by_row))
        alive, n_parameters = size(model)
        numbers = (by_row.mean(), error, accuracy, alive, n_parameters)
        seconds = (round(fit_seconds, 2), round(predict_seconds, 4))
        alpha = getattr(model, "alpha_", np.nan)
        numbers = [*(round(float(n), 5) for n in numbers), *seconds, f"{alpha:.3g}"]
        identified = getattr(model, "size_identified_", "")
        row = [*numbers, round(float(cv_score(model)), 5), identified, ""]
        self.file.add([self.table, self.seed, name, *row])


def by_model(rows, column, digits):
    """Return means over seeds, a row per model and a column per table."""
    rows = rows[~rows["model"].isin(OTHER_STARTS)]
    order = dict.fromkeys(rows["model"])  # as they are fitted
    means = rows.pivot_table(index="model", columns="table", values=column, aggfunc="mean")
    means = means.reindex(index=order, columns=[name for name in TABLES if name in means])
    return means.dropna(how="all").round(digits)


def sizes_by_start(rows, selection):
    """Return alive nodes by starting width, a row per table and seed that has all of them."""
    names = {f"spectral {width} {selection}": width for width in START_WIDTHS}
    some = rows[rows["model"].isin([f"spectral {selection}", *names])]
    sizes = some.pivot_table(index=["table", "seed"], columns="model", values="alive_nodes")
    own = sizes.pop(f"spectral {selection}")
    sizes = sizes.rename(columns=names)[list(START_WIDTHS)]
    for width in START_WIDTHS:  # the width of the table's own rule is not fitted twice
        is_own = sizes[width].isna().groupby("table").transform("all")
        sizes[width] = sizes[width].where(~is_own, own)
    return sizes.dropna()


def share_of_seconds(rows, model, other):
    """Return, for each table, the median over splits of the ratio of the times to fit."""
    seconds = rows.pivot(index=["table", "seed"], columns="model", values="fit_seconds")
    return (seconds[model] / seconds[other]).groupby("table").median().reindex(list(TABLES))


def comparisons(rows):
    """Return, for each table, the numbers by which the defaults are judged."""
    score = by_model(rows, "score", 5)
    error = by_model(rows, "std_error", 5)
    n_parameters = by_model(rows, "n_parameters", 0)
    plain, search, boosting = "MLP default, scaled", "MLP width search", "boosting"
    gap = score.loc[boosting] - score.loc[plain]
    closed = (score.loc["spectral best"] - score.loc[plain]) / gap.where(gap > 0)
    found = {
        "seeds": rows.groupby("table")["seed"].nunique(),
        "default minus MLP default": score.loc["spectral default"] - score.loc["MLP default"],
        "default minus MLP default, scaled": score.loc["spectral default"] - score.loc[plain],
        "1se minus width search": score.loc["spectral 1se"] - score.loc[search],
        "standard error": error.loc[search],
        "parameters, share": n_parameters.loc["spectral 1se"] / n_parameters.loc[search],
        "seconds, default to MLP default": share_of_seconds(
            rows, "spectral default", "MLP default"
        ),
        "seconds, share": share_of_seconds(rows, "spectral 1se", search),
        "gap to boosting closed by best": closed,
    }
    for selection in ("1se", "best"):
        sizes = sizes_by_start(rows, selection).groupby("table").mean()
        found[f"nodes from {START_WIDTHS}, {selection}"] = (
            sizes.round(1).astype(str).agg(" / ".join, axis=1)
        )
    found["splits of these"] = sizes_by_start(rows, "1se").groupby("table").size()
    return pd.DataFrame(found).reindex(score.columns).round(3)


def cross_validation(rows):
    """Return score and nodes of the CV estimators, beside one fit and former paths.

    Means over the splits that they all saw. No seconds, which come from several runs.
    """
    models = ["spectral default", *CROSS_VALIDATED, "spectral 1se", "spectral best"]
    some = rows[rows["model"].isin(models)]
    some = some[some.groupby(["table", "seed"])["model"].transform("nunique") == len(models)]
    columns = {"score": 3, "alive_nodes": 1}
    means = some.groupby(["table", "model"])[list(columns)].mean().round(columns)
    names = {"spectral 1se": "warm path, 1se", "spectral best": "warm path, best"}
    cells = means.astype(str).agg(" / ".join, axis=1).unstack("table")
    present = [name for name in TABLES if name in cells]
    return cells.reindex(models)[present].rename(index=names).rename_axis("model").reset_index()


def doc_tables(rows):
    """Return the tables of the documentation by name."""
    folded = cross_validation(rows)
    rows = rows[~rows["model"].isin(CROSS_VALIDATED)]  # fewer splits than the others
    tables = {
        f"tables_{column}": by_model(rows, column, digits).reset_index()
        for column, digits in DECIMALS.items()
    }
    tables["tables_cross_validation"] = folded
    tables["tables_comparisons"] = comparisons(rows).T.rename_axis("").reset_index()
    return tables


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV that grows row by row")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--tables", nargs="*", default=list(TABLES), choices=TABLES)
    arguments = parser.parse_args()
    file = Appender(arguments.out, COLUMNS, n_keys=3, budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # networks that have not settled
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    for part in (Measurement.main, Measurement.others):
        for seed in arguments.seeds:
            for table in arguments.tables:
                part(Measurement(table, seed, file))
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
