"""Rows of a sound delivery from its bytes, in Python, as bronze keeps them: for `try`, which has no JVM and no lake.

Spark reads the same rows in a run; tests/jobs/test_try.py compares the counts of both, tests/unit/formats with the
oracles of `make test-faults`.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.formats import (
    obis_json_rows,
    read_csv,
    read_green_button,
    read_interval_parquet,
    read_nem12,
    smrt_rows,
    split_json_rows,
)
from pipeline.formats.json_document import Pairs
from pipeline.formats.json_elements import as_text, elements
from pipeline.formats.obis_document import OWN_KEYS, TAGS
from pipeline.formats.row_judge import json_object, json_value
from pipeline.formats.smrt_envelope import fields_of
from pipeline.formats.smrt_rows import FIELDS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row

_IS_CONSU = re.compile(r'[ \t]*+"?CONSU')


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
        values = _first_of_each(record.pairs)
        tags = values.get("tags")
        marks = tags.pairs if isinstance(tags, Pairs) else []
        twice = _holds_a_key_twice(record.pairs) or _holds_a_key_twice(marks)
        row: Row = {name: as_text(values.get(name)) for name in OWN_KEYS if name != "tags"}
        row |= {name: as_text(_first_of_each(marks).get(name)) for name in TAGS}
        row["obis"] = None if twice else [(key, as_text(value)) for key, value in record.pairs if key not in OWN_KEYS]
        raw = json_object({key: json_value(as_text(value)) for key, value in record.pairs}) if twice else None
        yield row | {"row_number": number, "raw": raw}


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands twice the first value, as Spark has it."""
    return dict(reversed(pairs))


def _holds_a_key_twice(pairs: list[tuple[str, Any]]) -> bool:
    return len({key.upper() for key, _ in pairs}) < len(pairs)


READERS = {
    "csv": RowReader(read_csv.rows, read_csv.unread),
    "smrt": RowReader(_smrt, smrt_rows.unread),
    "split_json": RowReader(_split_json, split_json_rows.unread),
    "obis_json": RowReader(_obis_json, obis_json_rows.unread),
    "interval_parquet": RowReader(read_interval_parquet.rows, read_interval_parquet.unread),
    "nem12": RowReader(read_nem12.rows, read_nem12.unread),
    "green_button": RowReader(read_green_button.rows, read_green_button.unread),
}
