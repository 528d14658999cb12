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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import eigvalsh

from skspectral._training.mapped_rows import chunks

EXACT_COLUMNS = 1000
"""Columns up to which their covariance is formed; beyond, its spectrum is sampled."""
PROBES = 64
"""Random vectors that sample the trace of the squared covariance of many columns."""
POWER_STEPS = 30
"""Products with the covariance that lead to its largest eigenvalue."""
ROUNDING = 1e-12
"""Variance of all columns, as a share of their squared means, that may be rounding."""


@dataclass(frozen=True)
class Spectrum:
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

    @classmethod
    def of(cls, covariance: np.ndarray) -> Spectrum:
        """Return the spectrum of a symmetric matrix."""
        if len(covariance) == 1:  # one output, in every epoch: no need of a solver
            value = float(covariance[0, 0])
            return cls(value, value**2, max(value, 0.0))
        last = len(covariance) - 1
        largest = eigvalsh(covariance, subset_by_index=[last, last])[0]
        square = float(np.square(covariance).sum())
        return cls(float(np.trace(covariance)), square, float(max(largest, 0.0)))


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
    return gain / (order - 1) * (gain * (order - 2) / (cost * (order - 1))) ** (1 - 2 / order)


def noise_threshold(
    columns: Spectrum,
    residuals: Spectrum,
    n_rows: float,
    *,
    order: int,
    activation: str,
    loss: str,
    n_outputs: int,
    classes: Spectrum | None = None,
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
    columns : Spectrum
        Of the covariance S of the inputs of the layer.
    residuals : Spectrum
        Of the covariance of the residuals.
    n_rows : float
        Rows, or the sum of their weights.
    order : int
        Penalised factors of a node.
    activation : str
    loss : {"identity", "logistic", "softmax"}
        The output activation that belongs to the loss.
    n_outputs : int
    classes : Spectrum or None, default=None
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
        * _correlation(columns, residuals, kind)
    )
    cost = curvature * kind.slope**2 * kind.active * columns.typical
    return threshold(order, gain, cost)


def _correlation(columns: Spectrum, residuals: Spectrum, kind: NodeKind) -> float:
    """Return the largest correlation of columns and noise that a node finds, times root n."""
    if kind.chooses:
        return math.sqrt(columns.trace * residuals.largest) + math.sqrt(
            columns.largest * residuals.trace
        )
    # Linear nodes find the largest singular value, which stays below Chevet's bound: one output
    # is a single direction, and a few large eigenvalues are not all of the spectrum.
    others = max(residuals.trace - residuals.typical, 0.0)
    return math.sqrt(columns.trace * residuals.typical) + math.sqrt(columns.typical * others)


def _loss_factors(classes: Spectrum, loss: str, n_outputs: int) -> tuple[float, float]:
    """Return f and g: half the slope of the loss in a residual, and its curvature.

    That of a squared error is the same whatever `classes` are.
    """
    if loss == "identity":  # mean over outputs of squared errors
        return 1 / n_outputs, 1 / n_outputs
    # cross-entropy: its curvature is the covariance of the classes itself
    labels = n_outputs if loss == "logistic" else 1
    return 0.5 / labels, classes.typical / 2 / labels


def column_moments(X: Any, weight: np.ndarray | None) -> tuple[np.ndarray | None, Spectrum]:
    """Return the covariance of the columns, None where there are very many, and its spectrum.

    Where all columns are constant nothing tells a scale; the spectrum is that of one column of
    unit variance, at which all nodes die.

    Parameters
    ----------
    X : ndarray, CSR matrix or MappedRows of shape (n, n_features)
    weight : ndarray of shape (n,) or None

    Raises
    ------
    ValueError
        If the squares of values overflow.
    """
    share = _shares(X, weight)
    mean = np.zeros(X.shape[1])
    for part, rows in _parts(X):
        mean += np.asarray(part.T @ share[rows]).ravel()
    is_small = X.shape[1] <= EXACT_COLUMNS
    covariance = column_covariance(X, share, mean) if is_small else None
    trace = _trace(X, share, mean) if covariance is None else float(np.trace(covariance))
    if not np.isfinite(trace):
        raise ValueError(
            f"X holds values up to {_largest(X):g}, whose squares overflow. Scale X, for "
            "example with StandardScaler, or give `alpha` as a number."
        )
    # centred values are exact to rounding, a difference of second moments only to its root
    precision = ROUNDING**2 if is_small and not sparse.issparse(X) else ROUNDING
    if trace <= precision * float(mean @ mean):
        return None, Spectrum(1.0, 1.0, 1.0)
    if covariance is not None:
        return covariance, Spectrum.of(covariance)
    return None, _sampled_spectrum(X, share, mean, trace)


def column_covariance(X: Any, share: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the covariance of the columns, ndarray of shape (n_features, n_features).

    Parameters
    ----------
    X : ndarray, CSR matrix or MappedRows of shape (n, n_features)
    share : ndarray of shape (n,)
        Weights of sum 1.
    mean : ndarray of shape (n_features,)
        Of the columns.
    """
    if sparse.issparse(X):  # centring would fill it
        with np.errstate(over="ignore", invalid="ignore"):
            products = (X.T @ X.multiply(share[:, None])).toarray()
            difference: np.ndarray = products - np.outer(mean, mean)
        return difference
    covariance = np.zeros((X.shape[1], X.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for part, rows in _parts(X):  # a copy of a part at a time
            centred = part - mean
            covariance += centred.T @ (centred * share[rows, None])
    return covariance


def _parts(X: Any) -> Iterator[tuple[Any, slice]]:
    """Yield parts of the rows, each with its slice; a sparse matrix is one part."""
    if sparse.issparse(X):
        yield X, slice(0, X.shape[0])
        return
    for rows in chunks(X):
        yield X[rows], rows


def _largest(X: Any) -> float:
    return float(max(abs(part).max() for part, _ in _parts(X)))


def _trace(X: Any, share: np.ndarray, mean: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        second = np.zeros(len(mean))
        for part, rows in _parts(X):
            squares = part.multiply(part) if sparse.issparse(part) else np.square(part)
            second += np.asarray(squares.T @ share[rows]).ravel()
        return float(np.sum(second - mean**2))


def _sampled_spectrum(X: Any, share: np.ndarray, mean: np.ndarray, trace: float) -> Spectrum:
    """Return the spectrum without forming the covariance of very many columns."""

    def times(vectors: np.ndarray) -> np.ndarray:
        product = np.zeros(vectors.shape)
        for part, rows in _parts(X):
            inner = np.asarray(part @ vectors) - mean @ vectors
            scaled = (share[rows] * inner.T).T
            product += np.asarray(part.T @ scaled)
            product -= np.multiply.outer(mean, scaled.sum(axis=0))
        return product

    rng = np.random.RandomState(0)  # the fit's own generator stays where it is
    probes = rng.choice([-1.0, 1.0], size=(X.shape[1], PROBES))
    images = times(probes)
    square = float(np.square(images).sum() / PROBES)  # Hutchinson: E |S z|^2 = tr S^2
    vector = images[:, 0]
    for _ in range(POWER_STEPS):
        vector = times(vector / np.linalg.norm(vector))
    largest = float(np.linalg.norm(vector))
    # the sample may contradict itself where a single eigenvalue is nearly all of it
    return Spectrum(trace, max(square, largest**2), min(largest, trace))


def _shares(X: Any, weight: np.ndarray | None) -> np.ndarray:
    n_rows = X.shape[0]
    if weight is None:
        return np.full(n_rows, 1 / n_rows)
    shares: np.ndarray = weight / weight.sum()
    return shares
