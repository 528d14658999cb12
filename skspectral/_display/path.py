"""Plot of score and size along a path of penalties."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import (
    add_legend,
    draw_band,
    scale_counts_from_zero,
    score_name_of,
    stacked_axes,
)
from skspectral._selection.choice_text import interval_text
from skspectral._selection.row_scores import named_scoring
from skspectral._study.final_network import PATH_ESTIMATORS, final_network
from skspectral._training.counts import count_of

WIDE = 10
"""Ratio of the most to the fewest nodes above which the axis of the nodes is logarithmic."""

FEW = 6
"""Penalties up to which each has a tick of its own."""


class SpectralPathDisplay:
    """Score and number of alive nodes against the penalty.

    Create it with :meth:`from_estimator` or :meth:`from_path`. All parameters are
    stored as attributes.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        Penalties, increasing.
    n_alive_nodes : array-like of shape (n_alphas,)
        Alive nodes of all hidden layers, or their mean over folds.
    score : array-like of shape (n_alphas,)
        Score, its mean over folds, or a loss.
    std_n_alive_nodes : array-like of shape (n_alphas,) or None, default=None
        Standard deviation over folds, drawn as a band.
    std_score : array-like of shape (n_alphas,) or None, default=None
        Standard deviation over folds, drawn as a band.
    score_name : str, default="score"
        Label of the axis.
    alpha : float or None, default=None
        The penalty that was chosen, marked unless it is 0: a logarithmic axis has
        no zero.
    n_chosen : int or None, default=None
        Alive nodes of the network that was chosen, marked at `alpha`.
    best_alpha : float or None, default=None
        The penalty of the best score, marked unless it is 0.
    margin : array-like of shape (n_alphas,) or None, default=None
        How far each score may lie below the best to be chosen, shaded.
    interval : tuple of (int, int) or None, default=None
        Least and most nodes around the chosen penalty, shaded.
    identified : bool, default=False
        Whether the interval tells the size of the task, for the legend.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Matplotlib axes of the score and of the nodes.
    figure_ : matplotlib Figure
        The figure.
    score_line_, nodes_line_ : matplotlib Line2D
        The two curves.

    See Also
    --------
    SpectralMLPRegressorCV : Chooses the penalty.
    spectral_path : The path of one network.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, SpectralPathDisplay, spectral_path
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> y = np.abs(X[:, 0])
    >>> network = SpectralMLPRegressor(8, max_iter=50, random_state=0)
    >>> path = spectral_path(X, y, estimator=network, alphas=[1e-2, 10])
    >>> display = SpectralPathDisplay.from_path(path)
    >>> display.nodes_line_.get_xdata()
    array([ 0.01, 10.  ])
    """

    def __init__(
        self,
        *,
        alphas,
        n_alive_nodes,
        score,
        std_n_alive_nodes=None,
        std_score=None,
        score_name="score",
        alpha=None,
        n_chosen=None,
        best_alpha=None,
        margin=None,
        interval=None,
        identified=False,
    ):
        self.alphas = alphas
        self.n_alive_nodes = n_alive_nodes
        self.score = score
        self.std_n_alive_nodes = std_n_alive_nodes
        self.std_score = std_score
        self.score_name = score_name
        self.alpha = alpha
        self.n_chosen = n_chosen
        self.best_alpha = best_alpha
        self.margin = margin
        self.interval = interval
        self.identified = identified

    def plot(self, ax=None, *, line_kw=None):
        """Draw both curves.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes or None, default=None
            For the score and for the nodes; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        SpectralPathDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        ValueError
            If `ax` is not two Axes.
        """
        contents = ("the score", "the number of nodes")
        self.axes_ = stacked_axes(ax, contents, f"{type(self).__name__}.plot")
        top, bottom = self.axes_
        self.figure_ = top.figure
        self.score_line_ = self._draw(top, self.score, self.std_score, line_kw)
        self.nodes_line_ = self._draw(bottom, self.n_alive_nodes, self.std_n_alive_nodes, line_kw)
        self._scale_nodes(bottom)
        self._mark(top, bottom)
        top.set(ylabel=self.score_name)
        bottom.set(xlabel="penalty alpha", ylabel="alive nodes")
        return self

    def _draw(self, ax, values, std, line_kw):
        """Draw one curve with its band; the axis has no place for a penalty of zero."""
        alphas, values = np.asarray(self.alphas, dtype=float), np.asarray(values)
        (line,) = ax.plot(alphas, values, **{"marker": ".", **(line_kw or {})})
        if std is not None and np.any(np.asarray(std) > 0):  # the path of one network has none
            label = "± 1 standard deviation over folds"
            draw_band(ax, line, alphas, values - std, values + std, label=label)
        ax.set_xscale("log")
        if len(alphas) <= FEW:  # ticks of a logarithmic axis overlap within one order
            ax.set_xticks(alphas, [f"{alpha:.2g}" for alpha in alphas])
            ax.minorticks_off()
        return line

    def _scale_nodes(self, ax):
        """Give few sizes of one order a plain axis, a whole path one that shows all orders."""
        from matplotlib.ticker import MaxNLocator

        nodes = np.asarray(self.n_alive_nodes, dtype=float)
        if nodes.min() * WIDE < nodes.max():
            scale_counts_from_zero(ax.yaxis)
        else:
            ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        marks = [*(self.interval or ()), self.n_chosen or 0]
        ax.set_ylim(0, 1.2 * max(1, nodes.max(), *marks))

    def _mark(self, top, bottom):
        band = {"color": "0.5", "alpha": 0.2, "linewidth": 0, "zorder": 0}  # behind the curves
        if self.margin is not None:
            best = np.nanmax(self.score)
            lowest = best - np.asarray(self.margin)
            top.fill_between(self.alphas, lowest, best, label="margin of the choice", **band)
        if self.interval is not None:
            least, most = self.interval
            span = interval_text(self.interval)
            label = f"{span}: {'identified' if self.identified else 'not identified'}"
            # half a node on either side, or an interval of one size could not be seen
            bottom.axhspan(least - 0.5, most + 0.5, label=label, **band)
        if self.best_alpha:
            label = f"best: {self.best_alpha:.2g}"
            top.plot(self.best_alpha, np.nanmax(self.score), "*", color="0.2", ms=10, label=label)
        if self.alpha:  # a logarithmic axis has no zero
            for ax in (top, bottom):
                ax.axvline(self.alpha, color="0.2", linewidth=1, zorder=1)
        if self.alpha and self.n_chosen is not None:
            label = f"chosen: {count_of(self.n_chosen, 'node')}"
            bottom.plot(self.alpha, self.n_chosen, "o", color="0.2", label=label)
        for ax in (top, bottom):
            add_legend(ax)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw the cross-validated path of a fitted estimator.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressorCV or SpectralMLPClassifierCV, or what holds one,
            as a Pipeline or a search does. For the path of one network see
            :meth:`from_path`.
        ax : sequence of two matplotlib Axes or None, default=None
            For the score and for the nodes; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        SpectralPathDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `estimator` has no cross-validated path.
        NotFittedError
            If `estimator` is not fitted.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = final_network(estimator, PATH_ESTIMATORS)
        results = model.cv_results_
        display = cls(
            alphas=results["alpha"],
            n_alive_nodes=results["mean_n_alive_nodes"],
            std_n_alive_nodes=results["std_n_alive_nodes"],
            score=results["mean_test_score"],
            std_score=results["std_test_score"],
            score_name=score_name_of(named_scoring(model.scoring, model)),
            alpha=model.alpha_,
            n_chosen=sum(model.n_alive_nodes_),
            best_alpha=results["alpha"][np.nanargmax(results["mean_test_score"])],
            # "best" has no margin to be within
            margin=results["margin"] if model.selection == "1se" else None,
            interval=tuple(np.sum(model.size_interval_, axis=0)),
            identified=model.size_identified_,
        )
        return display.plot(ax, line_kw=line_kw)

    @classmethod
    def from_path(cls, path, *, ax=None, line_kw=None):
        """Draw the path of one network.

        Parameters
        ----------
        path : :class:`~sklearn.utils.Bunch`
            As :func:`spectral_path` returns it. The loss on the validation rows is
            drawn, or that on the training rows where there are none.
        ax : sequence of two matplotlib Axes or None, default=None
            For the loss and for the nodes; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        SpectralPathDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `path` is something else.
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        keys = path if isinstance(path, Mapping) else ()
        missing = {"alphas", "n_alive_nodes", "train_loss"} - set(keys)
        if missing:
            raise ValueError(
                f"`path` must be what spectral_path returns; it has no {sorted(missing)}."
            )
        # rows that the network has not seen tell which penalty is too small
        which = "validation_loss" if "validation_loss" in path else "train_loss"
        display = cls(
            alphas=path["alphas"],
            n_alive_nodes=np.sum(path["n_alive_nodes"], axis=1),
            score=path[which],
            score_name=which.replace("_", " "),
        )
        return display.plot(ax, line_kw=line_kw)
