"""Rows of a sound delivery from its bytes, in Python, as bronze keeps them: for `try`, which has no JVM and no lake.

Spark reads the same rows in a run; tests/jobs/test_try.py compares the counts of both, tests/unit/formats with the
oracles of `make test-faults`.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.clock.zones import zone_info
from pipeline.formats import (
    interval_parquet_rows,
    obis_json_rows,
    read_green_button,
    read_nem12,
    smrt_rows,
    split_json_rows,
)
from pipeline.formats.json_document import Pairs
from pipeline.formats.json_elements import as_text, elements
from pipeline.formats.obis_document import OWN_KEYS, TAGS
from pipeline.formats.parquet_file import COLUMNS, LIST
from pipeline.formats.row_judge import json_object, json_value
from pipeline.formats.smrt_envelope import fields_of
from pipeline.formats.smrt_rows import FIELDS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row

_IS_CONSU = re.compile(r'[ \t]*+"?CONSU')
_ZONE = re.compile(r"COMMENT '([^']+)'")
_MIDNIGHT = " 00:00:00"
ROWS_AT_ONCE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RowReader:
    """How a format's rows are read and told in Python."""

    # The bytes of a delivery that `inspect` let pass -> its rows, in the order of row_number; ValueError or
    # RecursionError where it is unsound all the same, which the format's `diagnose` then says exactly.
    rows: Callable[[bytes, Delivery, Feed], Iterator[Row]]
    # Why a row that gave no reading is refused, None where it is accepted. Last argument: when the delivery came.
    unread: Callable[[Row, Feed, datetime], Refusal | None]


def _smrt(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
    text = io.StringIO(content.decode("utf-8-sig"), newline="\n")
    for number, ended in enumerate(text, start=1):
        line = ended.removesuffix("\n").removesuffix("\r")
        if _IS_CONSU.match(line):
            fields = fields_of(line)
            whole = fields is not None and len(fields) == FIELDS
            cells = (fields or [])[1:] if whole else [None] * len(NAMES)
            yield dict(zip(NAMES, cells, strict=True)) | {"row_number": number, "raw": None if whole else line}


def _split_json(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:
    wanted = (feed.columns.interval_start, feed.columns.meter_id, feed.columns.consumption)
    places = [(name, delivery.columns.index(name)) for name in wanted]
    for number, cells in enumerate(elements(content.decode("utf-8-sig"), "data"), start=1):
        if not (cells is None or isinstance(cells, list)):
            message = f"row {number} is no array"
            raise ValueError(message)
        found = cells or []
        row: Row = {name: as_text(found[at]) if at < len(found) else None for name, at in places}
        whole = cells is not None and len(cells) == len(delivery.columns)
        yield row | {"row_number": number, "raw": None if whole else as_text(cells) or "null"}


def _obis_json(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
    for number, record in enumerate(elements(content.decode("utf-8-sig"), "data"), start=1):
        values = dict(record.pairs)
        tags = values.get("tags")
        marks = tags.pairs if isinstance(tags, Pairs) else []
        twice = _holds_a_key_twice(record.pairs) or _holds_a_key_twice(marks)
        row: Row = {name: as_text(values.get(name)) for name in OWN_KEYS if name != "tags"}
        row |= {name: as_text(dict(marks).get(name)) for name in TAGS}
        row["obis"] = None if twice else [(key, as_text(value)) for key, value in record.pairs if key not in OWN_KEYS]
        raw = json_object({key: json_value(as_text(value)) for key, value in record.pairs}) if twice else None
        yield row | {"row_number": number, "raw": raw}


def _holds_a_key_twice(pairs: list[tuple[str, Any]]) -> bool:
    return len({key.upper() for key, _ in pairs}) < len(pairs)


def _interval_parquet(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
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
    each_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    seconds, rest = divmod(at, each_second)
    moment = EPOCH + timedelta(seconds=seconds)
    local = moment.astimezone(zone_info(zone)) if zone else moment
    return local.strftime("%Y-%m-%d %H:%M:%S").removesuffix(_MIDNIGHT) + (" and a fraction" if rest else "")


READERS = {
    "smrt": RowReader(_smrt, smrt_rows.unread),
    "split_json": RowReader(_split_json, split_json_rows.unread),
    "obis_json": RowReader(_obis_json, obis_json_rows.unread),
    "interval_parquet": RowReader(_interval_parquet, interval_parquet_rows.unread),
    "nem12": RowReader(read_nem12.rows, read_nem12.unread),
    "green_button": RowReader(read_green_button.rows, read_green_button.unread),
}
