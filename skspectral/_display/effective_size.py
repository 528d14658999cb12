"""Plot of the nodes that students end with against those that they start with."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import (
    add_legend,
    draw_band,
    scale_counts,
    single_axes,
)
from skspectral._study.scorers import check_layer
from skspectral._training.counts import count_of


def find_parameter(cv_results: Any, name: str) -> np.ndarray | None:
    """Return the values of a parameter of the network, wherever in a pipeline it is.

    None if the search did not vary it.
    """
    keys = [key for key in cv_results if key == f"param_{name}" or key.endswith(f"__{name}")]
    if len(keys) > 1:
        raise ValueError(f"`cv_results` has several parameters `{name}`: {keys}. Vary only one.")
    # object: sizes of one layer and of several, (8,) and (8, 4), make no rectangular array
    return np.asarray(cv_results[keys[0]], dtype=object) if keys else None


def width_of(sizes: Any, layer: int | None) -> int:
    """Return the nodes of one hidden layer, or of all."""
    if isinstance(sizes, str):
        raise ValueError(
            f"`cv_results` has hidden_layer_sizes={sizes!r}, and does not tell how many nodes the "
            "fits began with. Give the search numbers, such as [8, 64]."
        )
    listed = np.atleast_1d(sizes)
    return int(listed.sum() if layer is None else listed[check_layer(layer, len(listed))])


def name_of(parametrization: Any) -> str:
    """Return the label of a parametrization, which may differ between layers."""
    return parametrization if isinstance(parametrization, str) else ", ".join(parametrization)


def sizes_of_splits(cv_results: Any, score_name: str) -> np.ndarray:
    """Return the sizes that a search recorded, shape (n_candidates, n_splits)."""
    keys = [
        key
        for key in cv_results
        if key.startswith("split") and key.endswith(f"_test_{score_name}")
    ]
    if not keys:
        raise ValueError(
            f"`cv_results` has no scores named {score_name!r}. Give the search "
            f'scoring={{"{score_name}": n_alive_nodes_score, ...}}, or name the scores with '
            "`score_name`."
        )
    # a search writes NaN for a fit that failed, or that the scorer could not judge
    sizes = np.column_stack([np.asarray(cv_results[key], dtype=float) for key in keys])
    if np.isnan(sizes).all():
        raise ValueError(
            f"All scores named {score_name!r} are NaN: no fitted model is a network of this "
            "package. Search over SpectralMLPRegressor or SpectralMLPClassifier."
        )
    return sizes


class EffectiveSizeDisplay:
    """Alive nodes of students against their width at the start.

    Create it with :meth:`from_cv_results`. All parameters are stored as
    attributes.

    Parameters
    ----------
    widths : array-like of int of shape (n_widths,)
        Hidden nodes at the start, increasing.
    n_alive_nodes : array-like of shape (n_curves, n_widths)
        Mean number of alive nodes; NaN where a curve has no fit.
    std_n_alive_nodes : array-like of shape (n_curves, n_widths)
        Their standard deviation over seeds and splits.
    labels : list of str of length n_curves
        Names of the curves, such as "spectral" and "dense".
    teacher_size : int or None, default=None
        Nodes of the teacher, marked by a horizontal line.

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
    n_alive_nodes_score : Records sizes in a search.
    skspectral.datasets.make_teacher_student : Data of a task of known size.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, https://arxiv.org/abs/2310.12612.

    Examples
    --------
    >>> from skspectral import EffectiveSizeDisplay
    >>> results = {
    ...     "param_hidden_layer_sizes": [10, 50, 10, 50],
    ...     "param_random_state": [0, 0, 1, 1],
    ...     "split0_test_n_nodes": [8, 8, 8, 10],
    ... }
    >>> display = EffectiveSizeDisplay.from_cv_results(results, teacher_size=8)
    >>> display.n_alive_nodes
    array([[8., 9.]])
    """

    def __init__(self, *, widths, n_alive_nodes, std_n_alive_nodes, labels, teacher_size=None):
        self.widths = widths
        self.n_alive_nodes = n_alive_nodes
        self.std_n_alive_nodes = std_n_alive_nodes
        self.labels = labels
        self.teacher_size = teacher_size

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves, with a band of one standard deviation on either side.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        EffectiveSizeDisplay
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
        self.lines_ = [
            self._draw(ax, *curve, line_kw)
            for curve in zip(self.labels, self.n_alive_nodes, self.std_n_alive_nodes, strict=True)
        ]
        widths = np.asarray(self.widths)
        # a student on the diagonal uses every node it was given
        ax.plot(widths, widths, color="0.6", linestyle=":", zorder=1, label="every node")
        if self.teacher_size is not None:
            label = f"teacher: {count_of(self.teacher_size, 'node')}"
            ax.axhline(self.teacher_size, color="0.2", linewidth=1, zorder=1, label=label)
        scale_counts(ax.xaxis)
        scale_counts(ax.yaxis)
        ax.set(xlabel="hidden nodes at the start", ylabel="alive nodes")
        add_legend(ax)
        return self

    def _draw(self, ax, label, mean, std, line_kw):
        """Draw one curve, without the widths that were not fitted or where all nodes died."""
        mean, std = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
        there = mean > 0  # False for NaN, too; a logarithmic axis has no zero
        widths, mean, std = np.asarray(self.widths)[there], mean[there], std[there]
        (line,) = ax.plot(widths, mean, **{"marker": ".", "label": label, **(line_kw or {})})
        lowest = np.maximum(mean - std, 0.5)  # half a node stands for none
        draw_band(ax, line, widths, lowest, mean + std)
        return line

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        score_name="n_nodes",
        layer=None,
        teacher_size=None,
        ax=None,
        line_kw=None,
    ):
        """Draw the sizes that a search over widths recorded.

        Parameters
        ----------
        cv_results : dict
            `cv_results_` of a GridSearchCV or another search of scikit-learn, over
            `hidden_layer_sizes`. Each value of `parametrization` in the grid gets a
            curve; the mean is taken over all else that varies, such as `random_state`.
        score_name : str, default="n_nodes"
            Key of :func:`n_alive_nodes_score` in the `scoring` of the search.
        layer : int or None, default=None
            Hidden layer whose width is on the axis; None: all layers together. The
            search must count in the same layer:
            ``functools.partial(n_alive_nodes_score, layer=0)``.
        teacher_size : int >= 1 or None, default=None
            Nodes of the teacher, marked by a horizontal line.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        EffectiveSizeDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `cv_results` is not a dict, but for example the search itself, or
            `layer` is not an integer.
        ValueError
            If the search did not vary `hidden_layer_sizes`, did not record sizes,
            or has no spectral fit, `teacher_size` is below 1, or a network lacks
            the layer.
        """
        check_matplotlib_support(f"{cls.__name__}.from_cv_results")
        if not hasattr(cv_results, "keys"):
            raise TypeError(
                "`cv_results` must be the dict `cv_results_` of a search; got "
                f"{type(cv_results).__name__}."
            )
        if teacher_size is not None:
            check_scalar(teacher_size, "teacher_size", Integral, min_val=1)
        layers = find_parameter(cv_results, "hidden_layer_sizes")
        if layers is None:
            raise ValueError(
                "`cv_results` has no parameter `hidden_layer_sizes`; search over widths."
            )
        sizes = sizes_of_splits(cv_results, score_name)
        parametrization = find_parameter(cv_results, "parametrization")
        names = ["spectral"] * len(sizes) if parametrization is None else parametrization
        names = np.array([name_of(name) for name in names])
        # dense networks are the control of a study: alone they show nothing
        fitted = ~np.isnan(sizes).all(axis=1)
        if not any("spectral" in name for name in names[fitted]):
            raise ValueError(
                "`cv_results` has no spectral fit; got `parametrization` "
                f"{sorted(set(names[fitted].tolist()))}. Add 'spectral' to the grid."
            )
        width = np.array([width_of(size, layer) for size in layers])
        # labels in the order of the grid, which np.unique would sort
        widths, labels = np.unique(width), list(dict.fromkeys(names))
        groups = [[sizes[(names == name) & (width == w)] for w in widths] for name in labels]
        mean, std = (
            # empty where no candidate has this width and label: the grid may be a list of grids
            np.array([[function(g) if g.size else np.nan for g in row] for row in groups])
            for function in (np.nanmean, np.nanstd)
        )
        display = cls(
            widths=widths,
            n_alive_nodes=mean,
            std_n_alive_nodes=std,
            labels=labels,
            teacher_size=teacher_size,
        )
        return display.plot(ax, line_kw=line_kw)
