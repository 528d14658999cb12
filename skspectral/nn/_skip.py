"""A linear term beside the layers of a network, straight from its inputs to its outputs."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SKIP_SHARE = 0.1
"""Share of the penalty of dense weights that V has.

A node costs less than its square where its weights are large. With the full penalty a pair of
nodes was cheaper than a V of 2, as it is common in the logits of classes.
"""


class LinearSkip(nn.Module):
    r"""The term V x of a network with a linear skip, without a bias.

    .. math::

        f(x) = V x + \mathrm{MLP}(x)

    It starts at zero, so a network with it begins as one without. It is no
    :class:`torch.nn.Linear`, as its rows are not nodes that could be ranked or cut.

    Parameters
    ----------
    in_features, out_features : int
        Inputs and outputs of the network.
    device, dtype : optional
        As in :class:`torch.nn.Linear`.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    """

    bias = None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        shape = out_features, in_features
        self.weight = nn.Parameter(torch.zeros(shape, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Go back to zero."""
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map Tensor of shape (..., in_features) to Tensor of shape (..., out_features)."""
        return F.linear(x, self.weight)

    def extra_repr(self) -> str:
        """Sizes, for ``repr``."""
        return f"in_features={self.in_features}, out_features={self.out_features}"
