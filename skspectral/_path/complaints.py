"""What is wrong with the network that was chosen along a path, and what to do."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._path.identification import CROWDED


def complaints_about(network: Any, advice: str) -> list[str]:
    """Return a message for each thing that is wrong with the chosen network.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
        Fitted.
    advice : str
        What to do where every node died.
    """
    found = [
        _all_dead(network, advice),
        _too_narrow(network),
        _unsettled(network),
    ]
    return [complaint for complaint in found if complaint is not None]


def _all_dead(network: Any, advice: str) -> str | None:
    if any(network.n_alive_nodes_) or network.skip:
        return None
    return (
        f"Every node died: at the chosen alpha={network.alpha_:.3g} the network predicts a "
        "constant. On the folds no network scores clearly better. If X should predict y, "
        f"{advice}."
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
        f"The network may have been too narrow: {' and '.join(crowded)} nodes alive at the "
        "chosen penalty. Raise `hidden_layer_sizes`."
    )


def _unsettled(network: Any) -> str | None:
    # None: the size was not judged, which is not a fault. Dead networks have a text of their own.
    if network.size_settled_ is not False or not any(network.n_alive_nodes_):
        return None
    return (
        f"The size has not settled: at alpha={network.alpha_:.3g} more training would remove "
        "more nodes. Raise `max_iter`, or read the size as an upper bound."
    )
