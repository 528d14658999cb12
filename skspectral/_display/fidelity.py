"""Plot of what a student of another model loses as its nodes are cut."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from skspectral._compat import check_matplotlib_support
from skspectral._display.axes import add_legend, mark_size, scale_counts, stacked_axes
from skspectral._estimators.rows import check_weights
from skspectral._pruning.curve import pruning_curve
from skspectral._students.by_parts import last_step
from skspectral._students.classifier import SpectralStudentClassifier
from skspectral._students.regressor import SpectralStudentRegressor
from skspectral._study.final_network import encoded_rows, layers_around, targets_of_network

STUDENTS = (SpectralStudentRegressor, SpectralStudentClassifier)


class FidelityDisplay:
    """Fidelity and score of a student against the number of its nodes.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    n_nodes : array-like of int of shape (n_sizes,)
        Numbers of hidden nodes that are kept, in all layers together.
    fidelity : array-like of shape (n_sizes,)
        Fidelity of the student of each size to its teacher.
    score : array-like of shape (n_sizes,)
        Its score.
    teacher_score : float
        Score of the teacher, drawn as a horizontal line.
    fidelity_name : str or None, default=None
        Label of the upper y axis; None: "fidelity".
    score_name : str or None, default=None
        Label of the lower y axis; None: "score".
    n_alive : int or None, default=None
        Number of alive hidden nodes, marked by a vertical line unless it is 0.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes of shape (2,)
        Axes of fidelity and of score.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The two curves.
    teacher_line_ : matplotlib Line2D
        Horizontal line at the score of the teacher.

    See Also
    --------
    SpectralStudentRegressor : A student of any regressor.
    SpectralStudentClassifier : A student of any classifier.
    PruningCurveDisplay : Draws the score alone, of any network.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skspectral import FidelityDisplay, SpectralMLPRegressor, SpectralStudentRegressor
    >>> from skspectral.datasets import make_teacher_student
    >>> data = make_teacher_student(300, 3, (2,), noise=0.3, random_state=0)
    >>> forest = RandomForestRegressor(10, random_state=0)
    >>> network = SpectralMLPRegressor(8, alpha=1e-2, max_iter=500)
    >>> student = SpectralStudentRegressor(forest, network, n_synthetic=200, random_state=0)
    >>> student = student.fit(data.X[:250], data.y[:250])
    >>> display = FidelityDisplay.from_estimator(student, data.X[250:], data.y[250:])
    >>> bool(display.fidelity[-1] > 0.5)
    True
    """

    def __init__(
        self,
        *,
        n_nodes,
        fidelity,
        score,
        teacher_score,
        fidelity_name=None,
        score_name=None,
        n_alive=None,
    ):
        self.n_nodes = n_nodes
        self.fidelity = fidelity
        self.score = score
        self.teacher_score = teacher_score
        self.fidelity_name = fidelity_name
        self.score_name = score_name
        self.n_alive = n_alive

    def plot(self, ax=None, *, line_kw=None):
        """Draw both curves.

        Parameters
        ----------
        ax : array-like of matplotlib Axes of shape (2,) or None, default=None
            Axes of fidelity and of score; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        FidelityDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` holds anything else than Axes.
        ValueError
            If it holds more or fewer than two.
        """
        contents = ["fidelity", "score"]
        self.ax_ = upper, lower = stacked_axes(ax, contents, f"{type(self).__name__}.plot")
        self.figure_ = upper.figure
        curves = (upper, self.fidelity), (lower, self.score)
        self.lines_ = [self._draw(axes, values, line_kw) for axes, values in curves]
        self.teacher_line_ = lower.axhline(
            self.teacher_score, color="0.2", linestyle="--", linewidth=1, label="teacher"
        )
        upper.set_ylabel(self.fidelity_name or "fidelity")
        lower.set(xlabel="hidden nodes kept", ylabel=self.score_name or "score")
        add_legend(upper)
        # what both have in common is told above
        lower.legend(handles=[self.teacher_line_])
        return self

    def _draw(self, axes, values, line_kw):
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        scale_counts(axes.xaxis)
        style = {"marker": ".", "label": "student", **normalize_kwargs(line_kw or {}, Line2D)}
        (line,) = axes.plot(self.n_nodes, values, **style)
        mark_size(
            axes, self.n_alive, "alive", color=line.get_color(), linestyle=":", linewidth=2.5
        )
        return line

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, n_nodes=None, sample_weight=None, ax=None, line_kw=None
    ):
        """Cut a fitted student step by step, and draw what that costs.

        Parameters
        ----------
        estimator : object
            Fitted SpectralStudentRegressor or SpectralStudentClassifier, or what holds one,
            as a Pipeline or a search does.
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows that neither teacher nor student has seen.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        n_nodes : array-like of int or None, default=None
            Numbers of hidden nodes in all; None: as in :func:`pruning_curve`.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows.
        ax : array-like of matplotlib Axes of shape (2,) or None, default=None
            Axes of fidelity and of score; None makes a figure.
        line_kw : dict or None, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        FidelityDisplay
            The display, drawn, with a line at the number of alive nodes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If there is no student in `estimator`.
        ValueError
            If a parameter is out of range.
        NotFittedError
            If `estimator` is not fitted.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        *around, model = layers_around(estimator, STUDENTS)
        for pipeline in around:
            has_steps = isinstance(pipeline, Pipeline) and len(pipeline) > 1
            X = pipeline[:-1].transform(X) if has_steps else X
        network, labels = last_step(model.student_), model._labels
        X, y = model._rows_of_student(X), targets_of_network(estimator, np.asarray(y))
        said, rows = labels.of(model.teacher_, X), encoded_rows(model, X)
        weight = check_weights(sample_weight, y)

        def curve(scoring):
            return pruning_curve(network, rows, y, n_nodes=n_nodes, scoring=scoring)

        fidelities = curve(lambda small, X, y: labels.fidelity(said, small, X, weight))
        scores = curve(lambda small, X, y: labels.score(y, small.predict(X), weight))
        display = cls(
            n_nodes=scores.n_nodes,
            fidelity=fidelities.score,
            score=scores.score,
            teacher_score=labels.score(y, labels.plain(said), weight),
            fidelity_name=labels.fidelity_name,
            score_name=labels.score_name,
            n_alive=sum(network.n_alive_nodes_),
        )
        return display.plot(ax, line_kw=line_kw)
