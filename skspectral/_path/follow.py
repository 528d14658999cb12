"""One walk along rising penalties, with a description of each network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skspectral._estimators.checks import check_alphas
from skspectral._estimators.rows import Rows
from skspectral._path.alphas import alpha_grid
from skspectral._path.summary import describe
from skspectral._path.walk import walk


def follow(
    network: Any,
    rows: Rows,
    *,
    alphas: Any,
    n_alphas: int,
    eps: float,
    path_max_iter: int | str,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Fit at each penalty, and describe each network.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
        Not changed.
    rows : Rows
    alphas : array-like of shape (n_alphas,) or None
        The penalties. None: those of a grid, up to the first without an alive node.
    n_alphas, eps : int, float
        The grid, as in :func:`alpha_grid`.
    path_max_iter : int or "auto"
        As in :func:`walk`.

    Returns
    -------
    iterator of (estimator, dict)
        The same estimator each time, and what :func:`describe` returns for it.
    """
    options = {"sample_weight": rows.weight, "path_max_iter": path_max_iter}
    if alphas is None:
        penalties = alpha_grid(network, rows.X, rows.y, n_alphas, eps, **options)
        networks = until_none_is_alive(walk(network, rows.X, rows.y, penalties, **options))
    else:
        # Given penalties are all fitted, so that the path has the length that was asked for.
        networks = walk(network, rows.X, rows.y, check_alphas(alphas), **options)
    # Lazy, as the next fit changes the network: each one must be read while it is current.
    return ((fitted, describe(fitted)) for fitted in networks)


def until_none_is_alive(networks: Iterable[Any]) -> Iterator[Any]:
    """Yield networks up to the first without an alive node."""
    for network in networks:
        yield network
        if not any(network.n_alive_nodes_):
            return
