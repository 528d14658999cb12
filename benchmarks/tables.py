"""How good, how small and how fast: networks sized by their penalty on real tables.

Each table is split 5 times. All models of a split are fitted to the same training rows, one
after the other on one thread, and scored on the same test rows: R2, or minus log loss. Networks
of scikit-learn and of this package get the same encoded columns, boosting, RealMLP and EBM the
table itself; all searches have the same 3 folds. Seconds, of the processor, are without the
encoding; the time to predict and the bytes are those of what is deployed: the encoder included,
this package not. One row of results/tables.csv per fit; rows that are there are skipped, so that
the benchmark can stop and go on: ``python benchmarks/tables.py --budget 60``.

EBM and RealMLP, which take longer than all others together, are fitted last.

Data are read from the folders that SKSPECTRAL_DATA and SCIKIT_LEARN_DATA name. RealMLP and EBM
are left out where they are not installed (``pip install skspectral[bench] interpret-core``).
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import functools
import importlib.util
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import Appender
from documents import IMAGES, write_tables
from real_tables import (
    load_adult,
    load_bank,
    load_california,
    load_images,
    load_mice,
    load_wine,
)
from scipy.stats import loguniform
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    KFold,
    RandomizedSearchCV,
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
    to_sklearn,
)
from skspectral.preprocessing import make_tabular_preprocessor

RESULTS = Path(__file__).parent / "results" / "tables.csv"
COLUMNS = [
    "table",
    "seed",
    "model",
    "score",
    "std_error",
    "accuracy",
    "nodes",
    "n_parameters",
    "n_bytes",
    "fit_seconds",
    "microseconds_a_row",
]
SEEDS = range(5)
FOLDS = 3
WIDTHS = [(16,), (32,), (64,), (128,), (256,), (512,), (256, 256)]
SEARCHED = {
    "learning_rate": loguniform(0.02, 0.3),
    "max_leaf_nodes": [7, 15, 31, 63],
    "max_iter": [100, 200, 400],
}
N_SEARCHED = 10
"""Settings of boosting that are drawn, each fitted to all folds."""
FASHION_ROWS = 10_000
SLOW = ("EBM", "RealMLP")
"""Fitted after all others."""
TOO_LONG = {
    ("fashion", "boosting, searched"),
    ("fashion", "EBM"),
}
"""Hours: ten settings of boosting, and EBM of 784 columns and ten classes."""
NAMES = {
    "california": "California",
    "wine_red": "red wine",
    "wine_white": "white wine",
    "mice": "mice",
    "bank": "Bank",
    "adult": "Adult",
    "fashion": "Fashion-MNIST",
}
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
    def even_encoded(self):
        """As `make_tabular_preprocessor` encoded once, with 24 even knots."""
        if not hasattr(self.X, "columns"):
            return self.encoded
        return self._transformed(make_tabular_preprocessor(knots="even", n_knots=24))

    @functools.cached_property
    def scaler(self):
        """What scales, and encodes categories one-hot, as is usual."""
        if not hasattr(self.X, "columns"):
            return StandardScaler()
        scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return make_column_transformer((scale, NUMBERS), (one_hot, OTHERS), sparse_threshold=0)

    @functools.cached_property
    def scaled(self):
        return self._transformed(self.scaler)

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
        return encoder.fit_transform(self.X, self.y), encoder.transform(self.X_test)


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


def boosting_search(boosting, split):
    """Return gradient boosting, its learning rate, leaves and iterations by cross-validation."""
    scoring = "neg_log_loss" if split.is_classes else "r2"
    return RandomizedSearchCV(
        boosting, SEARCHED, n_iter=N_SEARCHED, scoring=scoring, cv=split.folds, random_state=0
    )


def is_installed(name):
    return importlib.util.find_spec(name) is not None


def real_mlp(split):
    """Return RealMLP at its tuned defaults, without an ensemble."""
    import pytabkit  # slow to import, and tables are written without it

    Model = pytabkit.RealMLP_TD_Classifier if split.is_classes else pytabkit.RealMLP_TD_Regressor
    return Model(device="cpu", random_state=split.seed, n_cv=1, n_refit=0, n_threads=1)


def explainable_boosting(split):
    """Return the explainable boosting machine at its defaults."""
    from interpret import glassbox

    name = "ExplainableBoosting" + ("Classifier" if split.is_classes else "Regressor")
    return getattr(glassbox, name)(random_state=split.seed, n_jobs=1, callback=is_lost)


def is_lost(bag, step, progressed, loss):
    """Tell that the validation loss of EBM has overflowed, after which it never stops early.

    What it returns is the best until then, but it would go on for hours.
    """
    return progressed and np.isnan(loss)


def row_scores(split, model, X_test):
    """Return what the score is the mean of, and the accuracy."""
    if not split.is_classes:
        error = (split.y_test - np.ravel(model.predict(X_test))) ** 2
        return 1 - error / np.var(split.y_test), np.nan
    proba = np.clip(model.predict_proba(X_test), 1e-15, 1)
    rows = np.arange(len(proba))
    return np.log(proba[rows, split.y_test]), (proba.argmax(axis=1) == split.y_test).mean()


def deployed(model, before):
    """Return what is deployed: a network as scikit-learn's, behind its encoder."""
    model = getattr(model, "best_estimator_", model)
    whole = model if before is None else make_pipeline(before, model)
    return to_sklearn(whole) if hasattr(model, "coefs_") else whole


def n_nodes(model):
    """Return the number of hidden nodes; NaN if it is not a network of scikit-learn."""
    if not hasattr(model, "coefs_"):
        return np.nan
    return sum(len(intercept) for intercept in model.intercepts_[:-1])


def n_parameters(model):
    """Return the number of parameters: of trees, a threshold each split and a value each leaf."""
    if hasattr(model, "coefs_"):
        return sum(array.size for array in (*model.coefs_, *model.intercepts_))
    if hasattr(model, "_predictors"):
        return sum(len(tree.nodes) for trees in model._predictors for tree in trees)
    if hasattr(model, "term_scores_"):
        return sum(np.size(scores) for scores in model.term_scores_)
    return np.nan


class Measurement:
    """Fit the models of one table and seed that are missing, and append their rows."""

    def __init__(self, table, seed, file):
        self.table, self.seed, self.file = table, seed, file

    @functools.cached_property
    def split(self):
        return TABLES[self.table](self.seed)

    def main(self):
        """Fit what is measured in one run."""
        classes, seed = self.split.is_classes, self.split.seed
        Network = SpectralMLPClassifier if classes else SpectralMLPRegressor
        Folded = SpectralMLPClassifierCV if classes else SpectralMLPRegressorCV
        MLP = MLPClassifier if classes else MLPRegressor
        Boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        self.one("one fit", lambda: Network(random_state=seed))
        self.one("5 members", lambda: Network(n_members=5, random_state=seed))
        self.one("8 members", lambda: Network(n_members=8, random_state=seed))
        self.one("CV", lambda: Folded(cv=self.split.folds, random_state=seed))
        self.one("MLP", lambda: MLP(random_state=seed))
        self.one("MLP, scaled columns", lambda: MLP(random_state=seed), "scaled")
        self.one("MLP width search", lambda: width_search(MLP(random_state=seed), self.split))
        boosting = Boosting(random_state=seed)
        self.one("boosting", lambda: boosting, "table")
        self.one("boosting, searched", lambda: boosting_search(boosting, self.split), "table")

    def slow(self):
        """Fit what takes longer than all others together."""
        if is_installed("interpret"):
            self.one("EBM", lambda: explainable_boosting(self.split), "filled")
        if is_installed("pytabkit"):
            self.one("RealMLP", lambda: real_mlp(self.split), "filled")

    def one(self, name, make, form="encoded"):
        """Fit and score a model, and append its row."""
        if (self.table, name) in TOO_LONG or not self.file.wants([self.table, self.seed, name]):
            return
        X, X_test = getattr(self.split, form)
        model = make()
        start = time.process_time()
        model.fit(X, self.split.y)
        fit_seconds = time.process_time() - start
        by_row, accuracy = row_scores(self.split, model, X_test)
        error = by_row.std(ddof=1) / np.sqrt(len(by_row))
        encoders = {"encoded": "encoder", "scaled": "scaler"}
        before = getattr(self.split, encoders[form]) if form in encoders else None
        whole = deployed(model, before)
        raw = X_test if before is None else self.split.X_test
        numbers = (by_row.mean(), error, accuracy)
        last = whole[-1] if before is not None else whole
        row = [*(round(float(n), 5) for n in numbers), n_nodes(last), n_parameters(last)]
        row += [
            len(pickle.dumps(whole)),
            round(fit_seconds, 2),
            round(microseconds(whole, raw), 2),
        ]
        self.file.add([self.table, self.seed, name, *row])


def microseconds(model, X):
    """Return the time to predict a row of many, the best of three."""
    predict = getattr(model, "predict_proba", model.predict)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        predict(X)
        seconds.append(time.process_time() - start)
    return 1e6 * min(seconds) / len(X)


def on_all_splits(rows):
    """Return the rows of models that all splits of their table have."""
    counts = rows.groupby(["table", "model"])["seed"].transform("nunique")
    return rows[counts == rows.groupby("table")["seed"].transform("nunique")]


def by_model(rows, column):
    """Return means over splits, a row per model and a column per table."""
    order = list(dict.fromkeys(rows["model"]))  # as they are fitted
    means = rows.pivot_table(index="model", columns="table", values=column, aggfunc="mean")
    means = means.reindex(index=order, columns=[name for name in TABLES if name in means])
    return means.dropna(how="all").rename(columns=NAMES)


def cells(rows, column, form):
    """Return means as texts; of a score with its standard error."""
    means = by_model(rows, column)
    texts = means.map(lambda value: "" if np.isnan(value) else form.format(value))
    if column != "score":
        return texts
    errors = by_model(rows, "std_error").map(form.format)
    return texts.where(means.isna(), texts + " ± " + errors)


FORMS = {
    "score": "{:.3f}",
    "nodes": "{:.0f}",
    "n_parameters": "{:,.0f}",
    "n_bytes": "{:,.0f}",
    "fit_seconds": "{:.1f}",
    "microseconds_a_row": "{:.1f}",
}


def doc_tables(rows):
    """Return the tables of the documentation by name."""
    whole = on_all_splits(rows)
    tables = {f"tables_{column}": cells(whole, column, form) for column, form in FORMS.items()}
    splits = whole.groupby("table")["seed"].nunique()
    tables["tables_score"].loc["splits"] = [str(splits[name]) for name in TABLES]
    return {name: table.reset_index() for name, table in tables.items()}


MARKS = {
    "one fit": ("o", "#0072b2"),
    "5 members": ("P", "#0072b2"),
    "8 members": ("X", "#0072b2"),
    "CV": ("D", "#56b4e9"),
    "MLP width search": ("s", "#333333"),
    "boosting": ("^", "#e69f00"),
    "boosting, searched": ("^", "#d55e00"),
}
"""Marker and colour of each model; blue is this package. MLP at its defaults is far below."""
TICKS = {1e3: "1,000", 1e4: "10,000", 1e5: "100,000"}


def draw(rows):
    """Draw score against number of parameters, a panel for each table."""
    from matplotlib import pyplot as plt  # the tables need no pictures

    rows = on_all_splits(rows)
    scores, sizes = by_model(rows, "score"), by_model(rows, "n_parameters")
    errors = by_model(rows, "std_error").loc["one fit"]
    with plt.rc_context({"font.size": 12}):
        figure, axes = plt.subplots(4, 2, figsize=(8, 12), layout="constrained")
    panels = dict(zip(scores.columns, axes.flat, strict=False))
    for table, ax in panels.items():
        is_loss = scores[table].max() < 0
        draw_table(ax, scores[table], sizes[table], errors[table])
        ax.set(title=table, xscale="log", ylabel="minus log loss" if is_loss else "R2")
        ax.set(xlabel="parameters", xlim=(150, 1.2e5))
        ax.set_xticks(list(TICKS), list(TICKS.values()))
        ax.minorticks_off()
    legend = axes.flat[-1]
    legend.axis("off")
    legend.legend(*axes.flat[0].get_legend_handles_labels(), loc="center", frameon=False)
    figure.savefig(IMAGES / "score_and_size.png", dpi=120)


def draw_table(ax, scores, sizes, error):
    """Draw the models of one table, and one standard error below boosting."""
    for name, (marker, color) in MARKS.items():
        if name in scores.index:
            ax.scatter(sizes[name], scores[name], marker=marker, color=color, s=70, label=name)
    least = scores["boosting"] - error
    ax.axhspan(least, scores["boosting"], color="#e69f00", alpha=0.15, lw=0, zorder=0)
    ax.grid(alpha=0.3)


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
    for part in (Measurement.main, Measurement.slow):
        for seed in arguments.seeds:
            for table in arguments.tables:
                part(Measurement(table, seed, file))
    if arguments.out == RESULTS:
        write_tables(doc_tables(file.read()))
        draw(file.read())


if __name__ == "__main__":
    main()
