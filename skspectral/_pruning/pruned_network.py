"""Predictions and transformed rows of the network that a pruner has cut."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.fitted import last_hidden
from skspectral._selection.network_inside import NetworkInsideMixin, of_network


class PrunedNetworkMixin(NetworkInsideMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Add predictions, activations and exports of `estimator_` to a pruner."""

    alpha_ = of_network("alpha_", "Penalty of the network at the end of its training, float.")

    def transform(self, X):
        """Return the activations of the last hidden layer of the pruned network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_kept_nodes)
            One column per kept node of the last hidden layer, float64.

        Raises
        ------
        NotFittedError
            If the pruner is not fitted.
        """
        check_is_fitted(self)
        return last_hidden(self.estimator_, X)

    @property
    def _n_features_out(self):
        # Read by scikit-learn's get_feature_names_out.
        return self.estimator_.hidden_layer_sizes[-1]
