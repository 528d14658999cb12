"""Plot of alive nodes, loss, penalty and noise over the epochs of training."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import (
    scale_counts,
    scale_counts_from_zero,
    scale_values,
    stacked_axes,
)
from skspectral._estimators.checks import check_has_nodes
from skspectral._estimators.summary import settled_text
from skspectral._study.final_network import final_network
from skspectral._training.counts import count_of
from skspectral._training.history import curve_of, cycle_ends_of

CONTENTS = {
    "n_alive_nodes": "alive nodes",
    "loss": "loss",
    "alpha": "penalty alpha",
    "noise_variance": "noise variance",
}
"""What is drawn, from top to bottom, and the labels of the axes."""


class TrainingDisplay:
    """Alive nodes, loss, penalty and noise over the epochs of training.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    The epoch is marked from which on the number of nodes stayed, and so are the ends of
    the cycles of the learning rate: training ends after a cycle that left size and loss
    as they were. The title tells whether the size has settled.

    Parameters
    ----------
    n_alive_nodes : array-like of shape (n_epochs, n_hidden_layers)
        Alive nodes after each epoch.
    loss : array-like of shape (n_epochs,)
        Penalised loss of each epoch.
    alpha : array-like of shape (n_epochs,) or None, default=None
        Penalty of each epoch, None where it did not move.
    noise_variance : array-like of shape (n_epochs,) or None, default=None
        Noise as it was estimated after each epoch, in units of the loss for regressors;
        None where the penalty did not follow it.
    cycle_ends : array-like of int, default=()
        Epochs after which a cycle of the learning rate ended, counted from 1.
    title : str or None, default=None
        Whether the size has settled.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each of the four quantities that there is.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    RelevanceDisplay : Draws the relevances after training.
    SpectralPathDisplay : Draws size and score against the penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, TrainingDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = np.abs(X[:, 0]) + rng.normal(scale=0.3, size=200)
    >>> reg = SpectralMLPRegressor(random_state=0).fit(X, y)
    >>> display = TrainingDisplay.from_estimator(reg)
    >>> int(display.n_alive_nodes[-1, 0])
    2
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['alive nodes', 'loss', 'penalty alpha', 'noise variance']
    """

    def __init__(
        self, *, n_alive_nodes, loss, alpha=None, noise_variance=None, cycle_ends=(), title=None
    ):
        self.n_alive_nodes = n_alive_nodes
        self.loss = loss
        self.alpha = alpha
        self.noise_variance = noise_variance
        self.cycle_ends = cycle_ends
        self.title = title

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the training of a fitted network.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
            Pipeline, a search or a CV estimator does. Of several members the first is
            drawn, of a CV estimator the path of all rows up to the chosen penalty.
        ax : sequence of matplotlib Axes or None, default=None
            As in :meth:`plot`.

        Returns
        -------
        TrainingDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If there is no network of this package in `estimator`, or `ax` is no Axes.
        NotFittedError
            If it is not fitted.
        ValueError
            If the network has no hidden layer, or `ax` is not as many Axes as there are
            quantities.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        network = final_network(estimator)
        check_has_nodes(network.net_.module.hidden_layer_sizes, "follow")
        history = network.net_.history
        display = cls(
            n_alive_nodes=np.array([row["n_alive_nodes"] for row in history]),
            loss=np.array(network.loss_curve_),
            alpha=curve_of(history, "alpha"),
            noise_variance=curve_of(history, "noise_variance"),
            cycle_ends=cycle_ends_of(history),
            title=verdict(network),
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the curves, one above the other.

        Parameters
        ----------
        ax : sequence of matplotlib Axes or None, default=None
            For alive nodes and loss, and where they are given for penalty and noise;
            None makes a figure.

        Returns
        -------
        TrainingDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        ValueError
            If `ax` is not as many Axes as there are quantities.
        """
        labels = {name: CONTENTS[name] for name in CONTENTS if getattr(self, name) is not None}
        size = (6.4, 1.0 + 1.5 * len(labels))
        caller = f"{type(self).__name__}.plot"
        self.axes_ = stacked_axes(ax, list(labels.values()), caller, figsize=size)
        self.figure_ = self.axes_[0].figure
        for panel, (name, label) in zip(self.axes_, labels.items(), strict=True):
            self._draw(panel, getattr(self, name), label)
        self._mark_size(self.axes_[0])
        self.axes_[-1].set_xlabel("epoch")
        return self

    def _draw(self, ax, values, label):
        """Draw one curve, or one for each hidden layer, on a logarithmic axis."""
        values = np.asarray(values)
        curves = values.T if values.ndim == 2 else [values]
        for layer, curve in enumerate(curves, start=1):
            name = f"hidden layer {layer}" if len(curves) > 1 else None
            ax.plot(np.arange(1, len(curve) + 1), curve, label=name)
        for end in self.cycle_ends:
            ax.axvline(end, color="0.5", linestyle=":", linewidth=1, zorder=0)
        if values.ndim == 1 and np.any(values > 0):
            scale_values(ax.yaxis, values)
        ax.set_ylabel(label)

    def _mark_size(self, ax):
        """Mark since when the size has stayed, and name the ends of cycles."""
        n_nodes = np.asarray(self.n_alive_nodes)
        if n_nodes.min() > 0:
            scale_counts(ax.yaxis, steps=(1, 2, 5))
        else:  # a logarithmic axis has no zero
            scale_counts_from_zero(ax.yaxis, steps=(1, 3))
        ax.set_ylim(0.8 * n_nodes.min(), 1.3 * max(1, n_nodes.max()))
        first, colour = unchanged_since(n_nodes), ax.xaxis.label.get_color()
        label = f"{sizes_text(n_nodes[-1])} from epoch {first} on"
        ax.axvline(first, color=colour, linestyle="--", label=label)
        if len(self.cycle_ends):  # one entry for all of them
            ax.plot([], [], color="0.5", linestyle=":", label="a cycle ends")
        # above, as a curve may be anywhere in the axes
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            borderpad=0.2,
            frameon=False,
            title=self._title(),
            alignment="left",
        )

    def _title(self):
        """Return whether the size has settled, and what the last cycle changed."""
        lines = [] if self.title is None else [self.title]
        if len(self.cycle_ends):
            start = self.cycle_ends[-1] - 1
            before, after = (sizes_text(self.n_alive_nodes[epoch]) for epoch in (start, -1))
            change = f"loss {percent_change(self.loss[start], self.loss[-1])}"
            lines.append(f"Last cycle: {before} before, {after} after; {change}")
        return "\n".join(lines)


def sizes_text(n_alive: Any) -> str:
    """Return the sizes of all hidden layers in words."""
    *others, last = (int(number) for number in n_alive)
    return "".join(f"{number} + " for number in others) + count_of(last, "node")


def percent_change(before: float, after: float) -> str:
    """Return by how much a positive number has changed."""
    if not 0 < before < np.inf or not np.isfinite(after):
        return f"{before:.2g} before, {after:.2g} after"
    return f"{100 * (after / before - 1):+.1f} %".replace("-", "\N{MINUS SIGN}")


def unchanged_since(n_alive_nodes: np.ndarray) -> int:
    """Return the epoch, counted from 1, from which on no layer changes its size."""
    differs = np.any(n_alive_nodes != n_alive_nodes[-1], axis=1)
    return int(np.flatnonzero(differs).max(initial=-1)) + 2


def verdict(network: Any) -> str:
    """Return whether the size of a network has settled."""
    if hasattr(network, "member_settled_"):
        settled, n_alive = network.member_settled_[0], network.member_sizes_[0]
        return f"First of {network.n_members} networks; settled: {settled_text(settled, n_alive)}"
    return f"Settled: {settled_text(network.size_settled_, network.n_alive_nodes_)}"
