"""Rising penalties, as the parameters that set them: absolute, or multiples of a network's own."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


def fixed(alphas: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Return the parameters of absolute penalties, which follow no noise."""
    return ({"alpha": float(alpha), "noise_cv": None} for alpha in alphas)


def following(factors: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Return the parameters of penalties that follow the noise, times each factor."""
    return ({"alpha": "auto", "alpha_factor": float(factor)} for factor in factors)


def multiples(network: Any, factors: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Return the parameters of multiples of the penalty that a network has.

    Where folds told the noise, or not all networks of an ensemble follow it, these are
    multiples of the penalty that it ended with, as those of a number are.

    Raises
    ------
    ValueError
        If its penalty is 0, all multiples of which are the same.
    """
    # a part of an ensemble has that of the ensemble; those that were saved before have none
    own = getattr(network, "alpha_factor_", None)
    of_folds = network.noise_cv is not None or getattr(network, "_noise_course", None) is not None
    if own is not None and not of_folds:
        return following(own * float(factor) for factor in factors)
    if not network.alpha_ > 0:
        raise ValueError(
            "`estimator` must be penalised, as its penalty is varied; got alpha=0. Fit it with "
            'alpha="auto", or with a number above 0.'
        )
    return fixed(network.alpha_ * float(factor) for factor in factors)


def check_factors(factors: Any, name: str) -> np.ndarray:
    """Return factors as float64 array; raise ValueError unless they increase from above 0.

    Parameters
    ----------
    factors : array-like of shape (n_factors,)
    name : str
        Of the parameter, for the message.
    """
    try:
        values = np.asarray(factors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must hold numbers; got {factors!r}.") from error
    if values.ndim != 1 or not len(values):
        raise ValueError(
            f"`{name}` must be a list of at least one number; got shape {values.shape}."
        )
    if not np.isfinite(values).all() or (values <= 0).any():
        wrong = values[~(np.isfinite(values) & (values > 0))][0]
        raise ValueError(f"`{name}` must be finite and above 0; got {wrong:g}.")
    # each network starts from the one before, so it can only lose nodes
    if (np.diff(values) <= 0).any():
        raise ValueError(
            f"`{name}` must increase, as nodes that have died do not come back; got "
            f"{values.tolist()}. Give np.unique({name})."
        )
    return values
