"""
Five networks folded into one: what is gained?
==============================================

The mean of several networks predicts better than each of them, and it is an ordinary network
itself: all nodes side by side, the outgoing weights divided by the number of networks. So an
ensemble need not be five models in production. What does it gain, and how many nodes does it
cost?

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
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import fetch_california_housing, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skspectral import SpectralMLPRegressor, fit_many, merge
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
encoder = make_tabular_preprocessor().fit(X_train, y_train)
Z_train, Z_test = encoder.transform(X_train), encoder.transform(X_test)

# %%
# One, and five in one
# --------------------
# ``n_members=5`` trains five networks side by side and folds them. A mean has less variance, so
# more nodes pay, and the penalty of each is half of that of a single fit.

one = SpectralMLPRegressor(random_state=0).fit(Z_train, y_train)
five = SpectralMLPRegressor(n_members=5, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # a member might lose one node more
    five.fit(Z_train, y_train)
print(five.summary())

# %%
# One by one
# ----------
# The same by hand, to see each member: five fits, of which ``merge`` folds the first two,
# three, four and five. Fits that exist already can be folded that way, too.

members = [
    SpectralMLPRegressor(len(one.feature_relevance_[0]) // 2, alpha_factor=0.25, random_state=seed)
    for seed in range(5)
]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    members = fit_many(members, Z_train, y_train)
folded = [merge(members[:count]) for count in range(2, 6)]
boosting = HistGradientBoostingRegressor(random_state=0).fit(X_train, y_train)


def size_and_score(estimators):
    """Return nodes and test scores."""
    nodes = [sum(estimator.n_alive_nodes_) for estimator in estimators]
    return nodes, [estimator.score(Z_test, y_test) for estimator in estimators]


fig, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
groups = {
    "one fit": ([one], "D", "tab:blue"),
    "each of five members": (members, "o", "tab:gray"),
    "2, 3, 4, 5 of them, merged": (folded, "o-", "tab:green"),
    "n_members=5": ([five], "*", "tab:red"),
}
for label, (estimators, style, color) in groups.items():
    nodes, scores = size_and_score(estimators)
    ax.plot(nodes, scores, style, color=color, label=label, markersize=7 + 6 * (style == "*"))
    for count, score in zip(nodes, scores, strict=True):
        print(f"{label:>26}: {count:3d} nodes, test R2 {score:.3f}")
ax.axhline(boosting.score(X_test, y_test), color="0.3", linestyle=":", label="gradient boosting")
ax.set(xlabel="nodes", ylabel="R2 of the test rows", title=name, xlim=(0, None))
ax.legend()
plt.show()

# %%
# Still one network
# -----------------
# The export is one scikit-learn network with the nodes of all five.

export = five.to_sklearn()
largest = np.abs(export.predict(Z_test) - five.predict(Z_test)).max()
n_parameters = sum(array.size for array in (*export.coefs_, *export.intercepts_))
print(
    f"{type(export).__name__} of {export.hidden_layer_sizes} nodes, {n_parameters} parameters, "
    f"largest difference {largest:.1e}"
)

# %%
# Conclusion
# ----------
# The first networks that are added gain most, and the score comes closer to a ceiling with each.
# The size of a folded network is the sum of its members and says nothing about the task: to look
# for a size fit one network, to predict well fold several.
