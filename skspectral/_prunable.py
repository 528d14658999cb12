"""Smaller fitted estimators, cut out of a fitted one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from numbers import Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._fitted import FittedNetworkMixin
from skspectral._ranking import check_n_nodes, masks_of, rank_nodes
from skspectral.nn._shrink import shrink


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < 1


def check_has_nodes(layers, purpose="prune"):
    """Raise ValueError where there is no hidden layer."""
    if not len(layers):
        raise ValueError(f"The network has no hidden layer, so there are no nodes to {purpose}.")


class PrunableMixin(FittedNetworkMixin):
    """Cut nodes out of the trained network by their relevance."""

    def prune(self, *, n_nodes=None, threshold=None):
        """Return a physically smaller fitted estimator.

        Nodes go in order of increasing relevance, compared after division by
        the largest of their layer; no layer loses all its nodes. The constants
        that the lost nodes emitted move into the biases of the next layer.

        Parameters
        ----------
        n_nodes : int, float in (0, 1], list of int or None, default=None
            Hidden nodes to keep: in all, as a share of those that
            `hidden_layer_sizes` names, or per hidden layer. Nodes that left in
            training (`shrink`) are not there to be kept, so it may keep fewer.
        threshold : float in [0, 1) or None, default=None
            Keep the nodes whose relevance exceeds this fraction of the largest
            in their layer. None, without `n_nodes`: keep the alive nodes.

        Returns
        -------
        object
            A fitted estimator of the same class whose `hidden_layer_sizes` are
            the kept numbers and whose nodes are numbered anew. ``fit`` of its
            clone trains that size from scratch; `partial_fit`, and `fit` with
            `warm_start`, go on from the kept weights. This estimator stays as
            it is.

        Raises
        ------
        ValueError
            If both parameters are given, one is out of range, or there is no
            hidden layer.
        TypeError
            If `n_nodes` is of another kind.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self, "net_")
        if n_nodes is not None and threshold is not None:
            raise ValueError("Give `n_nodes` or `threshold`, not both.")
        relevances = self.feature_relevance_
        check_has_nodes(relevances)
        ranking = rank_nodes(relevances)
        if n_nodes is not None:
            sizes = [len(relevance) for relevance in relevances]
            return self._keep(masks_of(check_n_nodes(n_nodes, sizes), ranking))
        if threshold is None:
            masks = self._alive_masks()
        elif _is_share(threshold):
            masks = [relevance > threshold * relevance.max() for relevance in relevances]
        else:
            raise ValueError(f"`threshold` must be a number in [0, 1); got {threshold!r}.")
        best = masks_of([1] * len(masks), ranking)
        return self._keep([mask | one for mask, one in zip(masks, best, strict=True)])

    def _keep(self, masks):
        """Return the estimator of the masked network, list of bool ndarray of shape (n_nodes,)."""
        physical = [
            np.asarray(mask)[index] for mask, index in zip(masks, self.node_indices_, strict=True)
        ]
        small = self._with_module(shrink(self.module_, physical))
        alive = self._alive_masks()
        if any((a & ~mask).any() for a, mask in zip(alive, masks, strict=True)):
            small.size_settled_ = None  # what is left is a choice, not where training ended
        return small

    def _with_module(self, module):
        """Return a copy that goes on with another module, its nodes numbered anew."""
        changed = copy.copy(self)
        changed.net_ = self.net_.with_module(module)
        changed._layer_sizes = module.layer_sizes
        changed.hidden_layer_sizes = module.layer_sizes[1:-1]
        sizes = list(changed.hidden_layer_sizes)
        changed._fitted_architecture = {**self._fitted_architecture, "hidden_layer_sizes": sizes}
        if self._random_state is not check_random_state(None):  # numpy's own is shared by all
            changed._random_state = copy.deepcopy(self._random_state)
        if self.net_.random_state is not None:
            changed.net_.random_state = changed._random_state
        changed._input_scaler = copy.deepcopy(self._input_scaler)
        return changed

    def _there(self, masks):
        """Return `masks` without the nodes that left in training."""
        present = self._of_all_nodes([np.ones(len(i), dtype=bool) for i in self.node_indices_])
        return [mask & there for mask, there in zip(masks, present, strict=True)]

    def _alive_masks(self):
        return self._of_all_nodes([mask.cpu().numpy() for mask in self.net_.alive_masks()])

    def _set_trainable(self, trainable):
        """Change what is trained from here on."""
        self.net_.module_.set_trainable(trainable)
        self.net_.module.keywords["trainable"] = trainable
        self.net_.restart_optimizer()
        self.trainable = trainable
        self._fitted_architecture = {**self._fitted_architecture, "trainable": trainable}
        return self
