"""Remove nodes from a net while it is being trained."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skorch.callbacks import Callback
from torch import Tensor

from skspectral._training.batches import RowDataset, to_tensor
from skspectral._training.device import on_host
from skspectral._training.mapped_rows import MappedRows, chunks
from skspectral._training.net import SpectralNet
from skspectral._training.silent import NOISE, silent_nodes
from skspectral.nn._chain import Chain
from skspectral.nn._shrink import cut_layers, kept_entries, kept_sides

ROWS = 100_000
"""Number of rows whose norms are computed at once."""
PAUSE_STEPS = 10
"""Fewest steps from one look for silent nodes to the next."""
WORTH_IT = {"cpu": 0.05, "cuda": 0.5}
"""Share of nodes that must be silent before the network is rebuilt during training.

On a GPU a step of a small network takes as long as that of a smaller one.
"""


def largest_norm(dataset: RowDataset) -> float:
    """Return the largest Euclidean norm of a row."""
    X = dataset.X
    if sparse.issparse(X):
        return float(np.sqrt(X.multiply(X).sum(axis=1).max()))
    # in parts: the squares of all rows at once would take as much memory as X
    if isinstance(X, MappedRows):
        parts = (to_tensor(X[rows], dataset.dtype, "cpu") for rows in chunks(X))
    else:
        parts = iter(X.split(ROWS))
    return float(max(torch.linalg.vector_norm(part, dim=1).max() for part in parts))


def drop_nodes(net: SpectralNet, masks: Sequence[Tensor]) -> None:
    """Remove nodes from a net in training; the optimiser keeps the state of the others.

    Parameters
    ----------
    net : SpectralNet
        Changed in place.
    masks : sequence of bool Tensor of shape (n_nodes,)
        One per hidden layer, on the CPU; True for nodes to keep.
    """
    names = {parameter: name for name, parameter in net.module_.named_parameters()}
    sides = kept_sides(masks, next(iter(names)).device)
    net.module_ = net.module_.with_layers(cut_layers(Chain.of(net.module_), sides))
    after = dict(net.module_.named_parameters())
    of_layers = {f"layers.{index}": pair for index, pair in enumerate(sides)}
    # not a new optimiser: the remaining nodes would lose their moments
    optimizer = net.optimizer_
    for group in optimizer.param_groups:
        group["params"] = [after[names[parameter]] for parameter in group["params"]]
    for parameter, name in names.items():
        # torch keeps the state under the tensor itself, and the tensors are new
        state = optimizer.state.pop(parameter, None)
        if state is not None:
            place, _, kind = name.rpartition(".")
            below, above = of_layers.get(place, (None, None))  # a linear skip loses nothing
            optimizer.state[after[name]] = {
                key: kept_entries(kind, value, below, above)
                if _is_like(value, parameter)
                else value
                for key, value in state.items()
            }
    # a net that diverges copies these back, so they must have the new shapes
    net.last_finite_ = [parameter.detach().clone() for parameter in after.values()]
    net.node_indices_ = [
        index[mask.numpy()] for index, mask in zip(net.node_indices_, masks, strict=True)
    ]


def _is_like(value: Any, parameter: Tensor) -> bool:
    # moments are as large as the parameter; the count of steps is one number
    return isinstance(value, Tensor) and value.shape == parameter.shape


def _worth_it(net: SpectralNet) -> float:
    """Return the share of nodes that must be silent before this net is rebuilt."""
    return WORTH_IT[torch.device(net.device).type]


class DropSilent(Callback):
    """Remove silent nodes between epochs if there are many, and the rest at the end."""

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Find the largest norm of the training rows."""
        self.largest_input_ = largest_norm(X)
        self.due_ = 0

    def is_due(self, net: Any, n_silent: float = np.inf) -> bool:
        """Tell whether to look for silent nodes, of which there are at most so many."""
        # an epoch of a small table is a single step, which a look would make much slower
        if net.steps_done_ < self.due_:
            return False
        self.due_ = net.steps_done_ + PAUSE_STEPS
        return n_silent > _worth_it(net) * sum(net.module_.layer_sizes[1:-1])

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look for silent nodes, now and then."""
        if self.is_due(net):
            self.drop_many(net)

    def drop_many(self, net: Any) -> None:
        """Rebuild the network if enough nodes are silent."""
        # a rebuilt network also needs new buffers and, on a GPU, a new graph
        self._drop(net, _worth_it(net), NOISE)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Remove all silent nodes."""
        # no step follows whose noise could bring a node back
        self._drop(net, 0.0, 0.0)

    def _drop(self, net: Any, share: float, noise: float) -> None:
        silent = on_host(silent_nodes(net.module_, self.largest_input_, noise))
        n_silent = sum(int(mask.sum()) for mask in silent)
        if n_silent > share * sum(len(mask) for mask in silent):
            drop_nodes(net, [~mask for mask in silent])
            n_threads = net.threads()  # fewer may do for a smaller network
            # the fit restores the count that it found
            if n_threads is not None:
                torch.set_num_threads(n_threads)
