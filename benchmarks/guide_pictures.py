"""Draw the pictures of the guide page about the number of nodes.

California Housing, split as on that page, and data of a teacher of ten nodes: the sizes that
`size_interval` compares, and the path of the cross-validation:
``python benchmarks/guide_pictures.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from documents import IMAGES
from matplotlib import pyplot as plt
from sklearn.datasets import fetch_california_housing
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skspectral import (
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPathDisplay,
    size_interval,
)
from skspectral.datasets import make_teacher_student
from skspectral.preprocessing import make_tabular_preprocessor

TIMES = [1, 2, 4]
"""Multiples of the penalty of the fit, as of `size_interval`."""


def draw_sizes(ax, found, first, title):
    """Draw the nodes of each fit against its penalty, and the interval behind them."""
    least, most = found.interval[0]
    ax.axhspan(least - 0.3, most + 0.3, color="#0072b2", alpha=0.15, lw=0, label="interval")
    for marker, label, fits in (
        ("o", "other starts", found.seed_sizes),
        ("s", "parts of the rows", found.fold_sizes),
    ):
        for i, sizes in enumerate(np.asarray(fits)[:, :, 0]):
            name = label if not i else None
            ax.plot(TIMES, sizes, marker + "-", color="#0072b2", alpha=0.6, ms=7, label=name)
    ax.plot(1, first, "*", color="black", ms=14, label="the fit itself")
    ax.set(xscale="log", xlabel="times the penalty of the fit", ylim=(0, 13), title=title)
    ax.set_xticks(TIMES, TIMES)
    ax.minorticks_off()
    ax.grid(alpha=0.3)


def intervals(california, X, y):
    """Draw what tells whether a size belongs to the task: that of a teacher does."""
    data = make_teacher_student(5000, 10, (10,), noise=0.1, random_state=0)
    teacher = SpectralMLPRegressor(random_state=0).fit(data.X, data.y)
    cases = [
        ("a teacher of 10 nodes", teacher, data.X, data.y, teacher),
        ("California Housing", california, X, y, california[-1]),
    ]
    with plt.rc_context({"font.size": 12}):
        figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True, layout="constrained")
    for ax, (name, model, X, y, network) in zip(axes, cases, strict=True):
        found = size_interval(model, X, y, random_state=0)
        print(name, found)
        verdict = "identified" if found.identified else "not identified"
        draw_sizes(ax, found, network.n_alive_nodes_[0], f"{name}: {verdict}")
    axes[0].set_ylabel("nodes left")
    axes[0].legend(loc="lower left", frameon=False)
    figure.savefig(IMAGES / "size_interval.png", dpi=120)


def path(X, y):
    """Draw score and size against the penalty."""
    network = SpectralMLPRegressorCV(random_state=0)
    model = make_pipeline(make_tabular_preprocessor(), network).fit(X, y)
    print(network.summary())
    display = SpectralPathDisplay.from_estimator(model)
    display.figure_.savefig(IMAGES / "path_california_housing.png", dpi=120)


def main():
    X, y = fetch_california_housing(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, random_state=0)
    one = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0))
    intervals(one.fit(X, y), X, y)
    path(X, y)


if __name__ == "__main__":
    main()
