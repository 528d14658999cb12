"""Spectral neural networks for tabular data: start wide, and count the nodes that are left."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._display import (
    EffectiveSizeDisplay,
    FidelityDisplay,
    NetworkDisplay,
    NodesDisplay,
    PathMagnitudesDisplay,
    PruningCurveDisplay,
    RelevanceDisplay,
    SpectralPathDisplay,
    TrainingDisplay,
)
from skspectral._estimators.classifier import SpectralMLPClassifier
from skspectral._estimators.many import fit_many
from skspectral._estimators.merging import merge
from skspectral._estimators.regressor import SpectralMLPRegressor
from skspectral._export.to_onnx import to_onnx
from skspectral._export.to_sklearn import to_sklearn
from skspectral._path.classifier_cv import SpectralMLPClassifierCV
from skspectral._path.path import spectral_path
from skspectral._path.regressor_cv import SpectralMLPRegressorCV
from skspectral._path.size_interval import size_interval
from skspectral._pruning.curve import pruning_curve
from skspectral._pruning.pruner import SpectralPruner
from skspectral._students.classifier import SpectralStudentClassifier
from skspectral._students.regressor import SpectralStudentRegressor
from skspectral._study.matching import (
    match_nodes,
    n_distinct_nodes,
    path_agreement,
    path_magnitudes,
)
from skspectral._study.scorers import n_alive_nodes_score
from skspectral._tables.importances import group_importances

__version__ = "0.1.0"

__all__ = [
    "EffectiveSizeDisplay",
    "FidelityDisplay",
    "NetworkDisplay",
    "NodesDisplay",
    "PathMagnitudesDisplay",
    "PruningCurveDisplay",
    "RelevanceDisplay",
    "SpectralMLPClassifier",
    "SpectralMLPClassifierCV",
    "SpectralMLPRegressor",
    "SpectralMLPRegressorCV",
    "SpectralPathDisplay",
    "SpectralPruner",
    "SpectralStudentClassifier",
    "SpectralStudentRegressor",
    "TrainingDisplay",
    "__version__",
    "fit_many",
    "group_importances",
    "match_nodes",
    "merge",
    "n_alive_nodes_score",
    "n_distinct_nodes",
    "path_agreement",
    "path_magnitudes",
    "pruning_curve",
    "size_interval",
    "spectral_path",
    "to_onnx",
    "to_sklearn",
]
