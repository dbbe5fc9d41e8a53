"""Functions that DuckDB lacks under these names, so that one text runs in both engines; its own ones stay as they are.

Local times are converted by Python's zones: the rules that DuckDB brings for them may be older.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa  # noqa: TC002 - DuckDB evaluates the annotations of functions that it is given
from duckdb.func import PythonUDFType

from pipeline.clock import arrays

if TYPE_CHECKING:
    import duckdb

MACROS = (
    # Two arguments as in Spark, three as in DuckDB.
    """CREATE OR REPLACE MACRO datediff
        (ended, began) AS date_diff('day', CAST(began AS DATE), CAST(ended AS DATE)),
        (part, began, ended) AS date_diff(part, began, ended)""",
    "CREATE OR REPLACE MACRO unix_timestamp(moment) AS CAST(floor(epoch(CAST(moment AS TIMESTAMPTZ))) AS BIGINT)",
    """CREATE OR REPLACE MACRO next_day(day, weekday) AS CAST(day AS DATE) + CAST(
        (list_position(['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'], lower(left(weekday, 2)))
         - isodow(CAST(day AS DATE)) + 6) % 7 + 1 AS INTEGER)""",
    # The letters of Spark's patterns that stand for numbers of fixed width.
    """CREATE OR REPLACE MACRO date_format(moment, pattern) AS strftime(moment,
        replace(replace(replace(replace(replace(replace(
            pattern, 'yyyy', '%Y'), 'MM', '%m'), 'dd', '%d'), 'HH', '%H'), 'mm', '%M'), 'ss', '%S'))""",
)


def add_to(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the functions to the connection's database."""
    for macro in MACROS:
        connection.execute(macro)
    for name, (function, given, result) in {
        "from_utc_timestamp": (_from_utc, "TIMESTAMPTZ", "TIMESTAMP"),
        "to_utc_timestamp": (_to_utc, "TIMESTAMP", "TIMESTAMPTZ"),
    }.items():
        connection.create_function(name, function, [given, "VARCHAR"], result, type=PythonUDFType.ARROW)


def _from_utc(at: pa.ChunkedArray, zone: pa.ChunkedArray) -> pa.Array:
    return arrays.wall_clock(_whole(at).cast(arrays.INSTANT), _whole(zone))


def _to_utc(local: pa.ChunkedArray, zone: pa.ChunkedArray) -> pa.Array:
    return arrays.first_instant(_whole(local), _whole(zone))


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if hasattr(values, "combine_chunks") else values
