"""Draw pictures of the guide.

Of the page about the number of nodes: California Housing, split as on that page, and data of a
teacher of ten nodes, with the sizes that `size_interval` compares, and the path of the
cross-validation. Of the page about studies: its two studies, as they stand there.
``python benchmarks/guide_pictures.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools

import numpy as np
import pandas as pd
from documents import IMAGES
from matplotlib import pyplot as plt
from sklearn.datasets import fetch_california_housing
from sklearn.model_selection import GridSearchCV, ShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline

from skspectral import (
    EffectiveSizeDisplay,
    SpectralMLPRegressor,
    SpectralMLPRegressorCV,
    SpectralPathDisplay,
    n_alive_nodes_score,
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


def study(grid, scoring, layers, n_rows):
    """Return the results of a search over students of a teacher with layers of ten nodes."""
    X, y = make_teacher_student(
        n_rows, 10, layers, noise=0.1, random_state=0, return_teacher=False
    )
    cv = ShuffleSplit(1, test_size=0.2, random_state=0)
    search = GridSearchCV(SpectralMLPRegressor(), grid, scoring=scoring, cv=cv, refit=False)
    results = search.fit(X, y).cv_results_
    shown = [key for key in results if key.startswith(("param_", "split0_test"))]
    print(pd.DataFrame(results)[shown].to_string())
    return results


def studies():
    """Draw what is left of students of one layer, and of two."""
    grid = {
        "hidden_layer_sizes": [20, 50, 100, 200, 500],
        "parametrization": ["spectral", "dense"],
        "random_state": range(5),
    }
    results = study(grid, {"r2": "r2", "n_nodes": n_alive_nodes_score}, (10,), 5_000)
    display = EffectiveSizeDisplay.from_cv_results(results, teacher_size=10)
    display.figure_.savefig(IMAGES / "study_one_layer.png", dpi=100)
    grid = {"hidden_layer_sizes": [(20, 20), (50, 50), (100, 100)], "random_state": range(3)}
    names = ["first", "second"]
    scoring = {
        name: functools.partial(n_alive_nodes_score, layer=layer)
        for layer, name in enumerate(names)
    }
    results = study(grid, scoring, (10, 10), 10_000)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
    for layer, name in enumerate(names):
        EffectiveSizeDisplay.from_cv_results(
            results, score_name=name, layer=layer, teacher_size=10, ax=axes[layer]
        )
        axes[layer].set_title(f"{name} hidden layer")
    figure.savefig(IMAGES / "study_two_layers.png", dpi=100)


def main():
    X, y = fetch_california_housing(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, random_state=0)
    one = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0))
    intervals(one.fit(X, y), X, y)
    path(X, y)
    studies()


if __name__ == "__main__":
    main()
