"""
How many hidden nodes, and is that sure?
========================================

One fit starts much too wide, with a penalty that follows the noise, and counts the
nodes that are left. Is that number the size of the task, or only what this penalty
leaves? A few more fits tell. Here they judge two tables: one whose size is known, as a
small network made it, and one that no network made.

The second table comes from scikit-learn's own loader, which downloads it once. Without
a network and without a cached copy synthetic data take its place (Friedman's first
problem: a smooth function of five of ten columns).
"""

# SPDX-License-Identifier: BSD-3-Clause

# sphinx_gallery_thumbnail_number = 1

# %%
# Two tables
# ----------
# A teacher of five relu nodes labels the rows of the first one, with a tenth of noise. Few
# rows are enough for this question, and keep it short.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import fetch_california_housing, make_friedman1
from sklearn.pipeline import make_pipeline
from sklearn.utils import resample

from skspectral import SpectralMLPRegressor, size_interval
from skspectral.datasets import make_teacher_student
from skspectral.preprocessing import make_tabular_preprocessor

TEACHER = 5


def load_data():
    """Return the name of the table, X and y."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on retrying the download
            X, y = fetch_california_housing(return_X_y=True)
    except OSError as error:
        print(f"California Housing is not available ({error}); using synthetic data.")
        return "Friedman 1", *make_friedman1(1200, noise=1.0, random_state=0)
    return "California Housing", *resample(X, y, replace=False, n_samples=1200, random_state=0)


teacher = make_teacher_student(900, 10, TEACHER, noise=0.1, random_state=0)
name, X, y = load_data()

# %%
# One fit each
# ------------
# Width at the start, penalty and length of training follow from the data. "Settled" means
# that training was long enough for this penalty, no more: both fits have settled, and only
# one of the two sizes is a fact about its table.

network = SpectralMLPRegressor(random_state=0).fit(teacher.X, teacher.y)
model = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0)).fit(X, y)
print(f"Teacher of {TEACHER} nodes\n{network.summary()}\n\n{name}\n{model[-1].summary()}")

# %%
# A few more fits
# ---------------
# ``size_interval`` fits each network from two other random starts and on two random four
# fifths of the rows, at the penalty of the fit, at twice and at four times that. Where all these
# sizes agree, to a tenth or one node, the size is *identified*: it belongs to the task.
# Otherwise it belongs to the penalty.

judged = {
    f"Teacher of {TEACHER} nodes": size_interval(network, teacher.X, teacher.y, random_state=0),
    name: size_interval(model, X, y, random_state=0),
}
fig, axes = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
shift = 1.04 ** np.arange(-1.5, 2)[:, None]  # so that equal lines can be told apart
for ax, (title, found) in zip(axes, judged.items(), strict=True):
    ((low, high),) = found.interval
    color = "tab:green" if found.identified else "tab:orange"
    ax.axhspan(low - 0.5, high + 0.5, color=color, alpha=0.3)
    ax.plot((shift[:2] * found.factors).T, found.seed_sizes[..., 0].T, "o-", color="tab:blue")
    ax.plot((shift[2:] * found.factors).T, found.fold_sizes[..., 0].T, "s--", color="tab:gray")
    answer = "identified" if found.identified else "not identified"
    size = f"{low}" if low == high else f"{low} to {high}"
    ax.set(
        xscale="log",
        xticks=found.factors,
        xticklabels=[f"{factor:g}" for factor in found.factors],
        xlabel="penalty / penalty of the fit",
        title=f"{title}\n{size} nodes, {answer}",
    )
    ax.minorticks_off()
axes[0].axhline(TEACHER, color="black", linewidth=1)
axes[0].set(ylabel="nodes left", ylim=(0, None))
axes[0].legend(
    [*axes[0].lines[:3:2], axes[0].patches[0], axes[0].lines[-1]],
    ["other random start", "part of the rows", "interval", "the teacher"],
    loc="lower left",
)
plt.show()

# %%
# Left, the lines are flat: at four times the penalty the network has the teacher's nodes still.
# Right, each step of the penalty costs nodes, and so would the next: nodes are traded for
# accuracy, and no size stands out. The same as a table:

rows = {
    title: np.vstack([found.seed_sizes[..., 0], found.fold_sizes[..., 0]])
    for title, found in judged.items()
}
for title, sizes in rows.items():
    index = ["other start", "other start", "part of the rows", "part of the rows"]
    columns = [f"penalty x {factor:g}" for factor in judged[title].factors]
    print(f"{title}\n{pd.DataFrame(sizes, index, columns)}\n")

# %%
# Conclusion
# ----------
# How many nodes? Far fewer than one would have guessed, and one fit counts them. Whether the
# number is the task's own is another question, and ``size_interval`` answers it. Where it says
# no, quote the size with its penalty, or let the score choose the penalty
# (:ref:`sphx_glr_auto_examples_plot_choose_penalty.py`).
