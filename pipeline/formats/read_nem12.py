"""NEM12 in Python: 300 records from a file's bytes, as nem12_lines.py has them from Spark, and why some are refused."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from pipeline.config.values import DAY_MINUTES
from pipeline.formats import unread_arrays
from pipeline.formats.nem12_rows import (
    DETAILS,
    DIRECTION_OF,
    LENGTHS,
    NO_METER,
    NO_UNIT,
    OPEN_QUOTE,
    POWER_OF,
)
from pipeline.formats.row_judge import is_blank, shown, time_of
from pipeline.formats.smrt_envelope import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row

_RECORD = re.compile(r'[ \t]*+"?([2-59])00')
_QUALITY = re.compile(r"[A-Za-z][0-9]{0,2}")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})()()")
_LENGTH = re.compile(rf"0*({'|'.join(map(str, LENGTHS))})")


def rows(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
    """300 records in their order, each with the 200 record before it and the 400 and 500 records after it."""
    details: list[str] | None = None
    row: Row | None = None
    number = 0
    for ended in io.StringIO(content.decode("utf-8-sig"), newline="\n"):
        line = ended.removesuffix("\n").removesuffix("\r")
        found = _RECORD.match(line)
        kind = found[1] if found else None
        if row is not None and kind in {"2", "3", "9"}:
            yield row
            row = None
        if kind == "2":
            details = fields_of(line)
        elif kind == "3":
            number += 1
            row = _row(line, details) | {"row_number": number}
        elif row is not None:
            row["records"] = [*(row["records"] or ()), *([line] if kind in {"4", "5"} else [])]
    if row is not None:
        yield row


def _row(line: str, details: list[str] | None) -> Row:
    """A 300 record: the values of a day are what stands before the quality method."""
    said = dict(zip(DETAILS, (details or [])[1:], strict=False))
    row: Row = {name: said.get(name) for name in DETAILS}
    row["meter"] = f"{row['nmi']}/{row['nmi_suffix']}" if row["nmi"] and row["nmi_suffix"] else None
    row["records"], fields = None, fields_of(line)
    if fields is None:
        empty = dict.fromkeys(("interval_date", "interval_values", "quality_method", "further"))
        return row | empty | {"raw": line}
    after = fields[2:]
    at = next((n for n, field in enumerate(after) if _QUALITY.fullmatch(field)), None)
    values = after if at is None else after[:at]
    while at is None and values and not values[-1]:  # what a spreadsheet adds
        values = values[:-1]
    row["interval_date"] = fields[1] if len(fields) > 1 else None
    row["interval_values"] = values
    row["quality_method"] = None if at is None else after[at]
    row["further"] = None if at is None else after[at + 1 :]
    return row | {"raw": None}


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:
    """Why a row of which the judge says nothing is refused; None for other quantities, and for days without a value."""
    unit = (row["uom"] or "").upper()
    return None if unit and unit not in POWER_OF else next(_broken(row, feed, received), None)


def _broken(row: Row, feed: Feed, received: datetime) -> Iterator[Refusal]:
    if row["raw"] is not None:
        yield "FIELD_COUNT", OPEN_QUOTE
    if row["meter"] is not None and is_blank(row["uom"]):
        yield "FIELD_COUNT", NO_UNIT
    if row["meter"] is None:
        yield "METER_ID_MISSING", NO_METER
    if (row["nmi_suffix"] or "")[:1].upper() not in DIRECTION_OF:
        yield "DIRECTION_UNKNOWN", f"suffix {shown(row['nmi_suffix'])} is neither import (E) nor export (B)"
    said, midnight = shown(row["interval_date"]), time_of(_DAY.fullmatch(row["interval_date"] or ""))
    if midnight is None:
        yield "INTERVAL_START_INVALID", f"not YYYYMMDD: {said}"
    else:
        yield from unread_arrays.day_out_of_range(midnight.date(), said, feed, received)
    length = _LENGTH.fullmatch(row["interval_length"] or "")
    if length is None:
        yield "ARRAY_LENGTH_INVALID", f"interval length {shown(row['interval_length'])} is none of NEM12"
    elif (size := len(row["interval_values"] or ())) != DAY_MINUTES // int(length[1]):
        yield "ARRAY_LENGTH_INVALID", f"{size} values of {length[1]} minutes, not {DAY_MINUTES // int(length[1])}"
