"""Diagram of the nodes that are left in a network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral

import numpy as np

from skspectral._compat import Interval, check_matplotlib_support, validate_params
from skspectral._display.alive import alive_part, output_names
from skspectral._display.axes import check_axes, single_axes
from skspectral._display.diagram import draw_lines, draw_nodes
from skspectral._display.input_weights import weights_of_columns, weights_of_inputs
from skspectral._display.signs import sign_handles
from skspectral._training.counts import count_of

LEGEND = {1: "raises", -1: "lowers", 0: "neither: bends, or categories"}


class NetworkDisplay:
    """The network that is left: its inputs, alive nodes, outputs and the weights between.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    A line is the wider, the larger the weight, compared with the largest of its layer;
    its colour is the sign. Dotted lines are those of a linear skip. A node is the larger,
    the more relevant it is in its layer.

    Parameters
    ----------
    strengths : list of array-like of shape (n_in, n_out)
        Absolute weights from layer to layer.
    signs : list of array-like of shape (n_in, n_out)
        1 or -1, the signs of the weights; 0 where a line has none, as that from a
        column to which a node does not respond in one direction.
    relevances : list of array-like of shape (n_nodes,)
        Relevance of the nodes, one array per hidden layer.
    node_indices : list of array-like of shape (n_nodes,)
        Numbers of the nodes, as in `hidden_layer_sizes`.
    input_names : list of str
        Names of the inputs.
    output_names : list of str
        Names of the outputs.
    n_inputs : int or None, default=None
        Number of inputs, if more than are drawn.
    skip_strengths, skip_signs : array-like of shape (n_inputs, n_outputs) or None, default=None
        The same of a linear skip, which is drawn dotted. None: there is none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the diagram.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    NodesDisplay : Draws what each node responds to.
    RelevanceDisplay : Draws the relevances of all nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import NetworkDisplay, SpectralMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(16, alpha=0.01, random_state=0).fit(X, y)
    >>> display = NetworkDisplay.from_estimator(reg, feature_names=["a", "b", "c"])
    >>> [weights.shape for weights in display.strengths]
    [(3, 2), (2, 1)]
    """

    def __init__(
        self,
        *,
        strengths,
        signs,
        relevances,
        node_indices,
        input_names,
        output_names,
        n_inputs=None,
        skip_strengths=None,
        skip_signs=None,
    ):
        self.strengths = strengths
        self.signs = signs
        self.relevances = relevances
        self.node_indices = node_indices
        self.input_names = input_names
        self.output_names = output_names
        self.n_inputs = n_inputs
        self.skip_strengths = skip_strengths
        self.skip_signs = skip_signs

    @classmethod
    @validate_params(
        {
            "feature_names": ["array-like", None],
            "max_inputs": [Interval(Integral, 1, None, closed="left")],
            "max_nodes": [Interval(Integral, 1, None, closed="left")],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls, estimator, X=None, *, feature_names=None, max_inputs=12, max_nodes=30, ax=None
    ):
        """Draw the alive nodes of a fitted network.

        Parameters
        ----------
        estimator : object
            Fitted SpectralMLPRegressor or SpectralMLPClassifier, or what holds one, as a
            Pipeline, a search or a CV estimator does.
        X : {array-like, sparse matrix, data frame} or None, default=None
            Rows as `estimator` predicts them, of shape (n_samples, n_columns). With them
            the inputs of the diagram are the columns of `X`: what a transformer made of
            a column is grouped as in :meth:`NodesDisplay.from_estimator`. Without them
            they are the inputs of the network itself.
        feature_names : array-like of str or None, default=None
            Names of the columns of `X`, or without `X` of the inputs of the network;
            None: those of `X` or of the fit.
        max_inputs : int >= 1, default=12
            Inputs to draw, those of the largest weights.
        max_nodes : int >= 1, default=30
            Nodes of a layer, and outputs, that may be drawn.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NetworkDisplay
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
            If a layer has more nodes than `max_nodes`, no node is alive, or `X` is not as
            in `fit`.

        Notes
        -----
        The weights of an input are multiplied by its standard deviation, so that inputs
        can be compared.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if ax is not None:
            check_axes(ax)
        network, indices = alive_part(estimator)
        check_drawable([*map(len, indices), network.n_outputs_], max_nodes)
        if X is None:
            inputs = weights_of_inputs(estimator, network, feature_names, max_inputs)
        else:
            inputs = weights_of_columns(estimator, network, X, feature_names, max_inputs)
        n_nodes = network.coefs_[0].shape[1]
        has_skip = network.skip_coef_ is not None
        display = cls(
            strengths=[inputs.strengths[:, :n_nodes], *map(np.abs, network.coefs_[1:])],
            signs=[inputs.signs[:, :n_nodes], *map(np.sign, network.coefs_[1:])],
            relevances=network.feature_relevance_,
            node_indices=indices,
            input_names=inputs.names,
            output_names=output_names(network),
            n_inputs=inputs.n_all,
            skip_strengths=inputs.strengths[:, n_nodes:] if has_skip else None,
            skip_signs=inputs.signs[:, n_nodes:] if has_skip else None,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        NetworkDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is no Axes.
        """
        sizes = [len(self.input_names), *map(len, self.node_indices), len(self.output_names)]
        room = (2.6 + 1.7 * len(self.strengths), 1.4 + 0.3 * max(5, *sizes))
        self.ax_ = single_axes(ax, f"{type(self).__name__}.plot", figsize=room)
        self.figure_ = self.ax_.figure
        heights = [np.arange(size) - (size - 1) / 2 for size in sizes]
        for layer, (strengths, signs) in enumerate(zip(self.strengths, self.signs, strict=True)):
            ends = heights[layer : layer + 2]
            draw_lines(self.ax_, layer, ends, np.asarray(strengths), np.asarray(signs))
        if self.skip_strengths is not None:
            strengths, signs = np.asarray(self.skip_strengths), np.asarray(self.skip_signs)
            ends = [heights[0], heights[-1]]
            draw_lines(self.ax_, 0, ends, strengths, signs, to=len(self.strengths), style=":")
        nodes = zip(heights[1:-1], self.relevances, self.node_indices, strict=True)
        for layer, (places, relevance, numbers) in enumerate(nodes, start=1):
            draw_nodes(self.ax_, layer, places, np.asarray(relevance), numbers)
        self._label(heights)
        return self

    def _label(self, heights):
        ax, last = self.ax_, len(heights) - 1
        for side, layer, names in (
            ("right", 0, self.input_names),
            ("left", last, self.output_names),
        ):
            gap = -0.05 if side == "right" else 0.05
            for height, name in zip(heights[layer], names, strict=True):
                ax.text(layer + gap, height, name, ha=side, va="center")
        top = -max(len(height) for height in heights) / 2 - 0.4
        titles = [self._title_of_inputs(), *(count_of(len(h), "node") for h in heights[1:-1])]
        for layer, title in enumerate(titles):
            ax.text(layer, top, title, ha="right" if layer == 0 else "center", va="center")
        # text takes no part in the limits of the axes
        ax.set(xlim=(-0.15, last + 0.15), ylim=(-top + 0.2, top - 0.4))
        ax.set_axis_off()
        ax.legend(
            handles=self._handles(),
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=len(LEGEND) + (self.skip_strengths is not None),
            frameon=False,
        )

    def _handles(self):
        """Return the entries of the legend."""
        if self.skip_strengths is None:
            return sign_handles(LEGEND, self.signs)
        from matplotlib.lines import Line2D

        signs = [*self.signs, self.skip_signs]
        return [*sign_handles(LEGEND, signs), Line2D([], [], linestyle=":", label="linear skip")]

    def _title_of_inputs(self):
        n_drawn = len(self.input_names)
        if self.n_inputs is not None and n_drawn < self.n_inputs:
            return f"{n_drawn} of {self.n_inputs} inputs"
        return count_of(n_drawn, "input")


def check_drawable(sizes, most):
    """Raise ValueError if a layer has more nodes or outputs than can be drawn."""
    if max(sizes) <= most:
        return
    where = "outputs" if sizes[-1] > most else "alive nodes in a hidden layer"
    raise ValueError(
        f"`max_nodes` is {most}, and the network has {max(sizes)} {where}, which would be hard "
        "to read. Raise `max_nodes`, draw a smaller network, such as prune(n_nodes=...) returns, "
        "or draw the leading nodes with NodesDisplay."
    )
