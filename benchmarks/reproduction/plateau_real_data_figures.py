"""Figure of what plateau_real_data.py measured."""

import matplotlib.pyplot as plt
from effective_size_figures import save

from skspectral import EffectiveSizeDisplay

TITLES = {
    "california": "California Housing",
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
}
CURVES = ["spectral", "dense"]


def draw_plateaus(rows):
    """Draw alive nodes against width, a panel per table, once all tables are measured."""
    if not set(TITLES) <= set(rows["table"]):
        return
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
