"""What is wrong with the network that was chosen along a path, and what to do."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._path.plateau import CROWDED


def complaints_about(network: Any, selection: str) -> list[str]:
    """Return a message for each thing that is wrong with the chosen network.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
        Fitted.
    selection : {"1se", "best"}
        How it was chosen.
    """
    found = [
        _all_dead(network, selection),
        _too_narrow(network),
        _unsettled(network),
    ]
    return [complaint for complaint in found if complaint is not None]


def _all_dead(network: Any, selection: str) -> str | None:
    if any(network.n_alive_nodes_):
        return None
    # "best" is no advice to someone who chose it.
    or_best = ", or selection='best'" if selection == "1se" else ""
    return (
        f"Every node died: at the chosen alpha={network.alpha:g} the network predicts a "
        "constant. On the folds no network scores clearly better. If X should predict y, "
        f"give smaller `alphas`{or_best}."
    )


def _too_narrow(network: Any) -> str | None:
    # One hidden layer may be given as a plain number.
    widths = np.atleast_1d(network.hidden_layer_sizes)
    crowded = [
        f"{alive} of {width}"
        for alive, width in zip(network.n_alive_nodes_, widths, strict=True)
        if alive > CROWDED * width
    ]
    if not crowded:
        return None
    return (
        f"The network may have been too narrow: {' and '.join(crowded)} nodes are alive "
        "at the chosen penalty. Raise `hidden_layer_sizes`."
    )


def _unsettled(network: Any) -> str | None:
    # None: the size was not judged, which is not a fault. Dead networks have a text of their own.
    if network.size_settled_ is not False or not any(network.n_alive_nodes_):
        return None
    return (
        f"The size has not settled: at alpha={network.alpha:g} more training would remove "
        "more nodes. Raise `path_max_iter`, or read the size as an upper bound."
    )
