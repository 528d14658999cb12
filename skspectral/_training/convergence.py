"""What to tell the user when training failed, was too short or every node died."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
import time

import numpy as np
import torch

from skspectral._training.batches import RowBatches, RowDataset
from skspectral._training.comparing import loss_of_zero
from skspectral._training.counts import count_of
from skspectral._training.interrupts import Interrupts
from skspectral._training.losses import weight_of
from skspectral._training.net import SpectralNet
from skspectral._training.noise import FollowNoise
from skspectral._training.settling import FED, Settling, feed_ratios, half_way
from skspectral._training.stopping import BestEpoch, StopOnPlateau

USELESS = 100.0
"""Training has diverged if the loss is this many times the loss of zero outputs."""
NOISELESS = 1e-6
"""Share of the variance below which noise is next to none."""
CONSTANT = 1e-12
"""Loss of zero outputs below which the target is constant: no use to compare with it."""


JUDGING = 0.1
"""Share of a limit of time, or of the time trained up to Ctrl-C, for which the size is judged."""


def judge_size(
    net: SpectralNet,
    dataset: RowDataset,
    best_epoch: BestEpoch | None = None,
    time_limit: float = math.inf,
    interrupts: Interrupts | None = None,
) -> Settling | None:
    """Judge whether training was long enough for the size to settle at this penalty.

    This takes one gradient of the data term over all training rows, or over as many of them as
    there is time for.

    Parameters
    ----------
    net : SpectralNet
        After training.
    dataset : RowDataset
        The training rows.
    best_epoch : BestEpoch or None, default=None
        The callback that may have restored an earlier epoch.
    time_limit : float, default=inf
        Seconds that the fit was given.
    interrupts : Interrupts or None, default=None
        Those of the fit.

    Returns
    -------
    Settling or None
        None if no layer is spectral or nothing is penalised.
    """
    # epochs of this fit only, and none after the one that was restored
    last = None if best_epoch is None else best_epoch.best_epoch_
    rows = net.history[net.first_epoch_ : last]
    net.module_.zero_grad()
    interrupts = interrupts or Interrupts()
    started, trained, n_rows = time.monotonic(), net.seconds(), 0
    # in a new order where some may be left out: tables may be sorted
    is_short = interrupts.asked or time_limit < math.inf
    order = np.random.RandomState(0) if is_short else None
    for X, y in RowBatches(dataset, dataset.prediction_rows, order):
        loss = net.get_loss(net.infer(X), y, X=X)
        # means over batches add up to the mean over all rows
        (loss * (len(y) / len(dataset))).backward()
        n_rows += len(y)
        limit = trained if interrupts.stop_here() else time_limit
        if time.monotonic() - started >= JUDGING * limit:
            break
    for parameter in net.module_.parameters():
        if parameter.grad is not None and n_rows < len(dataset):
            parameter.grad *= len(dataset) / n_rows
    ratios = [feed_ratios(layer, net.penalty) for layer in net.module_.hidden_layers]
    net.module_.zero_grad()
    if not rows or all(ratio is None for ratio in ratios):
        return None
    # half of the learning rates, not of the epochs: a node shrinks by about the rate per step
    half = rows[half_way([row["learning_rate_sum"] for row in rows])]["n_alive_nodes"]
    n_alive = n_fed = n_half_way = 0
    for mask, ratio, n_before in zip(net.alive_masks(), ratios, half, strict=True):
        if ratio is not None:  # a dense layer has no size to judge
            n_alive += int(mask.sum())
            n_fed += int((mask & (ratio.cpu() > FED)).sum())
            n_half_way += n_before
    return Settling(n_alive, n_fed, n_half_way, net.module.skip)


@torch.no_grad()
def _last_losses(net: SpectralNet, dataset: RowDataset) -> tuple[float, float]:
    """Return the data term of the last epoch, and that of zero outputs.

    A useful network is below the second.
    """
    y, weight = dataset.y, dataset.sample_weight
    loss = net.history[-1]["train_loss"]
    if net.steps_done_ == 1:  # that loss is from before the step, which may have been too long
        X, y = dataset.rows(slice(dataset.prediction_rows))
        loss, weight = float(net.get_loss(net.infer(X), y, X=X)), weight_of(X)
    return loss, loss_of_zero(net, y, weight)


def describe_failure(
    net: SpectralNet, dataset: RowDataset, rate: float, asked_to_stop: bool = False
) -> str | None:
    """Say that training diverged or was interrupted; return None otherwise.

    Parameters
    ----------
    net : SpectralNet
        After training.
    dataset : RowDataset
        The training rows.
    rate : float
        The `learning_rate_init` of the fit.
    asked_to_stop : bool, default=False
        Whether Ctrl-C ended it.
    """
    remedy = (
        f"Lower `learning_rate_init` (now {rate:g}), and scale X, for example with StandardScaler."
    )
    # first: if it was the first epoch, the history below lacks it
    if net.diverged_:
        return (
            f"Training diverged in epoch {len(net.history) + 1}: the weights were no longer "
            f"finite. The last finite weights are kept. {remedy}"
        )
    if asked_to_stop or net.interrupted_:
        epoch = len(net.history) + net.interrupted_  # whose row is there, unless a callback raised
        return f"Training was interrupted in epoch {epoch}; the weights are kept as they were."
    loss, useless = _last_losses(net, dataset)
    if loss <= USELESS * useless or useless < CONSTANT:
        return None
    return (
        f"Training diverged: the final loss is {loss:g}, while outputs of zero give "
        f"{useless:g}. {remedy}"
    )


def describe_size(
    net: SpectralNet,
    settling: Settling | None,
    epochs: int,
    alpha: float,
    noise: FollowNoise | None = None,
) -> str | None:
    """Say that every node died or that the size has not settled; return None otherwise.

    Parameters
    ----------
    net : SpectralNet
        After training.
    settling : Settling or None
    epochs : int
        Planned.
    alpha : float
        The penalty at the end.
    noise : FollowNoise or None, default=None
        What moved it.
    """
    knob = "alpha" if noise is None else "alpha_factor"
    masks = net.alive_masks()
    if masks and not any(bool(mask.any()) for mask in masks):
        if noise is not None and noise.table.constant_is_exact:
            return "The target is constant: every node died, and the network predicts it."
        if net.module.skip:  # it does without nodes
            return None
        return (
            f"Every node died: lower {knob}. The penalty is stronger than the data, and the "
            f"network predicts a constant at alpha={alpha:g}."
        )
    if settling is None or settling.settled:
        return None
    raised = f"`{knob}` (the penalty is {alpha:g}; few or noisy rows need more)"
    if noise is not None and noise.share_ < NOISELESS:
        raised = f"give `alpha` as a number: the noise that it follows is next to none ({alpha:g})"
    return (
        f"The size has not settled: {count_of(settling.n_alive, 'alive node')}, of which the "
        f"data still feed {settling.n_fed}; half-way through training {settling.n_half_way}. "
        f"Raise `max_iter` (now {count_of(epochs, 'epoch')}) or {raised}. "
        "Until then `n_alive_nodes_` depends on how long the network was trained."
    )


def describe_plateau(net: SpectralNet, epochs: int, plateau: StopOnPlateau | None) -> str | None:
    """Say that a schedule without an end ran out of epochs; return None otherwise."""
    # a warm start appends to the history, so count from where this fit began
    ran_out = len(net.history) - net.first_epoch_ >= epochs
    if plateau is None or plateau.stopped_ or not ran_out:
        return None
    return (
        f"Maximum iterations ({epochs}) reached and the loss still falls by more than "
        "`tol`. Raise `max_iter`."
    )
