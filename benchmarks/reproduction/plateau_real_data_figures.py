"""Table and figure of what plateau_real_data.py measured."""

import matplotlib.pyplot as plt
from effective_size_figures import DOCS, save

from skspectral import EffectiveSizeDisplay

TITLES = {
    "california": "California Housing",
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
}
CURVES = ["spectral", "dense"]
DECIMALS = {"alive": 1, "alive, std": 1, "train_score": 3, "test_score": 3, "seconds": 0}


def write_table(rows):
    """Write means over seeds, a row per table, parametrization and width."""
    groups = rows.groupby(["table", "parametrization", "width"], sort=False)
    means = groups[["alive", "train_score", "test_score", "seconds"]].mean()
    means.insert(1, "alive, std", groups["alive"].std(ddof=0))
    means.insert(0, "fits", groups.size())
    table = means.sort_index(level=[0, 1, 2], ascending=[True, False, True]).reset_index()
    table.round(DECIMALS).to_csv(DOCS / "plateau_real_data.csv", index=False)


def draw_plateaus(rows):
    """Draw alive nodes against width, a panel per table."""
    figure, axes = plt.subplots(
        1, len(TITLES), figsize=(4 * len(TITLES), 3.6), layout="constrained"
    )
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        groups = rows[rows["table"] == name].groupby(["parametrization", "width"])["alive"]
        mean, std = (part.unstack().loc[CURVES] for part in (groups.mean(), groups.std(ddof=0)))
        EffectiveSizeDisplay(
            widths=mean.columns.to_numpy(),
            n_alive_nodes=mean.to_numpy(),
            std_n_alive_nodes=std.to_numpy(),
            labels=CURVES,
        ).plot(ax)
        ax.set_title(title)
    save(figure, "plateau_real_data")


def write_documents(rows):
    """Write both."""
    write_table(rows)
    if set(TITLES) <= set(rows["table"]):
        draw_plateaus(rows)
