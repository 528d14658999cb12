"""How the penalty that follows the noise is best applied to several hidden layers.

Default fits of students from (100, 100) nodes to teachers with two hidden layers, 10,000 rows of
10 columns. "ramp" is what the estimators do: one penalty, that of the first layer, which rises
over the first fifth of training. "no ramp" has it in full from the first epoch. "per layer" also
rises, but each layer has its own: the rule with the covariance of the layer's inputs, and with the
residuals as they come back through the layers above (the Jacobian at the weights of the moment).

One row of results/deep_penalty.csv per fit; rows that are there are skipped:
``python benchmarks/deep_penalty.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import contextlib
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from appending import run

from skspectral import SpectralMLPRegressor
from skspectral._training.noise import FollowNoise, alpha_of, columns_seen, penalised_factors
from skspectral._training.noise_rule import Spectrum
from skspectral._training.penalty import Penalty
from skspectral.datasets import make_teacher_student
from skspectral.nn._noise_threshold import KINDS, correlation, threshold

RESULTS = Path(__file__).parent / "results" / "deep_penalty.csv"
COLUMNS = ["teacher", "noise", "seed", "penalty", "alive", "settled", "excess", "alpha", "seconds"]
TEACHERS, NOISES, SEEDS = (10, 20), (0.0, 0.1), range(3)
PENALTIES = ("ramp", "no ramp", "per layer")
START = (100, 100)
N_ROWS, N_TEST = 10_000, 5_000
SEEN = 3000
"""Rows by which the inputs and the Jacobian of a layer are measured."""


@dataclass(frozen=True)
class LayerPenalty(Penalty):
    """A penalty for each layer; the output layer has that of the last hidden one."""

    alphas: tuple[float, ...] = ()

    def coefficient(self, name):
        _, layer, kind = name.split(".")
        return 0.0 if kind == "bias" else self.alphas[min(int(layer), len(self.alphas) - 1)]


def groups_by_layer(module, penalty, solver, *, decays):
    """Return a group of parameters for each layer, and one for its bias."""
    if not decays:
        raise ValueError("The penalty of a layer is the weight decay of its group.")
    groups = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            key = (name.split(".")[1], name.endswith("bias"), 2 * penalty.coefficient(name))
            groups.setdefault(key, []).append(parameter)
    return [{"params": params, "weight_decay": key[-1]} for key, params in groups.items()]


@torch.no_grad()
def layer_alphas(net, table, noise, rows):
    """Return the threshold of each hidden layer, for one output and relu nodes."""
    layers = list(net.module_.layers)
    inputs, active = [rows], []
    for layer in layers[:-1]:
        before = layer(inputs[-1])
        active.append((before > 0).double())
        inputs.append(torch.relu(before))
    kind, order, variance = KINDS["relu"], penalised_factors(net.module_), float(noise[0, 0])
    alphas, jacobian = [], None
    for k in reversed(range(len(layers) - 1)):
        columns = columns_seen(net.module_, table) if k == 0 else spectrum(inputs[k])
        if jacobian is None:  # nothing stands between this layer's nodes and the output
            residuals, curvature = Spectrum.of(noise), 1.0
            back = active[k] * layers[k + 1].weight.double()
        else:
            # what is penalised above is phi, so its eigenvalues belong to the way back
            through = jacobian * layers[k + 1].lambda_out.double()
            square = (through.T @ through / len(rows)).numpy()
            residuals, curvature = Spectrum.of(variance * square), Spectrum.of(square).largest
            back = (jacobian @ layers[k + 1].weight.double()) * active[k]
        jacobian = back
        gain = np.sqrt(kind.active / table.n_rows) * correlation(columns, residuals, kind)
        alphas.append(threshold(order, gain, curvature * kind.active * columns.typical))
    return alphas[::-1]


def spectrum(inputs):
    centred = inputs.double() - inputs.double().mean(0)
    return Spectrum.of((centred.T @ centred / len(inputs)).numpy())


@contextlib.contextmanager
def applied(penalty, X):
    """Fit as `penalty` says within this context."""
    rows = torch.as_tensor(X[:SEEN], dtype=torch.float32)

    def take(self, net, alpha):
        self.alpha_ = alpha
        one = alpha_of(net, self.table, self.noise_, 1.0)
        alphas = layer_alphas(net, self.table, self.noise_, rows)
        # the share of the rule, which the factor and the ramp give, is that of one penalty
        own = tuple(alpha / one * value for value in alphas)
        net.set_penalty(LayerPenalty(alpha, alpha, alpha, own))

    with contextlib.ExitStack() as stack:
        if penalty == "no ramp":
            stack.enter_context(mock.patch("skspectral._estimators.training.RAMP", 0.0))
        if penalty == "per layer":
            stack.enter_context(mock.patch.object(FollowNoise, "_take", take))
            stack.enter_context(
                mock.patch("skspectral._training.net.parameter_groups", groups_by_layer)
            )
        yield


def measure(file, key):
    """Fit one student and append its row."""
    teacher, noise, seed, penalty = key
    made = make_teacher_student(
        N_ROWS + N_TEST, 10, (teacher, teacher), noise=noise, random_state=seed
    )
    X, X_test = np.split(made.X, [N_ROWS])
    truth = made.teacher_output[N_ROWS:]
    network = SpectralMLPRegressor(START, random_state=seed, n_threads=1)
    start = time.perf_counter()
    with applied(penalty, X):
        network.fit(X, made.y[:N_ROWS])
    seconds = round(time.perf_counter() - start, 2)
    excess = np.mean((network.predict(X_test) - truth) ** 2) / np.var(truth)
    alive = " ".join(map(str, network.n_alive_nodes_))
    found = [alive, network.size_settled_, f"{excess:.3g}", f"{network.alpha_:.3g}"]
    file.add([*key, *found, seconds])


def doc_tables(rows):
    """Return sizes and the median error, a row per teacher and noise."""
    groups = rows.groupby(["teacher", "noise", "penalty"])
    cells = groups["alive"].agg(lambda sizes: "; ".join(map(str, sizes)))
    errors = groups["excess"].median().map("{:.2g}".format)
    table = (cells + " (" + errors + ")").unstack()
    return {"deep_penalty": table[[name for name in PENALTIES if name in table]].reset_index()}


def main():
    keys = (
        (teacher, noise, seed, penalty)
        for seed, teacher, noise, penalty in itertools.product(SEEDS, TEACHERS, NOISES, PENALTIES)
    )
    run(keys, measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS, budget=30)


if __name__ == "__main__":
    main()
