"""Fit networks to a part of a table, which may lack some of its classes."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from typing import Any

from skspectral._compat import callback_management_context
from skspectral._estimators.rows import Rows
from skspectral._training.together import Fit


def fit_part(network: Any, rows: Rows, *, weigh: bool = True, **keywords: Any) -> Fit:
    """Fit a network to rows; it gets an output for each class of the table, as in scikit-learn.

    A coroutine that returns what to warn of, or None. The columns are not looked at again.

    Parameters
    ----------
    network : SpectralMLPRegressor or SpectralMLPClassifier
    rows : Rows
    weigh : bool, default=True
        Whether to give it the weights of the rows, where there are any.
    **keywords : dict
        Other keywords of its ``fit``.
    """
    network._validate_params()
    network._known_classes = rows.classes
    weight = rows.weight if weigh else None
    try:
        with callback_management_context(network):
            return (yield from network._fit(rows.X, rows.y, weight, quiet=True, **keywords))
    finally:
        del network._known_classes  # of this fit alone: the next one may be the user's
