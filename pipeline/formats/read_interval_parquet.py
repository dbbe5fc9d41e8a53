"""Interval arrays in Python: rows from a file's bytes, as Spark has them, and why some are refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.clock.zones import zone_info
from pipeline.formats import interval_parquet_rows, unread_arrays
from pipeline.formats.parquet_file import COLUMNS, LIST
from pipeline.formats.row_judge import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row

ROWS_AT_ONCE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"COMMENT '([^']+)'")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: 00:00:00)?")
_MIDNIGHT = " 00:00:00"
_EACH_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def rows(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
    """Rows in their order, all values as text."""
    if not delivery.columns:  # it has no rows
        return
    file = pq.ParquetFile(pa.BufferReader(content))
    own = {name.lower(): name for name in file.schema_arrow.names}
    zones = [_ZONE.search(column) for column in delivery.columns if column.startswith("date ")]
    zone = zones[0][1] if zones and zones[0] else None
    number = 0
    for batch in file.iter_batches(ROWS_AT_ONCE, columns=[own[name] for name in COLUMNS]):
        columns = [_texts(batch.column(own[name]), name, zone) for name in COLUMNS]
        for cells in zip(*columns, strict=True):
            number += 1
            yield dict(zip(COLUMNS, cells, strict=True)) | {"row_number": number}


def _texts(column: pa.Array, name: str, zone: str | None) -> list[Any]:
    """A column's values as text; of a list a list of texts."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_timestamp(kind):
        return [None if at is None else _day_text(at, kind, zone) for at in column.cast(pa.int64()).to_pylist()]
    values = column.to_pylist()
    if name == LIST:
        return [None if each is None else [_text(value) for value in each] for each in values]
    return [_text(value) for value in values]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def _day_text(at: int, kind: pa.TimestampType, zone: str | None) -> str:
    """An instant's local day, or a local time's day; a time of day stays, for it is why such a row is refused."""
    seconds, rest = divmod(at, _EACH_SECOND[kind.unit])
    try:
        moment = EPOCH + timedelta(seconds=seconds)
        local = moment.astimezone(zone_info(zone)) if zone else moment
    except OverflowError:
        return "beyond all years"
    text = local.replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(_MIDNIGHT) + (" and a fraction" if rest else "")


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:
    """Why a row of which the judge says nothing is refused; None for one whose elements are all null."""
    if is_blank(row["ext_dev_ref"]):
        return "METER_ID_MISSING", "no ext_dev_ref"
    values = row[LIST] or ()
    # With a value in it the judge would say something, if the list had places.
    probe = row | {LIST: ["0", *values[1:]]}
    has_places = bool(values) and any(interval_parquet_rows.judged([probe], feed, received))
    day = _day(row["date"])
    return next(unread_arrays.broken(day, row["date"], len(values), feed, received, has_places=has_places), None)


def _day(text: str | None) -> date | None:
    found = _DAY.fullmatch(text or "")
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
