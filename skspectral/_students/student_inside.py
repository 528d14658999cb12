"""Predictions, exports and the summary of the student inside."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import _VisualBlock
from skspectral._estimators.summary import (
    SummaryMixin,
    has_view,
    network_caption,
    penalty_rows,
    size_rows,
)
from skspectral._export.to_onnx import to_onnx
from skspectral._export.to_sklearn import to_sklearn
from skspectral._students.by_parts import last_step, with_last_step
from skspectral._students.checks import check_columns


class StudentInsideMixin(SummaryMixin):
    """Add predictions, exports and a summary of `student_`, a network or a pipeline."""

    student_: Any
    fidelity_: float
    teacher_score_: float
    student_score_: float
    _labels: Any
    _takes_frames: bool

    @property
    def n_alive_nodes_(self):
        """Alive nodes of the student per hidden layer, list of int."""
        check_is_fitted(self)
        return last_step(self.student_).n_alive_nodes_

    @property
    def size_settled_(self):
        """Whether the student was trained long enough for its penalty, bool or None."""
        check_is_fitted(self)
        return last_step(self.student_).size_settled_

    def predict(self, X):
        """Predict with the student.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.student_.predict(self._rows_of_student(X))

    def prune(self, *, n_nodes=None, threshold=None):
        """Return the student with a smaller network.

        Parameters
        ----------
        n_nodes : int, float in (0, 1], list of int or None, default=None
            Hidden nodes to keep: in all, as a share, or per hidden layer.
        threshold : float in [0, 1) or None, default=None
            Keep the nodes whose relevance is above this fraction of the largest in
            their layer. If both are None, the alive nodes are kept.

        Returns
        -------
        SpectralMLPRegressor, SpectralMLPClassifier or Pipeline
            Fitted, as `student_` is, which does not change. Its fidelity is not
            measured; :class:`FidelityDisplay` shows that of all sizes.

        Raises
        ------
        ValueError
            If a parameter is out of range, or there is no hidden layer.
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        network = last_step(self.student_).prune(n_nodes=n_nodes, threshold=threshold)
        return with_last_step(self.student_, network)

    def to_sklearn(self):
        """Return the student as a model of scikit-learn's.

        Returns
        -------
        MLPRegressor, MLPClassifier or :class:`~sklearn.pipeline.Pipeline`
            As from :func:`skspectral.to_sklearn`.

        Raises
        ------
        ValueError
            If scikit-learn's MLP does not have the activation, or a step of the
            pipeline needs this package.
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return to_sklearn(self.student_)

    def to_onnx(self, path=None, *, X=None):
        """Return the student as an ONNX model.

        Parameters
        ----------
        path : str, path-like or None, default=None
            File to write; None: no file is written.
        X : array-like or DataFrame of shape (n_samples, n_features), default=None
            A few rows, as :func:`skspectral.to_onnx` takes them.

        Returns
        -------
        onnx.ModelProto
            As from :func:`skspectral.to_onnx`.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return to_onnx(self.student_, path, X=X if X is None else self._rows_of_student(X))

    def _rows_of_student(self, X):
        """Return rows in the form in which the student got those of the fit."""
        if self._takes_frames:
            return X
        return np.asarray(check_columns(self, X, reset=False))

    def _summary_rows(self):
        network, labels = last_step(self.student_), self._labels
        (nodes_label, nodes), *others = size_rows(network)
        score = f"{labels.score_name} {self.student_score_:.3f}, teacher {self.teacher_score_:.3f}"
        return [
            (nodes_label, f"{nodes}: the size for this fidelity, not that of the task"),
            *others,
            ("fidelity", f"{labels.fidelity_text(self.fidelity_)}, on held-out rows"),
            ("score", f"{score}, on held-out rows"),
            *penalty_rows(network),
        ]

    def _caption(self):
        return network_caption(last_step(self.student_))

    # as a search's: once fitted, the view holds what was found
    @available_if(has_view)
    def _sk_visual_block_(self):
        is_pipeline = isinstance(self.student_, Pipeline)
        name = "Pipeline" if is_pipeline else type(self.student_).__name__
        return _VisualBlock(
            "parallel",
            [self.student_],
            names=[f"student_: {name}, {self._caption()}"],
            name_details=[str(self.student_)],
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "student_")
