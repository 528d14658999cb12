r"""The penalty in closed form at which no node pays that fits nothing but noise.

With :math:`J` the product of the norms of the :math:`q` penalised factors of a node, a node that
fits noise gains at most :math:`2 c J - \kappa J^2` of the data term and pays
:math:`q \alpha J^{2/q}`. Its best :math:`J` does not pay from

.. math::

    \alpha^*_q = \frac{c}{q - 1} \left( \frac{c (q - 2)}{\kappa (q - 1)} \right)^{1 - 2/q}

on. See the page on the method in the documentation for the derivation.
"""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Moments:
    """What the rule needs of a covariance matrix.

    Parameters
    ----------
    trace : float
    square : float
        Trace of its square.
    largest : float
        Its largest eigenvalue.
    """

    trace: float
    square: float
    largest: float

    @property
    def typical(self) -> float:
        """Mean eigenvalue, weighted by the eigenvalues themselves."""
        return self.square / self.trace


@dataclass(frozen=True)
class NodeKind:
    """How an activation answers to a weak signal.

    Parameters
    ----------
    slope : float
        Derivative where the node is active.
    active : float
        Share of the rows on which a node is active.
    chooses : bool
        Whether a node can choose these rows by its bias and direction, which makes it find
        more in the noise than a linear node does.
    """

    slope: float
    active: float
    chooses: bool


KINDS = {
    "relu": NodeKind(1.0, 0.5, True),
    "gelu": NodeKind(1.0, 0.5, True),
    "silu": NodeKind(1.0, 0.5, True),
    "identity": NodeKind(1.0, 1.0, False),
    "tanh": NodeKind(1.0, 1.0, False),
    "logistic": NodeKind(0.25, 1.0, False),
}


def threshold(order: int, gain: float, cost: float) -> float:
    r"""Return :math:`\alpha^*_q`.

    Parameters
    ----------
    order : int
        Penalised factors of a node, q >= 2.
    gain : float
        :math:`c`, half the slope of what the node gains.
    cost : float
        :math:`\kappa`, the curvature against it.
    """
    if gain <= 0:
        return 0.0
    # mypy takes a power for Any, as it might be complex
    power: float = (gain * (order - 2) / (cost * (order - 1))) ** (1 - 2 / order)
    return gain / (order - 1) * power


def noise_threshold(
    columns: Moments,
    residuals: Moments,
    n_rows: float,
    *,
    order: int,
    activation: str,
    loss: str,
    n_outputs: int,
    classes: Moments | None = None,
) -> float:
    r"""Return the smallest penalty at which a noise node does not pay, in units of the loss.

    .. math::

        c = f s \sqrt{a / n} \left( \sqrt{\mathrm{tr} S \, \lambda_1(\Sigma)}
            + \sqrt{\lambda_1(S) \, \mathrm{tr} \Sigma} \right), \qquad
        \kappa = g s^2 a \, \frac{\mathrm{tr} S^2}{\mathrm{tr} S}

    by Chevet's bound for the largest correlation of columns and residuals, with slope :math:`s`
    and active share :math:`a` of the activation. For activations that are linear where the signal
    is weak (identity, tanh, logistic) :math:`\lambda_1` is replaced by the typical eigenvalue
    :math:`\mathrm{tr} S^2 / \mathrm{tr} S`, and one direction of :math:`\Sigma` is left out of
    its trace in the second term.

    Parameters
    ----------
    columns : Moments
        Of the covariance S of the inputs of the layer.
    residuals : Moments
        Of the covariance of the residuals.
    n_rows : float
        Rows, or the sum of their weights.
    order : int
        Penalised factors of a node.
    activation : str
    loss : {"identity", "logistic", "softmax"}
        The output activation that belongs to the loss.
    n_outputs : int
    classes : Moments or None, default=None
        Of the covariance of classes around their predicted probabilities, the curvature of a
        cross-entropy. None: that of the residuals, as the target are classes.
    """
    if columns.trace <= 0 or residuals.trace <= 0:
        return 0.0
    kind = KINDS[activation]
    slope, curvature = _loss_factors(classes or residuals, loss, n_outputs)
    gain = (
        slope
        * kind.slope
        * math.sqrt(kind.active / n_rows)
        * correlation(columns, residuals, kind)
    )
    cost = curvature * kind.slope**2 * kind.active * columns.typical
    return threshold(order, gain, cost)


def correlation(columns: Moments, residuals: Moments, kind: NodeKind) -> float:
    """Return the largest correlation of columns and noise that a node finds, times root n."""
    if kind.chooses:
        return math.sqrt(columns.trace * residuals.largest) + math.sqrt(
            columns.largest * residuals.trace
        )
    # Linear nodes find the largest singular value, which stays below Chevet's bound: one output
    # is a single direction, and a few large eigenvalues are not all of the spectrum.
    others = max(residuals.trace - residuals.typical, 0.0)
    return math.sqrt(columns.trace * residuals.typical) + math.sqrt(columns.typical * others)


def _loss_factors(classes: Moments, loss: str, n_outputs: int) -> tuple[float, float]:
    """Return f and g: half the slope of the loss in a residual, and its curvature.

    That of a squared error is the same whatever `classes` are.
    """
    if loss == "identity":  # mean over outputs of squared errors
        return 1 / n_outputs, 1 / n_outputs
    # cross-entropy: its curvature is the covariance of the classes itself
    labels = n_outputs if loss == "logistic" else 1
    return 0.5 / labels, classes.typical / 2 / labels


def share_left(n_used: int, n_rows: float, n_outputs: int) -> float:
    """Return the share of the data that parameters in use have left for the noise.

    Residuals on rows that were trained on are too small by its square, as in generalised
    cross-validation. At most 0 where nothing is left.
    """
    return 1 - n_used / (n_rows * n_outputs)
