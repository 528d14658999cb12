"""What a column of a table holds, told by its values rather than its dtype."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from decimal import Decimal
from numbers import Real

import pandas as pd

KINDS = {
    **dict.fromkeys(("floating", "integer", "mixed-integer-float", "decimal"), "numbers"),
    **dict.fromkeys(("timedelta", "timedelta64"), "durations"),
    **dict.fromkeys(("date", "datetime", "datetime64"), "dates"),
    **dict.fromkeys(("string", "empty"), "strings"),
    "boolean": "flags",
    **dict.fromkeys(("categorical", "bytes", "period", "interval", "time"), "codes"),
}
"""The kind of a column, by what pandas calls its values."""


def value_kind(column: pd.Series) -> str | None:
    """Return the kind of the values of a column, which may be categories.

    None where all are missing, or they are of several kinds.
    """
    values = column.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = pd.Series(values.cat.remove_unused_categories().cat.categories)
    return KINDS.get(pd.api.types.infer_dtype(values)) if len(values) else None


def column_kind(column: pd.Series) -> str:
    """Return "numbers", "durations", "dates", "flags", "strings" or "codes".

    Numbers and dates in a column of objects, such as Decimals from a data base or
    beside None, are of the same kind as in a column of their own dtype.

    Raises
    ------
    ValueError
        If the values are of several kinds, or of none of these.
    """
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in KINDS:
        return KINDS[inferred]
    values = column.dropna()
    # pandas calls Decimals beside floats mixed, and before version 3 complex numbers too
    if inferred == "mixed" and all(isinstance(value, (Real, Decimal)) for value in values):
        return "numbers"
    types = sorted({type(value).__name__ for value in values})
    raise ValueError(
        f"Column {column.name!r} holds {' and '.join(types)}: neither numbers, text, booleans, "
        "dates nor time spans alone. Drop it, or convert it, to numbers by "
        "pandas.to_numeric(..., errors='coerce'), or to text by .astype(str)."
    )
