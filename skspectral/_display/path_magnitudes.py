"""Plot of the path magnitudes of a student and its teacher."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import add_legend, single_axes
from skspectral._study.matching import agreement, path_magnitudes

MOST_POINTS = 1000
"""Points that are drawn of a curve."""
LOWEST = 1e-4
"""Share of the largest magnitude below which nothing is drawn."""


def thinned(n_points: int) -> np.ndarray:
    """Return at most `MOST_POINTS` indices below `n_points`, evenly spaced."""
    # a network may have millions of paths, more than a plot can show or a file should hold
    return np.unique(np.linspace(0, n_points - 1, MOST_POINTS).round().astype(int))


class PathMagnitudesDisplay:
    """Magnitudes of the paths of two networks, strongest first.

    Create it with :meth:`from_estimators`. All parameters are stored as
    attributes.

    Parameters
    ----------
    magnitudes : list of ndarray of shape (n_paths,)
        One per network, decreasing.
    labels : list of str
        Names of the networks.
    path_agreement : float or None, default=None
        Agreement of the two, shown in the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The curves.

    See Also
    --------
    path_magnitudes : Computes them.
    path_agreement : Compares them.

    Examples
    --------
    >>> from skspectral import PathMagnitudesDisplay
    >>> from skspectral.datasets import make_teacher_student
    >>> teacher = make_teacher_student(10, random_state=0).teacher
    >>> display = PathMagnitudesDisplay.from_estimators(teacher, teacher)
    >>> display.path_agreement
    1.0
    """

    def __init__(
        self,
        *,
        magnitudes: Sequence[np.ndarray],
        labels: Sequence[str],
        path_agreement: float | None = None,
    ):
        self.magnitudes = magnitudes
        self.labels = labels
        self.path_agreement = path_agreement

    def plot(self, ax: Any = None, *, line_kw: dict[str, Any] | None = None):
        """Draw the curves, both axes logarithmic.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        PathMagnitudesDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        """
        ax = single_axes(ax, f"{type(self).__name__}.plot")
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_ = []
        for label, magnitudes in zip(self.labels, self.magnitudes, strict=True):
            ranks = thinned(len(magnitudes)) if len(magnitudes) else np.empty(0, dtype=int)
            # the number is in the label, as a thinned curve does not show it
            name = f"{label}: {len(magnitudes):,} paths"
            self.lines_ += ax.plot(
                ranks + 1, magnitudes[ranks], **{"label": name, **(line_kw or {})}
            )
        largest = max(m.max(initial=0.0) for m in self.magnitudes)
        if largest > 0:  # else both networks are constant, and there is nothing to scale to
            ax.set_ylim(LOWEST * largest, 2 * largest)
        ax.set(yscale="log", xlabel="path, strongest first", ylabel="magnitude")
        if self.path_agreement is not None:
            ax.set_title(f"agreement {self.path_agreement:.2f}")
        add_legend(ax)
        return self

    @classmethod
    def from_estimators(cls, student, teacher, *, ax=None, line_kw=None):
        """Compute the magnitudes of two networks and draw them.

        Parameters
        ----------
        student, teacher : object
            Fitted networks, as for :func:`match_nodes`.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        PathMagnitudesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If there is no network in one of them.
        ValueError
            If one has more than 50 million paths.
        NotFittedError
            If one is not fitted.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimators")
        magnitudes = [path_magnitudes(network) for network in (student, teacher)]
        display = cls(
            magnitudes=magnitudes,
            labels=["student", "teacher"],
            path_agreement=agreement(*magnitudes),
        )
        return display.plot(ax, line_kw=line_kw)
