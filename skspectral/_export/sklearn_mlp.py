"""Fitted scikit-learn MLPs with given weights."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
"""Hidden activations of scikit-learn's MLPs."""


def make_mlp_regressor(coefs, intercepts, *, activation, feature_names=None):
    """Return a fitted scikit-learn regressor with the given weights.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights, first layer to last; copied, with their dtypes.
    intercepts : list of ndarray of shape (n_out,)
        Biases; copied.
    activation : {"identity", "logistic", "tanh", "relu"}
        Of the hidden nodes.
    feature_names : array-like of str of shape (n_features,) or None, default=None
        Names of the columns.

    Returns
    -------
    :class:`sklearn.neural_network.MLPRegressor`
        It predicts; `partial_fit`, and `fit` with ``warm_start=True``, go on
        from the weights.

    Raises
    ------
    ValueError
        If scikit-learn does not have `activation`, or shapes do not match.

    See Also
    --------
    make_mlp_classifier : The same for classes.
    """
    mlp = MLPRegressor(**_parameters(coefs, activation))
    _set_layers(mlp, coefs, intercepts, feature_names)
    mlp.out_activation_ = "identity"
    return mlp


def make_mlp_classifier(
    coefs, intercepts, *, activation, classes, multilabel=False, feature_names=None
):
    """Return a fitted scikit-learn classifier with the given weights.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights, first layer to last; copied, with their dtypes. The last has
        one column for two classes, else one per class or label.
    intercepts : list of ndarray of shape (n_out,)
        Biases; copied.
    activation : {"identity", "logistic", "tanh", "relu"}
        Of the hidden nodes.
    classes : array-like of shape (n_classes,)
        Class labels, sorted; for `multilabel` the numbers of the labels, from 0.
    multilabel : bool, default=False
        Whether a row may have any number of the labels.
    feature_names : array-like of str of shape (n_features,) or None, default=None
        Names of the columns.

    Returns
    -------
    :class:`sklearn.neural_network.MLPClassifier`
        It predicts; `partial_fit`, and `fit` with ``warm_start=True``, go on
        from the weights.

    Raises
    ------
    ValueError
        If scikit-learn does not have `activation`, shapes do not match, or
        `classes` are not as described.

    See Also
    --------
    make_mlp_regressor : The same for numbers.
    """
    mlp = MLPClassifier(**_parameters(coefs, activation))
    _set_layers(mlp, coefs, intercepts, feature_names)
    classes = _check_classes(classes, multilabel, mlp.n_outputs_)
    # private, but what MLPClassifier predicts with; labels are told apart by an indicator matrix
    mlp._label_binarizer = LabelBinarizer().fit(
        np.eye(len(classes), dtype=int) if multilabel else classes
    )
    mlp.classes_ = mlp._label_binarizer.classes_
    mlp.out_activation_ = "logistic" if multilabel or len(classes) == 2 else "softmax"
    return mlp


def _parameters(coefs, activation):
    """Return the parameters that a user of the MLP would have set."""
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"`activation` must be one that scikit-learn's MLPs have, {ACTIVATIONS}; got "
            f"{activation!r}. Train the network with one of these."
        )
    # the rest keeps scikit-learn's defaults, as training parameters do not carry over
    return {
        "hidden_layer_sizes": tuple(int(layer.shape[1]) for layer in coefs[:-1]),
        "activation": activation,
    }


def _set_layers(mlp, coefs, intercepts, feature_names):
    """Set the weights, and what else predicting and further training read."""
    _check_shapes(coefs, intercepts)
    # copies, as partial_fit changes them in place; in C order, as scikit-learn's own
    mlp.coefs_ = [np.array(layer, order="C") for layer in coefs]
    mlp.intercepts_ = [np.array(layer) for layer in intercepts]
    mlp.n_layers_ = len(coefs) + 1
    mlp.n_features_in_, mlp.n_outputs_ = coefs[0].shape[0], coefs[-1].shape[1]
    if feature_names is not None:
        mlp.feature_names_in_ = np.array(feature_names, dtype=object)
    # as after no epoch: partial_fit and a warm start count on from here
    mlp.n_iter_ = mlp.t_ = mlp._no_improvement_count = 0
    mlp.loss_curve_, mlp.loss_, mlp.best_loss_ = [], np.inf, np.inf
    mlp.validation_scores_ = mlp.best_validation_score_ = None


def _check_shapes(coefs, intercepts):
    """Raise ValueError unless each layer starts where the one before ends."""
    shapes = [layer.shape for layer in coefs]
    starts = [shape[0] for shape in shapes[1:]]
    ends = [shape[1] for shape in shapes]
    if starts != ends[:-1] or [layer.shape for layer in intercepts] != [(n,) for n in ends]:
        raise ValueError(
            "`coefs` must hold arrays of shape (n_in, n_out) and `intercepts` one of shape "
            f"(n_out,) for each; got {shapes} and {[layer.shape for layer in intercepts]}."
        )


def _check_classes(classes, multilabel, n_outputs):
    """Return `classes` as an array; raise ValueError unless they are those of the outputs."""
    classes = np.asarray(classes)
    if multilabel and (n_outputs < 2 or not np.array_equal(classes, np.arange(n_outputs))):
        raise ValueError(
            f"`classes` of the {n_outputs} labels must number them from 0, and there must be at "
            f"least 2; got {classes}."
        )
    if not np.array_equal(classes, np.unique(classes)):
        raise ValueError(f"`classes` must be sorted and distinct; got {classes}.")
    # two classes share one logistic output, as in scikit-learn
    expected = len(classes) if multilabel or len(classes) != 2 else 1
    if n_outputs != expected or len(classes) < 2:
        raise ValueError(
            "`classes` must be 2 for one output, else as many as outputs; got "
            f"{len(classes)} classes and {n_outputs} outputs."
        )
    return classes
