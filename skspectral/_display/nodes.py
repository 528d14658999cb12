"""Plot of what the nodes of a network respond to."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral

import numpy as np

from skspectral._compat import Interval, check_matplotlib_support, validate_params
from skspectral._display.alive import alive_part, output_names
from skspectral._display.axes import check_axes, single_axes
from skspectral._display.cells import percent
from skspectral._display.columns import read_table
from skspectral._display.input_weights import leading, strongest
from skspectral._display.node_map import (
    GAP,
    draw_effects,
    draw_responses,
    draw_shares,
    map_width,
)
from skspectral._display.node_responses import effects_of, response_to, strengths_of
from skspectral._display.signs import sign_handles

MOST_CURVES = 10
"""Nodes whose curves are drawn over a column: there are as many colours."""
LEGEND = {
    1: "node rises with the column",
    -1: "node falls as the column rises",
    0: "neither: bends, or categories",
}


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
        Columns of the table that vary, if more than are drawn.
    n_outputs : int or None, default=None
        Outputs of the network, if more than are drawn.

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
    array([0.6, 0.4])
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
        n_outputs=None,
    ):
        self.node_indices = node_indices
        self.responses = responses
        self.shares = shares
        self.effects = effects
        self.effect_signs = effect_signs
        self.output_names = output_names
        self.n_nodes = n_nodes
        self.n_columns = n_columns
        self.n_outputs = n_outputs

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
            Columns to draw, those to which the nodes respond most; and outputs, those
            that move most.
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
        With one hidden layer the shares add up to 1, less the share of a linear skip, which
        is not drawn. It is negative for a node that
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
        shares = effects.shares[order]
        drawn = leading(strengths_of(columns, inputs, weights), shares, max_columns)
        names, outputs = output_names(network), strongest(effects.strengths.T, max_columns)
        display = cls(
            node_indices=indices[0][order],
            responses=[response_to(columns[index], inputs, weights) for index in drawn],
            shares=shares,
            effects=effects.strengths[order][:, outputs],
            effect_signs=effects.signs[order][:, outputs],
            output_names=[names[index] for index in outputs],
            n_nodes=len(effects.shares),
            n_columns=len(columns),
            n_outputs=len(names),
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
        responses, shares = self.responses, np.asarray(self.shares)
        n_columns, n_outputs = len(responses), len(self.output_names)
        room = (1.3 + 0.48 * map_width(n_columns, n_outputs), 1.9 + 0.44 * len(shares))
        self.ax_ = single_axes(ax, f"{type(self).__name__}.plot", figsize=room)
        self.figure_ = self.ax_.figure
        outputs = n_columns + GAP + np.arange(n_outputs)
        draw_responses(self.ax_, responses)
        draw_effects(self.ax_, outputs[0], np.asarray(self.effects), np.asarray(self.effect_signs))
        draw_shares(self.ax_, outputs[-1] + 1, shares)
        self._label_cells([*range(n_columns), *outputs])
        self._add_legend()
        return self

    def plot_column(self, column, ax=None):
        """Draw how the nodes respond to one column, over its values.

        Parameters
        ----------
        column : str
            Name of a column that is drawn by :meth:`plot`.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
            The Axes, with a curve or, for categories, points for each node, but no more
            than ten. The response is in units of the node's widest over all columns.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        ValueError
            If no such column is drawn.
        """
        found = [response for response in self.responses if response.name == column]
        if not found:
            names = [response.name for response in self.responses]
            raise ValueError(f"`column` must be one of {names}; got {column!r}.")
        ax = single_axes(ax, f"{type(self).__name__}.plot_column")
        style = {} if found[0].has_numbers else {"marker": "o", "linestyle": ""}
        for row, index in enumerate(self.node_indices[:MOST_CURVES]):
            scale = max(np.ptp(response.responses[row]) for response in self.responses) or 1.0
            curve = found[0].responses[row] / scale
            label = f"node {index} ({percent(self.shares[row])})"
            ax.plot(found[0].values, curve, label=label, **style)
        ax.set(xlabel=column, ylabel="response of the node")
        # above, as curves may be anywhere in the axes
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
        return ax

    def _label_cells(self, places):
        """Name the rows and columns of both heat maps."""
        names = [response.name for response in self.responses] + list(self.output_names)
        n_columns, n_nodes, ax = len(self.responses), len(self.shares), self.ax_
        ax.set_xticks(places, names)
        ax.set_yticks(range(n_nodes), [f"node {index}" for index in self.node_indices])
        ax.tick_params(length=0)
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
        # one half for half a cell on the left, and room for the percentage on the right
        right = map_width(n_columns, len(self.output_names)) + 0.1
        ax.set(xlim=(-0.5, right), ylim=(n_nodes - 0.5, -0.5))
        ax.spines[:].set_visible(False)

    def _add_legend(self):
        self.ax_.legend(
            handles=sign_handles(LEGEND, [response.signs for response in self.responses]),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderpad=0,
            frameon=False,
            title=self._title(),
            alignment="left",
        )

    def _title(self):
        """Return what the lines are, and how much is drawn if not all."""
        drawn = [
            (len(self.shares), self.n_nodes, "nodes"),
            (len(self.responses), self.n_columns, "columns"),
            (len(self.output_names), self.n_outputs, "outputs"),
        ]
        said = [f"{n} of {n_all} {what}" for n, n_all, what in drawn if n_all and n < n_all]
        about_lines = "Line: response of the node over the values of the column"
        return "\n".join([", ".join(said), about_lines] if said else [about_lines])
