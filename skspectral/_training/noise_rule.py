"""The spectrum of the columns of a table, for the penalty that follows the noise."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import eigvalsh

from skspectral._training.mapped_rows import chunks
from skspectral.nn._noise_threshold import Moments

EXACT_COLUMNS = 1000
"""Columns up to which their covariance is formed; beyond, its spectrum is sampled."""
PROBES = 64
"""Random vectors that sample the trace of the squared covariance of many columns."""
POWER_STEPS = 30
"""Products with the covariance that lead to its largest eigenvalue."""
ROUNDING = 1e-12
"""Variance of all columns, as a share of their squared means, that may be rounding."""


class Spectrum(Moments):
    """Moments that are measured on arrays."""

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
