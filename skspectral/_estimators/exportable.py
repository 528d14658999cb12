"""Export a fitted network to scikit-learn and to ONNX."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.fitted import FittedNetworkMixin
from skspectral._export.fold_skip import fold_skip
from skspectral._export.sklearn_mlp import make_mlp_classifier, make_mlp_regressor
from skspectral._export.to_onnx import to_onnx
from skspectral.nn._relevance import feeding_masks
from skspectral.nn._shrink import shrink


class ExportableMixin(FittedNetworkMixin):
    """Turn a trained network into models that do not need torch."""

    _target: Any

    def to_sklearn(self):
        r"""Return a scikit-learn MLP that predicts the same.

        It leaves out nodes that change the predictions by rounding only.

        Returns
        -------
        MLPRegressor or MLPClassifier of :mod:`sklearn.neural_network`
            A fitted model whose predictions and probabilities equal those of this
            estimator up to rounding. It can be saved and loaded without torch and
            this package. `partial_fit`, and `fit` with ``warm_start=True``, go on
            from its weights.

        Raises
        ------
        ValueError
            If scikit-learn's MLP does not have the activation ("gelu", "silu"), or if
            the activation cannot pass a linear skip on ("tanh", "logistic").
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        to_onnx : Export to other runtimes.

        Notes
        -----
        The scale of the target is folded into the last layer, which is
        float64. The other layers have the dtype in which the network was trained.

        A linear skip is folded into more nodes of each hidden layer: two per output
        for "relu", as :math:`v = \max(v, 0) - \max(-v, 0)`, one for "identity".
        """
        check_is_fitted(self, "net_")
        return self._mlp(*self._exported_layers(folds=True))

    def _mlp_and_skip(self):
        """Return a scikit-learn MLP of the layers alone, and V of shape (n_in, n_out) or None."""
        check_is_fitted(self, "net_")
        skip = None if self.skip_coef_ is None else self.skip_coef_.T
        return self._mlp(*self._exported_layers(folds=False)), skip

    def _mlp(self, coefs, intercepts):
        """Return a scikit-learn MLP of these layers."""
        options = {
            "activation": self.net_.module.activation,
            "feature_names": getattr(self, "feature_names_in_", None),
        }
        # by scikit-learn's tag, as this class is below the two estimators
        if not is_classifier(self):
            return make_mlp_regressor(coefs, intercepts, **options)
        options |= {"classes": self._target.classes, "multilabel": self._target.is_multilabel}
        return make_mlp_classifier(coefs, intercepts, **options)

    def to_onnx(self, path=None):
        """Return the network as an ONNX model.

        Parameters
        ----------
        path : str, path-like or None, default=None
            File to write the model to. None writes no file.

        Returns
        -------
        :class:`onnx.ModelProto`
            The model, as :func:`skspectral.to_onnx` describes it.

        Raises
        ------
        ImportError
            If skl2onnx or onnxruntime is missing;
            ``pip install "skspectral[onnx]"`` installs both.
        ValueError
            If the activation is "gelu" or "silu", or if ONNX has no type for the
            classes.
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        skspectral.to_onnx : Export pipelines too.
        """
        return to_onnx(self, path)

    def _exported_layers(self, *, folds):
        """Return weights (n_in, n_out) and biases (n_out,) in units of y, lists of ndarray.

        With `folds` they hold the linear skip, too.
        """
        # before the copy is float64: rounding is that of the dtype trained in
        masks = feeding_masks(self.module_)
        # a deep copy, as cpu() and double() change a module in place
        module = shrink(copy.deepcopy(self.module_).cpu().double(), masks)
        coefs, intercepts = map(list, zip(*map(_weight_and_bias, module.layers), strict=True))
        if folds and module.skip is not None:
            skip, _ = _weight_and_bias(module.skip)
            coefs, intercepts = fold_skip(coefs, intercepts, skip, self.net_.module.activation)
        shift, scale = self._target.scale
        # the last layer stays float64: it holds the scale of y, which float32 may not resolve
        dtype = str(self.net_.dtype).removeprefix("torch.")
        return (
            [*(array.astype(dtype) for array in coefs[:-1]), coefs[-1] * scale],
            [*(array.astype(dtype) for array in intercepts[:-1]), intercepts[-1] * scale + shift],
        )


def _weight_and_bias(layer):
    """Return ndarray of shape (n_in, n_out) and (n_out,)."""
    # torch stores (n_out, n_in), scikit-learn (n_in, n_out)
    weight = layer.weight.detach().numpy().T
    return weight, np.zeros(weight.shape[1]) if layer.bias is None else layer.bias.detach().numpy()
