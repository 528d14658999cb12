"""Torch modules in the spectral parametrisation."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP
from skspectral.nn._relevance import node_relevance

__all__ = ["SpectralLinear", "SpectralMLP", "node_relevance"]
