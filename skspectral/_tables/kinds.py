"""What a column of a table holds, told by its values rather than its dtype."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Number

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
    """Return the kind of the values of a column, which may be categories; None where it has none.

    Kinds that :data:`KINDS` does not have are called as pandas calls them.
    """
    is_coded = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories if is_coded else column
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    return None if inferred == "empty" else KINDS.get(inferred, inferred)


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
    is_number = [isinstance(value, Number) and not isinstance(value, complex) for value in values]
    if inferred == "mixed" and all(is_number):
        return "numbers"
    types = sorted({type(value).__name__ for value in values})
    raise ValueError(
        f"Column {column.name!r} holds {' and '.join(types)}: neither numbers, text, booleans, "
        "dates nor time spans alone. Drop it, or convert it, to numbers by "
        "pandas.to_numeric(..., errors='coerce'), or to text by .astype(str)."
    )
