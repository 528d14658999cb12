"""Plot of the relevances of the hidden nodes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import check_axes, import_pyplot, scale_counts
from skspectral._estimators.ranking import share_of_largest
from skspectral._study.final_network import final_network

TICKS = (-8, -6, -4, -2, 0)
"""Powers of ten on the axis of the share of the largest relevance."""
FLOOR = 10.0 ** TICKS[0]
"""Share of the largest relevance below which all nodes are drawn at one height."""
BINS = np.linspace(0, 1, 41)
"""Edges of the histogram."""


def draw_spectrum(ax: Any, share: np.ndarray, threshold: float, bottom: float) -> None:
    """Draw relevances in decreasing order, both axes logarithmic.

    Parameters
    ----------
    ax : matplotlib Axes
    share : ndarray of shape (n_nodes,)
        As :func:`share_of_largest` returns it.
    threshold : float
    bottom : float
        Smallest share that the axis must show; it is clipped to `FLOOR` and 0.01.
    """
    scale_counts(ax.xaxis, steps=(1, 3))
    ax.set(
        yscale="log",
        yticks=[10.0**exponent for exponent in TICKS],
        yticklabels=[
            f"$\\leq 10^{{{TICKS[0]}}}$",
            *(f"$10^{{{exponent}}}$" for exponent in TICKS[1:]),
        ],
        ylabel="relevance / largest",
    )
    ax.set_yticks([], minor=True)  # eight powers of ten leave no room for them
    ranks = np.arange(1, len(share) + 1)
    # exact zeros would be left out of a logarithmic axis, and with them most of the nodes
    ax.plot(ranks, np.maximum(np.sort(share)[::-1], FLOOR), ".", color="tab:blue")
    ax.axhline(max(threshold, FLOOR), color="0.3", linestyle=":", label=f"threshold {threshold:g}")
    ax.set_ylim(np.clip(bottom, FLOOR, 0.01) / 2, 2)


def draw_histogram(ax: Any, share: np.ndarray, threshold: float) -> None:
    """Draw the histogram of relevances, with logarithmic counts; see :func:`draw_spectrum`."""
    # logarithmic: hundreds of dead nodes in the first bin would hide the few that are alive
    scale_counts(ax.yaxis, steps=(1, 3))
    ax.hist(share, bins=BINS, color="tab:blue")
    ax.axvline(threshold, color="0.3", linestyle=":", label=f"threshold {threshold:g}")
    ax.set(xlim=(-0.02, 1.02), ylim=(0.5, None), ylabel="nodes")


class RelevanceDisplay:
    """Relevances of the hidden nodes: sorted spectrum and histogram of each layer.

    Create it with :meth:`from_estimator`. All parameters are stored as
    attributes. A layer that started too wide shows two groups of nodes: a few with
    large relevance, and many near zero. The threshold lies in the gap between.

    Parameters
    ----------
    relevance : list of array-like of shape (n_nodes,)
        Relevance of the nodes, one array per hidden layer.
    threshold : float in [0, 1)
        Fraction of the largest relevance of the layer above which nodes are alive.
    n_alive : list of int or None, default=None
        Alive nodes per hidden layer; None: those whose relevance exceeds the
        threshold.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_layers, 2)
        Spectrum and histogram of each layer.
    bounding_ax_ : matplotlib Axes or None
        The Axes that were split.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    PruningCurveDisplay : Draws the score against the number of nodes.
    SpectralMLPRegressor : Its `feature_relevance_` holds the relevances.

    Notes
    -----
    Relevances are divided by the largest of their layer. The spectrum has a
    logarithmic axis, on which shares of 1e-8 and less, exact zeros among them,
    are drawn at 1e-8.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import RelevanceDisplay, SpectralMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(32, alpha=1e-2, random_state=0).fit(X, y)
    >>> display = RelevanceDisplay.from_estimator(reg)
    >>> display.axes_.shape
    (1, 2)
    >>> display.n_alive
    [2]
    """

    def __init__(self, *, relevance, threshold, n_alive=None):
        self.relevance = relevance
        self.threshold = threshold
        self.n_alive = n_alive

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the relevances of a fitted network.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
            Pipeline, a search or a SpectralPruner does. Of a pruner the smaller network,
            its `estimator_`, is drawn.
        ax : matplotlib Axes, array of them of shape (n_layers, 2) or None, default=None
            As in :meth:`plot`.

        Returns
        -------
        RelevanceDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If there is no network of this package in `estimator`.
        ValueError
            If it has no hidden layer, or `ax` does not fit.
        NotFittedError
            If it is not fitted.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        network = final_network(estimator)
        display = cls(
            relevance=network.feature_relevance_,
            threshold=network.net_.relevance_threshold,
            n_alive=network.n_alive_nodes_,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw a spectrum and a histogram for each hidden layer.

        Parameters
        ----------
        ax : matplotlib Axes, array of them of shape (n_layers, 2) or None, default=None
            Axes of a subplot, which are switched off and split into rows and
            columns, or the Axes to draw on; None makes a figure.

        Returns
        -------
        RelevanceDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        ValueError
            If there is no hidden layer, or `ax` does not fit.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        if not len(self.relevance):  # before a figure is made, which would stay open
            raise ValueError("Expected at least one hidden layer to draw; the network has none.")
        self.axes_, self.bounding_ax_ = self._axes(ax, plt)
        self.figure_ = self.axes_[0, 0].figure
        shares = [share_of_largest(np.asarray(r, dtype=np.float64)) for r in self.relevance]
        # one range for all layers, so that their spectra can be compared
        smallest = min(self.threshold, *(share.min() for share in shares))
        for index, (panels, share) in enumerate(zip(self.axes_, shares, strict=True)):
            draw_spectrum(panels[0], share, self.threshold, smallest)
            draw_histogram(panels[1], share, self.threshold)
            panels[0].set_title(self._title(index, share), loc="left")
        self.axes_[-1, 0].set_xlabel("rank of the node")
        self.axes_[-1, 1].set_xlabel("relevance / largest")
        self.axes_[0, 0].legend()
        return self

    def _title(self, index, share):
        # fit also calls a node dead that fell to 1e-4 of the layer's start: see n_alive_nodes_
        if self.n_alive is None:
            n_alive = np.count_nonzero(share > self.threshold)
        else:
            n_alive = self.n_alive[index]
        return f"hidden layer {index + 1}: {n_alive} of {len(share)} nodes alive"

    def _axes(self, ax, plt):
        """Return the Axes to draw on, ndarray of shape (n_layers, 2), and those they split."""
        shape = (len(self.relevance), 2)
        if ax is None:
            size = (9, 0.4 + 2.6 * shape[0])
            return plt.subplots(*shape, squeeze=False, figsize=size, layout="constrained")[1], None
        if isinstance(ax, plt.Axes):
            return split_axes(ax, shape), ax
        axes = np.asarray(ax, dtype=object)
        for one in axes.flat:
            check_axes(one)
        if axes.shape != shape:
            raise ValueError(
                f"`ax` must be one Axes or an array of them of shape {shape}, two for each hidden "
                f"layer; got shape {axes.shape}. plt.subplots({shape[0]}, 2, squeeze=False) "
                "makes them."
            )
        return axes, None


def split_axes(ax: Any, shape: tuple[int, int]) -> np.ndarray:
    """Switch the Axes of a subplot off, and return those that take its place.

    Raises
    ------
    ValueError
        If `ax` is in no grid, or has been split before.
    """
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    if not ax.axison:
        raise ValueError(
            "`ax` was switched off by an earlier plot; give ax=display.axes_ instead."
        )
    place = ax.get_subplotspec()  # None for Axes that were placed by hand
    if place is None:
        raise ValueError(
            "`ax` must be in a grid, as those that plt.subplots makes, to be split; give an "
            f"array of Axes of shape {shape} instead."
        )
    # off, but not removed: its place in the grid holds the layout of the figure
    ax.set_axis_off()
    grid = GridSpecFromSubplotSpec(*shape, subplot_spec=place)
    panels = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        panels[index] = ax.figure.add_subplot(grid[index])
    return panels
