"""How much of the eigenvectors must be trained? Accuracy against trained parameters.

After Chicchi et al., Training of sparse and dense deep neural networks: fewer parameters, same
performance, Physical Review E 104, 054312 (2021). Networks of one hidden layer of relu nodes on
images of MNIST and Fashion-MNIST, no penalty. In both layers are trained: the outbound
eigenvalues alone; both sets of eigenvalues; both sets and the singular values of the eigenvectors
("SVD"); both sets and a triangle ("QR"); or all weights ("dense"). Biases are trained throughout.
All of a width start as the same dense network. Dense networks of a few nodes show what as few
parameters do in a network that is narrow instead.

Adam in batches of 100, its rate along one cycle. The peak rate of each kind is from held-out
images (decomposition_rates.py).

One row of results/decompositions.csv per network; rows that are there are skipped:
``python benchmarks/decompositions.py --budget 20``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import time
from pathlib import Path

import torch
from appending import run
from documents import IMAGES, read_rows
from real_tables import load_images
from torch import nn
from torch.nn import functional as F

from skspectral.nn import SpectralLinear

RESULTS = Path(__file__).parent / "results" / "decompositions.csv"
COLUMNS = ["images", "nodes", "trained", "seed", "n_parameters", "accuracy", "seconds"]
IMAGE_SETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
KINDS = {
    "one set": {"train_phi": False},
    "both sets": {"train_phi": False, "train_lambda_in": True},
    "SVD": {"train_lambda_in": True, "decomposition": "svd"},
    "QR": {"train_lambda_in": True, "decomposition": "qr"},
    "dense": None,
}
"""What is trained, and the options of SpectralLinear."""
PEAK_RATES = {"one set": 0.03, "both sets": 0.1, "SVD": 0.03, "QR": 0.03, "dense": 0.03}
NODES = (30, 100, 300)
FEW_NODES = (1, 2, 4, 8)
"""Nodes of dense networks with as few parameters as decompositions."""
SEEDS = range(3)
N_ROWS = 5_000
N_EPOCHS, BATCH = 20, 100


@functools.cache
def images(name):
    """Return the first training images and all test images, with their classes."""
    X, X_test, y, y_test = (torch.as_tensor(array) for array in load_images(name))
    return X[:N_ROWS], y[:N_ROWS], X_test, y_test


def make(kind, nodes, seed):
    """Return a network; those of one seed start as the same function."""
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for sizes in ((784, nodes), (nodes, 10)):
        layer = SpectralLinear(*sizes, **(KINDS[kind] or {}))
        layer.reset_parameters(generator)
        layers.append(layer if KINDS[kind] else layer.to_linear())
    return nn.Sequential(layers[0], nn.ReLU(), layers[1])


def train(module, X, y, rate, seed):
    """Train along one cycle of the rate."""
    generator = torch.Generator().manual_seed(seed)
    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=rate)
    n_steps = N_EPOCHS * (len(X) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=n_steps)
    for _ in range(N_EPOCHS):
        for rows in torch.randperm(len(X), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(module(X[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(module, X, y):
    return float((module(X).argmax(1) == y).float().mean())


def measure(file, key):
    """Train one network and append its row."""
    name, nodes, kind, seed = key
    X, y, X_test, y_test = images(name)
    module = make(kind, nodes, seed)
    n_parameters = sum(p.numel() for p in module.parameters() if p.requires_grad)
    start = time.perf_counter()
    train(module, X, y, PEAK_RATES[kind], seed)
    seconds = round(time.perf_counter() - start, 1)
    file.add([*key, n_parameters, round(accuracy(module, X_test, y_test), 4), seconds])


def doc_tables(rows):
    """Return parameters and mean accuracies, a row for each width and kind of training."""
    keys = ["nodes", "trained", "n_parameters"]
    means = rows.groupby([*keys, "images"], sort=False)["accuracy"].mean().unstack()
    table = (100 * means[list(IMAGE_SETS)]).round(1).rename(columns=IMAGE_SETS)
    return {"decompositions": table.reset_index().sort_values("nodes", kind="stable")}


def draw(rows):
    """Draw accuracy against trained parameters, a panel for each set of images."""
    from matplotlib import pyplot as plt  # the table needs no picture

    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharex=True)
    for ax, (name, title) in zip(axes, IMAGE_SETS.items(), strict=True):
        for kind, marker in zip(KINDS, "osD^v", strict=True):
            of_kind = rows[(rows["images"] == name) & (rows["trained"] == kind)]
            means = 100 * of_kind.groupby("n_parameters")["accuracy"].mean()
            ax.plot(means.index, means, marker=marker, label=kind)
        ax.set(xscale="log", title=title, xlabel="trained parameters")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("test accuracy, %")
    axes[1].legend(title="trained", frameon=False)
    figure.savefig(IMAGES / "decompositions.png", dpi=120)


def main():
    networks = [*itertools.product(NODES, KINDS), *((nodes, "dense") for nodes in FEW_NODES)]
    keys = (
        (name, *network, seed)
        for seed, network, name in itertools.product(SEEDS, networks, IMAGE_SETS)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=20)
    draw(read_rows(RESULTS))


if __name__ == "__main__":
    main()
