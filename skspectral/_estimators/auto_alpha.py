"""alpha="auto": the penalty that follows the noise, as an estimator asks for it."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skspectral._estimators.rows import Rows
from skspectral._estimators.soft_targets import ProbabilityTarget
from skspectral._estimators.targets import Target
from skspectral._training.batches import RowDataset
from skspectral._training.noise import (
    NoiseTable,
    alpha_of,
    capped,
    constant_products,
    mean_products,
)


def noise_table(rows: Rows, dataset: RowDataset, target: Target) -> NoiseTable:
    """Return what the rule needs of the rows that are trained on."""
    constant = constant_products(dataset, target.n_outputs)
    # exactly, as no penalty is small enough to follow what is left by rounding
    still = target.constant_outputs(rows)
    constant[still], constant[:, still] = 0.0, 0.0
    classes = target.covariance(rows) if isinstance(target, ProbabilityTarget) else None
    return NoiseTable.of(rows.X, rows.weight, constant, classes)


def noise_variance(noise: np.ndarray, target: Target) -> float | np.ndarray:
    """Return the noise in units of y squared, one number for classes and for one output.

    Parameters
    ----------
    noise : ndarray of shape (n_outputs, n_outputs)
        Covariance of the encoded residuals.
    target : NumberTarget or ClassTarget
    """
    _, scale = target.scale
    variance: np.ndarray = np.diag(noise) * scale**2
    several_numbers = target.out_activation == "identity" and len(variance) > 1
    return variance if several_numbers else float(variance.mean())


def penalty_of_pass(
    net: Any, table: NoiseTable, dataset: RowDataset, factor: float, n_known: float
) -> tuple[float, np.ndarray]:
    """Return the penalty of one pass over rows, and the noise that it follows.

    The rows count as new: the network has not fitted their noise yet, so its residuals on them
    tell it without a correction.

    Parameters
    ----------
    net : SpectralNet
        Before the pass.
    table : NoiseTable
        Of the rows.
    dataset : RowDataset
        The rows, with weights as given.
    factor : float
        Of the rule.
    n_known : float
        Rows of earlier calls, or the sum of their weights; 0 in the first call.
    """
    noise = table.constant
    if n_known:
        noise = mean_products(net, dataset)
        # a batch of one class, or of one value, is no constant target
        noise = noise if table.constant_is_exact else capped(noise, table.constant)
    # rows of earlier calls hold nodes as well as these do
    alpha = alpha_of(net, replace(table, n_rows=table.n_rows + n_known), noise, factor)
    # the loss of a pass has the weights as given, and with them another unit
    unit = 1.0 if dataset.sample_weight is None else float(dataset.sample_weight.mean())
    return alpha * unit, noise
