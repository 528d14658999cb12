"""Export a fitted network to scikit-learn and to ONNX."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.fitted import FittedNetworkMixin
from skspectral._export.sklearn_mlp import make_mlp_classifier, make_mlp_regressor
from skspectral._export.to_onnx import to_onnx
from skspectral.nn._relevance import feeding_masks
from skspectral.nn._shrink import shrink


class ExportableMixin(FittedNetworkMixin):
    """Turn a trained network into models that do not need torch."""

    _target: Any

    def to_sklearn(self):
        """Return a scikit-learn MLP that predicts the same.

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
            If scikit-learn's MLP does not have the activation ("gelu", "silu").
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        to_onnx : Export to other runtimes.

        Notes
        -----
        The scale of the target is folded into the last layer, which is
        float64. The other layers have the dtype in which the network was trained.
        """
        check_is_fitted(self, "net_")
        coefs, intercepts = self._exported_layers()
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

    def _exported_layers(self):
        """Return weights (n_in, n_out) and biases (n_out,) in units of y, lists of ndarray."""
        # before the copy is float64: rounding is that of the dtype trained in
        masks = feeding_masks(self.module_)
        # a deep copy, as cpu() and double() change a module in place
        module = shrink(copy.deepcopy(self.module_).cpu().double(), masks)
        coefs, intercepts = zip(*map(_weight_and_bias, module.layers), strict=True)
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
