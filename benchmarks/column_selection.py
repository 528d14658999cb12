"""Which columns count? One fit with eigenvalues of the inputs, beside other ways to tell.

Tasks whose truth is known. "independent" and "correlated": two classes of 20 Gaussian columns; the
log odds are linear in the first ten, with weights that rise from 0.2 to 2; neighbouring columns
are independent, or have a correlation of 0.7. "friedman": scikit-learn's first problem, 5 of 30
columns count, noise 1. "many": 5 of 500 columns enter a network of ten relu nodes, noise of 10 %.
2,000 rows each.

What is kept: the spectral network's `alive_features_`; columns whose permutation importance (ten
shuffles of held-out rows, a default network) is above twice its standard deviation; columns to
which the lasso, with its penalty by cross-validation, gives a weight (for classes SelectFromModel
of a logistic regression with an L1 penalty by cross-validation); the inputs of LassoNet's path
at the best score of held-out rows.

"rank" is Spearman's correlation of importances and true weights. LassoNet and SHAP are measured
where they are installed. One row of results/column_selection.csv per fit; rows that are there are
skipped: ``python benchmarks/column_selection.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from appending import run
from scipy.stats import spearmanr
from sklearn.datasets import make_friedman1
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LassoCV, LogisticRegressionCV
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPClassifier, SpectralMLPRegressor

RESULTS = Path(__file__).parent / "results" / "column_selection.csv"
COLUMNS = ["task", "method", "seed", "n_kept", "n_missed", "rank", "seconds"]
TASKS = {"independent": 10, "correlated": 10, "friedman": 5, "many": 5}
"""How many columns count; they come first."""
GRADED = ("independent", "correlated")
"""Tasks of which some columns count more than others."""
SEEDS = 5
SEEDS_OF_MANY = 10
N_ROWS = 2_000
CORRELATION = 0.7


def two_classes(rng, correlation):
    """Return columns, classes and the true weights of the log odds."""
    weights = np.zeros(20)
    weights[:10] = np.linspace(0.2, 2, 10)
    lags = np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    X = rng.multivariate_normal(np.zeros(20), np.power(correlation, lags), N_ROWS)
    return X, (rng.random(N_ROWS) < 1 / (1 + np.exp(-X @ weights))).astype(int), weights


def many_columns(rng):
    """Return 500 columns, and a target that a network makes of the first five."""
    X = rng.normal(size=(N_ROWS, 500))
    directions = rng.normal(size=(10, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    outgoing = rng.choice([-1, 1], 10) * rng.uniform(0.5, 1.5, 10)
    truth = np.maximum(X[:, :5] @ directions.T, 0) @ outgoing
    y = (truth - truth.mean()) / truth.std() + 0.1 * rng.normal(size=N_ROWS)
    return X, y, np.repeat([1.0, 0.0], [5, 495])


def make_task(task, seed):
    """Return scaled columns, target and true weights."""
    rng = np.random.default_rng(seed)
    if task == "friedman":
        X, y = make_friedman1(N_ROWS, 30, noise=1.0, random_state=seed)
        return StandardScaler().fit_transform(X), y, np.repeat([1.0, 0.0], [5, 25])
    if task == "many":
        return many_columns(rng)
    return two_classes(rng, CORRELATION if task == "correlated" else 0.0)


def network(y, seed, **options):
    """Return a network for numbers, or for classes."""
    cls = SpectralMLPClassifier if y.dtype.kind == "i" else SpectralMLPRegressor
    return cls(random_state=seed, n_threads=1, **options)


def inbound(X, y, seed, **options):
    fitted = network(y, seed, **{"eigenvalues": "in"} | options).fit(X, y)
    return fitted.feature_importances_, fitted.alive_features_


def inputs(X, y, seed):
    return inbound(X, y, seed, eigenvalues="inputs")


def inbound_twice(X, y, seed):
    """At twice the default factor, at which noise leaves next to nothing."""
    return inbound(X, y, seed, alpha_factor=1.0)


def default(X, y, seed):
    fitted = network(y, seed).fit(X, y)
    return fitted.feature_importances_, fitted.alive_features_


def permutation(X, y, seed):
    X, X_held, y, y_held = train_test_split(X, y, random_state=seed)
    fitted = network(y, seed).fit(X, y)
    found = permutation_importance(fitted, X_held, y_held, n_repeats=10, random_state=seed)
    return found.importances_mean, found.importances_mean > 2 * found.importances_std


def lasso(X, y, seed):
    if y.dtype.kind == "i":
        options = {"l1_ratios": (1.0,), "use_legacy_attributes": False, "scoring": "neg_log_loss"}
        fitted = LogisticRegressionCV(Cs=5, cv=3, solver="saga", tol=1e-2, **options).fit(X, y)
        strength = np.abs(fitted.coef_).sum(axis=0)
    else:
        strength = np.abs(LassoCV(cv=3).fit(X, y).coef_)
    return strength, strength > 0


def lasso_net(X, y, seed):
    """Follow LassoNet's path, and choose its network by held-out rows."""
    import lassonet  # tables are written without it

    is_class = y.dtype.kind == "i"
    y = y if is_class else (y - y.mean()) / y.std()
    cls = lassonet.LassoNetClassifier if is_class else lassonet.LassoNetRegressor
    X, X_held, y, y_held = train_test_split(X, y, random_state=seed)
    fitted = cls(hidden_dims=(64,), random_state=seed, torch_seed=seed)
    best, chosen = -np.inf, None
    for step in fitted.path(X, y, return_state_dicts=True):
        fitted.load(step.state_dict)
        score = fitted.score(X_held, y_held)
        if score > best:
            best, chosen = score, step.selected.numpy()
    return fitted.feature_importances_.numpy(), chosen


def shap_values(X, y, seed):
    """Explain a default network, by 100 rows; none of the values is zero."""
    import shap

    fitted = network(y, seed).fit(X, y)
    ask = fitted.predict_proba if y.dtype.kind == "i" else fitted.predict
    explainer = shap.explainers.Permutation(ask, shap.maskers.Independent(X, 50), seed=seed)
    values = np.abs(explainer(X[:100], max_evals=4 * X.shape[1] + 1, silent=True).values)
    strength = values.reshape(100, X.shape[1], -1).mean(axis=(0, 2))
    return strength, strength > 0


METHODS = {
    'network, "inputs"': inputs,
    'network, "in"': inbound,
    'network, "in", twice the factor': inbound_twice,
    "network, default": default,
    "permutation": permutation,
    "lasso": lasso,
    "LassoNet": lasso_net,
    "SHAP": shap_values,
}
SLOW = {("many", "SHAP")}
NEEDS = {"LassoNet": "lassonet", "SHAP": "shap"}


def is_possible(task, method):
    """Tell whether a method is installed, and done with a task in minutes."""
    is_installed = method not in NEEDS or find_spec(NEEDS[method]) is not None
    return is_installed and (task, method) not in SLOW


def n_seeds(task, method):
    """Return how often a task is repeated: most often where exact finds are counted."""
    is_counted = task == "many" and method in ('network, "inputs"', 'network, "in"')
    return SEEDS_OF_MANY if is_counted else SEEDS


def measure(file, key):
    """Let a method choose columns, and append its row."""
    task, method, seed = key
    X, y, weights = make_task(task, seed)
    start = time.process_time()
    importances, kept = METHODS[method](X, y, seed)
    seconds = round(time.process_time() - start, 1)
    missed = int((~kept[weights > 0]).sum())
    rank = round(float(spearmanr(importances, weights).statistic), 3)
    file.add([*key, int(kept.sum()), missed, rank, seconds])


def span(numbers):
    """Return least and most in words, or the one number there is."""
    least, most = numbers.min(), numbers.max()
    return str(least) if least == most else f"{least} to {most}"


def doc_tables(rows):
    """Return what is kept, missed and exact, and ranks, a row per task and method."""
    counts = rows["task"].map(TASKS)
    exact = (rows["n_kept"] == counts) & (rows["n_missed"] == 0)
    groups = rows.assign(exact=exact.astype(int)).groupby(["task", "method"], sort=False)
    table = groups["n_kept"].agg(span).to_frame("kept")
    table["missed"] = groups["n_missed"].mean().map("{:.1f}".format)
    table["exact"] = groups["exact"].sum().astype(str) + " of " + groups.size().astype(str)
    is_graded = table.index.get_level_values("task").isin(GRADED)
    table["rank"] = groups["rank"].mean().map("{:.2f}".format).where(is_graded, "")
    table["seconds"] = groups["seconds"].median().round(1)
    order = {name: place for place, name in enumerate((*TASKS, *METHODS))}
    table = table.reset_index().sort_values(["task", "method"], key=lambda names: names.map(order))
    return {"column_selection": table}


def main():
    keys = [
        (task, method, seed)
        for seed, task, method in itertools.product(range(SEEDS_OF_MANY), TASKS, METHODS)
        if seed < n_seeds(task, method) and is_possible(task, method)
    ]
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=30)


if __name__ == "__main__":
    main()
