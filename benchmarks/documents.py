"""Tables and pictures of the documentation: where they are, how they are read and written.

A benchmark with tables in the documentation has `RESULTS`, the file of its rows, and
`doc_tables(rows)`, which returns data frames by name and measures nothing. So a table can be
written again from committed rows, and a test can tell whether it follows from them. Rows that
go elsewhere (``--out``) leave the documentation as it is.
"""

import json
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parents[1] / "docs"
TABLES = DOCS / "measurements"
IMAGES = DOCS / "images"


def read_rows(path):
    """Return rows: the data frame of a CSV, the content of a JSON file."""
    return json.loads(path.read_text()) if path.suffix == ".json" else pd.read_csv(path)


def as_csv(table):
    """Return the text of a table as it stands in the documentation."""
    return table.to_csv(index=False, lineterminator="\n")


def write_tables(tables):
    """Write data frames, by name, into the folder of the measurements."""
    for name, table in tables.items():
        (TABLES / f"{name}.csv").write_text(as_csv(table), encoding="utf-8")
