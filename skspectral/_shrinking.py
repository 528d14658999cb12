"""Cut nodes out of a trained net."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

from skorch.history import History

from skspectral._net import SpectralNet
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._shrink import shrink


def shrunk_copy(net: SpectralNet, masks: Sequence[Any]) -> SpectralNet:
    """Return a copy of `net` with the nodes that `masks` keep; its optimiser starts anew.

    Parameters
    ----------
    net : SpectralNet
        Trained; it is not changed.
    masks : sequence of bool array-like of shape (n_nodes,)
        One per hidden layer.
    """
    small = object.__new__(type(net))
    small.__dict__.update(net.__dict__)  # skorch would copy through a pickle, which is slow
    small.history_ = History(net.history_)
    small.random_state = copy.deepcopy(net.random_state)
    small.callbacks, small.callbacks_ = copy.deepcopy((net.callbacks, net.callbacks_))
    small.module_ = shrink(net.module_, masks)
    small.module = functools.partial(
        SpectralMLP, small.module_.layer_sizes, *net.module.args[1:], **net.module.keywords
    )
    small.restart_optimizer()
    return small
