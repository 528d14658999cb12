"""One walk along rising penalties, with a description of each network."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skspectral._estimators.rows import Rows
from skspectral._path.description import describe
from skspectral._path.walk import walk


def follow(
    network: Any,
    rows: Rows,
    penalties: Iterable[dict[str, Any]],
    *,
    epochs: tuple[Any, Any] | None = None,
    to_the_end: bool = True,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Fit at each penalty, and describe each network.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
        Not changed.
    rows : Rows
    penalties : iterable of dict
        As in :func:`walk`.
    epochs : tuple or None, default=None
        As in :func:`walk`.
    to_the_end : bool, default=True
        False: only up to the first network without an alive node.

    Returns
    -------
    iterator of (estimator, dict)
        The same estimator each time, and what :func:`describe` returns for it.
    """
    networks = walk(network, rows.X, rows.y, penalties, sample_weight=rows.weight, epochs=epochs)
    if not to_the_end:
        networks = until_none_is_alive(networks)
    # Lazy, as the next fit changes the network: each one must be read while it is current.
    return ((fitted, describe(fitted)) for fitted in networks)


def until_none_is_alive(networks: Iterable[Any]) -> Iterator[Any]:
    """Yield networks up to the first without an alive node."""
    for network in networks:
        yield network
        if not any(network.n_alive_nodes_):
            return
