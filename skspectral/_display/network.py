"""Diagram of the nodes that are left in a network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from skspectral._compat import Interval, check_matplotlib_support, validate_params
from skspectral._display.alive import alive_part, output_names
from skspectral._display.axes import check_axes, import_pyplot, single_axes
from skspectral._display.columns import checked_names, input_names, read_table
from skspectral._display.node_responses import response_to
from skspectral._display.signs import COLOURS, sign_handles
from skspectral._training.counts import count_of

WIDEST = 4.0
"""Width of the line of the largest weight of a layer, in points."""
FAINTEST = 0.03
"""Share of that weight below which no line is drawn."""
NODE = (160.0, 400.0)
"""Areas of the least and the most relevant node, in square points."""
NUMBERED = 16
"""Most nodes of a layer whose numbers are written into them."""
LEGEND = {1: "raises", -1: "lowers", 0: "neither: bends, or categories"}


class NetworkDisplay:
    """The network that is left: its inputs, alive nodes, outputs and the weights between.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    A line is the wider, the larger the weight, compared with the largest of its layer;
    its colour is the sign. A node is the larger, the more relevant it is in its layer.

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
    ):
        self.strengths = strengths
        self.signs = signs
        self.relevances = relevances
        self.node_indices = node_indices
        self.input_names = input_names
        self.output_names = output_names
        self.n_inputs = n_inputs

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
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_columns) or \
                None, default=None
            Rows as `estimator` predicts them. With them the inputs of the diagram are the
            columns of `X`: what a transformer made of a column is grouped as in
            :meth:`NodesDisplay.from_estimator`. Without them they are the inputs of the
            network itself.
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
            names, strengths, signs = weights_of_inputs(estimator, network, feature_names)
        else:
            names, strengths, signs = weights_of_columns(estimator, network, X, feature_names)
        # in their order
        drawn = np.sort(np.argsort(-np.linalg.norm(strengths, axis=1), kind="stable")[:max_inputs])
        display = cls(
            strengths=[strengths[drawn], *map(np.abs, network.coefs_[1:])],
            signs=[signs[drawn], *map(np.sign, network.coefs_[1:])],
            relevances=network.feature_relevance_,
            node_indices=indices,
            input_names=[names[index] for index in drawn],
            output_names=output_names(network),
            n_inputs=len(names),
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
        self.ax_ = self._axes(ax, max(sizes))
        self.figure_ = self.ax_.figure
        heights = [np.arange(size) - (size - 1) / 2 for size in sizes]
        for layer, (strengths, signs) in enumerate(zip(self.strengths, self.signs, strict=True)):
            draw_lines(self.ax_, layer, heights[layer : layer + 2], strengths, signs)
        for layer, relevance in enumerate(self.relevances):
            numbers = self.node_indices[layer]
            draw_nodes(self.ax_, layer + 1, heights[layer + 1], relevance, numbers)
        self._label(heights)
        return self

    def _axes(self, ax, n_rows):
        caller = f"{type(self).__name__}.plot"
        if ax is not None:
            return single_axes(ax, caller)
        size = (2.6 + 1.7 * len(self.strengths), 1.4 + 0.3 * max(n_rows, 5))
        return import_pyplot(caller).subplots(figsize=size, layout="constrained")[1]

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
        shown = np.unique(np.concatenate([np.ravel(signs) for signs in self.signs]))
        ax.legend(
            handles=sign_handles(LEGEND, shown),
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=len(LEGEND),
            frameon=False,
        )

    def _title_of_inputs(self):
        n_drawn = len(self.input_names)
        if self.n_inputs is not None and n_drawn < self.n_inputs:
            return f"{n_drawn} of {self.n_inputs} inputs"
        return count_of(n_drawn, "input")


def check_drawable(sizes: list[int], most: int) -> None:
    """Raise ValueError if a layer has more nodes or outputs than can be drawn."""
    if max(sizes) <= most:
        return
    where = "outputs" if sizes[-1] > most else "alive nodes in a hidden layer"
    raise ValueError(
        f"`max_nodes` is {most}, and the network has {max(sizes)} {where}, which would be hard "
        "to read. Raise `max_nodes`, draw a smaller network, such as prune(n_nodes=...) returns, "
        "or draw the leading nodes with NodesDisplay."
    )


Weights = tuple[list[str], np.ndarray, np.ndarray]
"""Names of inputs; strengths and signs of their weights, of shape (n_inputs, n_nodes)."""


def weights_of_inputs(estimator: Any, network: Any, feature_names: Any) -> Weights:
    """Return the weights of each input of a network, times its standard deviation."""
    weights = network.coefs_[0]
    spreads = np.sqrt(network._input_scaler.var_)[:, np.newaxis]
    names = input_names(estimator, len(weights))
    if feature_names is not None:
        names = checked_names(feature_names, len(weights))
    return names, np.abs(weights) * spreads, np.sign(weights)


def weights_of_columns(estimator: Any, network: Any, X: Any, feature_names: Any) -> Weights:
    """Return how strongly nodes respond to the columns of a table, and in which direction."""
    inputs, columns = read_table(estimator, X, feature_names)
    weights = network.coefs_[0].astype(np.float64)
    responses = [response_to(column, inputs, weights) for column in columns]
    strengths = np.array([response.strengths for response in responses])
    signs = np.array([response.signs for response in responses])
    return [response.name for response in responses], strengths, signs


def draw_lines(
    ax: Any, layer: int, heights: list[np.ndarray], strengths: np.ndarray, signs: np.ndarray
) -> None:
    """Draw the weights from one layer to the next, the strongest on top."""
    from matplotlib.collections import LineCollection

    shares = np.asarray(strengths, dtype=np.float64)
    shares = shares / (shares.max() or 1.0)
    order = [
        index
        for index in zip(*np.unravel_index(np.argsort(shares, axis=None), shares.shape))
        if shares[index] >= FAINTEST
    ]
    ax.add_collection(
        LineCollection(
            [[(layer, heights[0][i]), (layer + 1, heights[1][k])] for i, k in order],
            colors=[COLOURS[int(np.asarray(signs)[index])] for index in order],
            linewidths=[WIDEST * shares[index] for index in order],
            alpha=0.75,
        )
    )


def draw_nodes(
    ax: Any, layer: int, heights: np.ndarray, relevance: np.ndarray, numbers: np.ndarray
) -> None:
    """Draw the nodes of a layer, with their numbers if there is room."""
    least, most = NODE
    share = np.asarray(relevance) / np.max(relevance)
    colour = ax.xaxis.label.get_color()
    areas = least + (most - least) * share
    face = {"facecolor": ax.get_facecolor(), "edgecolor": colour}
    ax.scatter(np.full(len(share), layer), heights, areas, zorder=3, **face)
    if len(numbers) <= NUMBERED:
        for height, number in zip(heights, numbers, strict=True):
            place = {"ha": "center", "va": "center", "fontsize": "x-small", "zorder": 4}
            ax.text(layer, height, str(number), **place)
