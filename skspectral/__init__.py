"""Spectral neural networks for tabular data, which tell how big a network the task needs."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._classifier import SpectralMLPClassifier
from skspectral._classifier_cv import SpectralMLPClassifierCV
from skspectral._display import (
    EffectiveSizeDisplay,
    PathMagnitudesDisplay,
    PruningCurveDisplay,
    RelevanceDisplay,
    SpectralPathDisplay,
)
from skspectral._matching import match_nodes, n_distinct_nodes, path_agreement, path_magnitudes
from skspectral._onnx import to_onnx
from skspectral._path import spectral_path
from skspectral._pruner import SpectralPruner
from skspectral._pruning_curve import pruning_curve
from skspectral._regressor import SpectralMLPRegressor
from skspectral._regressor_cv import SpectralMLPRegressorCV
from skspectral._scorers import n_alive_nodes_score

__version__ = "0.1.0.dev0"

__all__ = [
    "EffectiveSizeDisplay",
    "PathMagnitudesDisplay",
    "PruningCurveDisplay",
    "RelevanceDisplay",
    "SpectralMLPClassifier",
    "SpectralMLPClassifierCV",
    "SpectralMLPRegressor",
    "SpectralMLPRegressorCV",
    "SpectralPathDisplay",
    "SpectralPruner",
    "__version__",
    "match_nodes",
    "n_alive_nodes_score",
    "n_distinct_nodes",
    "path_agreement",
    "path_magnitudes",
    "pruning_curve",
    "spectral_path",
    "to_onnx",
]
