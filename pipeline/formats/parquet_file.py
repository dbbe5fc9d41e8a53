"""Interval arrays on the driver: whether a parquet file can be read and is of the one shape, and with which types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.formats.feed_format import objection_to_name

if TYPE_CHECKING:
    from pipeline.config import Feed
    from pipeline.ingestion_log import Delivery

ENDING = ".parquet"
COLUMNS = ("client_id", "date", "ext_dev_ref", "energy_consumption", "resolution")
LIST = "energy_consumption"
SPARK_INTEGERS = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.uint8(): "SMALLINT",
    pa.uint16(): "INT",
    pa.uint32(): "BIGINT",
    pa.uint64(): "DECIMAL(20,0)",
}
# Spark reads no timestamp of nanoseconds, pandas' own, but as a number when it is told to (session.py).
SPARK_DATES = {
    pa.date32(): "DATE",
    pa.date64(): "DATE",
    pa.timestamp("s"): "TIMESTAMP_NTZ",
    pa.timestamp("ms"): "TIMESTAMP_NTZ",
    pa.timestamp("us"): "TIMESTAMP_NTZ",
    pa.timestamp("ns"): "BIGINT",
}
CODECS = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW"}


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a return a reason
    """The delivery with its columns' types, refused when it is not a parquet file of this shape.

    All of it is read once: one page that cannot be would end Spark's job for every other delivery too.
    """
    if not content:
        return delivery.refused("EMPTY_FILE", "no content (0 bytes)")
    if objection := objection_to_name(delivery.file_name, ENDING):
        return delivery.refused("BAD_FILE_NAME", objection)
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as problem:
        return delivery.refused("UNREADABLE", f"not a whole parquet file: {problem}")
    typed = _with_types(table, delivery)
    if typed.reason_code:
        return typed
    groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
    codecs = {group.column(n).compression for group in groups for n in range(group.num_columns)}
    if odd := sorted(codecs - CODECS):
        return delivery.refused("UNREADABLE", f"compressed with {odd[0]}, which Spark cannot read")
    return typed


def _with_types(table: pa.Table, delivery: Delivery) -> Delivery:
    names = table.column_names
    if other := [name for name in names if name not in COLUMNS]:
        return delivery.refused("WRONG_SHAPE", f"a column {other[0]!r} beside {', '.join(COLUMNS)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return delivery.refused("WRONG_SHAPE", f"the column {twice[0]!r} stands twice")
    kinds = {field.name: _spark_type(field) for field in table.schema}
    for name, kind in kinds.items():
        if kind is None:
            what = "a list of integers" if name == LIST else "a date" if name == "date" else "text or an integer"
            return delivery.refused("WRONG_SHAPE", f"{name} is {table.schema.field(name).type}, not {what}")
    if missing := [name for name in COLUMNS if name not in names]:
        return delivery.refused("COLUMNS_MISSING", f"no column {', '.join(missing)}")
    return replace(delivery, columns=tuple(f"{name} {kinds[name]}" for name in COLUMNS), rows_read=table.num_rows)


def _spark_type(field: pa.Field) -> str | None:
    """The type to read a column with, None where it cannot be of this shape."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if field.name == LIST:
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        of = SPARK_INTEGERS.get(kind.value_type) if is_list else None
        return f"ARRAY<{of}>" if of else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "STRING"
    return (SPARK_DATES if field.name == "date" else SPARK_INTEGERS).get(kind)
