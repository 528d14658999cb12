"""Fold fitted estimators into one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.many import check_several
from skspectral._estimators.members import fold
from skspectral._estimators.targets import ClassTarget
from skspectral._training.torch_state import outside_of_modes
from skspectral.nn._linear import SpectralLinear
from skspectral.nn._merge import SKIP_LABEL


@outside_of_modes()
def merge(estimators):
    """Fold several fitted estimators into one, which predicts their mean.

    The mean of several networks is itself one network, whose hidden layers hold the
    nodes of all. So the result is an ordinary fitted estimator: `coefs_`, relevances,
    `prune`, `to_sklearn`, `to_onnx`, `partial_fit` and a warm start work on it. For
    networks that are yet to be trained set `n_members` instead.

    Parameters
    ----------
    estimators : list of SpectralMLPRegressor, or of SpectralMLPClassifier
        Fitted ones of the same columns, outputs or classes, activation, number of
        layers, `parametrization`, `eigenvalues` and `skip`. They may differ in sizes,
        penalties, seeds, rows and, for regressors, in the scale of the target. They do
        not change.

    Returns
    -------
    object
        A fitted estimator of the same class with the parameters of the first,
        ``n_members=1`` and as `hidden_layer_sizes` the nodes that are left in all
        networks. Regressors predict the mean of the predictions, classifiers by the
        mean of the linear outputs (logits). `alpha_` and `noise_variance_` are
        medians, and `size_settled_` tells whether all sizes have settled. Scale of the
        target, dtype, device and the history of training are those of the first.

    Raises
    ------
    TypeError
        If an estimator is of another class.
    NotFittedError
        If one is not fitted.
    ValueError
        If there is none, one stands there twice, or they differ in more than is said
        above.

    See Also
    --------
    skspectral.nn.merge : The same for modules.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor, merge
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> y = np.abs(X[:, 0])
    >>> regs = [
    ...     SpectralMLPRegressor(16, alpha=0.01, random_state=seed).fit(X, y) for seed in (0, 1)
    ... ]
    >>> both = merge(regs)
    >>> mean = (regs[0].predict(X) + regs[1].predict(X)) / 2
    >>> bool(np.allclose(both.predict(X), mean, atol=1e-5))
    True
    """
    estimators = check_several(estimators, "estimators")
    for estimator in estimators:
        check_is_fitted(estimator)
    for index, estimator in enumerate(estimators):
        _check_alike(estimators[0], estimator, index)
    return fold(estimators)


def _check_alike(first, other, index):
    """Raise ValueError unless two fitted estimators have the same columns and target."""
    expected, found = _form(first), _form(other)
    for name, wanted in expected.items():
        if not np.array_equal(wanted, found[name]):
            advice = " Fit all of them with the same `skip`." if name == SKIP_LABEL else ""
            raise ValueError(
                f"`estimators` must have the same {name}; the first has {wanted}, and the one at "
                f"index {index} has {found[name]}.{advice}"
            )


def _form(estimator):
    """Return by name what estimators must have in common."""
    target, module = estimator._target, estimator.net_.module
    form = {
        "number of columns": estimator.n_features_in_,
        "names of columns": getattr(estimator, "feature_names_in_", None),
    }
    if isinstance(target, ClassTarget):
        form["kind of classes"] = "labels" if target.is_multilabel else "one class per row"
        form["classes"] = target.classes
    return {
        **form,
        "number of outputs": target.n_outputs,
        "number of hidden layers": len(module.hidden_layer_sizes),
        "activation": module.activation,
        "eigenvalues": module.eigenvalues,
        SKIP_LABEL: "one" if module.skip else "none",
        "parametrization": [
            "spectral" if isinstance(layer, SpectralLinear) else "dense"
            for layer in estimator.module_.hidden_layers
        ],
    }
