"""Displays: plots of pruning curves and of relevances."""

# SPDX-License-Identifier: BSD-3-Clause

from skspectral._display._path import SpectralPathDisplay
from skspectral._display._pruning_curve import PruningCurveDisplay
from skspectral._display._relevance import RelevanceDisplay

__all__ = ["PruningCurveDisplay", "RelevanceDisplay", "SpectralPathDisplay"]
