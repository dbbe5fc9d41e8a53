"""Delta's and Arrow's type for each SQL type that tables.py uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pipeline.lake.tables import Table

TYPES: dict[str, tuple[Any, pa.DataType]] = {
    "STRING": ("string", pa.string()),
    "BIGINT": ("long", pa.int64()),
    "INT": ("integer", pa.int32()),
    "BOOLEAN": ("boolean", pa.bool_()),
    "DATE": ("date", pa.date32()),
    "TIMESTAMP": ("timestamp", pa.timestamp("us", "UTC")),
    "DECIMAL(18,6)": ("decimal(18,6)", pa.decimal128(18, 6)),
    "DECIMAL(28,6)": ("decimal(28,6)", pa.decimal128(28, 6)),
    "ARRAY<STRING>": ({"type": "array", "elementType": "string", "containsNull": True}, pa.list_(pa.string())),
    "ARRAY<DATE>": ({"type": "array", "elementType": "date", "containsNull": True}, pa.list_(pa.date32())),
    "MAP<STRING,STRING>": (
        {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True},
        pa.map_(pa.string(), pa.string()),
    ),
}


def arrow_schema(table: Table) -> pa.Schema:
    """The table's columns as Arrow types."""
    return pa.schema([(column.name, TYPES[column.type][1]) for column in table.columns])
