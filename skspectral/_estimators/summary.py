"""What a fitted estimator says of itself: a few plain lines, and a caption in the HTML view."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import _VisualBlock
from skspectral._doc_link import DocLinkMixin
from skspectral._training.counts import count_of

LISTED = 4
"""Most outputs whose noise is listed one by one."""

Row = tuple[str, str]
"""A label, and the text that stands behind it."""


def aligned(title: str, rows: Sequence[Row]) -> str:
    """Return the title, and below it one line per row, with the texts in one column."""
    width = max(len(label) for label, _ in rows)
    return "\n".join([title, *(f"{label:<{width}}  {text}" for label, text in rows)])


def joined(values: Iterable[Any]) -> str:
    """Return numbers, or ready texts, with commas between them."""
    return ", ".join(str(value) for value in values)


def without_nodes_text(network: Any) -> str:
    """Return what a network is of which no node is left."""
    if network.module_.skip is None:
        return "every node died, the prediction is a constant"
    return "no hidden node needed at this penalty, the network is linear"


def nodes_text(n_nodes: Sequence[int], widths: Sequence[int], fate: str = "left") -> str:
    """Return how many nodes of each hidden layer are left, or what else became of them.

    Examples
    --------
    >>> nodes_text([8], (256,))
    '8 of 256 nodes left'
    >>> nodes_text([20, 18], (256, 256))
    '20, 18 of 256, 256 nodes left'
    """
    if not widths:
        return "no hidden layers"
    return f"{joined(n_nodes)} of {joined(widths)} nodes {fate}"


def settled_text(settled: bool | None, n_alive: Sequence[int]) -> str:
    """Return whether training was long enough for this penalty: that is all settled means."""
    if settled is None:
        return "not judged"
    if settled:
        return "yes, trained long enough for this penalty"
    # a network without nodes has not settled either, but there is nothing to train on for
    return "no, more training would remove nodes" if any(n_alive) else "no nodes left to judge"


def all_settled_text(network: Any) -> str:
    """Return the same of a network, or of those that were folded into it."""
    settled, n_alive = network.size_settled_, network.n_alive_nodes_
    if settled is False and any(n_alive) and hasattr(network, "member_settled_"):
        n_settled = network.member_settled_.count(True)
        whole = count_of(len(network.member_settled_), "network")
        return f"{n_settled} of {whole}; the others might lose nodes in more training"
    return settled_text(settled, n_alive)


def settled_caption(settled: bool | None) -> str:
    """Return the same in a word or two."""
    return {None: "settling not judged", True: "settled", False: "not settled"}[settled]


def penalty_text(network: Any, chosen: str = "") -> str:
    """Return the penalty and where it comes from.

    Parameters
    ----------
    network : fitted SpectralMLPRegressor or SpectralMLPClassifier
    chosen : str, default=""
        How its `alpha`, or its `alpha_factor`, was chosen, if the user did not.
    """
    if network.noise_variance_ is not None:
        # estimators that were saved before it could be "auto" have the number itself
        factor = getattr(network, "alpha_factor_", None) or network.alpha_factor
        origin = f"follows the noise, times alpha_factor={factor:.3g}"
        origin = f"{origin}, {chosen}" if chosen else origin
    elif not network.net_.module.hidden_layer_sizes and network.alpha_ == 0:
        origin = "no hidden nodes to penalise"
    elif chosen or network.alpha == network.alpha_:
        origin = chosen or "given"
    else:  # merged of networks of several penalties, or the parameter was changed after the fit
        origin = "as fitted"
    penalty, parts = network.net_.penalty, ""
    if {penalty.phi, penalty.lambda_} != {penalty.weight}:
        parts = f"; eigenvectors {penalty.phi:.3g}, eigenvalues {penalty.lambda_:.3g}"
    return f"{network.alpha_:.3g}: {origin}{parts}"


def numbers_text(values: np.ndarray, unit: str = "") -> str:
    """Return the numbers, or the range of many."""
    if len(values) > LISTED:
        return f"{min(values):.3g} to {max(values):.3g}{unit}"
    return joined(f"{value:.3g}{unit}" for value in values)


def noise_text(noise: float | np.ndarray, variance: float | np.ndarray | None) -> str:
    """Return the noise of a numeric target, and its share of the variance of that target.

    Parameters
    ----------
    noise : float or ndarray of shape (n_outputs,)
        In units of y squared.
    variance : float, ndarray of shape (n_outputs,) or None
        Of the target, in the same units. The share is left out where it is not
        known or 0.
    """
    noise, text = np.atleast_1d(noise), numbers_text(np.atleast_1d(noise))
    if variance is None or not np.all(variance):
        return text
    of_what = "the variance of the target" if len(noise) == 1 else "the variance of each output"
    return f"{text}: {numbers_text(100 * noise / np.atleast_1d(variance), ' %')} of {of_what}"


def members_text(member_sizes: Sequence[Sequence[int]], n_alive: Sequence[int]) -> str:
    """Return what networks were folded into one.

    Examples
    --------
    >>> members_text([[8], [9], [8]], [25])
    '3 networks of 8, 9, 8 nodes, folded into one of 25'
    >>> members_text([[8, 4], [9, 5]], [17, 9])
    '2 networks of 8 + 4, 9 + 5 nodes, folded into one of 17 + 9'
    """
    if not n_alive:
        return "no hidden layers"
    sizes = joined(" + ".join(map(str, sizes)) for sizes in member_sizes)
    whole = " + ".join(map(str, n_alive))
    return f"{count_of(len(member_sizes), 'network')} of {sizes} nodes, folded into one of {whole}"


def all_nodes_text(network: Any) -> str:
    """Return how many nodes are left in a network, or in those that were folded into it."""
    n_alive = network.n_alive_nodes_
    if hasattr(network, "member_sizes_"):
        text = members_text(network.member_sizes_, n_alive)
    else:
        text = nodes_text(n_alive, network.net_.module.hidden_layer_sizes)
    return f"{text}: {without_nodes_text(network)}" if n_alive and not any(n_alive) else text


def size_rows(network: Any) -> list[Row]:
    """Return how many nodes are left, and whether training was long enough for that."""
    return [("nodes", all_nodes_text(network)), ("settled", all_settled_text(network))]


def penalty_rows(network: Any, chosen: str = "") -> list[Row]:
    """Return the penalty, and the noise if the penalty follows it.

    Parameters
    ----------
    network : fitted SpectralMLPRegressor or SpectralMLPClassifier
    chosen : str, default=""
        As in :func:`penalty_text`.
    """
    rows, noise = [("alpha", penalty_text(network, chosen))], network.noise_variance_
    if noise is None:
        return rows
    if is_classifier(network):
        text = f"{noise:.3g}: mean squared residual of the probabilities"
    else:
        # estimators that were saved before the variance was kept do not have it
        text = noise_text(noise, getattr(network, "_target_variance", None))
    return [*rows, ("noise", text)]


def restart_rows(network: Any) -> list[Row]:
    """Return what restarts brought, if there were any."""
    gain = getattr(network, "restart_gain_", None)  # saved before there were restarts
    if gain is None:
        return []
    saved = f"{100 * gain:.3g} % less penalised loss than the first network"
    return [("restarts", saved if gain else "none found a smaller loss")]


def validation_rows(network: Any) -> list[Row]:
    """Return the best score of the validation rows, if there were any."""
    best = network.best_validation_score_
    if best is None:
        return []
    name = "accuracy" if is_classifier(network) else "r2"
    if getattr(network, "_fitted_class_weight", None) is not None:
        name = f"class-weighted {name}"
    whose = " of the first network" if hasattr(network, "member_sizes_") else ""
    return [("score", f"{name} {best:.3f}{whose} on the validation rows, in the best epoch")]


def network_caption(network: Any) -> str:
    """Return nodes left and settled as the HTML view shows them below the name."""
    n_alive, text = network.n_alive_nodes_, all_nodes_text(network)
    return f"{text}, {settled_caption(network.size_settled_)}" if any(n_alive) else text


def has_view(estimator):
    """Tell whether there is something to say, and a scikit-learn that shows it as expected."""
    return _VisualBlock is not None and estimator.__sklearn_is_fitted__()


class SummaryMixin(DocLinkMixin):
    """Add `summary`, and a caption in scikit-learn's HTML view once fitted."""

    def summary(self):
        """Return what was found, in a few plain lines for ``print``.

        - *nodes*: nodes left, of how many at the start; one number per hidden
          layer. With `n_members` those of each network, and of the one that they were
          folded into. For :class:`SpectralPruner` the nodes that were kept. A network
          without any is constant, or linear with `skip`.
        - *settled*: "yes" if training was long enough for this penalty, "no" if more
          training would remove nodes. With `n_members`, which stop once their losses
          have settled, the number of settled sizes if it is not all. Not judged are
          dense networks, networks without a penalty, and sizes that `partial_fit`,
          `prune` or `grow` left.
        - *interval*, *identified*: where cross-validation chose the penalty, the
          interval of sizes, and whether the size is identified. If not, the size is
          the nodes left at this penalty, and no more.
        - *alpha*: the penalty at the end of training, and where it comes from.
        - *noise*: for alpha="auto" the noise that was found, per output.
        - *fidelity*: how well the student of another model says what that says. Its
          size is the one for this fidelity, not that of the task.
        - *score*: of the validation rows or folds, if there were any. Where it chose
          the size, also how far it is and how far it may be below the best.

        Returns
        -------
        str
            The name of the class, then one line each.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from skspectral import SpectralMLPRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 2))
        >>> y = np.abs(X[:, 0]) + rng.normal(scale=0.3, size=200)
        >>> reg = SpectralMLPRegressor(random_state=0).fit(X, y)
        >>> print(reg.summary())  # doctest: +ELLIPSIS
        SpectralMLPRegressor
        nodes    2 of 64 nodes left
        settled  yes, trained long enough for this penalty
        alpha    0.0...: follows the noise, times alpha_factor=0.5
        noise    0.0...: ... % of the variance of the target
        """
        check_is_fitted(self)
        return aligned(type(self).__name__, self._summary_rows())

    def _summary_rows(self):
        """Return the lines below the name, list of (label, text)."""
        rows = [*size_rows(self), *penalty_rows(self)]
        return [*rows, *restart_rows(self), *validation_rows(self)]

    # only once fitted: before, scikit-learn's own view has all there is to show. It falls back
    # on that view if this one raises.
    @available_if(has_view)
    def _sk_visual_block_(self):
        return _VisualBlock(
            "single",
            self,
            names=type(self).__name__,
            name_details=str(self),
            name_caption=self._caption(),
        )

    def _caption(self):
        return network_caption(self)
