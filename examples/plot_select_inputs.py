"""
Which columns does the network need?
====================================

Tables have columns that tell nothing about the target. A network with an eigenvalue for each
column lets go of those that only fit noise, in one fit. Here the truth is known, so the
columns that are kept can be held against it, beside those of the lasso.

The data are synthetic: Friedman's first problem, with five columns that matter and 25 that do
not.
"""

# SPDX-License-Identifier: BSD-3-Clause

# sphinx_gallery_thumbnail_number = 1

# %%
# Data
# ----
# The target is :math:`10 \sin(\pi x_0 x_1) + 20 (x_2 - 1/2)^2 + 10 x_3 + 5 x_4` and noise. The
# columns 0 and 1 act together, and column 2 has no linear effect.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LassoCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import SpectralMLPRegressor

N_COLUMNS, RELEVANT = 30, np.arange(5)
X, y = make_friedman1(4000, N_COLUMNS, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=2000, random_state=0)

# %%
# Three ways to weigh columns
# ---------------------------
# With ``eigenvalues="inputs"`` each column has an eigenvalue, which scales all it has to say, and
# the penalty presses on it. The default, ``"out"``, has eigenvalues of nodes. The lasso is linear.
# ``feature_importances_`` has the share of each column in the whole, ``alive_features_`` the
# columns that are left.

inputs = SpectralMLPRegressor(eigenvalues="inputs", random_state=0)
default = SpectralMLPRegressor(random_state=0)
lasso = LassoCV(cv=3)
scaler = StandardScaler().fit(X_train)
for estimator in (inputs, default, lasso):
    estimator.fit(scaler.transform(X_train), y_train)
strength = np.abs(lasso.coef_)
ways = {
    'network, eigenvalues="inputs"': (inputs.feature_importances_, inputs.alive_features_),
    "network, default": (default.feature_importances_, default.alive_features_),
    "lasso": (strength / strength.sum(), strength > 0),
}

# %%
# A bar for each column that is kept, with its share.

columns = np.arange(N_COLUMNS)
colors = np.where(np.isin(columns, RELEVANT), "tab:blue", "tab:orange")
fig, axes = plt.subplots(3, sharex=True, sharey=True, figsize=(7, 5.5), layout="constrained")
for ax, (label, (shares, kept)) in zip(axes, ways.items(), strict=True):
    ax.bar(columns[kept], shares[kept], color=colors[kept])
    others = shares[len(RELEVANT) :].sum()
    ax.set_title(f"{label}: {kept.sum()} columns kept", loc="left", fontsize="medium")
    print(f"{label}: keeps {columns[kept].tolist()}, {others:.1%} for the other 25 columns")
axes[0].bar(0, 0, color="tab:blue", label="matters")
axes[0].bar(0, 0, color="tab:orange", label="does not matter")
axes[0].legend(loc="upper right")
axes[1].set_ylabel("share of the importance")
axes[2].set_xlabel("column")
plt.show()

# %%
# In a pipeline
# -------------
# scikit-learn's ``SelectFromModel`` keeps the columns that are alive, and a network of the
# defaults goes on with them. Without the others there is less to fit noise with.

network = SpectralMLPRegressor(eigenvalues="inputs", random_state=0)
selector = SelectFromModel(network, importance_getter="alive_features_", threshold=0.5)
model = make_pipeline(StandardScaler(), selector, SpectralMLPRegressor(random_state=0))
model.fit(X_train, y_train)
kept = np.flatnonzero(model[1].get_support())
for label, score, n_columns in (
    ("all columns", default.score(scaler.transform(X_test), y_test), N_COLUMNS),
    ("selected", model.score(X_test, y_test), len(kept)),
    ("lasso", lasso.score(scaler.transform(X_test), y_test), N_COLUMNS),
):
    print(f"{label:>12}: {n_columns:2d} columns, test R2 {score:.3f}")
print(f"columns {kept.tolist()}, {sum(model[-1].n_alive_nodes_)} nodes left")

# %%
# Conclusion
# ----------
# One fit keeps the five columns, also the one that acts through its square alone, which no
# linear method sees, and a network without the others predicts better. With
# ``eigenvalues="in"`` nodes die as well, and a few columns are kept in vain where there is noise.
# Columns that are copies of one another share their importance, so look at correlations first.
# Where the number of columns is to be chosen by the score, the CV estimators have
# ``alive_features_`` and, for the order in which columns leave, ``feature_path_``.
