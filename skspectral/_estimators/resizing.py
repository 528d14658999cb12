"""Smaller fitted estimators, cut out of a fitted one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from numbers import Real

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.checks import check_has_nodes, check_hidden_layer_sizes
from skspectral._estimators.fitted import FittedNetworkMixin
from skspectral._estimators.ranking import check_n_nodes, masks_of, rank_nodes
from skspectral.nn._grow import grow
from skspectral.nn._shrink import shrink


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < 1


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


class GrowableMixin(PrunableMixin):
    """Add nodes to the trained network."""

    def grow(self, hidden_layer_sizes=None, *, random_state=None):
        """Return a wider fitted estimator, for training to go on.

        It leads out of local minima: dead nodes go, and in their place alive
        ones are split in two and new ones added; see
        :func:`skspectral.nn.grow`. The output is about what it was.

        Parameters
        ----------
        hidden_layer_sizes : int, sequence of int or None, default=None
            Nodes per hidden layer, at least the alive ones. None: the sizes that
            this estimator started from.
        random_state : int, RandomState instance or None, default=None
            Of the new weights. None goes on from the fit's own state, so that
            two calls agree.

        Returns
        -------
        object
            A fitted estimator of the same class with these
            `hidden_layer_sizes`, alive nodes first. `partial_fit`, and `fit`
            with `warm_start`, go on from its weights. This estimator stays as
            it is.

        Raises
        ------
        ValueError
            If a layer would get fewer nodes than are alive, or there is no
            hidden layer.
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        prune : A smaller estimator.

        Examples
        --------
        Keep the wider network where it ends with the smaller penalised loss:

        >>> from sklearn.datasets import load_diabetes
        >>> from skspectral import SpectralMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> reg = SpectralMLPRegressor((40,), alpha=0.01, random_state=0).fit(X, y)
        >>> again = reg.grow().set_params(warm_start=True).fit(X, y)
        >>> best = min(reg, again, key=lambda fitted: fitted.loss_curve_[-1])
        """
        check_is_fitted(self, "net_")
        check_has_nodes(self._layer_sizes[1:-1], "grow")
        sizes = self._layer_sizes[1:-1]
        if hidden_layer_sizes is not None:
            sizes = check_hidden_layer_sizes(hidden_layer_sizes)
        alive = self.prune()
        self._check_wider(sizes, alive.hidden_layer_sizes)
        rng = alive._random_state if random_state is None else check_random_state(random_state)
        generator = torch.Generator().manual_seed(int(rng.randint(2**31)))
        layer_sizes = (self._layer_sizes[0], *sizes, self._layer_sizes[-1])
        grown = alive._with_module(grow(alive.module_, layer_sizes, generator=generator))
        grown.size_settled_ = None
        return grown

    @staticmethod
    def _check_wider(sizes, alive):
        if len(sizes) != len(alive) or any(
            size < n_alive for size, n_alive in zip(sizes, alive, strict=True)
        ):
            raise ValueError(
                f"`hidden_layer_sizes` must be at least the alive nodes, {list(alive)}; "
                f"got {list(sizes)}. To make the network smaller, call prune."
            )
