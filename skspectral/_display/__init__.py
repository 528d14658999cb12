"""Displays: plots of pruning curves, relevances, paths, students and studies of sizes."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._display.effective_size import EffectiveSizeDisplay
from skspectral._display.fidelity import FidelityDisplay
from skspectral._display.network import NetworkDisplay
from skspectral._display.nodes import NodesDisplay
from skspectral._display.path import SpectralPathDisplay
from skspectral._display.path_magnitudes import PathMagnitudesDisplay
from skspectral._display.pruning_curve import PruningCurveDisplay
from skspectral._display.relevance import RelevanceDisplay
from skspectral._display.training import TrainingDisplay

__all__ = [
    "EffectiveSizeDisplay",
    "FidelityDisplay",
    "NetworkDisplay",
    "NodesDisplay",
    "PathMagnitudesDisplay",
    "PruningCurveDisplay",
    "RelevanceDisplay",
    "SpectralPathDisplay",
    "TrainingDisplay",
]
