"""The net as scorers see it: skorch's callbacks score the net, not the estimator."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from skorch import NeuralNet
from skorch.utils import to_numpy

from skspectral.nn._mlp import SpectralMLP


class ScorableNet(NeuralNet):
    """Net whose predictions are encoded: standardised numbers, or indices of classes."""

    out_activation: str
    module_: SpectralMLP

    @property
    def classes_(self) -> np.ndarray:
        """Encoded classes, for scorers that ask for them."""
        if self.out_activation == "identity":
            # this type, so that hasattr tells scorers that it is no classifier
            raise AttributeError("A net for regression has no classes.")
        # two classes share one output
        return np.arange(max(2, self.module_.layer_sizes[-1]))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, ndarray of shape (n, n_classes); raw outputs for regression."""
        return np.concatenate(list(self._probabilities(X)))

    def predict(self, X: Any) -> np.ndarray:
        """Return encoded predictions, for callbacks that score the net."""
        # part by part: probabilities of all rows may take far more memory than X
        return np.concatenate([self._encoded(part) for part in self._probabilities(X)])

    def _probabilities(self, X: Any) -> Iterator[np.ndarray]:
        """Yield the probabilities, or raw outputs, of one batch after the other."""
        for output in self.forward_iter(X):
            part: np.ndarray = to_numpy(self._get_predict_nonlinearity()(output))
            two_classes = self.out_activation == "logistic" and part.shape[1] == 1
            yield np.hstack([1 - part, part]) if two_classes else part

    def _encoded(self, output: np.ndarray) -> np.ndarray:
        if self.out_activation == "identity":
            return output
        # labels are separate decisions, while classes compete for a row
        multilabel = self.out_activation == "logistic" and self.module_.layer_sizes[-1] > 1
        encoded: np.ndarray = (output > 0.5).astype(int) if multilabel else output.argmax(axis=1)
        return encoded

    def __sklearn_tags__(self) -> Any:
        """Tell scorers whether the net predicts classes."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor" if self.out_activation == "identity" else "classifier"
        return tags
