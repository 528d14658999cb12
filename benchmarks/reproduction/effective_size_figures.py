"""Table and figures of what effective_size.py measured."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from documents import IMAGES

from skspectral import EffectiveSizeDisplay

TEACHER = 20
"""First layer of the teacher that the figures show."""
RECIPES = ["spectral", "dense", "spectral, published", "dense, published"]
NO_GROWTH = 1e-6
"""Where no growth is drawn."""
HISTOGRAM_WIDTHS = (20, 100, 500)
"""Nodes at the start in the figure of histograms: the teacher's, and far more."""
FEWEST = 5
"""Repetitions of every recipe below which a teacher and width are left out."""


def repeated(rows):
    """Return the rows of teachers and widths that all recipes have repeated often enough."""
    fits = rows.groupby(["teacher", "width", "recipe"]).size().unstack(fill_value=0)
    enough = fits.index[(fits >= FEWEST).all(axis=1)]
    return rows[pd.MultiIndex.from_frame(rows[["teacher", "width"]]).isin(enough)]


def doc_tables(rows):
    """Return means over repetitions, a row per teacher, recipe and width."""
    groups = repeated(rows).groupby(["teacher", "width", "recipe"])
    table = groups[["alive", "distinct", "nodes_at_equal_score", "error", "seconds"]].mean()
    table.insert(1, "alive, std", groups["alive"].std(ddof=0))
    table.insert(0, "fits", groups.size())
    table["similarity"] = groups["similarity"].mean().round(3)
    table = table.reset_index()
    table = table.round(
        {"alive": 1, "alive, std": 1, "distinct": 1, "nodes_at_equal_score": 1, "seconds": 0}
    )
    table["error"] = table["error"].round(4)
    table = table.rename(columns={"nodes_at_equal_score": "at equal score"})
    return {"effective_size": table}


def draw_sizes(rows):
    """Draw alive nodes against width, as the paper's figure of the effective size."""
    groups = rows.groupby(["recipe", "width"])["alive"]
    mean, std = (table.unstack().loc[RECIPES] for table in (groups.mean(), groups.std(ddof=0)))
    display = EffectiveSizeDisplay(
        widths=mean.columns.to_numpy(),
        n_alive_nodes=mean.to_numpy(),
        std_n_alive_nodes=std.to_numpy(),
        labels=list(mean.index),
        teacher_size=TEACHER,
    )
    display.plot()
    save(display.figure_, "effective_size")


def draw_histograms(rows, bins):
    """Draw histograms of relevance, a row per recipe and a column per width."""
    widths = HISTOGRAM_WIDTHS
    figure, axes = plt.subplots(
        len(RECIPES),
        len(widths),
        sharex=True,
        sharey="col",
        squeeze=False,
        figsize=(2.7 * len(widths), 1.6 * len(RECIPES)),
        layout="constrained",
    )
    for i, recipe in enumerate(RECIPES):
        for j, width in enumerate(widths):
            some = rows[(rows["recipe"] == recipe) & (rows["width"] == width)]
            counts = np.array([text.split() for text in some["histogram"]], dtype=float)
            if len(counts):
                axes[i, j].stairs(counts.mean(axis=0) + 1e-9, bins, fill=True)
            axes[i, j].set(yscale="symlog", ylim=(0, 1.5 * width))
            if not i:
                axes[i, j].set_title(f"{width} nodes at the start")
        axes[i, 0].set_ylabel(recipe.replace(", ", "\n"))
    figure.supxlabel("relevance / largest")
    save(figure, "relevance_histograms")


def draw_transition(rows, more_or_less):
    """Draw by how much the error grows where so many nodes are kept."""
    figure, axes = plt.subplots(
        1, len(RECIPES), sharey=True, figsize=(3 * len(RECIPES), 3), layout="constrained"
    )
    columns = [f"kept {k:+d}" for k in more_or_less]
    wide = rows[rows["width"] >= TEACHER]
    for ax, recipe in zip(axes, RECIPES, strict=True):
        for width, some in wide[wide["recipe"] == recipe].groupby("width"):
            growth = some[columns].sub(some["error"], axis=0).mean().to_numpy()
            ax.plot(
                more_or_less, np.maximum(growth, NO_GROWTH), marker=".", label=f"{width} nodes"
            )
        ax.axvline(0, color="0.2", linewidth=1)
        ax.set(yscale="log", title=recipe, xlabel="nodes kept, less teacher's")
    axes[0].set(ylabel="growth of error / variance", ylim=(NO_GROWTH / 2, None))
    axes[-1].legend()
    save(figure, "pruning_transition")


def save(figure, name):
    figure.savefig(IMAGES / f"{name}.png", dpi=100)
    plt.close(figure)


def draw_all(rows, bins, more_or_less):
    """Draw the figures of the documentation."""
    rows = repeated(rows)
    shown = rows[rows["teacher"] == TEACHER]
    draw_sizes(shown)
    draw_histograms(shown, bins)
    draw_transition(shown, more_or_less)
