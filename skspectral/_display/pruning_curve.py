"""Plot of the score against the number of hidden nodes that are kept."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import (
    add_legend,
    draw_band,
    mark_size,
    scale_counts,
    score_name_of,
    single_axes,
)
from skspectral._pruning.curve import pruning_curve
from skspectral._study.final_network import final_network, rows_of_network


class PruningCurveDisplay:
    """Pruning curve: score of the nested smaller networks against their size.

    Create it with :meth:`from_estimator` or :meth:`from_cv_results`. All
    parameters are stored as attributes.

    Parameters
    ----------
    n_nodes : array-like of int of shape (n_sizes,)
        Numbers of hidden nodes that are kept, in all layers together.
    score : array-like of shape (n_sizes,)
        Score of the network of each size, or its mean over splits.
    std_score : array-like of shape (n_sizes,) or None, default=None
        Standard deviation of the score over splits. None, or NaN or zero
        everywhere: there was one split, and no band is drawn.
    score_name : str or None, default=None
        Label of the y axis; None: "score".
    n_chosen : int or None, default=None
        Number of hidden nodes that was chosen, marked by a vertical line.
    n_alive : int or None, default=None
        Number of alive hidden nodes, marked by a vertical line unless it is 0: a
        logarithmic axis has no zero.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that holds them.
    line_ : matplotlib Line2D
        The curve.
    fill_between_ : matplotlib PolyCollection or None
        Band of one standard deviation on either side.
    chosen_line_ : matplotlib Line2D or None
        Vertical line at `n_chosen`.
    alive_line_ : matplotlib Line2D or None
        Vertical line at `n_alive`.

    See Also
    --------
    pruning_curve : Computes the curve of a fitted network.
    SpectralPruner : Computes a cross-validated curve and chooses the size.
    RelevanceDisplay : Draws what the nodes are ranked by.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import PruningCurveDisplay, SpectralMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(32, alpha=1e-2, random_state=0).fit(X, y)
    >>> display = PruningCurveDisplay.from_estimator(reg, X, y, n_nodes=[2, 32])
    >>> display.line_.get_ydata().round(1)
    array([1., 1.])
    >>> display.n_alive
    2
    """

    def __init__(
        self, *, n_nodes, score, std_score=None, score_name=None, n_chosen=None, n_alive=None
    ):
        self.n_nodes = n_nodes
        self.score = score
        self.std_score = std_score
        self.score_name = score_name
        self.n_chosen = n_chosen
        self.n_alive = n_alive

    def plot(self, ax=None, *, line_kw=None, fill_between_kw=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the curve.
        fill_between_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.fill_between` for the band.

        Returns
        -------
        PruningCurveDisplay
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
        scale_counts(ax.xaxis)
        self.line_ = self._draw_line(line_kw or {})
        self.fill_between_ = self._draw_band(fill_between_kw or {})
        self.chosen_line_ = mark_size(ax, self.n_chosen, "chosen", color="0.2", linewidth=1)
        self.alive_line_ = mark_size(
            ax, self.n_alive, "alive", color=self.line_.get_color(), linestyle=":", linewidth=2.5
        )
        ax.set(xlabel="hidden nodes kept", ylabel=self.score_name or "score")
        add_legend(ax)
        return self

    def _draw_line(self, line_kw):
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        # "c" for "color" and other short names would else stand beside our defaults
        style = {"marker": ".", **normalize_kwargs(line_kw, Line2D)}
        (line,) = self.ax_.plot(self.n_nodes, self.score, **style)
        return line

    def _draw_band(self, fill_between_kw):
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.collections import PolyCollection

        # NaN > 0 is False: one split has no spread
        if self.std_score is None or not np.any(np.asarray(self.std_score) > 0):
            return None
        score, std = np.asarray(self.score), np.asarray(self.std_score)
        style = {
            "label": "± 1 standard deviation",
            **normalize_kwargs(fill_between_kw, PolyCollection),
        }
        return draw_band(self.ax_, self.line_, self.n_nodes, score - std, score + std, **style)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        n_nodes=None,
        scoring=None,
        scope="global",
        relevance="spectral",
        random_state=None,
        sample_weight=None,
        ax=None,
        line_kw=None,
    ):
        """Compute the curve of a fitted network and draw it.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
            Pipeline, a search or a SpectralPruner does. The network inside is scored,
            on rows that are transformed as they were for its training.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score on, best unseen in training.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        n_nodes : array-like of int or None, default=None
            Numbers of hidden nodes in all; None: as in :func:`pruning_curve`.
        scoring : str, callable or None, default=None
            As in :func:`sklearn.model_selection.cross_val_score`; None uses the
            `score` of the network. A str also labels the y axis.
        scope : {"global", "layer"}, default="global"
            How layers compete, as in :func:`pruning_curve`.
        relevance : {"spectral", "lambda", "path", "random"}, default="spectral"
            What nodes are ranked by, as in :func:`pruning_curve`.
        random_state : int, RandomState instance or None, default=None
            Source of the random order where relevance is "random".
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows in the score.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the curve.

        Returns
        -------
        PruningCurveDisplay
            The display, drawn, with a line at the number of alive nodes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If there is no network of this package in `estimator`.
        ValueError
            If a parameter is out of range; see :func:`pruning_curve`.
        NotFittedError
            If `estimator` is not fitted.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        # pruning_curve takes networks and pipelines only: hand it what is inside
        network = final_network(estimator)
        X, y = rows_of_network(estimator, X, y)
        curve = pruning_curve(
            network,
            X,
            y,
            n_nodes=n_nodes,
            scoring=scoring,
            scope=scope,
            relevance=relevance,
            random_state=random_state,
            sample_weight=sample_weight,
        )
        display = cls(
            n_nodes=curve.n_nodes,
            score=curve.score,
            score_name=score_name_of(scoring),
            n_alive=sum(network.n_alive_nodes_),
        )
        return display.plot(ax, line_kw=line_kw)

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        n_chosen=None,
        score_name=None,
        ax=None,
        line_kw=None,
        fill_between_kw=None,
    ):
        """Draw the curve that a pruner, or :func:`pruning_curve`, has computed.

        Parameters
        ----------
        cv_results : dict of ndarray of shape (n_sizes,)
            `cv_results_` of a :class:`SpectralPruner`, with `n_nodes`,
            `mean_test_score` and `std_test_score`; or what :func:`pruning_curve`
            returns, with `n_nodes` and `score`.
        n_chosen : int or None, default=None
            Number of hidden nodes in all that was chosen, to be marked. None: the
            smallest size within tolerance, if `cv_results` tells which sizes are.
        score_name : str or None, default=None
            Label of the y axis; None: "score".
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the curve.
        fill_between_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.fill_between` for the band.

        Returns
        -------
        PruningCurveDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `cv_results` lacks the sizes or their scores.
        """
        given = cv_results if isinstance(cv_results, Mapping) else {}
        score = given.get("mean_test_score", given.get("score"))
        if score is None or "n_nodes" not in given:
            raise ValueError(
                "`cv_results` must have the keys 'n_nodes' and 'mean_test_score', as "
                "`cv_results_` of a SpectralPruner with n_nodes='auto' has, or 'n_nodes' and "
                f"'score', as pruning_curve returns; got {sorted(given) or cv_results!r}."
            )
        # argmax: the first True, as sizes increase
        if n_chosen is None and "within_tolerance" in cv_results:
            n_chosen = int(cv_results["n_nodes"][np.argmax(cv_results["within_tolerance"])])
        display = cls(
            n_nodes=cv_results["n_nodes"],
            score=score,
            std_score=cv_results.get("std_test_score"),
            score_name=score_name,
            n_chosen=n_chosen,
        )
        return display.plot(ax, line_kw=line_kw, fill_between_kw=fill_between_kw)
