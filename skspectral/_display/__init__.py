"""Displays: plots of pruning curves, relevances, paths, students and studies of sizes."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._display.effective_size import EffectiveSizeDisplay
from skspectral._display.fidelity import FidelityDisplay
from skspectral._display.path import SpectralPathDisplay
from skspectral._display.path_magnitudes import PathMagnitudesDisplay
from skspectral._display.pruning_curve import PruningCurveDisplay
from skspectral._display.relevance import RelevanceDisplay

__all__ = [
    "EffectiveSizeDisplay",
    "FidelityDisplay",
    "PathMagnitudesDisplay",
    "PruningCurveDisplay",
    "RelevanceDisplay",
    "SpectralPathDisplay",
]
