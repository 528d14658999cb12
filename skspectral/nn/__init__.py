"""Torch modules in the spectral parametrisation."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral.nn._grow import grow
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._merge import merge
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._penalty import penalty
from skspectral.nn._penalty_alpha import penalty_alpha
from skspectral.nn._relevance import node_relevance
from skspectral.nn._reparametrize import fold, reparametrize
from skspectral.nn._shrink import mask_nodes, shrink

__all__ = [
    "SpectralLinear",
    "SpectralMLP",
    "fold",
    "grow",
    "mask_nodes",
    "merge",
    "node_relevance",
    "penalty",
    "penalty_alpha",
    "reparametrize",
    "shrink",
]
