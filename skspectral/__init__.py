"""Spectral neural networks for tabular data: how big a network does the task need?"""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._mlp import SpectralMLPClassifier, SpectralMLPRegressor

__version__ = "0.1.0.dev0"

__all__ = ["SpectralMLPClassifier", "SpectralMLPRegressor", "__version__"]
