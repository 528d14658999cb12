"""A call that fails leaves an estimator as it was."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
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
    ways_back = [_way_back_of_numbers(estimator)]
    if net is not None:
        ways_back.append(_way_back(net))
    try:
        yield
    except BaseException:
        # scikit-learn still needs those of its callbacks, and removes them itself
        theirs = {k: v for k, v in vars(estimator).items() if k[0] == "_" and "callback" in k}
        vars(estimator).clear()
        vars(estimator).update(before | theirs)
        for go_back in ways_back:
            go_back()
        raise


def _way_back_of_numbers(estimator: Any) -> Callable[[], None]:
    """Return a function that lets the estimator's own generator draw the same numbers again."""
    # one that the user gave, or numpy's global one, goes on as in all of scikit-learn
    if not getattr(estimator, "_has_own_generator", False):
        return lambda: None
    generator = estimator._random_state
    state = generator.get_state()
    return lambda: generator.set_state(state)


def _way_back(net: SpectralNet) -> Callable[[], None]:
    """Return a function that sets a net back to now, and its optimiser."""
    attributes, n_epochs = dict(net.__dict__), len(net.history)
    # training changes them in place, or lets them be views of something else
    parameters = list(net.module_.parameters())
    weights = [parameter.detach().clone() for parameter in parameters]
    optimizer_goes_back = _way_back_of_optimizer(net.optimizer_)

    def go_back() -> None:
        net.__dict__.clear()
        net.__dict__.update(attributes)
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.data = weight
        del net.history[n_epochs:]
        optimizer_goes_back()

    return go_back


def _way_back_of_optimizer(optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """Return a function that gives an optimiser the state that it has now."""
    groups = [{**group, "params": list(group["params"])} for group in optimizer.param_groups]
    state = {
        parameter: {name: _copied(value) for name, value in own.items()}
        for parameter, own in optimizer.state.items()
    }

    def go_back() -> None:
        optimizer.param_groups[:] = groups
        optimizer.state.clear()
        optimizer.state.update(state)

    return go_back


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value)
