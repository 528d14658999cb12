"""
How many hidden nodes do I need?
================================

A grid search over widths compares a handful of guesses, each trained from scratch.
Here the data are asked. One fit starts much too wide, with a penalty that follows the
noise, and what is left is a first answer. Cross-validation gives the second: the network
follows a path of rising penalties, along which nodes die, and the folds tell where on
that path it is as small as it can be and still as good as the best.

The data come from scikit-learn's own loader, which downloads them once. Without
a network and without a cached copy synthetic data take their place (Friedman's first
problem: ten columns, five of which matter).
"""

# SPDX-License-Identifier: BSD-3-Clause

# %%
# Data
# ----
# A fifth of California Housing for training, to keep this short.
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import fetch_california_housing, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from skspectral import SpectralMLPRegressor, SpectralMLPRegressorCV, SpectralPathDisplay
from skspectral.preprocessing import make_tabular_preprocessor


def load_data():
    """Return the name of the table, X and y."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on retrying the download
            return "California Housing", *fetch_california_housing(return_X_y=True, as_frame=True)
    except OSError as error:
        print(f"California Housing is not available ({error}); using synthetic data.")
        X, y = make_friedman1(20_000, noise=1.0, random_state=0)
        return "Friedman 1", pd.DataFrame(X).add_prefix("x"), pd.Series(y)


name, X, y = load_data()
X_train, X_test, y_train, y_test = train_test_split(
    X, y.to_numpy(), train_size=4000, random_state=0
)
print(f"{name}: {len(X_train)} training rows, {X.shape[1]} columns")

# %%
# One fit
# -------
# The preprocessor bends single columns, so that nodes are left for what columns
# do together. The network starts with a width that depends on the number of rows;
# what comes out depends on it only a little.

quick = make_pipeline(make_tabular_preprocessor(n_knots=12), SpectralMLPRegressor(random_state=0))
start = time.perf_counter()
with warnings.catch_warnings():
    # Where training was too short for the penalty, the number is an upper bound.
    warnings.simplefilter("ignore", ConvergenceWarning)
    quick.fit(X_train, y_train)
seconds = time.perf_counter() - start
print(
    f"{quick[-1].n_alive_nodes_[0]} of {len(quick[-1].feature_relevance_[0])} nodes, settled: "
    f"{quick[-1].size_settled_}, test R2 {quick.score(X_test, y_test):.3f}, {seconds:.0f} s"
)

# %%
# By cross-validation
# -------------------
# The second answer takes longer and goes by the score. Each fold starts from weights of its
# own: what differs between them tells how sure the answer is. Three folds, 16
# penalties and 12 knots are for brevity; for a number to quote, leave the defaults
# or give ``RepeatedKFold`` as `cv`.

model = make_pipeline(
    make_tabular_preprocessor(n_knots=12),
    SpectralMLPRegressorCV(cv=3, n_alphas=16, random_state=0),
)
start = time.perf_counter()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)
seconds = time.perf_counter() - start
network = model[-1]
(width,) = network.estimator_.hidden_layer_sizes
(n_alive,) = network.n_alive_nodes_
print(f"{n_alive} of {width} nodes, test R2 {model.score(X_test, y_test):.3f}, {seconds:.0f} s")

# %%
# The path behind it
# ------------------
# Up to a certain penalty nodes die and the score does not mind: they were not
# needed. Beyond it every node that goes costs something. The largest penalty
# that is as good as the best, by the standard error of the difference over folds,
# is chosen.

display = SpectralPathDisplay.from_estimator(model)
display.figure_.suptitle(f"{name}: {n_alive} nodes are enough")
path = f"path_{name.lower().replace(' ', '_')}.png"
display.figure_.savefig(path, dpi=120)
print(f"The plot is in {path}")
plt.show()

# %%
# How sure is that?
# -----------------
# The table has the sizes of the networks of all folds, at the penalties around the
# chosen one. A task with a size of its own, such as a teacher network's, shows as
# a plateau: the size stays while the penalty doubles, and the score does too. Where
# size follows the penalty all along there is no such number, only a trade of nodes
# for score, and the estimator says so.

results = pd.DataFrame(network.cv_results_)
sizes = results.filter(regex=r"split\d+_n_alive_nodes")
table = pd.DataFrame(
    {
        "alpha": results["alpha"],
        "R2": results["mean_test_score"],
        "fewest nodes": sizes.min(axis=1),
        "most nodes": sizes.max(axis=1),
        "good enough": results["within_tolerance"],
    }
)
chosen = int(np.flatnonzero(network.alphas_ == network.alpha_)[0])
print(table.iloc[max(0, chosen - 4) : chosen + 5].round(4).to_string(index=False))
print(f"size identified: {network.size_identified_} {network.size_plateau_ or ''}")

# %%
# Against guessing
# ----------------
# The same rows and columns for scikit-learn's network with a guess of its width,
# and the table itself for gradient boosting.

Z_train, Z_test = (model[0].transform(part) for part in (X_train, X_test))
guess = MLPRegressor(hidden_layer_sizes=256, early_stopping=True, random_state=0)
guess.fit(Z_train, y_train)
boosting = HistGradientBoostingRegressor(random_state=0).fit(X_train, y_train)
small = network.prune()


def n_parameters(fitted):
    """Return the number of weights and biases."""
    return sum(array.size for array in (*fitted.coefs_, *fitted.intercepts_))


for label, score, count in (
    (f"{n_alive} nodes, found", small.score(Z_test, y_test), n_parameters(small)),
    (
        f"{guess.hidden_layer_sizes} nodes, guessed",
        guess.score(Z_test, y_test),
        n_parameters(guess),
    ),
    ("gradient boosting", boosting.score(X_test, y_test), None),
):
    print(f"{label:>20}: test R2 {score:.3f}" + (f", {count} parameters" if count else ""))

# %%
# Take it along
# -------------
# `prune` has cut the nodes that are not alive, and the result can leave as a plain
# scikit-learn network, which predicts the same without torch.

export = small.to_sklearn()
largest = np.abs(export.predict(Z_test) - small.predict(Z_test)).max()
print(f"{type(export).__name__}{export.hidden_layer_sizes}, largest difference {largest:.1e}")

# %%
# Conclusion
# ----------
# How many nodes? Far fewer than one would have guessed, for much the same score. Two
# penalties, two numbers: where the size is not identified, each is a choice.
# ``selection="best"`` looks for the best score instead of the smallest network. Read
# the band before quoting the number.
