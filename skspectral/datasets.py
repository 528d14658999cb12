"""Synthetic data whose true network is known."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skspectral._compat import Interval, StrOptions, validate_params
from skspectral._estimators.checks import check_hidden_layer_sizes
from skspectral._export.sklearn_mlp import ACTIVATIONS, make_mlp_classifier, make_mlp_regressor
from skspectral.nn._architecture import n_weights
from skspectral.nn._linear import TOO_MANY, about

__all__ = ["make_teacher_student"]


def _glorot(rng, n_in, n_out):
    # X. Glorot, Y. Bengio, AISTATS 2010, equation 16
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, size=(n_in, n_out))


def _draw_teacher(rng, layer_sizes, output_weights, activation):
    """Return a scikit-learn regressor with random weights and no biases."""
    coefs = [_glorot(rng, n_in, n_out) for n_in, n_out in itertools.pairwise(layer_sizes)]
    if output_weights == "ones":
        # drawn all the same: both kinds of output then have the same hidden layers and rows
        coefs[-1] = np.ones_like(coefs[-1])
    intercepts = [np.zeros(n_out) for n_out in layer_sizes[1:]]
    return make_mlp_regressor(coefs, intercepts, activation=activation)


def _as_classifier(teacher, centre, n_classes):
    """Return a scikit-learn classifier whose logits are the outputs minus `centre`."""
    # the shift is a bias of the output, so that the teacher itself predicts the classes
    intercepts = [*teacher.intercepts_[:-1], -np.atleast_1d(centre)]
    return make_mlp_classifier(
        teacher.coefs_, intercepts, activation=teacher.activation, classes=np.arange(n_classes)
    )


def _largest(logits):
    """Return the class of the largest logit; a single logit is that of class 1."""
    return (logits > 0).astype(np.int64) if logits.ndim == 1 else logits.argmax(axis=1)


def _check_countable(n_samples, layer_sizes):
    """Raise MemoryError where NumPy could not count the bytes, and says so obscurely."""
    n_numbers = max(n_weights(layer_sizes), n_samples * max(layer_sizes))
    if n_numbers >= TOO_MANY:
        raise MemoryError(
            f"{n_samples} rows and a teacher of layers of {', '.join(map(str, layer_sizes))} "
            f"nodes take {about(n_numbers)} numbers, for which there is not enough memory. Lower "
            "`n_samples`, `n_features`, `teacher_layer_sizes` or `n_classes`."
        )


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "teacher_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "task": [StrOptions({"regression", "classification"})],
        "n_classes": [Interval(Integral, 2, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "output_weights": [StrOptions({"auto", "ones", "glorot"})],
        "random_state": ["random_state"],
        "return_teacher": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_teacher_student(
    n_samples=10_000,
    n_features=10,
    teacher_layer_sizes=(20, 20),
    *,
    task="regression",
    n_classes=2,
    noise=0.0,
    activation="relu",
    output_weights="auto",
    random_state=None,
    return_teacher=True,
):
    r"""Draw a network at random, the teacher, and rows that it labels.

    Without noise a network as large as the teacher can fit these rows exactly: the
    size of the task is known. The defaults are those of [1]_: 10 standard normal
    columns, two hidden layers of 20 relu nodes, and the sum of the last as output.
    With teacher weights :math:`W_l` and noise :math:`\epsilon \sim N(0, 1)`,

    .. math::

        f(x) = W_L\, \sigma(W_{L-1} \cdots \sigma(W_1 x)), \qquad
        y = f(x) + \text{noise} \cdot \operatorname{std}(f) \cdot \epsilon .

    Parameters
    ----------
    n_samples : int >= 1, default=10_000
        Number of rows.
    n_features : int >= 1, default=10
        Number of columns, independent and standard normal.
    teacher_layer_sizes : int or sequence of int >= 1, default=(20, 20)
        Nodes per hidden layer of the teacher.
    task : {"regression", "classification"}, default="regression"
        Whether `y` holds numbers or classes. Of two classes the sign of the teacher's
        output decides, of more the largest output. Outputs are shifted to a median
        of zero, so that no class is rare.
    n_classes : int >= 2, default=2
        Number of classes; ignored in regression.
    noise : float >= 0, default=0.0
        Standard deviation of the normal noise that is added to each output, as a
        share of the standard deviation of that output. In classification it is
        added before the class is read off.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the teacher's hidden nodes.
    output_weights : {"auto", "ones", "glorot"}, default="auto"
        Weights of the output. "ones": all 1, so that the output is a sum. "glorot":
        random. "auto": "ones" in regression, "glorot" in classification. All other
        weights follow Glorot's uniform distribution; hidden biases are zero.
    random_state : int, RandomState instance or None, default=None
        Source of the teacher and of the rows. The same seed gives the same
        weights for any number of rows.
    return_teacher : bool, default=True
        False: return only ``(X, y)``.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or tuple
        With

        X : ndarray of shape (n_samples, n_features)
            The rows.
        y : ndarray of shape (n_samples,)
            Their targets, float64, or int64 from 0 to `n_classes` - 1.
        teacher : MLPRegressor or MLPClassifier of :mod:`sklearn.neural_network`
            The teacher, fitted: without noise ``teacher.predict(X)`` is `y`.
        teacher_output : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Output of the teacher without noise. In classification it is a
            logit, one per class where there are more than two.

        The tuple is ``(X, y)``.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the output of the teacher is the
        same for all rows.
    MemoryError
        If no memory holds that many rows, or such a teacher.

    See Also
    --------
    match_nodes : Which nodes of a student are the teacher's?
    n_alive_nodes_score : Size of a student, for a grid search.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, https://arxiv.org/abs/2310.12612.

    Examples
    --------
    >>> from skspectral.datasets import make_teacher_student
    >>> data = make_teacher_student(200, random_state=0)
    >>> [weights.shape for weights in data.teacher.coefs_]
    [(10, 20), (20, 20), (20, 1)]
    >>> data.teacher.score(data.X, data.y)
    1.0
    """
    hidden = check_hidden_layer_sizes(teacher_layer_sizes, "teacher_layer_sizes")
    if not hidden:  # a linear teacher has no size for a student to find
        raise ValueError("`teacher_layer_sizes` must name hidden layers, at least one; got ().")
    is_regression = task == "regression"
    n_outputs = 1 if is_regression or n_classes == 2 else n_classes
    if output_weights == "auto":
        output_weights = "ones" if is_regression else "glorot"
    if output_weights == "ones" and n_outputs > 1:
        raise ValueError(
            "`output_weights` must be 'glorot' for more than two classes, whose outputs would "
            "otherwise be the same; got 'ones'."
        )
    n_samples, layer_sizes = int(n_samples), (int(n_features), *hidden, int(n_outputs))
    _check_countable(n_samples, layer_sizes)
    # weights before rows: a seed gives the same teacher for any number of rows
    rng = check_random_state(random_state)
    teacher = _draw_teacher(rng, layer_sizes, output_weights, activation)
    X = rng.standard_normal((n_samples, layer_sizes[0]))
    output = teacher.predict(X)
    # a relu node whose inputs are relu nodes is silent for all x if its weights are negative
    if n_samples > 1 and np.ptp(output, axis=0).min() == 0:
        raise ValueError(
            "The teacher's output is the same for all rows, as its nodes are silent. Choose "
            f"another `random_state` or larger `teacher_layer_sizes`; got {hidden}."
        )
    if not is_regression:
        centre = np.median(output, axis=0)
        output = output - centre
        teacher = _as_classifier(teacher, centre, n_classes)
    # the noise comes last, and so changes neither the teacher nor the rows
    noisy = output + noise * output.std(axis=0) * rng.standard_normal(output.shape)
    y = noisy if is_regression else _largest(noisy)
    return Bunch(X=X, y=y, teacher=teacher, teacher_output=output) if return_teacher else (X, y)
