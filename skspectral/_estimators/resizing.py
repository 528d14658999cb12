"""Make a fitted estimator smaller or wider, as a copy that is fitted too."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
from numbers import Real

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._estimators.checks import check_has_nodes, check_hidden_layer_sizes, check_seed
from skspectral._estimators.fitted import FittedNetworkMixin, alive_nodes, present_nodes
from skspectral._estimators.ranking import check_n_nodes, masks_of, places, rank_nodes
from skspectral._training.memory import enough_memory
from skspectral._training.seeds import new_seed
from skspectral._training.torch_state import outside_of_modes
from skspectral.nn._grow import grow
from skspectral.nn._shrink import shrink


def _is_share(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < 1


def keep_nodes(estimator, masks):
    """Return a copy of a fitted estimator with only the nodes that the masks keep.

    Parameters
    ----------
    estimator : fitted SpectralMLPRegressor or SpectralMLPClassifier
    masks : list of bool ndarray of shape (n_nodes,)
        One per hidden layer, numbered as in `hidden_layer_sizes`.
    """
    # nodes that were removed in training have a mask entry, but no row in the weights
    physical = [
        np.asarray(mask)[index] for mask, index in zip(masks, estimator.node_indices_, strict=True)
    ]
    small = with_module(estimator, shrink(estimator.module_, physical))
    alive = alive_nodes(estimator.net_)
    if any((a & ~mask).any() for a, mask in zip(alive, masks, strict=True)):
        small.size_settled_ = None  # this size was chosen; training did not end there
    return small


def with_module(estimator, module):
    """Return a copy of the estimator with another module, whose nodes are numbered from 0."""
    # not `clone`, which forgets what was fitted, nor a deep copy, which would copy the history
    # and the weights that are replaced here
    changed = copy.copy(estimator)
    changed.net_ = estimator.net_.with_module(module)
    changed.hidden_layer_sizes = module.layer_sizes[1:-1]
    changed.n_members, changed.n_restarts = 1, 0
    forget_other_networks(changed)
    # a generator of its own, so that training the copy does not change how the original goes on;
    # numpy's global one stays shared, as random_state=None asks for
    if estimator._random_state is not check_random_state(None):
        changed._random_state = copy.deepcopy(estimator._random_state)
        changed._has_own_generator = True
    # None means shuffle=False; otherwise net and estimator draw from one generator, as in fit
    if estimator.net_.random_state is not None:
        changed.net_.random_state = changed._random_state
    # partial_fit updates it in place
    changed._input_scaler = copy.deepcopy(estimator._input_scaler)
    return changed


def forget_other_networks(estimator):
    """Forget the networks of an ensemble, and those that restarts were compared with."""
    estimator.restart_gain_ = None
    for name in ("member_sizes_", "member_alphas_", "member_settled_"):
        vars(estimator).pop(name, None)


def present_masks(estimator, masks):
    """Return `masks` without the nodes that were removed in training."""
    return [mask & there for mask, there in zip(masks, present_nodes(estimator.net_), strict=True)]


def set_trainable(estimator, trainable):
    """Change what later training trains, in the parameter and in the network."""
    estimator.net_.set_trainable(trainable)
    return estimator.set_params(trainable=trainable)


def _check_wider(sizes, alive):
    if len(sizes) != len(alive) or any(
        size < n_alive for size, n_alive in zip(sizes, alive, strict=True)
    ):
        raise ValueError(
            f"`hidden_layer_sizes` must be at least the alive nodes, {list(alive)}; "
            f"got {list(sizes)}. To make the network smaller, call prune."
        )


class ResizableMixin(FittedNetworkMixin):
    """Remove nodes from the trained network, or add some."""

    @outside_of_modes()
    def prune(self, *, n_nodes=None, threshold=None):
        """Return a fitted estimator with a smaller network.

        The nodes of least relevance are removed first, where each relevance is
        divided by the largest of its layer. Every layer keeps at least one node.
        A node without inputs still passes on a constant; the constants of the
        removed nodes move into the biases of the next layer.

        Parameters
        ----------
        n_nodes : int, float in (0, 1], list of int or None, default=None
            Hidden nodes to keep: in all, as a share of all nodes in
            `hidden_layer_sizes`, or per hidden layer. Nodes that were removed in
            training (`shrink`) cannot be kept, so there may be fewer.
        threshold : float in [0, 1) or None, default=None
            Keep the nodes whose relevance is above this fraction of the largest in
            their layer. If both parameters are None, the alive nodes are kept.

        Returns
        -------
        object
            A fitted estimator of the same class. Its `hidden_layer_sizes` are the
            numbers of kept nodes, which are numbered from 0 again. ``fit`` of its
            clone trains that size from scratch; `partial_fit`, and `fit` with
            `warm_start`, go on from the kept weights. This estimator does not
            change.

        Raises
        ------
        ValueError
            If both parameters are given, one is out of range, or there is no
            hidden layer.
        TypeError
            If `n_nodes` is neither a number nor a list.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self, "net_")
        if n_nodes is not None and threshold is not None:
            raise ValueError("Give `n_nodes` or `threshold`, not both.")
        relevances = self.feature_relevance_
        check_has_nodes(relevances)
        present = present_nodes(self.net_)
        if n_nodes is not None:
            sizes = [len(relevance) for relevance in relevances]
            chosen = check_n_nodes(n_nodes, sizes)
            return keep_nodes(self, masks_of(chosen, rank_nodes(relevances, present)))
        if threshold is None:
            # not by threshold=relevance_threshold: a node must also be above its floor
            masks = alive_nodes(self.net_)
        elif _is_share(threshold):
            masks = [relevance > threshold * relevance.max() for relevance in relevances]
        else:
            raise ValueError(f"`threshold` must be a number in [0, 1); got {threshold!r}.")
        # the best of each layer too: a network of which all nodes died would have an empty layer
        best = [place == 0 for place in map(places, relevances, present)]
        return keep_nodes(self, [mask | one for mask, one in zip(masks, best, strict=True)])

    @outside_of_modes()
    def grow(self, hidden_layer_sizes=None, *, random_state=None):
        """Return a fitted estimator with a wider network, to train it further.

        This can lead out of a local minimum. Dead nodes are removed; then alive
        nodes are split in two and new ones are added, as in
        :func:`skspectral.nn.grow`. Predictions change little.

        Parameters
        ----------
        hidden_layer_sizes : int, sequence of int or None, default=None
            Nodes per hidden layer, at least as many as are alive. None uses the
            sizes from which this estimator started.
        random_state : int, RandomState instance or None, default=None
            Source of the new weights. None goes on from a copy of the generator
            of `fit`, so that two calls give the same.

        Returns
        -------
        object
            A fitted estimator of the same class with these
            `hidden_layer_sizes`, alive nodes first. `partial_fit`, and `fit`
            with `warm_start`, go on from its weights. This estimator does not
            change.

        Raises
        ------
        ValueError
            If a layer would have fewer nodes than are alive in it, or if there is no
            hidden layer.
        NotFittedError
            If the estimator is not fitted.

        See Also
        --------
        prune : Return a smaller network.

        Examples
        --------
        Keep the wider network only if it ends with a smaller penalised loss:

        >>> from sklearn.datasets import load_diabetes
        >>> from skspectral import SpectralMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> reg = SpectralMLPRegressor((40,), alpha=0.01, random_state=0).fit(X, y)
        >>> again = reg.grow().set_params(warm_start=True).fit(X, y)
        >>> best = min(reg, again, key=lambda fitted: fitted.loss_curve_[-1])
        """
        check_is_fitted(self, "net_")
        n_inputs, *sizes, n_outputs = self.net_.module.layer_sizes
        check_has_nodes(sizes, "grow")
        if hidden_layer_sizes is not None:
            sizes = list(check_hidden_layer_sizes(hidden_layer_sizes))
        # dead nodes would take the places of new ones, and cannot come back under the penalty
        alive = self.prune()
        _check_wider(sizes, alive.hidden_layer_sizes)
        rng = alive._random_state if random_state is None else check_seed(random_state)
        generator = torch.Generator().manual_seed(new_seed(rng))
        layer_sizes = (n_inputs, *sizes, n_outputs)
        with enough_memory(layer_sizes):
            module = grow(alive.module_, layer_sizes, generator=generator)
        grown = with_module(alive, module)
        grown.size_settled_ = None  # until it is trained
        return grown
