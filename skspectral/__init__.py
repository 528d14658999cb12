"""Spectral neural networks for tabular data, which tell how big a network the task needs."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._classifier import SpectralMLPClassifier
from skspectral._display import PruningCurveDisplay, RelevanceDisplay
from skspectral._onnx import to_onnx
from skspectral._pruner import SpectralPruner
from skspectral._pruning_curve import pruning_curve
from skspectral._regressor import SpectralMLPRegressor

__version__ = "0.1.0.dev0"

__all__ = [
    "PruningCurveDisplay",
    "RelevanceDisplay",
    "SpectralMLPClassifier",
    "SpectralMLPRegressor",
    "SpectralPruner",
    "__version__",
    "pruning_curve",
    "to_onnx",
]
