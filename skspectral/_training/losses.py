"""Data terms of the loss, and the output activation of each."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LOSSES: dict[str, Callable[..., Tensor]] = {
    "identity": F.mse_loss,
    "logistic": F.binary_cross_entropy_with_logits,
    "softmax": F.cross_entropy,
}


def _softmax(output: Tensor) -> Tensor:
    return torch.softmax(output, dim=1)


def _identity(output: Tensor) -> Tensor:
    return output


OUTPUT_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": _identity,
    "logistic": torch.sigmoid,
    "softmax": _softmax,
}


def weight_of(X: Any) -> Tensor | None:
    """Return the weights of a batch in skorch's form, None without any."""
    return X["sample_weight"] if isinstance(X, Mapping) else None


def residuals(out_activation: str, output: Tensor, target: Tensor) -> Tensor:
    """Return predictions minus targets of several networks, Tensor of shape (K, n, n_outputs).

    Parameters
    ----------
    out_activation : {"identity", "logistic", "softmax"}
    output : Tensor of shape (K, n, n_outputs)
    target : Tensor of shape (K, n, n_outputs), or (K, n) for numbers of classes
        With 1 in place of K where it is one for all.
    """
    if out_activation == "identity":
        return output - target
    if out_activation == "logistic":
        return torch.sigmoid(output).sub_(target)
    predicted = torch.softmax(output, dim=2)
    if target.ndim == 3:  # probabilities
        return predicted.sub_(target)
    index = target.expand(predicted.shape[:2])[:, :, None]
    return predicted.scatter_add_(2, index, predicted.new_full((1, 1, 1), -1.0).expand_as(index))


def entropies(out_activation: str, output: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropies of the rows, summed over labels, Tensor of shape (K, n, 1).

    Parameters are those of :func:`residuals`.
    """
    if out_activation == "logistic":
        labels = target.expand_as(output)
        rows = F.binary_cross_entropy_with_logits(output, labels, reduction="none")
        return rows.sum(dim=2, keepdim=True)
    log_p = torch.log_softmax(output, dim=2)
    if target.ndim == 3:  # probabilities
        return -(target * log_p).sum(dim=2, keepdim=True)
    index = target.expand(output.shape[:2])[:, :, None]
    return -log_p.gather(2, index)


class ResidualMoments:
    """Sum of the products of residuals over rows, gathered while training goes on.

    Parameters
    ----------
    n_outputs : int
    like : Tensor
        Of the dtype and on the device of the outputs.
    """

    def __init__(self, n_outputs: int, like: Tensor) -> None:
        self.products = like.new_zeros(n_outputs, n_outputs)
        self.weight = like.new_zeros(())

    def add(self, residual: Tensor, weight: Tensor | None) -> None:
        """Count the residuals of a batch, Tensor of shape (n, n_outputs), by their weights."""
        weighted = residual if weight is None else residual * weight[:, None]
        self.products.addmm_(residual.t(), weighted)
        # added in place, so that a captured CUDA graph counts on
        self.weight.add_(len(residual) if weight is None else weight.sum())

    def take(self) -> np.ndarray:
        """Return the mean product, ndarray of shape (n_outputs, n_outputs), and start anew."""
        mean: np.ndarray = (self.products / self.weight).double().cpu().numpy()
        self.products.zero_()
        self.weight.zero_()
        return mean


class DataTerm(nn.Module):
    r"""Mean loss over the rows of a batch, optionally weighted.

    .. math::

        D = \frac{1}{n_b} \sum_b s_b \, l_b

    Parameters
    ----------
    out_activation : {"identity", "logistic", "softmax"}
        Chooses the loss of a row: the squared error, averaged over outputs; the
        binary cross-entropy in nats, averaged over labels; the cross-entropy in
        nats.
    """

    def __init__(self, out_activation: str) -> None:
        super().__init__()
        self.out_activation = out_activation
        self.moments: ResidualMoments | None = None

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the scalar loss.

        Parameters
        ----------
        output : Tensor of shape (n, n_outputs)
            Linear outputs of the network.
        target : Tensor of shape (n, n_outputs), or int Tensor of shape (n,) for softmax
            The first holds probabilities where the loss is a cross-entropy.
        weight : Tensor of shape (n,) or None
        """
        loss = _LOSSES[self.out_activation]
        if weight is None:
            return loss(output, target)
        rows = loss(output, target, reduction="none")
        # targets with several columns: weights belong to rows
        if rows.ndim == 2:
            rows = rows.mean(dim=1)
        # over rows, not over the sum of weights: a batch of small weights must count for less
        return (weight * rows).mean()

    def residual(self, output: Tensor, target: Tensor) -> Tensor:
        """Return prediction minus target, Tensor of shape (n, n_outputs)."""
        return residuals(self.out_activation, output[None], target[None])[0]

    def watch(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> None:
        """Count the residuals of a batch, where anybody asks for them."""
        if self.moments is not None:
            self.moments.add(self.residual(output, target), weight)

    def value_and_gradient(
        self, output: Tensor, target: Tensor, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient with respect to `output`.

        Parameters are those of :meth:`forward`.

        Each output activation is the canonical one of its loss, so the gradient is
        the prediction minus the target, up to a factor.
        """
        # cross-entropy has one loss a row, the others one for each output
        factor = 1 / len(output) if self.out_activation == "softmax" else 1 / output.numel()
        if self.out_activation == "softmax" and target.ndim == 2:  # probabilities
            log_p = torch.log_softmax(output, dim=1)
            rows = -(target * log_p).sum(dim=1)
            residual = log_p.exp_().sub_(target)
        elif self.out_activation == "softmax":
            index = target[None]
            # classes along the first axis: several times as fast on a CPU if they are few
            log_p = torch.log_softmax(output.t().contiguous(), dim=0)
            rows = -log_p.gather(0, index)[0]
            minus_one = -torch.ones_like(index, dtype=output.dtype)
            # in place: rows are a copy, so the log-probabilities are no longer needed
            residual = log_p.exp_().scatter_add_(0, index, minus_one).t()
        elif self.out_activation == "logistic":
            rows = F.binary_cross_entropy_with_logits(output, target, reduction="none")
            residual = torch.sigmoid(output) - target
        else:
            residual = output - target
            rows = residual.square()
            factor *= 2
        if self.moments is not None:
            self.moments.add(residual, weight)
        if weight is not None:
            rows = rows * (weight if rows.ndim == 1 else weight[:, None])
            residual *= weight[:, None]
        return rows.mean(), residual.mul_(factor)
