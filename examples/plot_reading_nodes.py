"""
What does each node respond to?
===============================

A network of a handful of nodes can be read. Here one is fitted to a table, and three
pictures show what each of its nodes responds to, how the nodes make the prediction, and
how training came to this size.

The data come from scikit-learn's own loader, which downloads them once. Without
a network and without a cached copy synthetic data take their place (Friedman's first
problem: ten columns, five of which matter).
"""

# SPDX-License-Identifier: BSD-3-Clause

# %%
# Data and model
# --------------
# A fifth of California Housing for training, to keep this short. The preprocessor gives
# the network each column in several forms, so that a node can bend it; the pictures put
# them together again.
import warnings

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import fetch_california_housing, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skspectral import NetworkDisplay, NodesDisplay, SpectralMLPRegressor, TrainingDisplay
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
model = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0))
model.fit(X_train, y_train)
n_inputs = model[:-1].transform(X_test[:1]).shape[1]
print(f"{name}: {len(X_train)} training rows, {X.shape[1]} columns, {n_inputs} when encoded")
print(model[-1].summary())
print(f"test R2 {model.score(X_test, y_test):.3f}")

# %%
# What the nodes respond to
# -------------------------
# A row is a node, a column one of the table. The stronger the colour, the more the node
# responds to that column, and the line shows how. To the right the sign with which the node
# enters the prediction, and how much of the variance of the prediction it accounts for.

nodes = NodesDisplay.from_estimator(model, X_train)
plt.show()

# %%
# One column
# ----------
# The column to which the leading node responds most, over its values: where a curve
# bends, the price does something that a straight line could not tell.

leading = max(nodes.responses, key=lambda response: response.strengths[0])
nodes.plot_column(leading.name)
plt.show()

# %%
# The whole network
# -----------------
# The same as a diagram, for a talk or a report. Without rows of the table it shows the
# encoded inputs, with them the columns.

NetworkDisplay.from_estimator(model, X_train)
plt.show()

# %%
# How training came to this size
# ------------------------------
# The number of nodes falls while the penalty follows the noise. Training goes through
# cycles of the learning rate, and ends after one that left size and loss as they were.

TrainingDisplay.from_estimator(model)
plt.show()

# %%
# Conclusion
# ----------
# A network that has kept a handful of nodes need not be a black box: each of them can be
# named by what it responds to. The shares tell which of them to look at first. They describe
# this network, though: another random start may share the work out differently.
