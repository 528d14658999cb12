"""The L2 penalty on weights, eigenvectors and eigenvalues: its value and its gradients."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skspectral.nn._skip import SKIP_SHARE

SKIP_WEIGHT = "skip.weight"
"""Name of the weights of a linear skip."""


@dataclass(frozen=True)
class Penalty:
    r"""Coefficients of the penalty.

    .. math::

        P = \alpha_\phi \|\phi\|^2 + \alpha_\lambda \|\lambda\|^2
            \;\text{(spectral layers)} + \alpha \|w\|^2 \;\text{(dense layers)}

    summed over all layers, the output layer included. A linear skip has a tenth of
    :math:`\alpha`. Biases and parameters
    that are not trained are not penalised.

    Parameters
    ----------
    weight : float
        Coefficient of dense weight matrices.
    phi : float
        Coefficient of eigenvectors.
    lambda_ : float
        Coefficient of eigenvalues.
    """

    weight: float
    phi: float
    lambda_: float

    def coefficient(self, name: str) -> float:
        """Return the coefficient of the parameter called `name`, such as ``layers.0.phi``."""
        if name == SKIP_WEIGHT:
            return SKIP_SHARE * self.weight
        kind = name.rpartition(".")[2]
        return {"phi": self.phi, "weight": self.weight, "bias": 0.0}.get(
            kind, self.lambda_ if kind.startswith("lambda_") else 0.0
        )

    def terms(self, module: nn.Module) -> list[tuple[Tensor, float]]:
        """Return the penalised parameters of `module` with their coefficients."""
        return [
            (parameter, self.coefficient(name))
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and self.coefficient(name) > 0
        ]

    def value(self, module: nn.Module) -> float:
        """Return the penalty of `module`, in the unit of the loss."""
        terms = self.terms(module)
        if not terms:
            return 0.0
        # all norms in one read: each read makes the host wait for the GPU
        norms = torch.stack(torch._foreach_norm([parameter.detach() for parameter, _ in terms]))
        pairs = zip(norms.tolist(), terms, strict=True)
        return float(sum(coefficient * norm**2 for norm, (_, coefficient) in pairs))


def add_penalty_gradient(terms: list[tuple[Tensor, float]]) -> None:
    """Add ``2 * coefficient * parameter`` to the gradients, in one call per coefficient."""
    for coefficient in {coefficient for _, coefficient in terms}:
        # a parameter has no gradient if the loss does not reach it
        pairs = [(p.detach(), p.grad) for p, c in terms if c == coefficient and p.grad is not None]
        if pairs:
            parameters, gradients = map(list, zip(*pairs, strict=True))
            # float32 takes no larger factor, with which training diverges anyway
            largest = torch.finfo(parameters[0].dtype).max
            torch._foreach_add_(gradients, parameters, alpha=min(2 * coefficient, largest))
