"""A penalty that follows the noise: a private skorch callback that renews it each epoch."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback

from skspectral._training.batches import RowDataset
from skspectral._training.history import last_row
from skspectral._training.losses import ResidualMoments, weight_of
from skspectral._training.noise_rule import Spectrum, column_moments
from skspectral._training.penalty import Penalty
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._noise_threshold import noise_threshold, share_left
from skspectral.nn._penalty import node_factors

RAMP = 0.2
"""Share of training in which the penalty of a new network rises, if what dies is missed later.

The noise is overestimated at first. Nodes of upper layers that die of it do not come back, nor do
columns that have an eigenvalue.
"""
USED_COLUMN = 1e-2
"""Share of the largest norm of the weights of a column above which it counts as used."""
RENEWAL_STEPS = 10
"""Fewest steps from one estimate of the noise to the next."""
TOLD_SHARE = 0.01
"""Share by which the noise must change before it is told anew."""


@dataclass(frozen=True)
class NoiseTable:
    """What the rule needs of the rows that are trained on.

    Parameters
    ----------
    covariance : ndarray of shape (n_features, n_features) or None
        Of the columns, where the rule looks at them one by one.
    columns : Spectrum
        Of the covariance of the columns.
    constant : ndarray of shape (n_outputs, n_outputs)
        Covariance of the residuals of the best constant.
    n_rows : float
        Rows, or the sum of their weights as given.
    constant_is_exact : bool
        Whether the target is constant, so that there is no noise to follow.
    classes : ndarray of shape (n_outputs, n_outputs) or None
        Covariance of classes around their probabilities, where these are the target.
    """

    covariance: np.ndarray | None
    columns: Spectrum
    constant: np.ndarray
    n_rows: float
    constant_is_exact: bool = False
    classes: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        X: Any,
        weight: np.ndarray | None,
        constant: np.ndarray,
        classes: np.ndarray | None = None,
    ) -> NoiseTable:
        """Measure the columns of the rows.

        Where the target is constant, nothing tells a scale: that of unit variance lets all
        nodes die.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n, n_features)
        weight : ndarray of shape (n,) or None
            As given.
        constant : ndarray of shape (n_outputs, n_outputs)
            As :func:`constant_products` returns it.
        classes : ndarray of shape (n_outputs, n_outputs) or None, default=None
            Covariance of classes around their probabilities.
        """
        covariance, columns = column_moments(X, weight)
        is_exact = not np.trace(constant) > 0
        return cls(
            covariance,
            columns,
            np.eye(len(constant)) if is_exact else constant,
            float(X.shape[0] if weight is None else weight.sum()),
            is_exact,
            classes,
        )


def penalised_factors(module: SpectralMLP) -> int:
    """Return how many trained factors a node of the first hidden layer has, at least 2."""
    return node_factors(module.layers[0], module.layers[1])


def n_used_parameters(
    n_features: int, n_alive: Sequence[int], n_outputs: int, *, skip: bool = False
) -> int:
    """Return the weights and biases between columns, alive nodes and outputs.

    With `skip` those of a linear skip from columns to outputs are counted, too.
    """
    sizes = [n_features, *n_alive, n_outputs]
    skipped = n_features * n_outputs if skip else 0
    return skipped + sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))


def inflated(residuals: np.ndarray, n_used: int, n_rows: float) -> np.ndarray:
    """Return the covariance of the noise from residuals on the rows that were trained on.

    These are too small, as the parameters have fitted some of the noise: they are divided by the
    square of the share of the data that is left for it, as in generalised cross-validation.
    Infinite where nothing is left.

    Parameters
    ----------
    residuals : ndarray of shape (n_outputs, n_outputs)
        Mean products of the residuals.
    n_used : int
        Parameters of the network that are in use.
    n_rows : float
    """
    left = share_left(n_used, n_rows, len(residuals))
    return residuals / left**2 if left > 0 else np.full_like(residuals, np.inf)


def capped(noise: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Return the noise, or the residuals of the best constant where these are smaller."""
    return noise if np.trace(noise) < np.trace(constant) else constant


class NoiseCourse:
    """How the noise that held-out rows told went down while several networks were trained.

    Parameters
    ----------
    told : sequence of list of (float, ndarray of shape (n_outputs, n_outputs))
        Of each network: the share of training that was over, and the noise from there on.
    """

    def __init__(self, told: Sequence[list[tuple[float, np.ndarray]]]) -> None:
        self.told = told

    def at(self, progress: float) -> np.ndarray:
        """Return the mean noise of the networks where so much of their training was over."""
        found = [
            course[max(0, bisect.bisect_right(course, progress, key=_progress_of) - 1)][1]
            for course in self.told
        ]
        mean: np.ndarray = np.mean(found, axis=0)
        return mean

    def final(self) -> NoiseCourse:
        """Return the course of a training that begins with what was told last."""
        return NoiseCourse([[(0.0, self.at(1.0))]])


def _progress_of(entry: tuple[float, np.ndarray]) -> float:
    return entry[0]


class FollowNoise(Callback):
    """Set the penalty to that at which noise does not pay, anew after each epoch.

    Parameters
    ----------
    table : NoiseTable
    factor : float
        Of the rule.
    alpha : float or None, default=None
        Penalty of the first epoch; None: that of the constant's residuals.
    held_out : RowDataset or None, default=None
        Rows that tell the noise; None: the training rows do.
    ramp : float, default=0.0
        Share of training in which the penalty rises linearly from zero to the rule.
    course : NoiseCourse or None, default=None
        Noise that other networks have told.
    """

    def __init__(
        self,
        table: NoiseTable,
        factor: float,
        alpha: float | None = None,
        held_out: RowDataset | None = None,
        ramp: float = 0.0,
        course: NoiseCourse | None = None,
    ) -> None:
        self.table = table
        self.factor = factor
        self.alpha = alpha
        self.held_out = held_out
        self.ramp = ramp
        self.course = course

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin with the largest noise there can be, unless told otherwise."""
        net.criterion_.moments = new_moments(net)
        self.noise_ = self.table.constant
        self.due_ = 0
        self.told_ = [(0.0, self.noise_)]
        first = self.alpha
        if first is None:
            first = self._rule(net)
        self._take(net, first)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Estimate the noise, and the penalty from it."""
        row = last_row(net)
        row["alpha"] = self.alpha_
        # an epoch of a small table is a single step, which an estimate would make much slower
        if net.steps_done_ >= self.due_:
            self.due_ = net.steps_done_ + RENEWAL_STEPS
            residuals = net.criterion_.moments.take()
            if not self.table.constant_is_exact:
                self.noise_ = self._noise(net, residuals)
                self._tell(net)
            self._take(net, self._rule(net))
        row["noise_variance"] = float(np.trace(self.noise_)) / len(self.noise_)

    @property
    def share_(self) -> float:
        """The noise as a share of the variance of the target."""
        return float(np.trace(self.noise_) / np.trace(self.table.constant))

    def go_back(self, net: Any, epoch: int | None) -> None:
        """Return to the penalty of an epoch that was restored, counted from 1."""
        if epoch is not None and epoch < len(net.history):
            self._take(net, net.history[epoch - 1]["alpha"])

    def _rule(self, net: Any) -> float:
        alpha = alpha_of(net, self.table, self.noise_, self.factor)
        # that of the middle of the coming epoch, which may be the only one
        progress = net.progress(net.steps_done_ + net.epoch_steps_ / 2)
        return alpha * progress / self.ramp if progress < self.ramp else alpha

    def _tell(self, net: Any) -> None:
        """Keep the noise for others, where it has changed."""
        _, before = self.told_[-1]
        if abs(np.trace(self.noise_) - np.trace(before)) > TOLD_SHARE * np.trace(before):
            self.told_.append((net.progress(net.steps_done_), self.noise_))

    def _noise(self, net: Any, residuals: np.ndarray) -> np.ndarray:
        if self.course is not None:
            return capped(self.course.at(net.progress(net.steps_done_)), self.table.constant)
        if self.held_out is not None:  # rows that the parameters have not fitted
            return capped(mean_products(net, self.held_out), self.table.constant)
        n_alive, n_outputs = last_row(net)["n_alive_nodes"], net.module.layer_sizes[-1]
        n_columns = n_used_columns(net.module_)
        n_used = n_used_parameters(n_columns, n_alive, n_outputs, skip=net.module.skip)
        return capped(inflated(residuals, n_used, self.table.n_rows), self.table.constant)

    def _take(self, net: Any, alpha: float) -> None:
        self.alpha_ = alpha
        net.set_penalty(Penalty(alpha, alpha, alpha))


def alpha_of(net: Any, table: NoiseTable, noise: np.ndarray, factor: float) -> float:
    """Return the penalty that the rule sets for a net as it is.

    Parameters
    ----------
    net : SpectralNet
    table : NoiseTable
    noise : ndarray of shape (n_outputs, n_outputs)
        Covariance of the noise.
    factor : float
    """
    return factor * noise_threshold(
        columns_seen(net.module_, table),
        Spectrum.of(noise),
        table.n_rows,
        order=penalised_factors(net.module_),
        activation=net.module.activation,
        loss=net.out_activation,
        n_outputs=len(noise),
        classes=None if table.classes is None else Spectrum.of(table.classes + noise),
    )


def columns_seen(module: SpectralMLP, table: NoiseTable) -> Spectrum:
    """Return the spectrum of the columns as the nodes of the first layer see them."""
    layer = module.layers[0]
    if table.covariance is None or not isinstance(layer, SpectralLinear):
        return table.columns
    if not layer.train_phi:  # each node looks along its own fixed eigenvector alone
        phi = layer.phi.detach().double().cpu().numpy()
        spread = float(np.mean(np.sum((phi @ table.covariance) * phi, axis=1)))
        return Spectrum(spread, spread**2, spread)
    if only_columns_have_eigenvalues(module):
        scale = layer.lambda_in.detach().double().cpu().numpy()
        return Spectrum.of(table.covariance * np.outer(scale, scale))
    return table.columns


def columns_have_eigenvalues(module: SpectralMLP) -> bool:
    """Tell whether each column has a trained eigenvalue."""
    first = module.layers[0]
    return isinstance(first, SpectralLinear) and first.train_lambda_in


def only_columns_have_eigenvalues(module: SpectralMLP) -> bool:
    """Tell whether the eigenvalues of the first layer belong to its columns alone."""
    first: Any = module.layers[0]
    return columns_have_eigenvalues(module) and not first.train_lambda_out


def n_used_columns(module: SpectralMLP) -> int:
    """Return how many columns the nodes of the first layer read.

    All of them where nodes have eigenvalues too: then some may be empty, and count. A column that
    a linear skip alone reads does not: to count all makes the noise too large by more than this
    makes it too small.
    """
    if not only_columns_have_eigenvalues(module):
        return module.layer_sizes[0]
    first: Any = module.layers[0]
    norms = first.weight.detach().norm(dim=0)
    return int((norms > USED_COLUMN * norms.max()).sum())


def new_moments(net: Any) -> ResidualMoments:
    """Return an empty count of residuals, where the outputs of the net are."""
    return ResidualMoments(net.module_.layer_sizes[-1], next(net.module_.parameters()).detach())


@torch.no_grad()
def mean_products(net: Any, dataset: RowDataset) -> np.ndarray:
    """Return the mean product of residuals, ndarray of shape (n_outputs, n_outputs)."""
    moments = new_moments(net)
    for X, y in net.get_iterator(dataset):
        moments.add(net.criterion_.residual(net.infer(X), y), weight_of(X))
    return moments.take()


def constant_products(dataset: RowDataset, n_outputs: int) -> np.ndarray:
    """Return the covariance of the encoded target: the residuals of the best constant."""
    y = dataset.y
    weight = dataset.sample_weight
    share = torch.full((len(y),), 1 / len(y), dtype=torch.float64, device=y.device)
    if weight is not None:
        share = weight.double() / weight.double().sum()
    if y.ndim == 1:  # numbers of classes, without a column for each class and row
        p = torch.bincount(dataset.y, share, minlength=n_outputs)
        of_classes: np.ndarray = (p.diag() - p.outer(p)).cpu().numpy()
        return of_classes
    centred = y.double() - share @ y.double()
    products: np.ndarray = ((centred * share[:, None]).T @ centred).cpu().numpy()
    return products
