"""Plot of what the nodes of a network respond to."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral

import numpy as np

from skspectral._compat import Interval, check_matplotlib_support, validate_params
from skspectral._display.alive import alive_part, output_names
from skspectral._display.axes import check_axes, import_pyplot, single_axes
from skspectral._display.cells import FAINT, draw_bars, draw_cells, draw_curve, write_in_cell
from skspectral._display.columns import read_table
from skspectral._display.node_responses import effects_of, response_to
from skspectral._display.signs import COLOURS, sign_handles

TINY = np.finfo(float).tiny
"""What stands for zero where it would divide."""
LONGEST = 8
"""Letters of a category that fit into a cell."""
BAR = 2.0
"""Width of the longest bar, in cells."""
LEGEND = {
    1: "node rises with the column",
    -1: "node falls as the column rises",
    0: "neither: bends, or categories",
}
MARKS = {1: "+", -1: "\N{MINUS SIGN}", 0: "±"}


class NodesDisplay:
    """What each node of the first hidden layer responds to, and what it does to the prediction.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Each row is a node, each column one of the user's table. The darker a cell, the more
    the node responds to the column, and the curve in it shows how: over the values of
    the column, without the lowest and highest hundredth. Of categories the one is named
    to which the node responds most. To the right the sign with which the node enters the
    prediction, and its share of the variance of the prediction.

    Parameters
    ----------
    node_indices : int array-like of shape (n_nodes,)
        Numbers of the nodes, as in `hidden_layer_sizes`.
    responses : list of ColumnResponse
        One per column: `name`; `values`, numbers or labels; `responses` of the nodes at
        these values, of shape (n_nodes, n_values); their `strengths` and `signs`, of
        shape (n_nodes,).
    shares : array-like of shape (n_nodes,)
        Share of each node in the variance of the prediction.
    effects : array-like of shape (n_nodes, n_outputs)
        Strength with which each node moves each output.
    effect_signs : array-like of shape (n_nodes, n_outputs)
        1 where the output rises with the node, -1 where it falls, 0 where neither.
    output_names : list of str
        Names of the outputs.
    n_nodes : int or None, default=None
        Nodes of the layer, if more than are drawn.
    n_columns : int or None, default=None
        Columns of the table, if more than are drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with heat map and bars.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    NetworkDisplay : Draws the whole network.
    RelevanceDisplay : Draws the relevances of all nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import NodesDisplay, SpectralMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(16, alpha=0.01, random_state=0).fit(X, y)
    >>> display = NodesDisplay.from_estimator(reg, X, feature_names=["a", "b", "c"])
    >>> [response.name for response in display.responses]
    ['a', 'b', 'c']
    >>> display.shares.round(1)
    array([0.5, 0.5])
    """

    def __init__(
        self,
        *,
        node_indices,
        responses,
        shares,
        effects,
        effect_signs,
        output_names,
        n_nodes=None,
        n_columns=None,
    ):
        self.node_indices = node_indices
        self.responses = responses
        self.shares = shares
        self.effects = effects
        self.effect_signs = effect_signs
        self.output_names = output_names
        self.n_nodes = n_nodes
        self.n_columns = n_columns

    @classmethod
    @validate_params(
        {
            "feature_names": ["array-like", None],
            "max_nodes": [Interval(Integral, 1, None, closed="left")],
            "max_columns": [Interval(Integral, 1, None, closed="left")],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls, estimator, X, *, feature_names=None, max_nodes=20, max_columns=12, ax=None
    ):
        """Measure on rows what the nodes do, and draw it.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
            Pipeline, a search or a CV estimator does.
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_columns)
            Rows as `estimator` predicts them, such as those of the training; a few
            thousand are enough.
        feature_names : array-like of str of shape (n_columns,) or None, default=None
            Names of the columns of `X`; None: those of `X` or of the fit.
        max_nodes : int >= 1, default=20
            Nodes to draw, those of the largest share.
        max_columns : int >= 1, default=12
            Columns to draw, those to which the nodes respond most.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NodesDisplay
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
            If `X` is not as in `fit` or predicts a constant, or no node is alive.

        Notes
        -----
        What a column adds to the input of a node is the sum over the encoded columns that
        come from it. Which these are is found by shuffling columns of `X`, so it works
        with any transformer before the network. Encoded columns that mix several, as
        those of PCA do, are drawn under their own names. The strength is the standard
        deviation over rows, divided by the largest of the node. A sign is given where the
        response is monotone: where its rank correlation with the column is 0.9 or more.

        The share of a node is the covariance, with the prediction, of what changes when
        its activation is set to its mean, divided by the variance of the prediction.
        With one hidden layer the shares add up to 1. It is negative for a node that
        works against the others. Several outputs are summed up, each in units of its
        standard deviation; of classifiers the linear outputs (logits) count.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if ax is not None:
            check_axes(ax)
        network, indices = alive_part(estimator)
        inputs, columns = read_table(estimator, X, feature_names)
        effects = effects_of(network, inputs)
        order = np.argsort(-effects.shares, kind="stable")[:max_nodes]
        weights = network.coefs_[0][:, order].astype(np.float64)
        responses = [response_to(column, inputs, weights) for column in columns]
        display = cls(
            node_indices=indices[0][order],
            responses=leading(responses, effects.shares[order], max_columns),
            shares=effects.shares[order],
            effects=effects.strengths[order],
            effect_signs=effects.signs[order],
            output_names=output_names(network),
            n_nodes=len(effects.shares),
            n_columns=len(responses),
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw heat map and bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NodesDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        """
        self.ax_ = self._axes(ax)
        self.figure_ = self.ax_.figure
        colour = self.ax_.xaxis.label.get_color()
        self._draw_responses(colour)
        self._draw_effects(colour)
        draw_bars(self.ax_, self._bars, np.asarray(self.shares), BAR, color=COLOURS[0])
        self._label()
        return self

    def _axes(self, ax):
        """Return the Axes to draw on, of a new figure that has room for all cells if none."""
        caller = f"{type(self).__name__}.plot"
        if ax is not None:
            return single_axes(ax, caller)
        width = len(self.responses) + len(self.output_names) + BAR
        size = (1.8 + 0.48 * width, 1.7 + 0.44 * len(self.shares))
        return import_pyplot(caller).subplots(figsize=size, layout="constrained")[1]

    @property
    def _outputs(self):
        """Where outputs are drawn, in cells."""
        return len(self.responses) + 0.4 + np.arange(len(self.output_names))

    @property
    def _bars(self):
        """Where bars begin, in cells."""
        return self._outputs[-1] + 1

    def _draw_responses(self, colour):
        strengths = np.array([response.strengths for response in self.responses]).T
        signs = np.array([response.signs for response in self.responses]).T
        strengths = strengths / np.maximum(strengths.max(axis=1, keepdims=True), TINY)
        draw_cells(self.ax_, 0, signs, strengths, colour)
        curves = np.array([np.ptp(r.responses, axis=1) for r in self.responses if r.has_numbers])
        for row, column in zip(*np.nonzero(strengths >= FAINT), strict=True):
            response = self.responses[column]
            if response.has_numbers:
                span = max(curves[:, row].max(), TINY)
                draw_curve(self.ax_, (column, row), response.responses[row], span, color=colour)
            else:
                label = response.values[response.responses[row].argmax()]
                write_in_cell(self.ax_, (column, row), shortened(label), fontsize="x-small")

    def _draw_effects(self, colour):
        effects, signs = np.asarray(self.effects), np.asarray(self.effect_signs)
        strengths = effects / max(effects.max(), TINY)
        draw_cells(self.ax_, self._outputs[0], signs, strengths, colour)
        for (row, column), sign in np.ndenumerate(signs):
            if strengths[row, column] >= FAINT / 2:
                write_in_cell(self.ax_, (self._outputs[column], row), MARKS[sign])

    def _label(self):
        n_columns, n_nodes = len(self.responses), len(self.shares)
        names = [response.name for response in self.responses] + list(self.output_names)
        ax = self.ax_
        ax.set_xticks([*range(n_columns), *self._outputs], names)
        ax.set_yticks(range(n_nodes), [f"node {index}" for index in self.node_indices])
        ax.tick_params(length=0)
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
        ax.text(self._bars, n_nodes - 0.3, "share of\nvariance", va="top")
        ax.set(xlim=(-0.5, self._bars + BAR + 0.6), ylim=(n_nodes - 0.5, -0.5))
        ax.spines[:].set_visible(False)
        shown = np.unique([response.signs for response in self.responses])
        ax.legend(
            handles=sign_handles(LEGEND, shown),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderpad=0,
            frameon=False,
            title=self._title(),
            alignment="left",
        )

    def _title(self):
        """Return what the lines are, and how many nodes and columns are drawn if not all."""
        drawn = [
            (len(self.shares), self.n_nodes, "nodes"),
            (len(self.responses), self.n_columns, "columns"),
        ]
        said = [f"{n} of {n_all} {what}" for n, n_all, what in drawn if n_all and n < n_all]
        return "\n".join([*said, "Line: the node over the values of the column"])


def leading(responses, shares, max_columns):
    """Return the responses to the columns that matter most, in the order of the table.

    Parameters
    ----------
    responses : list of ColumnResponse
    shares : ndarray of shape (n_nodes,)
        Of the variance of the prediction.
    max_columns : int
    """
    squares = np.array([response.strengths**2 for response in responses])
    of_columns = squares / np.maximum(squares.sum(axis=0), TINY) @ np.maximum(shares, 0)
    order = np.argsort(-of_columns, kind="stable")[:max_columns]
    return [responses[index] for index in np.sort(order)]


def shortened(label):
    """Return a label that fits into a cell."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
