"""Student of a classifier."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.classifier import SpectralMLPClassifier
from skspectral._estimators.targets import ClassTarget
from skspectral._students.base import BaseSpectralStudent
from skspectral._students.labels import ClassLabels
from skspectral._students.student_inside import StudentInsideMixin


class SpectralStudentClassifier(StudentInsideMixin, ClassifierMixin, BaseSpectralStudent):
    r"""How small a network can do what another model does? A student of any classifier.

    A teacher may be large: boosting, a forest, a kernel machine, an ensemble. Its
    predictions hold less noise than the targets, and there is no end of rows to ask it
    about. So a small network that learns from the teacher can come near it, and be better
    than one that learns from the data [1]_, [2]_. It learns the teacher's faults as well:
    compare it with the network itself.

    1. The teacher is fitted without each fold and labels the rows of that fold, as
       what it says of rows that it was fitted to is too close to their noise.
    2. It is fitted to all rows, and labels synthetic rows near the data, and unlabelled
       rows where there are any.
    3. The student, a spectral network, is fitted to all of these, by the
       cross-entropy with the teacher's probabilities [2]_. Its penalty
       follows what is left between it and its teacher, at the number of the real rows
       alone.

    The size that is found is the one for this fidelity to the teacher. It is not the
    size of the task: teachers bend where the task does not, and the number of nodes
    changes with the number of rows that they are asked about.

    Parameters
    ----------
    teacher : classifier
        The model to learn from. It is cloned and fitted, and must have
        `predict_proba`. In a
        :class:`~sklearn.frozen.FrozenEstimator` it is used as it is, and labels all rows
        itself: rows that it was not fitted to serve best.
    student : SpectralMLPClassifier, Pipeline or None, default=None
        The network, alone or at the end of a pipeline. Steps in front of it that need
        targets get the classes that the teacher finds likeliest. None: the network
        with ``alpha_factor=0.2``, behind
        :func:`~skspectral.preprocessing.make_tabular_preprocessor`; for images and
        other wide tables give another encoder. With `n_members` the mean of several
        students is folded into one.
    cv : int >= 3, splitter, iterable or None, default=5
        Folds in which the teacher labels what it has not seen; each row is held out
        once. Those of a number are shuffled and stratified, and equal rows are in
        the same fold. None: 5. For rows that belong together give for example
        ``list(GroupKFold().split(X, y, groups))``.
    n_synthetic : int >= 0 or "auto", default="auto"
        Synthetic rows. Each is drawn from a row and one of its five nearest other rows: a column
        has the value of the one or of the other. "auto": four for each different row,
        at most 20,000. Rows that X has are left out, so tables of few columns may get fewer, and
        a single column gets none.
    random_state : int, RandomState instance or None, default=None
        Source of the folds, of the synthetic rows, and of the seeds of teacher and student
        where they have none. Give an int to get the same result each time.
    n_jobs : int or None, default=None
        Processes among which the fits of the teacher are shared.

    Attributes
    ----------
    student_ : SpectralMLPClassifier or Pipeline
        The student, fitted.
    teacher_ : estimator
        The teacher, fitted to all rows; the FrozenEstimator that was given.
    fidelity_ : float
        Mean Kullback-Leibler divergence of the student's probabilities from the teacher's, in
        nats: 0 if they are the same. It is measured on the first fold, with a
        student and a teacher that were fitted without it (a frozen teacher as it is). NaN
        for a single row.
    student_score_, teacher_score_ : float
        Accuracy of these two on the same rows.
    n_alive_nodes_ : list of int
        Alive nodes of the student, per hidden layer.
    size_settled_ : bool or None
        Whether the student was trained long enough for its penalty.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    Raises
    ------
    TypeError
        If `teacher` or `student` is not of the kind that is wanted; raised by `fit`.
    ValueError
        If rows, folds or a frozen teacher do not go together; raised by `fit`.

    See Also
    --------
    SpectralStudentRegressor : The same for numbers.
    FidelityDisplay : Draws fidelity and score against the nodes that are kept.
    SpectralMLPClassifier : The network.

    Notes
    -----
    A fit takes two fits of the student, one of them to measure it, and about twice as many
    fits of the teacher as there are folds. The teacher is asked about synthetic rows that may
    lie where there are no data; what it says there is learned as well.

    References
    ----------
    .. [1] C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model compression", KDD 2006,
       https://doi.org/10.1145/1150402.1150464.
    .. [2] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
       2015, arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skspectral import SpectralMLPClassifier, SpectralStudentClassifier
    >>> X, y = make_moons(300, noise=0.3, random_state=0)
    >>> forest = RandomForestClassifier(10, min_samples_leaf=5, random_state=0)
    >>> network = SpectralMLPClassifier(8, alpha=1e-3, max_iter=500)
    >>> model = SpectralStudentClassifier(forest, network, n_synthetic=200, random_state=0)
    >>> model.fit(X, y).fidelity_ < 0.2
    True
    >>> model.student_score_ > 0.8
    True
    """

    _network_class = SpectralMLPClassifier
    _target_class = ClassTarget

    def _new_labels(self, y):
        self.classes_ = ClassTarget.of(y).classes
        return ClassLabels(self.classes_)

    def predict_proba(self, X):
        """Predict probabilities with the student.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.student_.predict_proba(self._rows_of_student(X))

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities with the student.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms of :meth:`predict_proba`.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        return self.student_.predict_log_proba(self._rows_of_student(X))
