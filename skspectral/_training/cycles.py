"""A private skorch callback that ends training once size and loss have settled."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skorch.callbacks import Callback

from skspectral._training.convergence import judge_size
from skspectral._training.history import last_row, penalised_loss
from skspectral._training.interrupts import StopTraining

SIZE_SHARE = 0.05
"""Share of the nodes of a layer that may come or go from one cycle to the next."""
LOSS_SHARE = 0.05
"""Share by which the penalised loss may change."""
LOSS_SHARE_OF_MEMBERS = 0.02
"""The same where the loss is all that counts, after the shorter cycles of several networks."""
NOISE_SHARE = 0.05
"""Share by which the noise of held-out rows may change."""


class StopWhenSettled(Callback):
    """Stop at the end of a cycle that left size and loss as they were.

    Training also stops where no node is left, as none comes back. A schedule of the user has
    no cycles, and runs on.

    Parameters
    ----------
    ends : sequence of int
        Epochs after which cycles end, counted from the start of this fit.
    earliest : float
        Share of the planned training before which it goes on in any case.
    """

    def __init__(self, ends: Sequence[int], earliest: float = 0.0) -> None:
        self.ends = ends
        self.earliest = earliest

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin the first cycle."""
        self.cycle_ = 0
        self.stopped_ = False
        self.left_open_ = False  # whether training ended whatever the size did
        self.before_: dict[str, Any] | None = None

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Stop at the end of a cycle if there is reason to."""
        if net.schedule_ is None:
            return
        progress = net.progress(net.steps_done_)
        # a limit of time may pass over several ends at once
        cycle = sum(progress >= end / self.ends[-1] for end in self.ends)
        if cycle == self.cycle_ or cycle == len(self.ends):
            return
        self.cycle_ = cycle
        before, self.before_ = self.before_, last_row(net)
        sizes = self.before_["n_alive_nodes"]
        if sizes and not any(sizes):
            self._stop()
        if before is None or progress < self.earliest:
            return
        if self.has_settled(net, dataset_train, self.before_, before):
            self._stop()

    def _stop(self) -> None:
        self.stopped_ = True
        raise StopTraining

    def has_settled(
        self, net: Any, dataset: Any, row: dict[str, Any], before: dict[str, Any]
    ) -> bool:
        """Tell from the rows of the history at the ends of two cycles whether to stop."""
        if not is_as_before(row, before):
            return False
        settling = judge_size(net, dataset)
        # a dense layer has no size to judge beyond the count of its nodes
        return settling is None or settling.settled


class StopWhenLossSettled(StopWhenSettled):
    """Stop at the end of a cycle that hardly changed the loss, whatever the size did.

    Of several networks it is the mean that counts, and not their sizes. A network whose size has
    settled stops by the same rule as a single one.
    """

    def has_settled(
        self, net: Any, dataset: Any, row: dict[str, Any], before: dict[str, Any]
    ) -> bool:
        """Tell from the rows of the history at the ends of two cycles whether to stop."""
        self.left_open_ = loss_is_as_before(row, before, LOSS_SHARE_OF_MEMBERS)
        return self.left_open_ or super().has_settled(net, dataset, row, before)


class StopWhenNoiseSettled(StopWhenSettled):
    """Stop at the end of a cycle that left the noise as it was, as nothing else is asked for."""

    def has_settled(
        self, net: Any, dataset: Any, row: dict[str, Any], before: dict[str, Any]
    ) -> bool:
        """Tell whether the noise is that of the cycle before."""
        change = row["noise_variance"] - before["noise_variance"]
        return bool(abs(change) <= NOISE_SHARE * before["noise_variance"])


def is_as_before(row: dict[str, Any], before: dict[str, Any]) -> bool:
    """Tell whether two rows of the history show the same size and loss."""
    sizes = zip(row["n_alive_nodes"], before["n_alive_nodes"], strict=True)
    return loss_is_as_before(row, before) and all(
        abs(now - then) <= max(1, SIZE_SHARE * then) for now, then in sizes
    )


def loss_is_as_before(
    row: dict[str, Any], before: dict[str, Any], share: float = LOSS_SHARE
) -> bool:
    """Tell whether two rows of the history show the same penalised loss, up to a share of it."""
    loss = penalised_loss(before)
    return abs(penalised_loss(row) - loss) <= share * loss
