"""Wider fitted estimators, grown from a fitted one."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skspectral._checks import check_hidden_layer_sizes
from skspectral._prunable import PrunableMixin, check_has_nodes
from skspectral.nn._grow import grow


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
