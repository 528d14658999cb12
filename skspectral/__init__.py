"""Spectral neural networks for tabular data, which tell how big a network the task needs."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._classifier import SpectralMLPClassifier
from skspectral._regressor import SpectralMLPRegressor

__version__ = "0.1.0.dev0"

__all__ = ["SpectralMLPClassifier", "SpectralMLPRegressor", "__version__"]
