"""Predictions and transformed rows of the network that a pruner has cut."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import _VisualBlock
from skspectral._estimators.fitted import last_hidden
from skspectral._estimators.summary import has_view, penalty_rows
from skspectral._pruning.kept_text import choice_rows, cut_settled_text, kept_text
from skspectral._selection.network_inside import NetworkInsideMixin, of_network


class PrunedNetworkMixin(NetworkInsideMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Add predictions, activations, exports and a summary of `estimator_` to a pruner."""

    alpha_ = of_network("alpha_", "Penalty of the network at the end of its training, float.")
    alpha_factor_ = of_network(
        "alpha_factor_", "Factor on the penalty that followed the noise, float or None."
    )

    def transform(self, X):
        """Return the activations of the last hidden layer of the pruned network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_kept_nodes)
            One column per node of the last hidden layer that is in the network, float64.

        Raises
        ------
        NotFittedError
            If the pruner is not fitted.
        """
        check_is_fitted(self)
        return last_hidden(self.estimator_, X)

    def _summary_rows(self):
        return [
            ("nodes", kept_text(self)),
            ("settled", cut_settled_text(self)),
            *penalty_rows(self.estimator_),
            *choice_rows(self),
        ]

    def _caption(self):
        return kept_text(self)

    @available_if(has_view)
    def _sk_visual_block_(self):
        # As scikit-learn's searches do: once fitted, the view holds the network that was kept.
        name = type(self.estimator_).__name__
        return _VisualBlock(
            "parallel",
            [self.estimator_],
            names=[f"estimator_: {name}, {self._caption()}"],
            name_details=[str(self.estimator_)],
        )

    @property
    def _n_features_out(self):
        # Read by scikit-learn's get_feature_names_out. Training after the cut may remove nodes.
        return len(self.estimator_.node_indices_[-1])
