"""What a column holds does not depend on the dtype that it happens to have."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from skspectral._tables.kinds import column_kind

DAY = datetime.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numbers", [1.5, None, 2]),
        ("numbers", [1, pd.NA]),
        ("numbers", [Decimal("1.5"), None]),
        ("numbers", [Decimal("1.5"), 2.0, pd.NA]),
        ("numbers", [np.float32(1), 2]),
        ("strings", ["a", None]),
        ("strings", ["1", "2"]),
        ("strings", ["2026-01-31", np.nan]),
        ("strings", [None, None]),
        ("flags", [True, None]),
        ("dates", [DAY, None]),
        ("dates", [pd.Timestamp(DAY, tz="Europe/Rome"), pd.NaT]),
        ("durations", [datetime.timedelta(hours=1), None]),
        ("codes", [pd.Interval(0, 1), None]),
        ("codes", [pd.Period("2026-01"), None]),
        ("codes", [b"a", None]),
        ("codes", [datetime.time(1), None]),
    ],
    ids=str,
)
def test_kind_of_objects_and_of_their_own_dtype(kind, values):
    column = pd.Series(values, dtype=object)
    assert column_kind(column) == column_kind(column.infer_objects()) == kind
    assert column_kind(column.convert_dtypes(dtype_backend="numpy_nullable")) == kind


def test_kind_of_pandas_categories():
    assert column_kind(pd.Series([1, 2, None], dtype="category")) == "codes"


@pytest.mark.parametrize(
    ("values", "types"),
    [
        ([1, "?", None], "int and str"),
        ([True, "no"], "bool and str"),
        ([[1, 2], [3]], "list"),
        ([1j, None], "complex"),
        ([np.complex64(1), 1.0], "complex64 and float"),
        ([DAY, "2026"], "date and str"),
    ],
    ids=str,
)
def test_kind_refuses_mixed_values_by_name(values, types):
    with pytest.raises(ValueError, match=rf"'price' holds {types}:.*pandas.to_numeric"):
        column_kind(pd.Series(values, name="price", dtype=object))
