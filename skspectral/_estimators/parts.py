"""Fit networks to a part of a table, which may lack some of its classes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

from skspectral._estimators.rows import Rows


def fit_part(network: Any, rows: Rows, *, weigh: bool = True, **keywords: Any) -> Any:
    """Fit a network to rows; it gets an output for each class of the table, as in scikit-learn.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
    rows : Rows
    weigh : bool, default=True
        Whether to give it the weights of the rows, where there are any.
    **keywords : dict
        Other keywords of its ``fit``.
    """
    weights = {"sample_weight": rows.weight} if weigh and rows.weight is not None else {}
    network._known_classes = rows.classes
    try:
        return network.fit(rows.X, rows.y, **weights, **keywords)
    finally:
        del network._known_classes  # of this fit alone: the next one may be the user's
