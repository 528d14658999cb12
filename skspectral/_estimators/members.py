"""Networks of different initial weights, trained on the same rows and folded into one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from skspectral._estimators.recipe import penalty_of
from skspectral._estimators.resizing import with_module
from skspectral._estimators.rows import Rows
from skspectral._estimators.shared import Shared, copy_with_own_seed
from skspectral._training.interrupts import Interrupts
from skspectral._training.orders import CommonOrders
from skspectral._training.seeds import new_seed
from skspectral._training.together import Fit, abreast
from skspectral.nn._architecture import Architecture
from skspectral.nn._merge import merge
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._scale import with_scaled_output


def train_members(
    estimator: Any,
    rows: Rows,
    validation: Rows | None,
    architecture: Architecture | None,
    given: dict[str, Any],
) -> Fit:
    """Train the networks of an ensemble and fold them; a coroutine.

    The estimator itself trains the first of them, copies of it the others. Parameters are those
    of the training of one network; each of them is a new one.

    Returns
    -------
    str or None
        What to warn of.
    """
    n_members, limit = estimator.n_members, estimator.time_limit
    others = [copy_with_own_seed(estimator) for _ in range(n_members - 1)]
    members = [estimator, *others]
    with Interrupts() as interrupts:
        # networks that no fleet serves are trained one after the other
        orders = CommonOrders(new_seed(estimator._random_state))
        shared = Shared(None if limit is None else limit / n_members, interrupts, orders)
        complaints = yield from abreast(
            [
                member._fit_network(rows, validation, architecture, given, shared)
                for member in members
            ]
        )
        # one step is made whatever has been asked: after Ctrl-C in an earlier network
        begun = [m for m in members if not interrupts.asked or m.net_.steps_done_ > 1]
        _fold_into(estimator, begun or members[:1])
    left_out = n_members - len(estimator.member_sizes_)
    return _one_of(complaints, left_out)


def _fold_into(estimator: Any, members: Sequence[Any]) -> None:
    """Make the estimator, one of the members, the network that all of them are together."""
    estimator.member_sizes_ = [member.n_alive_nodes_ for member in members]
    estimator.member_alphas_ = np.array([member.alpha_ for member in members])
    estimator.member_settled_ = [member.size_settled_ for member in members]
    follows_noise = estimator.noise_variance_ is not None
    for name, value in summed_up(members).items():
        setattr(estimator, name, value)
    estimator.restart_gain_ = _median([member.restart_gain_ for member in members])
    net = members[0].net_.with_module(folded_module(members))
    net.random_state = estimator._random_state if estimator.shuffle else None
    if follows_noise:
        net.set_penalty(penalty_of(estimator.alpha_, None, None))
    estimator.net_ = net


def _one_of(complaints: Sequence[str | None], left_out: int) -> str | None:
    """Return one warning for all networks."""
    said = [complaint for complaint in complaints if complaint]
    if not said:
        return None
    note = f" {left_out} of the networks had not begun, and are left out." if left_out else ""
    return f"{len(said)} of {len(complaints)} networks: {said[0]}{note}"


def summed_up(members: Sequence[Any]) -> dict[str, Any]:
    """Return the fitted attributes of the whole: medians, and whether all sizes have settled."""
    settled = [member.size_settled_ for member in members]
    return {
        "alpha_": float(np.median([member.alpha_ for member in members])),
        "alpha_factor_": _median([getattr(m, "alpha_factor_", None) for m in members]),
        "noise_variance_": _median([member.noise_variance_ for member in members]),
        # what `summary` compares the noise with
        "_target_variance": _median([getattr(m, "_target_variance", None) for m in members]),
        "size_settled_": None if None in settled else all(settled),
    }


def _median(values: Sequence[Any]) -> Any:
    """Return the median of numbers or of arrays, None where one is None."""
    if any(value is None for value in values):
        return None
    median = np.median(values, axis=0)
    return float(median) if np.ndim(median) == 0 else median


def folded_module(members: Sequence[Any]) -> SpectralMLP:
    """Return the network whose output is the mean of those of fitted estimators.

    It is in the scale of the target, the dtype and the device of the first.
    """
    return merge([_in_scale_of(members[0], member) for member in members]).to(
        members[0].net_.dtype
    )


def _in_scale_of(first: Any, member: Any) -> SpectralMLP:
    """Return the network of an estimator so that it predicts in the scale of another's target."""
    (shift, factor), (own_shift, own_factor) = first._target.scale, member._target.scale
    module: SpectralMLP = member.module_
    if np.array_equal(shift, own_shift) and np.array_equal(factor, own_factor):
        return module
    return with_scaled_output(
        module,
        torch.from_numpy(own_factor / factor),
        torch.from_numpy((own_shift - shift) / factor),
    )


def fold(members: Sequence[Any]) -> Any:
    """Return an ordinary fitted estimator, whose network is the mean of those of others."""
    whole = with_module(members[0], folded_module(members))
    for name, value in summed_up(members).items():
        setattr(whole, name, value)
    return whole
