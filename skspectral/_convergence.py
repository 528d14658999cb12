"""What to tell the user where training failed, killed every node or was too short."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from skspectral._batches import RowDataset
from skspectral._net import SpectralNet
from skspectral._settling import Settling

USELESS = 100.0
"""Training has diverged where the loss exceeds that of zero outputs by this factor."""


def describe_failure(net: SpectralNet, dataset: RowDataset, rate: float) -> str | None:
    """Say that training diverged or was broken off; None where it was not.

    Parameters
    ----------
    net : SpectralNet
        After training.
    dataset : RowDataset
        The training rows.
    rate : float
        The `learning_rate_init` of the fit.
    """
    epoch = len(net.history) + 1
    remedy = (
        f"Lower `learning_rate_init` (now {rate:g}), and scale X, for example with StandardScaler."
    )
    if net.diverged_:
        return (
            f"Training diverged in epoch {epoch}: the weights were no longer finite. The last "
            f"finite weights are kept. {remedy}"
        )
    if net.interrupted_:
        return f"Training was interrupted in epoch {epoch}; the weights are kept as they were."
    loss, useless = net.history[-1]["train_loss"], net.loss_of_zero(dataset)
    if loss <= USELESS * useless:
        return None
    return (
        f"Training diverged: the loss ended at {loss:g}, where outputs of zero give "
        f"{useless:g}. {remedy}"
    )


def describe_size(
    net: SpectralNet, settling: Settling | None, epochs: int, alpha: float
) -> str | None:
    """Say that every node died or the size has not settled; None where all is well."""
    masks = net.alive_masks()
    if masks and not any(bool(mask.any()) for mask in masks):
        return (
            "Every node died: lower alpha. The penalty outweighs what the data tell, and "
            f"the network predicts a constant at alpha={alpha:g}."
        )
    if settling is None or settling.settled:
        return None
    return (
        f"The size has not settled: {settling.n_alive} nodes are alive, of which the "
        f"data still feed {settling.n_fed}; half-way through training "
        f"{settling.n_half_way} were alive. Raise `max_iter` (now {epochs} epochs), or `alpha` "
        f"(now {alpha:g}; few or noisy rows need more), or do not read `n_alive_nodes_` as a size."
    )


def describe_plateau(net: SpectralNet, epochs: int) -> str | None:
    """Say that a schedule without an end ran out of epochs; None where it did not."""
    plateau = dict(net.callbacks_).get("_plateau")
    ran_out = len(net.history) - net.first_epoch_ >= epochs
    if plateau is None or plateau.stopped_ or not ran_out:
        return None
    return (
        f"Maximum iterations ({epochs}) reached and the loss still falls by more than "
        "`tol`. Raise `max_iter`."
    )
