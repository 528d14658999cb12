"""The penalty that follows the noise, for training loops of one's own."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skspectral.nn._hidden import named_layers
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._noise_threshold import KINDS, Moments, noise_threshold, share_left
from skspectral.nn._penalty import node_factors
from skspectral.nn._relevance import weight_norms
from skspectral.nn._reparametrize import factors_of
from skspectral.nn._skip import LinearSkip

LOSSES = {
    "squared_error": "identity",
    "cross_entropy": "softmax",
    "binary_cross_entropy": "logistic",
}
"""Names of losses, and the output activation by which the rule knows them."""
ALIVE = 0.05
"""Share of the largest relevance of a layer above which a node counts as used."""
IN_USE = 1e-4
"""The same of columns: those of dead nodes vanish, while input columns count if they are small."""
ROUNDING = 1e-24
"""Variance of all columns, as a share of their squared means, that may be rounding."""
ROWS_AT_ONCE = 1024
"""Rows that go through the module in one call."""


def penalty_alpha(
    module: nn.Module,
    X: Tensor,
    y: Tensor,
    *,
    loss: str = "squared_error",
    activation: str = "relu",
    factor: float = 0.5,
    noise_variance: float | Tensor | None = None,
    n_rows: int | None = None,
) -> float:
    r"""Compute the penalty at which nodes that fit nothing but noise do not pay.

    It is what ``alpha="auto"`` is for the estimators. Call it before the first epoch and
    after each, and give what it returns to :func:`penalty`: as the module learns, the noise
    seems smaller, and the penalty falls with it.

    Parameters
    ----------
    module : torch.nn.Module
        After :func:`reparametrize`, or with SpectralLinear layers. It maps `X` to outputs of
        shape (n, n_outputs); for classes to logits.
    X : Tensor of shape (n, ...)
        The rows that it is trained on, or a sample of them.
    y : Tensor
        Their targets: of shape (n, n_outputs), or of integers of shape (n,) for
        "cross_entropy".
    loss : {"squared_error", "cross_entropy", "binary_cross_entropy"}, default="squared_error"
        The loss of the loop, whose unit is that of the penalty: `torch.nn.functional`'s
        `mse_loss`, the mean over rows and outputs and without a factor of 1/2,
        `cross_entropy` or `binary_cross_entropy_with_logits`.
    activation : {"relu", "gelu", "silu", "identity", "tanh", "logistic"}, default="relu"
        Of the nodes; the nearest of these for others.
    factor : float, default=0.5
        Of the rule, at least 0; as `alpha_factor` of the estimators.
    noise_variance : float, Tensor of shape (n_outputs, n_outputs) or None, default=None
        The variance of the noise of each output, or its covariance matrix, in squared units
        of `y`, such as that of the residuals of held-out rows. None: that of the residuals
        of these rows, made larger for the parameters that have fitted them.
    n_rows : int or None, default=None
        Rows that are trained on, at least 1. None: those of `X`.

    Returns
    -------
    float
        The penalty, in units of the loss.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module with such layers, or `X` or `y` is not a Tensor.
    ValueError
        If no layer has factors, or the first of them trains no eigenvectors, decomposed ones,
        or inbound eigenvalues; if targets and outputs do not match, or are not finite; if another
        argument is not as described.

    See Also
    --------
    penalty : The term of the loss that takes the value.

    Notes
    -----
    The rule is about the nodes of a fully connected first layer, whose columns are the
    entries of a row of `X`; all layers get its value. For convolutions it has not been
    derived. They are taken for fully connected layers on the same pixels, and the value
    tells the order of magnitude: try a smaller `factor` too.

    In a network of several hidden layers nodes of the upper ones may die of the noise that is
    overestimated at the start, and so may columns that have eigenvalues. There the estimators
    let the penalty rise from 0 to the rule over the first fifth of training; a loop can do the
    same by a factor of its own.

    It takes the covariance of the columns, so with many of them a call every few epochs, or on
    a sample of the rows, is enough.

    References
    ----------
    .. [1] C. Giacobino, S. Sardy, J. Diaz-Rodriguez, N. Hengartner, "Quantile universal
       threshold", Electronic Journal of Statistics 11(2), 4701-4722 (2017),
       https://doi.org/10.1214/17-EJS1366.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skspectral.nn import penalty_alpha, reparametrize
    >>> generator = torch.Generator().manual_seed(0)
    >>> X = torch.randn(1000, 5, generator=generator)
    >>> y = X[:, :1] + 0.1 * torch.randn(1000, 1, generator=generator)
    >>> module = reparametrize(nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1)))
    >>> at_first, at_last = (penalty_alpha(module, X, y, noise_variance=v) for v in (1.0, 0.01))
    >>> 0 < at_last < at_first < 1
    True
    """
    layers = list(named_layers(module).values())
    _check(X, y, loss, activation, factor, n_rows)
    X, y = X.detach(), y.detach()
    place = _first_with_factors(layers)
    first, *above = layers[place:]
    residuals, centred = _residuals(_outputs(module, X), y, loss)
    n_outputs, n = residuals.shape[1], len(X) if n_rows is None else int(n_rows)
    constant = _covariance(centred)
    if noise_variance is None:
        left = share_left(_n_used(layers) + _n_skipped(module), n, n_outputs)
        noise = _covariance(residuals) / left**2 if left > 0 else constant
    else:
        noise = _given_noise(noise_variance, n_outputs)
    if noise.trace() > constant.trace():  # the best constant explains nothing
        noise = constant
    if not constant.trace() > 0:  # without a scale: unit variance lets all nodes die
        noise = torch.eye(n_outputs, dtype=torch.float64)
    return float(factor) * noise_threshold(
        _moments(X.flatten(1)),
        _moments_of(noise),
        n,
        order=node_factors(first, above[0] if above else None),
        activation=activation,
        loss=LOSSES[loss],
        n_outputs=n_outputs,
    )


def _check(X: Any, y: Any, loss: Any, activation: Any, factor: Any, n_rows: Any) -> None:
    for name, value in (("X", X), ("y", y)):
        if not isinstance(value, Tensor):
            raise TypeError(f"`{name}` must be a torch.Tensor; got {type(value).__name__}.")
    if X.ndim < 2 or y.ndim < 1 or len(X) != len(y) or len(X) == 0:
        raise ValueError(
            "`X` and `y` must hold the same number of rows, at least one, and `X` columns; got "
            f"shapes {tuple(X.shape)} and {tuple(y.shape)}."
        )
    if not X.is_floating_point():
        raise ValueError(f"`X` must hold floating-point numbers; got {X.dtype}.")
    for name, value, choices in (("loss", loss, LOSSES), ("activation", activation, KINDS)):
        if not (isinstance(value, str) and value in choices):
            raise ValueError(f"`{name}` must be one of {tuple(choices)}; got {value!r}.")
    if not isinstance(factor, Real) or not 0 <= float(factor) < math.inf:
        raise ValueError(f"`factor` must be a finite number >= 0; got {factor!r}.")
    for name, value in (("X", X), ("y", y)):
        if not value.isfinite().all():
            raise ValueError(f"`{name}` must be finite; it holds NaN or infinity.")
    if n_rows is not None and not (isinstance(n_rows, Integral) and int(n_rows) >= 1):
        raise ValueError(f"`n_rows` must be an integer of at least 1, or None; got {n_rows!r}.")


def _first_with_factors(layers: list[nn.Module]) -> int:
    """Return the index of the first layer that is spectral."""
    for index, layer in enumerate(layers):
        if isinstance(layer, SpectralLinear) and not _has_rule(layer):
            raise ValueError(
                "`module` must train all entries of the eigenvectors of its first spectral layer, "
                f"and no inbound eigenvalues; got {layer!r}."
            )
        if isinstance(layer, SpectralLinear) or factors_of(layer) is not None:
            return index
    raise ValueError(
        "`module` must have a layer with factors: the rule is about its nodes. Call "
        "`skspectral.nn.reparametrize` first."
    )


def _has_rule(layer: SpectralLinear) -> bool:
    """Tell whether the rows of a layer are free, each with an eigenvalue of its own."""
    return layer.train_phi and layer.decomposition is None and not layer.train_lambda_in


@torch.no_grad()
def _outputs(module: nn.Module, X: Tensor) -> Tensor:
    """Return the outputs of a module in evaluation, finite Tensor of shape (n, ...)."""
    with _evaluating(module):
        outputs = [module(rows) for rows in X.split(ROWS_AT_ONCE)]
    if not all(isinstance(part, Tensor) and part.isfinite().all() for part in outputs):
        raise ValueError(
            "`module` must map `X` to a Tensor of finite outputs. If training diverges, lower the "
            "learning rate."
        )
    return torch.cat(outputs)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Set a module to evaluation, and each of its parts back to what it was."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _residuals(outputs: Tensor, y: Tensor, loss: str) -> tuple[Tensor, Tensor]:
    """Return residuals of the outputs and of the best constant, float64, (n, n_outputs)."""
    if loss == "cross_entropy":
        is_class = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
        n_classes = outputs.shape[1] if outputs.ndim == 2 else 0
        if not (
            is_class and y.ndim == 1 and n_classes > 1 and 0 <= y.min() <= y.max() < n_classes
        ):
            raise ValueError(
                "For loss='cross_entropy' `y` must hold integers of shape (n,), from 0 to below "
                f"the number of outputs; got {y.dtype} of shape {tuple(y.shape)} for outputs of "
                f"shape {tuple(outputs.shape)}."
            )
        target = F.one_hot(y.long(), n_classes).double()
        return target - outputs.double().softmax(1), target - target.mean(0)
    if outputs.ndim != 2 or y.shape != outputs.shape:
        raise ValueError(
            f"`y` must have the shape of the outputs, {tuple(outputs.shape)} with two "
            f"dimensions; got {tuple(y.shape)}."
        )
    target = y.double()
    fitted = outputs.double().sigmoid() if loss == "binary_cross_entropy" else outputs.double()
    return target - fitted, target - target.mean(0)


def _covariance(residuals: Tensor) -> Tensor:
    """Return the mean product of residuals, or of columns, float64 Tensor of shape (m, m)."""
    values = residuals.double()
    return values.T @ values / len(values)


def _given_noise(noise_variance: Any, n_outputs: int) -> Tensor:
    """Return the noise that is given as a covariance matrix."""
    if isinstance(noise_variance, Real):
        noise = float(noise_variance) * torch.eye(n_outputs, dtype=torch.float64)
    elif isinstance(noise_variance, Tensor) and noise_variance.shape == (n_outputs, n_outputs):
        noise = noise_variance.detach().double()
    else:
        noise = torch.full((n_outputs, n_outputs), math.nan)
    if not (noise.isfinite().all() and (noise.diag() >= 0).all()):
        raise ValueError(
            "`noise_variance` must be a finite number >= 0, a covariance matrix of shape "
            f"({n_outputs}, {n_outputs}), or None; got {noise_variance!r}."
        )
    return noise


def _moments(columns: Tensor) -> Moments:
    """Return the moments of the covariance of columns, Tensor of shape (n, n_columns)."""
    wide = columns.double()
    mean = wide.mean(0)
    centred = wide - mean
    # products of rows have the same spectrum, so the smaller matrix will do
    is_tall = len(centred) >= centred.shape[1]
    covariance = _covariance(centred if is_tall else centred.T)
    if not is_tall:
        covariance *= centred.shape[1] / len(centred)
    trace = float(covariance.trace())
    if not trace < math.inf:
        raise ValueError("The squares of the columns overflow. Scale `X`.")
    if trace <= ROUNDING * float(mean.square().sum()):  # constant columns tell no scale
        return Moments(1.0, 1.0, 1.0)
    return _moments_of(covariance)


def _moments_of(covariance: Tensor) -> Moments:
    largest = float(torch.linalg.eigvalsh(covariance)[-1])
    return Moments(float(covariance.trace()), float(covariance.square().sum()), max(largest, 0.0))


@torch.no_grad()
def _n_used(layers: list[nn.Module]) -> int:
    """Return the weights and biases of the nodes that are alive, and of columns that are read."""
    n_used = 0
    for index, layer in enumerate(layers):
        rows, columns = weight_norms(layer), weight_norms(layer, dim=0)
        is_output = index == len(layers) - 1
        alive = len(rows) if is_output else int((rows > ALIVE * rows.max()).sum())
        read = int((columns > IN_USE * columns.max()).sum())
        n_used += alive * (read + (layer.bias is not None))
    return n_used


def _n_skipped(module: nn.Module) -> int:
    """Return the weights of linear skips."""
    return sum(part.weight.numel() for part in module.modules() if isinstance(part, LinearSkip))
