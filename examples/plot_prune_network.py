"""
How far can a fitted network be pruned?
=======================================

A network that was started too wide is mostly zeros after training. Which nodes
can go, what does it cost, and what is left to deploy? Here validation answers,
and the result is a small scikit-learn model that needs no torch.

The data come from scikit-learn's own loader, which downloads them once. Without
a network and without a cached copy the bundled diabetes data take their place.
"""

# SPDX-License-Identifier: BSD-3-Clause

# %%
# Data and model
# --------------
# A quarter of California Housing, to keep this short; one hidden layer of 200
# nodes, which is far too many. The penalty follows the noise. By default dead nodes
# leave the network while it trains; with ``shrink=False`` all stay, to be cut here.
import pickle
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import fetch_california_housing, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skspectral import (
    PruningCurveDisplay,
    RelevanceDisplay,
    SpectralMLPRegressor,
    SpectralPruner,
)


def load_data():
    """Return the name of the table, X and y."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on retrying the download
            return "California Housing", *fetch_california_housing(return_X_y=True)
    except OSError as error:
        print(f"California Housing is not available ({error}); using the bundled diabetes data.")
        return "diabetes", *load_diabetes(return_X_y=True)


name, X, y = load_data()
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=min(5000, len(X) * 3 // 4), random_state=0
)
network = SpectralMLPRegressor(200, shrink=False, random_state=0)

# %%
# Prune by validation
# -------------------
# The pruner fits the network in three folds, scores the nested smaller networks
# on what each fold left out, and chooses the smallest one that is within one
# standard error of the best. Then it fits on all rows and cuts.

model = make_pipeline(
    QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0),
    SpectralPruner(network, cv=3, random_state=0),
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)
pruner = model[-1]
full, small = pruner.full_estimator_, pruner.estimator_
print(f"{name}: {sum(pruner.n_nodes_)} of 200 nodes are kept; {full.n_alive_nodes_[0]} were alive")

# %%
# Above: the score falls off a cliff below the size that is left and is flat above it. Below: the
# relevances that ranked the nodes have a gap at the same place. What the folds choose is a level
# of relevance, and the network of all rows keeps its nodes above that, which may be one or two
# more or fewer than on the curve.

fig, (above, below) = plt.subplots(2, figsize=(7.5, 6.5), layout="constrained")
PruningCurveDisplay.from_cv_results(pruner.cv_results_, score_name="R2 (3 folds)", ax=above)
RelevanceDisplay.from_estimator(full, ax=below)
plt.show()

# %%
# What is left
# ------------
# `estimator_` is physically small. Its export is a genuine scikit-learn MLP: it
# can be pickled, loaded and used where torch is not installed.

Z_test = model[:-1].transform(X_test)
export = small.to_sklearn()
for label, estimator in (("full", full), ("pruned", small), ("scikit-learn", export)):
    n_parameters = sum(a.size for a in (*estimator.coefs_, *estimator.intercepts_))
    print(
        f"{label:>12}: {n_parameters:5d} parameters, {len(pickle.dumps(estimator)):7d} bytes, "
        f"test R2 {estimator.score(Z_test, y_test):.3f}"
    )
largest = np.abs(export.predict(Z_test) - small.predict(Z_test)).max()
print(f"largest difference between the last two predictions: {largest:.1e}")

# %%
# Conclusion
# ----------
# Most of the network is at zero after training: the pruned one predicts as well with a
# fraction of the parameters, and validation rather than taste has set its size.
#
# .. rubric:: References
#
# L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli, "Spectral
# pruning of fully connected layers", Scientific Reports 12, 11201 (2022).
