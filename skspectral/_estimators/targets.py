"""Targets, numbers or classes: checked, encoded for the loss, and decoded."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import is_classifier
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from skspectral._estimators.rows import Rows, ravel_column
from skspectral._training.counts import count_of

ROUNDING = 10 * np.finfo(np.float64).eps
"""Range of a target, as a share of its largest absolute value, up to which it is constant."""


@dataclass(frozen=True)
class NumberTarget:
    """Numbers, standardised for the loss.

    Parameters
    ----------
    n_outputs : int
        Columns of the target.
    is_flat : bool
        Whether the target has one dimension; predictions have the same.
    mean, spread : ndarray of shape (n_outputs,)
        What is subtracted from the target, and what it is then divided by.
    """

    n_outputs: int
    is_flat: bool
    mean: np.ndarray
    spread: np.ndarray

    out_activation = "identity"
    stratifies = False

    @staticmethod
    def check(y: Any) -> np.ndarray:
        """Return `y` as float64 array of shape (n,) or (n, n_outputs).

        Raises
        ------
        ValueError
            If `y` does not hold numbers.
        """
        y = np.asarray(y)
        # numpy would count nanoseconds or days, whatever the unit is
        if y.dtype.kind in "mM":
            raise ValueError(
                f"`y` must be numeric for regression; got {y.dtype}. Convert times to numbers of "
                "a unit that you choose, for example (y - y.min()) / np.timedelta64(1, 'D')."
            )
        try:
            numbers = y.astype(np.float64, copy=False)  # object columns too
        except (TypeError, ValueError) as error:
            raise ValueError(f"`y` must be numeric for regression: {error}.") from error
        return ravel_column(numbers)

    @classmethod
    def of(cls, y: np.ndarray) -> NumberTarget:
        """Return the target of checked `y`, not yet scaled."""
        # mean 0 and spread 1 are what stays with normalize_y=False
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        return cls(n_outputs, y.ndim == 1, np.zeros(n_outputs), np.ones(n_outputs))

    def scaled_by(self, rows: Rows) -> NumberTarget:
        """Return the target with the weighted mean and standard deviation of the rows.

        A constant column keeps the scale 1.

        Raises
        ------
        ValueError
            If the variance is beyond the range of float64.
        """
        y = rows.y.reshape(len(rows), -1)
        # an overflow is reported below, in words that tell what to do
        with np.errstate(over="ignore"):
            mean = np.average(y, axis=0, weights=rows.weight)
            # two passes: mean(y^2) - mean^2 loses all digits where the mean is large
            variance = np.average((y - mean) ** 2, axis=0, weights=rows.weight)
        if not np.isfinite(variance).all():
            raise ValueError(
                f"`y` holds values up to {np.abs(y).max():g}, whose variance overflows. "
                "Divide y by a constant."
            )
        # the deviation of a constant may be rounding, and dividing by it would make it a signal
        still = self.constant_outputs(rows)
        mean, spread = np.where(still, y[0], mean), np.where(still, 1.0, np.sqrt(variance))
        return replace(self, mean=mean, spread=spread)

    def check_same(self, y: np.ndarray, subset: bool = False, other: str = "") -> None:
        """Raise ValueError if checked `y` does not fit the target; see :class:`ClassTarget`."""
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if n_outputs != self.n_outputs:
            expected = count_of(self.n_outputs, "output")
            raise ValueError(
                f"`y` must have {expected}, as {other or 'the network'}; got {n_outputs}."
            )

    def constant_outputs(self, rows: Rows) -> np.ndarray:
        """Tell which outputs are the same in all rows, bool ndarray of shape (n_outputs,)."""
        y = rows.y.reshape(len(rows), -1)
        return np.asarray(np.ptp(y, axis=0) <= ROUNDING * np.abs(y).max(axis=0))

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return `y` as the loss compares it with outputs, array of shape (n, n_outputs)."""
        return (y.reshape(len(y), -1) - self.mean) / self.spread

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions in units of y from outputs of shape (n, n_outputs)."""
        y = outputs * self.spread + self.mean
        return y.ravel() if self.is_flat else y

    @property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Shift and factor from outputs to units of y, arrays of shape (n_outputs,)."""
        return self.mean, self.spread

    def fitted_attributes(self) -> dict[str, Any]:
        """Return the attributes of a fitted regressor that describe its target."""
        return {
            "n_outputs_": self.n_outputs,
            "out_activation_": self.out_activation,
            "y_mean_": self.mean,
            "y_scale_": self.spread,
        }


@dataclass(frozen=True)
class ClassTarget:
    """Classes, or labels if each row may have several.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted classes; the numbers of the labels if `is_multilabel`.
    n_outputs : int
        One for two classes, otherwise one for each class or label.
    is_multilabel : bool
    """

    classes: np.ndarray
    n_outputs: int
    is_multilabel: bool

    @staticmethod
    def check(y: Any) -> np.ndarray:
        """Return `y` as array of shape (n,) or, for labels, (n, n_labels).

        Raises
        ------
        ValueError
            If `y` holds neither classes nor labels.
        """
        with _sorting("y"):
            check_classification_targets(y)
        if type_of_target(y) == "multiclass-multioutput":
            raise ValueError(
                "`y` must hold one class per row, or 0 and 1 per label (multilabel); got several "
                "columns of classes. Fit one classifier per column, for example with "
                "sklearn.multioutput.MultiOutputClassifier."
            )
        # labels may come as a sparse matrix; the loss needs them dense
        y = y.toarray() if hasattr(y, "toarray") else y
        return ravel_column(np.asarray(y))

    @classmethod
    def of(cls, y: np.ndarray, classes: Any = None) -> ClassTarget:
        """Return the target of checked `y`, or of the classes that are given.

        Raises
        ------
        ValueError
            If there is only one class, or if `classes` does not number the labels.
        """
        with _sorting("y" if classes is None else "classes"):
            named = unique_labels(y if classes is None else classes)
        # two columns or more can only be labels: `check` refused columns of classes
        if y.ndim == 2:
            if len(named) != y.shape[1]:
                raise ValueError(
                    f"`classes` must number the {y.shape[1]} labels of `y`, from 0; got "
                    f"{classes!r}."
                )
            return cls(named, y.shape[1], is_multilabel=True)
        if len(named) < 2:
            source = "y" if classes is None else "classes"
            found = f"one class, {named.tolist()[0]!r}" if len(named) else "none"
            raise ValueError(f"The number of classes must be at least 2; `{source}` has {found}.")
        # two classes share one output, as in scikit-learn: their probabilities add up to 1
        return cls(named, 1 if len(named) == 2 else len(named), is_multilabel=False)

    @property
    def out_activation(self) -> str:
        """Activation of the outputs, which also chooses the loss."""
        return "softmax" if not self.is_multilabel and len(self.classes) > 2 else "logistic"

    @property
    def stratifies(self) -> bool:
        """Whether rows that are held out should have the classes in equal shares."""
        # every set of labels would count as a class, and a set of one row cannot be split
        return not self.is_multilabel

    def check_same(self, y: np.ndarray, subset: bool = False, other: str = "") -> None:
        """Raise ValueError if checked `y` does not fit the target.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_labels)
        subset : bool, default=False
            Whether classes may be missing.
        other : str, default=""
            What has the target; by default the first fit, from which training goes on.
        """
        advice = "Name all classes in the first call of partial_fit, or set warm_start=False."
        first = other or "the first fit"
        has_labels = y.ndim == 2
        if self.is_multilabel != has_labels or (has_labels and y.shape[1] != self.n_outputs):
            raise ValueError(
                f"`y` must have the form of {first}: "
                f"{f'{self.n_outputs} labels' if self.is_multilabel else 'one class per row'}."
            )
        # a label that no row has is still a column, so nothing is left to compare
        if self.is_multilabel:
            return
        given = unique_labels(y)
        unseen = np.setdiff1d(given, self.classes)
        if len(unseen) or (not subset and len(given) != len(self.classes)):
            raise ValueError(
                f"`y` must have the classes of {first}, {self.classes}; got {given}."
                f"{'' if other else f' {advice}'}"
            )

    def constant_outputs(self, rows: Rows) -> np.ndarray:
        """Tell which outputs are the same in all rows, bool ndarray of shape (n_outputs,).

        A part of a table may lack all classes but one, and a label may be that of each row.
        """
        still = (rows.y == rows.y[0]).all(axis=0)
        return np.asarray(still) if self.is_multilabel else np.full(self.n_outputs, still)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return `y` as the loss compares it with outputs.

        Returns
        -------
        ndarray of shape (n, n_outputs), or int ndarray of shape (n,) for three classes and more
        """
        if self.is_multilabel:
            return y.astype(np.float64)
        # classes are sorted and `y` was checked, so the place found is the class itself
        codes = np.searchsorted(self.classes, y)
        return codes[:, None].astype(np.float64) if self.n_outputs == 1 else codes

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return classes, or 0 and 1 per label, from outputs of shape (n, n_outputs)."""
        # an output above 0 is a probability above one half
        if self.is_multilabel:
            return (outputs > 0).astype(int)
        codes = (outputs[:, 0] > 0).astype(int) if self.n_outputs == 1 else outputs.argmax(axis=1)
        return self.classes[codes]

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return probabilities, ndarray of shape (n, n_classes)."""
        if self.out_activation == "softmax":
            return softmax(outputs, axis=1)
        proba = expit(outputs)
        return proba if self.is_multilabel else np.hstack([1 - proba, proba])

    def log_probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return natural logarithms of probabilities, ndarray of shape (n, n_classes)."""
        if self.out_activation == "softmax":
            return log_softmax(outputs, axis=1)
        # log(1 - p) from the outputs: from p it would lose all digits as p nears 1
        log_proba = log_expit(outputs)
        return log_proba if self.is_multilabel else np.hstack([log_expit(-outputs), log_proba])

    @property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Shift and factor of the outputs, which classes leave at 0 and 1."""
        return np.zeros(self.n_outputs), np.ones(self.n_outputs)

    def weighted(self, rows: Rows, class_weight: Any, counted: Rows | None = None) -> Rows:
        """Multiply the weights of the classes into those of the rows; drop those of weight 0.

        Parameters
        ----------
        rows : Rows
        class_weight : dict, "balanced" or None
        counted : Rows or None, default=None
            Which tell how frequent the classes are; None: the rows themselves.

        Raises
        ------
        ValueError
            If a class is unknown, a weight is negative, or no row has a weight left.
        """
        if class_weight is None:
            return rows
        weight = self._weights_of(rows, class_weight, rows if counted is None else counted)
        if rows.weight is not None:
            weight = weight * rows.weight
        # dict weights may be zero, for all classes that these rows have
        if not np.any(weight > 0):
            raise ValueError("`class_weight` leaves no row with a positive weight.")
        return replace(rows, weight=weight).positive()

    def _weights_of(self, rows: Rows, class_weight: Any, counted: Rows) -> np.ndarray:
        """Return the weight of each row's class, ndarray of shape (n,)."""
        if self.is_multilabel:
            # a dict names classes, but here each label has the classes 0 and 1
            if isinstance(class_weight, dict):
                raise ValueError(
                    "`class_weight` must be 'balanced' or None for multilabel targets; got a "
                    "dict. Weigh rows with sample_weight instead."
                )
            columns = zip(rows.y.T, counted.y.T, strict=True)
            weights = [_balanced(*labels, counted.weight) for labels in columns]
            return np.prod(weights, axis=0)
        if isinstance(class_weight, dict):
            return self._listed_weights(class_weight)[np.searchsorted(self.classes, rows.y)]
        return _balanced(rows.y, counted.y, counted.weight)

    def _listed_weights(self, class_weight: dict[Any, float]) -> np.ndarray:
        """Return the weight of each class, 1 for those that are not listed."""
        labels = self.classes.tolist()
        # as in scikit-learn: rows may lack a class that is listed, but where they have one that
        # is not, the other is taken for a slip of the pen
        absent, unlisted = set(class_weight) - set(labels), set(labels) - set(class_weight)
        weights = [class_weight.get(label, 1.0) for label in labels]
        are_numbers = all(isinstance(weight, Real) and 0 <= weight < np.inf for weight in weights)
        if (absent and unlisted) or not are_numbers:
            raise ValueError(
                f"`class_weight` must hold weights >= 0 of the classes {labels}; got "
                f"{class_weight!r}."
            )
        return np.array(weights, dtype=float)

    def fitted_attributes(self) -> dict[str, Any]:
        """Return the attributes of a fitted classifier that describe its target."""
        return {
            "n_outputs_": self.n_outputs,
            "out_activation_": self.out_activation,
            "classes_": self.classes,
        }


def _balanced(y: np.ndarray, counted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the weight of each class in y that gives all classes among those counted one sum.

    It is 1 where no row of the class is counted.
    """
    # only of classes that have rows: all rows of a class may have had zero weight
    present = np.unique(counted)
    of_class: np.ndarray = compute_class_weight(
        "balanced", classes=present, y=counted, sample_weight=weight
    )
    place = np.searchsorted(present, y).clip(max=len(present) - 1)
    return np.where(present[place] == y, of_class[place], 1.0)


Target = NumberTarget | ClassTarget


def target_kind(estimator: Any) -> type[NumberTarget] | type[ClassTarget]:
    """Return the kind of target that an estimator learns from, fitted or not."""
    # only where probabilities are learned from; see `fit_to_probabilities`
    if getattr(estimator, "_soft_target", None) is not None:
        return type(estimator._soft_target)
    return ClassTarget if is_classifier(estimator) else NumberTarget


@contextmanager
def _sorting(name: str) -> Iterator[None]:
    """Say of classes that cannot be sorted what is wrong with them."""
    try:
        yield
    except TypeError as error:
        if "not supported between" not in str(error):
            raise
        raise TypeError(
            f"`{name}` must hold classes of one type, all text or all numbers, and none "
            f"missing: {error}."
        ) from error
