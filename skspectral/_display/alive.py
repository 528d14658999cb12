"""What is alive of a fitted network, to be drawn."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

import numpy as np

from skspectral._estimators.checks import check_has_nodes
from skspectral._estimators.fitted import alive_nodes
from skspectral._study.final_network import final_network


def alive_part(estimator: Any) -> tuple[Any, list[np.ndarray]]:
    """Return the fitted network of the alive nodes, and their numbers in each hidden layer.

    Raises
    ------
    TypeError, NotFittedError
        If there is no fitted network in `estimator`.
    ValueError
        If it has no hidden layer, or no node is alive.
    """
    network = final_network(estimator)
    check_has_nodes(network.net_.module.hidden_layer_sizes, "draw")
    masks = alive_nodes(network.net_)
    if not all(mask.any() for mask in masks):
        what = "a constant" if network.module_.skip is None else "linear in the inputs"
        raise ValueError(
            f"Every node of the network died: the prediction is {what}, and there are no nodes to "
            "draw. Fit `estimator` with a smaller `alpha` or `alpha_factor`."
        )
    return network.prune(), [np.flatnonzero(mask) for mask in masks]


def output_names(network: Any) -> list[str]:
    """Return what the outputs of a network are for, the class where it is a classifier."""
    classes = getattr(network, "classes_", None)
    if classes is not None:  # two classes share one output, that of the second
        labels = classes[-network.n_outputs_ :]
        return [str(label) if isinstance(label, str) else f"class {label}" for label in labels]
    if network.n_outputs_ == 1:
        return ["prediction"]
    return [f"output {index}" for index in range(network.n_outputs_)]
