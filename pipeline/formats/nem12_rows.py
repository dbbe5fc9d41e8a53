"""NEM12: 300 records of one meter, judged in Python with the rules of nem12.py."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock.local_time import day_start
from pipeline.config.values import DAY_MINUTES
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    energy_of,
    is_blank,
    out_of_range,
    shown,
    unusable,
)
from pipeline.formats.smrt_envelope import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed

# The fields of a 200 record after its number, as bronze names them; the last one may be missing.
DETAILS = (
    "nmi",
    "nmi_configuration",
    "register_id",
    "nmi_suffix",
    "data_stream",
    "meter_serial_number",
    "uom",
    "interval_length",
    "next_scheduled_read_date",
)
# Units of energy in upper case, each with its power of ten in kWh; and the feed's.
POWER_OF = {"KWH": 0, "WH": -3, "MWH": 3}
DIRECTION_OF = {"E": "import", "B": "export"}
LENGTHS = (5, 15, 30)
_LENGTH = re.compile(rf"0*({'|'.join(map(str, LENGTHS))})")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_POSITION = re.compile(r"[0-9]{1,4}")

NO_UNIT = "the 200 record before it names no unit"
NO_METER = "no 200 record with NMI and suffix before it"
OPEN_QUOTE = "an open quote"


def power_of(unit: str, feed: Feed) -> int:
    """The power of ten that turns a value of a unit of POWER_OF into one of the feed's."""
    return POWER_OF[unit] - POWER_OF[feed.unit.upper()]


class _Day(NamedTuple):
    """A row's day, its first instant, the minutes of its intervals, and whether they are import or export."""

    day: date
    start: datetime
    minutes: int
    direction: str | None


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: one an interval; one of a row that is refused as a whole."""
    for row in rows:
        unit, of_row = (row["uom"] or "").upper(), _day_of(row, feed)
        if of_row is None or (unit and unit not in POWER_OF):
            continue
        number, (day, start, minutes, direction), ranges = row["row_number"], of_row, _ranges(row)
        refusal = next(_broken(row, of_row, feed, received), None)
        if refusal is not None:
            yield Reading(number, direction, start, minutes, day, None, _quality(row, ranges, 0), *refusal)
            continue
        for position, text in enumerate(row["interval_values"]):
            if is_blank(text):
                continue
            at, energy = start + timedelta(minutes=position * minutes), energy_of(text, power_of(unit, feed))
            where = f"interval {position + 1}: {shown(text)}"
            broken = chain(out_of_range(at, day, where, feed, received), unusable(energy, where, feed))
            quality, verdict = _quality(row, ranges, position), next(broken, PASSED)
            yield Reading(number, direction, at, minutes, day, energy, quality, *verdict)


def _day_of(row: Row, feed: Feed) -> _Day | None:
    """None where the row names no day or no length of its intervals."""
    day, length = _date(row["interval_date"]), _LENGTH.fullmatch(row["interval_length"] or "")
    start = day_start(day, feed.time_zone) if day else None
    if day is None or start is None or length is None:
        return None
    return _Day(day, start, int(length[1]), DIRECTION_OF.get((row["nmi_suffix"] or "")[:1].upper()))


def _broken(row: Row, of_row: _Day, feed: Feed, received: datetime) -> Iterator[Refusal]:
    """What refuses a row as a whole."""
    if row["raw"] is not None:
        yield "FIELD_COUNT", OPEN_QUOTE
    if row["meter"] is not None and is_blank(row["uom"]):
        yield "FIELD_COUNT", NO_UNIT
    if row["meter"] is None:
        yield "METER_ID_MISSING", NO_METER
    if of_row.direction is None:
        yield "DIRECTION_UNKNOWN", f"suffix {shown(row['nmi_suffix'])} is neither import (E) nor export (B)"
    yield from out_of_range(of_row.start, of_row.day, shown(row["interval_date"]), feed, received)
    if (size := len(row["interval_values"] or ())) != DAY_MINUTES // of_row.minutes:
        yield "ARRAY_LENGTH_INVALID", f"{size} values of {of_row.minutes} minutes, not {DAY_MINUTES // of_row.minutes}"


def _date(text: str | None) -> date | None:
    found = _DAY.fullmatch(text or "")
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _ranges(row: Row) -> list[tuple[int, int, str]]:
    """The 400 records of a row: from the first to the last interval, counted from 1, and their quality."""
    records = [[*(fields_of(line) or ()), "", "", "", ""][:4] for line in row["records"] or ()]
    return [
        (int(first), int(last), quality)
        for record, first, last, quality in records
        if record == "400" and quality and _POSITION.fullmatch(first) and _POSITION.fullmatch(last)
    ]


def _quality(row: Row, ranges: list[tuple[int, int, str]], position: int) -> str | None:
    """The quality of an interval, counted from 0: of the last 400 record that covers it, else of the row."""
    covering = [quality for first, last, quality in ranges if first <= position + 1 <= last]
    return covering[-1] if covering else row["quality_method"] or None


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The 300 record, without blanks around its fields."""
    if row["raw"] is not None:
        return str(row["raw"])
    single = [row["interval_date"], *(row["interval_values"] or ()), row["quality_method"], *(row["further"] or ())]
    return ",".join(["300", *(field for field in single if field is not None)])


ROW_JUDGE = RowJudge(
    lambda _: (
        "meter",
        "nmi_suffix",
        "uom",
        "interval_length",
        "interval_date",
        "interval_values",
        "quality_method",
        "records",
        "raw",
    ),
    judged,
    as_received,
)
