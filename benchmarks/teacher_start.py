"""Do the data tell a size that training from random weights does not find?

Students of teachers with two hidden layers (size_recovery.py has the data) start at the teacher's
own weights, at a small penalty. Where such a student keeps the teacher's size, and has a smaller
penalised loss than networks from random weights at that penalty, the minimum is there. For
teachers of 40 nodes also with five times as many rows, in as many steps. What fits from random
weights find is in restarts.py. Row by row in results/teacher_start.csv: ``python
benchmarks/teacher_start.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
from pathlib import Path

import numpy as np
import torch
from appending import run
from one_cycle import one_cycle
from size_recovery import N_FEATURES, N_ROWS, N_TEST

from skspectral import SpectralMLPRegressor
from skspectral.datasets import make_teacher_student

RESULTS = Path(__file__).parent / "results" / "teacher_start.csv"
COLUMNS = ["rows", "teacher", "noise", "seed", "alpha", "alive", "error", "loss"]
ALPHA = 3e-5
NOISES, SEEDS = (0.0, 0.1), range(3)
STUDIES = ((N_ROWS, 20), (N_ROWS, 40), (5 * N_ROWS, 40))
"""Rows and the teacher's nodes per layer."""


def start_at(teacher, X, y):
    """Return a network that computes what the teacher does."""
    sizes = teacher.hidden_layer_sizes
    network = SpectralMLPRegressor(sizes, alpha=ALPHA, max_iter=1, learning_rate_init=1e-12).fit(
        X, y
    )
    layers = network.module_.layers
    weights = [torch.from_numpy(W.T.copy()) for W in teacher.coefs_]
    biases = [torch.from_numpy(b.copy()) for b in teacher.intercepts_]
    weights[-1] /= network.y_scale_
    biases[-1] = (biases[-1] - network.y_mean_) / network.y_scale_
    with torch.no_grad():
        for layer, W, b in zip(layers, weights, biases, strict=True):
            layer.bias.copy_(b)
            if layer is layers[-1]:
                layer.weight.copy_(W)
            else:
                size = W.norm(dim=1).sqrt()  # of both factors, as the penalty would have it
                layer.phi.copy_(W / size[:, None])
                layer.lambda_out.copy_(-size)
    return network.set_params(learning_rate_init=0.005)


def measure(file, key):
    """Fit one student and append its row."""
    n_rows, n_nodes, noise, seed = key
    sizes = (n_nodes, n_nodes)
    made = make_teacher_student(n_rows + N_TEST, N_FEATURES, sizes, noise=noise, random_state=seed)
    X, X_test = np.split(made.X, [n_rows])
    y, truth = made.y[:n_rows], made.teacher_output[n_rows:]
    network = start_at(made.teacher, X, y)
    network.set_params(max_iter=one_cycle(n_rows)["max_iter"], warm_start=True).fit(X, y)
    error = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    alive = " ".join(map(str, network.n_alive_nodes_))
    loss = network.loss_curve_[-1]
    file.add([*key, f"{ALPHA:.3g}", alive, f"{error:.3g}", f"{loss:.4g}"])


def doc_tables(rows):
    """Return the rows, but for the penalty that they share."""
    return {"teacher_start": rows.drop(columns="alpha")}


def main():
    keys = (
        (*study, noise, seed) for study, seed, noise in itertools.product(STUDIES, SEEDS, NOISES)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=60)


if __name__ == "__main__":
    main()
