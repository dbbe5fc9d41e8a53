"""Interval arrays on the driver: whether a parquet file is readable and has the right shape, and its types."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.formats.feed_format import objection_to_name

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

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
# Spark reads pandas' timestamps of nanoseconds only as numbers, and only with a setting (session.py).
SPARK_DATES = {
    pa.date32(): "DATE",
    pa.date64(): "DATE",
    pa.timestamp("s"): "TIMESTAMP_NTZ",
    pa.timestamp("ms"): "TIMESTAMP_NTZ",
    pa.timestamp("us"): "TIMESTAMP_NTZ",
    pa.timestamp("ns"): "BIGINT",
}
# Names of further columns that Spark cannot select.
UNREADABLE = {"", "_metadata"}
CODECS = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW"}


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a return a reason
    """The delivery with its columns' types, refused if it is not a parquet file of this shape.

    The whole file is read once: a single unreadable page would end Spark's job for every other delivery too.
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
    typed = _with_types(table, delivery, feed)
    if typed.reason_code:
        return typed
    groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
    codecs = {group.column(n).compression for group in groups for n in range(group.num_columns)}
    if odd := sorted(codecs - CODECS):
        return delivery.refused("UNREADABLE", f"compressed with {odd[0]}, which Spark cannot read")
    return typed


def _with_types(table: pa.Table, delivery: Delivery, feed: Feed) -> Delivery:
    """The delivery with the types of its columns: first COLUMNS in their order, then further ones in backticks."""
    names = [name.lower() for name in table.column_names]
    if missing := [name for name in COLUMNS if name not in names]:
        return delivery.refused("COLUMNS_MISSING", f"no column {', '.join(missing)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return delivery.refused("WRONG_SHAPE", f"the column {twice[0]!r} stands twice")
    fields = dict(zip(names, table.schema, strict=True))
    if not table.num_rows:  # nothing will be read, so the types do not matter
        return replace(delivery, columns=(), rows_read=0)
    kinds = {name: _spark_type(name, fields[name].type) for name in COLUMNS}
    for name, kind in kinds.items():
        if kind is None:
            what = {LIST: "a list of numbers", "date": "a date"}.get(name, "text or an integer")
            return delivery.refused("WRONG_SHAPE", f"{name} is {fields[name].type}, not {what}")
    if "COMMENT" in (kinds["date"] or ""):
        kinds["date"] = f"{(kinds['date'] or '').split()[0]} COMMENT '{_zone_of(table[fields['date'].name], feed)}'"
    further = {field.name: _any_spark_type(field.type) for name, field in fields.items() if name not in COLUMNS}
    columns = [f"{name} {kind}" for name, kind in kinds.items()]
    columns += [f"{quoted(name)} {kind}" for name, kind in further.items() if kind and name.lower() not in UNREADABLE]
    return replace(delivery, columns=tuple(columns), rows_read=table.num_rows)


def quoted(name: str) -> str:
    """A column's name, quoted for Spark."""
    return f"`{name.replace('`', '``')}`"


def _spark_type(name: str, given: pa.DataType) -> str | None:
    """The type to read one of COLUMNS with, None if it does not fit.

    For an instant, the comment holds the zone whose midnight is meant.
    """
    kind = given.value_type if pa.types.is_dictionary(given) else given
    if name == LIST:
        of = SPARK_INTEGERS.get(kind.value_type) or _fraction(kind.value_type) if _is_list(kind) else None
        return f"ARRAY<{of}>" if of else None
    if _is_text(kind):
        return "STRING"
    if name == "date" and pa.types.is_timestamp(kind) and kind.tz is not None:
        return ("BIGINT" if kind.unit == "ns" else "TIMESTAMP") + " COMMENT"
    return (SPARK_DATES if name == "date" else SPARK_INTEGERS).get(kind)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _zone_of(instants: pa.ChunkedArray, feed: Feed) -> str:
    """The zone whose midnights these are: the file's, else the feed's (a file may only say UTC)."""
    named = (
        instants.type.tz
        if re.fullmatch(r"UTC|[+-][0-9]{2}:[0-9]{2}|[A-Za-z_]+/[A-Za-z_/]+", instants.type.tz)
        else "UTC"
    )
    for zone in (named, feed.time_zone):
        try:
            local = pc.local_timestamp(instants.cast(pa.timestamp(instants.type.unit, zone)))
        except (pa.ArrowException, ValueError):
            continue
        if pc.all(pc.equal(local, pc.floor_temporal(local, unit="day")), min_count=0).as_py():
            return zone
    return named


def _fraction(kind: pa.DataType) -> str | None:
    if pa.types.is_decimal128(kind) and 0 <= kind.scale <= kind.precision:
        return f"DECIMAL({kind.precision},{kind.scale})"
    return {pa.float32(): "FLOAT", pa.float64(): "DOUBLE"}.get(kind)


def _any_spark_type(given: pa.DataType) -> str | None:
    """The type to read a further column with, None for those not kept: nested ones, untyped ones, times of day."""
    kind = given.value_type if pa.types.is_dictionary(given) else given
    if _is_text(kind):
        return "STRING"
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return "BIGINT" if kind.unit == "ns" else "TIMESTAMP"
    return {**SPARK_INTEGERS, **SPARK_DATES, pa.bool_(): "BOOLEAN"}.get(kind) or _fraction(kind)
