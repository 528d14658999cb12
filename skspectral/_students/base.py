"""What students of numbers and students of classes share."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import warnings
from abc import abstractmethod
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state, get_tags

from skspectral._compat import Interval, StrOptions, _fit_context
from skspectral._estimators.rollback import unchanged_on_failure
from skspectral._estimators.rows import check_weights
from skspectral._selection.folds import is_plain
from skspectral._students.by_parts import fit_by_parts
from skspectral._students.checks import (
    check_columns,
    check_frozen,
    check_student,
    check_targets,
    check_teacher,
    check_unlabelled,
)
from skspectral._students.folds import make_folds
from skspectral._students.labels import Labels
from skspectral._students.near_rows import N_QUANTILES, draw_near, equal_rows, is_frame, stacked
from skspectral._students.teaching import Table, Teaching, teach
from skspectral._training.counts import count_of
from skspectral._training.interrupts import interrupts_reach_the_caller
from skspectral._training.seeds import new_seed
from skspectral._warn import warn_caller
from skspectral.preprocessing import make_tabular_preprocessor

ALPHA_FACTOR = 0.2
"""Factor on the penalty of the student where none is given."""
SYNTHETIC_ROWS = 4
"""Synthetic rows for each row of the data."""
MOST_SYNTHETIC_ROWS = 20_000
"""Synthetic rows from which on more bring little and take long."""
FITTED = ("student_", "teacher_", "fidelity_", "teacher_score_", "student_score_")


class BaseSpectralStudent(MetaEstimatorMixin, BaseEstimator):
    """Parameters and training of both students."""

    _parameter_constraints: dict = {
        "teacher": "no_validation",
        "student": "no_validation",
        "cv": ["cv_object"],
        "n_synthetic": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }
    _network_class: Any
    _target_class: Any

    def __init__(
        self,
        teacher,
        student=None,
        *,
        cv=5,
        n_synthetic="auto",
        random_state=None,
        n_jobs=None,
    ):
        self.teacher = teacher
        self.student = student
        self.cv = cv
        self.n_synthetic = n_synthetic
        self.random_state = random_state
        self.n_jobs = n_jobs

    @abstractmethod
    def _new_labels(self, y) -> Labels:
        """Return the kind of labels for checked targets, and set what is known of them."""

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, X_unlabelled=None):
        """Fit the teacher, let it label rows, and fit the student to them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. A data frame of pandas may hold what teacher and student
            take: text, categories, missing values.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets. The teacher is fitted to them, the student to its predictions.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, for the teacher and the student. Their sum counts as the
            number of rows.
        X_unlabelled : array-like or DataFrame of shape (n_unlabelled, n_features) or None, \
                default=None
            More rows of the same kind, without targets. The teacher labels them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If the teacher or the student is not of the kind that is wanted.
        ValueError
            If a parameter or the data are not as described.
        NotFittedError
            If a frozen teacher is not fitted.
        """
        with unchanged_on_failure(self), interrupts_reach_the_caller():
            for name in FITTED:  # results of the fit before must not mix with those of this one
                self.__dict__.pop(name, None)
            self._fit(X, y, sample_weight, X_unlabelled)
        return self

    def _fit(self, X, y, sample_weight, X_unlabelled):
        """Set the fitted attributes."""
        X = check_columns(self, X, reset=True)
        self._takes_frames = is_frame(X)
        y = check_targets(X, y, self._target_class)
        weight = check_weights(sample_weight, X)
        unlabelled = check_unlabelled(self, X, X_unlabelled)
        self._labels = labels = self._new_labels(y)
        check_teacher(self.teacher, for_classes=labels.stratifies, weighted=weight is not None)
        if isinstance(self.teacher, FrozenEstimator):
            check_frozen(self.teacher, self)
        table = Table(X, y, weight)
        if is_plain(self.cv) and weight is not None:
            # other folds name rows by their place in the whole table
            table = table.take(np.flatnonzero(weight > 0))
        rng = check_random_state(self.random_state)
        folds = make_folds(self.cv, table, labels.stratifies, rng)
        teacher, student = self._new_teacher(rng), self._new_student(len(folds[0][0]), rng)
        whole, part = teach(teacher, table, folds, labels.of, self.n_jobs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the one on all rows tells
            on_part = self._taught(clone(student), table, part, unlabelled, rng)
        self._measure(on_part, part.teacher, table.take(folds[0][1]))
        self.student_ = self._taught(student, table, whole, unlabelled, rng)
        self.teacher_ = whole.teacher

    def _new_student(self, n_rows, rng):
        """Return the student, not fitted, with a seed of its own if there is one to draw from."""
        if self.student is None:
            encoder = make_tabular_preprocessor(n_quantiles=min(N_QUANTILES, n_rows))
            network = self._network_class(alpha_factor=ALPHA_FACTOR)
            return self._seeded(make_pipeline(encoder, network), rng)
        check_student(self.student, self._network_class)
        return self._seeded(self.student, rng)

    def _new_teacher(self, rng):
        """Return the teacher, a frozen one as it is, any other as `_new_student` does."""
        if isinstance(self.teacher, FrozenEstimator):
            return self.teacher
        return self._seeded(self.teacher, rng)

    def _seeded(self, model, rng):
        """Return a copy whose parts have seeds, if there is one to draw them from."""
        model = clone(model)
        if self.random_state is not None:
            names = sorted(name for name in model.get_params() if name.endswith("random_state"))
            unset = [name for name in names if model.get_params()[name] is None]
            model.set_params(**{name: new_seed(rng) for name in unset})
        return model

    def _taught(self, student, table: Table, teaching: Teaching, unlabelled, rng):
        """Fit a student to what a teacher says of the rows, and of others."""
        real, labels = table.take(teaching.rows), teaching.labels
        if real.weight is not None:
            # those without weight, which folds of the user's may hold, lend no values either
            weighty = np.flatnonzero(real.weight > 0)
            real, labels = real.take(weighty), labels[weighty]
        n_different = len(np.unique(equal_rows(real.X)))
        n_synthetic = self._number_of_synthetic(n_different)
        others = [] if unlabelled is None else [unlabelled]
        if n_synthetic:
            drawn = draw_near(real.X, n_synthetic, real.weight, rng)
            others += [drawn] if len(drawn) else []  # a single column makes no new rows
            if len(teaching.rows) == len(table):  # once, of the student that is kept
                self._tell_of_few(len(drawn))
        X, weight = real.X, real.weight
        if others:
            X = stacked([X, *others])
            said = [self._labels.of(teaching.teacher, rows) for rows in others]
            labels = np.concatenate([labels, *said])
            weight = shared_weight(weight, len(real), len(labels), n_different)
        return fit_by_parts(
            student,
            X,
            self._labels.plain(labels),
            lambda network, X: self._labels.fit(network, X, labels, weight),
        )

    def _number_of_synthetic(self, n_different):
        if self.n_synthetic == "auto":
            # of equal rows there is nothing between that could be drawn
            wanted = min(SYNTHETIC_ROWS * n_different, MOST_SYNTHETIC_ROWS)
            return wanted if n_different > 1 else 0
        if self.n_synthetic and n_different < 2:
            raise ValueError(
                f"`n_synthetic`={self.n_synthetic} rows are drawn between different rows; X has "
                "one sample only, or all of its rows are equal. Set n_synthetic=0."
            )
        return self.n_synthetic

    def _tell_of_few(self, n_drawn):
        """Warn where fewer synthetic rows could be made than were asked for."""
        if self.n_synthetic != "auto" and n_drawn < self.n_synthetic:
            warn_caller(
                f"{count_of(n_drawn, 'synthetic row')} of the {self.n_synthetic} of `n_synthetic` "
                "could be made: near rows differ in too few columns to lend one another values "
                "that give new rows. Give rows of your own as X_unlabelled, or set "
                'n_synthetic="auto".'
            )

    def _measure(self, student, teacher, held_out: Table):
        """Compare a student and its teacher on rows that neither has seen."""
        labels, X, y, weight = self._labels, held_out.X, held_out.y, held_out.weight
        said = labels.of(teacher, X)
        self.fidelity_ = labels.fidelity(said, student, X, weight)
        self.teacher_score_ = labels.score(y, labels.plain(said), weight)
        self.student_score_ = labels.score(y, student.predict(X), weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        teacher = self.teacher
        if isinstance(teacher, type) or not hasattr(teacher, "__sklearn_tags__"):
            return tags  # `fit` refuses it, but the HTML view comes before
        takes_missing = self.student is None or (
            hasattr(self.student, "__sklearn_tags__")
            and not isinstance(self.student, type)
            and get_tags(self.student).input_tags.allow_nan
        )
        tags.input_tags.allow_nan = get_tags(teacher).input_tags.allow_nan and takes_missing
        return tags


def shared_weight(
    weight: np.ndarray | None, n_real: int, n_rows: int, n_different: int
) -> np.ndarray:
    """Return weights of real rows and of the others behind them, whose sum is that of the real.

    That sum counts as the number of rows in the penalty rule: rows that a teacher labels bring
    no new knowledge of the task. Each of the others weighs as much as a different real row.

    Parameters
    ----------
    weight : ndarray of shape (n_real,) or None
    n_real, n_rows : int
        Real rows, and all rows.
    n_different : int
        Real rows that differ.
    """
    real = np.ones(n_real) if weight is None else weight
    total = real.sum()
    others = np.full(n_rows - n_real, total / n_different)
    both = np.concatenate([real, others])
    shared: np.ndarray = both * (total / both.sum())
    return shared
