"""Interval arrays: rows of one meter, judged in Python with the rules of interval_parquet.py."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock.local_time import day_minutes, day_start, first_instant, instants, instants_of_day
from pipeline.config.values import DAY_MINUTES
from pipeline.formats.parquet_file import COLUMNS, LIST
from pipeline.formats.row_judge import (
    MILLIONTH,
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    energy_of,
    is_blank,
    json_array,
    json_object,
    json_value,
    out_of_range,
    shown,
    unusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed

# Possible interval lengths in minutes; a list of one value holds the whole day.
MINUTES = (60, 30, 15)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: 00:00:00)?")


class _Place(NamedTuple):
    """A position's instant (a neighbour where it does not exist, None beyond all years), and its second one."""

    start: datetime | None
    later: datetime | None = None
    exists: bool = True


class _Day(NamedTuple):
    """A row's local day, the minutes of its intervals, and the places of its list's positions."""

    day: date
    minutes: int
    places: list[_Place]


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: one an element, two where its position comes twice; one of a row that is refused as a whole."""
    for row in rows:
        placed = _placed(row, feed.time_zone)
        if placed is None:
            continue
        refusal = next(_broken(row, placed.day, feed, received), None)
        if refusal is None:
            yield from _of_elements(row, placed, feed, received)
        elif (first := placed.places[0]).start is not None:
            quality = "split" if first.later else None
            yield Reading(
                row["row_number"], feed.direction, first.start, placed.minutes, placed.day, None, quality, *refusal
            )


def _broken(row: Row, day: date, feed: Feed, received: datetime) -> Iterator[Refusal]:
    """What refuses a row as a whole."""
    if is_blank(row["ext_dev_ref"]):
        yield "METER_ID_MISSING", "no ext_dev_ref"
    if (start := day_start(day, feed.time_zone)) is not None:
        yield from out_of_range(start, day, shown(row["date"]), feed, received)


def _of_elements(row: Row, placed: _Day, feed: Feed, received: datetime) -> Iterator[Reading]:
    number, direction = row["row_number"], feed.direction
    for position, (text, place) in enumerate(zip(row[LIST], placed.places, strict=True), start=1):
        if text is None or place.start is None:
            continue
        energy, quality = energy_of(text), None
        if place.later is not None:
            # A position that comes twice carries the sum of both.
            energy, quality = energy and energy / 2, "split"
        where = f"element {position}: {shown(text)}"
        broken = chain(
            out_of_range(place.later or place.start, placed.day, where, feed, received),
            unusable(energy, where, feed),
            _nonexistent(place, where),
        )
        verdict = next(broken, PASSED)
        each = None if energy is None else energy.quantize(MILLIONTH, ROUND_HALF_UP)
        for start in (place.start, place.later if verdict == PASSED else None):
            if start is not None:
                yield Reading(number, direction, start, placed.minutes, placed.day, each, quality, *verdict)


def _nonexistent(place: _Place, where: str) -> Iterator[Refusal]:
    if not place.exists:
        yield "NONEXISTENT_POSITION", f"{where} stands at a time that does not exist: the clocks went forward"


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _placed(row: Row, zone: str) -> _Day | None:
    """Where the positions of a row's list lie.

    None where the row names no day, the day does not exist, or the list fits neither it nor a normal day.
    """
    day, size = _day(row["date"] or ""), len(row[LIST] or ())
    start, length = (day_start(day, zone), day_minutes(day, zone)) if day else (None, 0)
    if day is None or start is None or not length or not size:
        return None
    if size == 1:
        return _Day(day, length, [_Place(start)])
    fitting = [minutes for minutes in MINUTES if length % minutes == 0]
    for minutes in fitting:
        in_order = instants_of_day(day, minutes, zone)
        if size == len(in_order):
            return _Day(day, minutes, [_Place(at) for at in in_order])
    for minutes in fitting:
        if size == DAY_MINUTES // minutes:
            midnight, step = datetime.combine(day, time.min), timedelta(minutes=minutes)
            return _Day(day, minutes, [_of_label(midnight + n * step, zone) for n in range(size)])
    return None


def _of_label(local: datetime, zone: str) -> _Place:
    at = instants(local, zone)
    if not at:
        return _Place(first_instant(local, zone), exists=False)
    return _Place(at[0], at[1] if len(at) > 1 else None)


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The row as JSON, without further columns."""
    members = {
        name: json_array(row[name]) if name == LIST else json_value(row[name])
        for name in COLUMNS
        if row[name] is not None
    }
    return json_object(members)


ROW_JUDGE = RowJudge(lambda _: ("ext_dev_ref", "date", LIST), judged, as_received)
