"""
How many nodes for the best score?
==================================

A grid search over widths compares a handful of guesses. Where prediction is what counts,
search the penalty instead: cross-validation takes the largest one that scores as well as the
best, and the nodes that are left there are the size. Here from the table to a small network
that needs no torch, beside the guess.

The data come from scikit-learn's own loader, which downloads them once. Without
a network and without a cached copy synthetic data take their place (Friedman's first
problem: ten columns, five of which matter).
"""

# SPDX-License-Identifier: BSD-3-Clause

# sphinx_gallery_thumbnail_number = 1

# %%
# Data
# ----
# A tenth of California Housing for training, to keep this short.
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
    X, y.to_numpy(), train_size=2000, random_state=0
)
print(f"{name}: {len(X_train)} training rows, {X.shape[1]} columns")

# %%
# One fit
# -------
# Without a search: the penalty follows the noise. The preprocessor bends single columns, so
# that nodes are left for what columns do together.

model = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0))
start = time.perf_counter()
model.fit(X_train, y_train)
seconds = time.perf_counter() - start
print(model[-1].summary())
print(f"test R2 {model.score(X_test, y_test):.3f}, {seconds:.0f} s")

# %%
# The penalty by cross-validation
# -------------------------------
# Cross-validation tries multiples of the penalty that follows the noise, on folds and
# on all rows, each network trained until it has settled. It takes the largest multiple
# that is as good as the best, by the standard error of the difference over folds.
# Three multiples and three folds are for brevity; the defaults are four and five.

model_cv = make_pipeline(
    make_tabular_preprocessor(),
    SpectralMLPRegressorCV(alpha_factors=[0.25, 0.5, 1], cv=3, random_state=0),
)
start = time.perf_counter()
with warnings.catch_warnings():
    # Where training was too short for the penalty, the number is an upper bound.
    warnings.simplefilter("ignore", ConvergenceWarning)
    model_cv.fit(X_train, y_train)
seconds = time.perf_counter() - start
network = model_cv[-1]
print(network.summary())
print(f"test R2 {model_cv.score(X_test, y_test):.3f}, {seconds:.0f} s")

# %%
# The curves behind it
# --------------------
# Above, the score with the margin within which it may lie; below, the nodes left, with
# the interval of sizes from the chosen penalty on.

(n_alive,) = network.n_alive_nodes_
display = SpectralPathDisplay.from_estimator(model_cv)
display.figure_.suptitle(f"{name}: {n_alive} nodes at the chosen penalty")
plt.show()

# %%
# The same as a table, with the fewest and the most nodes on the folds.

results = pd.DataFrame(network.cv_results_)
sizes = results.filter(regex=r"split\d+_n_alive_nodes")
table = pd.DataFrame(
    {
        "alpha_factor": results["alpha_factor"],
        "R2": results["mean_test_score"],
        "fewest nodes": sizes.min(axis=1),
        "most nodes": sizes.max(axis=1),
        "good enough": results["within_tolerance"],
    }
)
print(table.round(4).to_string(index=False))

# %%
# Against guessing
# ----------------
# The same rows and columns for scikit-learn's network with a guess of its width,
# and the table itself for gradient boosting.

Z_train, Z_test = (model_cv[0].transform(part) for part in (X_train, X_test))
guess = MLPRegressor(hidden_layer_sizes=256, early_stopping=True, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # its limit is 200 epochs
    guess.fit(Z_train, y_train)
boosting = HistGradientBoostingRegressor(random_state=0).fit(X_train, y_train)
small = network.prune()


def n_parameters(fitted):
    """Return the number of weights and biases."""
    return sum(array.size for array in (*fitted.coefs_, *fitted.intercepts_))


for label, score, count in (
    (f"{n_alive} nodes left", small.score(Z_test, y_test), n_parameters(small)),
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
# The size comes from the score here, and with it comes an interval: how many nodes other
# penalties leave. The network that is left has a fraction of the parameters of the guess.
# Whether its size is more than a matter of the penalty is the question of
# :ref:`sphx_glr_auto_examples_plot_how_many_nodes.py`.
