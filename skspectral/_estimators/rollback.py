"""A call that fails leaves an estimator as it was."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from skspectral._training.net import SpectralNet


@contextmanager
def unchanged_on_failure(estimator: Any, net: SpectralNet | None = None) -> Iterator[None]:
    """Set the attributes of an estimator back if what follows raises anything, Ctrl-C included.

    Parameters
    ----------
    estimator : estimator
        Its attributes are set anew, not changed in place.
    net : SpectralNet or None, default=None
        The net that is trained on, which goes back to its weights.
    """
    before = dict(vars(estimator))
    go_back = None if net is None else _way_back(net)
    try:
        yield
    except BaseException:
        # scikit-learn still needs those of its callbacks, and removes them itself
        theirs = {k: v for k, v in vars(estimator).items() if k[0] == "_" and "callback" in k}
        vars(estimator).clear()
        vars(estimator).update(before | theirs)
        if go_back is not None:
            go_back()
        raise


def _way_back(net: SpectralNet) -> Callable[[], None]:
    """Return a function that sets a net back to now; its optimiser starts anew."""
    attributes, n_epochs = dict(net.__dict__), len(net.history)
    # training changes them in place
    parameters = [parameter.detach() for parameter in net.module_.parameters()]
    weights = [parameter.clone() for parameter in parameters]

    def go_back() -> None:
        net.__dict__.clear()
        net.__dict__.update(attributes)
        torch._foreach_copy_(parameters, weights)
        del net.history[n_epochs:]
        net.restart_optimizer()

    return go_back
