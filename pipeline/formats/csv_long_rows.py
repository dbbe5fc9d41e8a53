"""Delimited text, a row a reading: rows of one meter, judged in Python with the rules of csv_long.py."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock import written
from pipeline.clock.local_time import day_minutes, day_start, first_instant, instants, wall_clock
from pipeline.formats import csv_bronze, csv_row_roles, units
from pipeline.formats.csv_document import csv_of
from pipeline.formats.csv_long import is_of_days
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    json_array,
    off_grid,
    out_of_range,
    shown,
    unusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed


class _Place(NamedTuple):
    """An interval: its start, its local day, the local time whose grid counts, and whether that time exists."""

    start: datetime
    day: date
    begins: datetime
    minutes: int
    exists: bool = True
    # The start for the later occurrence of a repeated label.
    later: datetime | None = None


class _Timed(NamedTuple):
    """A row with its readable time; `label` is a local time that may be repeated."""

    row: Row
    shown: datetime
    offset: timedelta | None
    label: datetime | None


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings, one for each direction of a row; of repeated local times each occurrence has its own instant."""
    said = csv_of(feed)
    timed = [each for row in rows if (each := _timed(row, said)) is not None]
    labels = [each.label for each in timed if each.label is not None]
    newest_first = bool(labels) and labels[-1] < labels[0]
    # Rejected rows are occurrences too (contract, section 2).
    occurrences = Counter(
        (direction, each.label) for each in timed for direction, _ in csv_row_roles.values(each.row, feed, said)
    )
    seen: set[tuple[str | None, datetime | None]] = set()
    for each in timed:
        place = _placed(each, feed, said)
        for direction, texts in csv_row_roles.values(each.row, feed, said):
            key = direction, each.label
            is_first = key not in seen
            seen.add(key)
            if place is None:
                continue
            is_later = place.later is not None and occurrences[key] > 1 and is_first == newest_first
            yield from _judged(each, place, direction, texts, is_later=is_later, feed=feed, received=received)


def _judged(  # noqa: PLR0913 - all are independent
    each: _Timed,
    place: _Place,
    direction: str | None,
    texts: list[str | None],
    *,
    is_later: bool,
    feed: Feed,
    received: datetime,
) -> Iterator[Reading]:
    said, row = csv_of(feed), each.row
    has_reading = any(text is not None for text in texts) and not csv_row_roles.skipped(row, said)
    if not has_reading and row["raw"] is None:
        return
    numbers = [csv_row_roles.number(text, said) for text in texts]
    energy = units.energy_of(numbers, feed, feed.minutes) if has_reading else None
    time = shown(_text(row, said))
    what = direction if said.value.has_both else "consumption"
    value = " + ".join(shown(text) for text in texts if text is not None)
    broken = chain(
        csv_row_roles.broken(row, said, direction),
        _broken_time(place, time, feed),
        out_of_range(place.start, place.day, time, feed, received),
        off_grid(place.begins, time, feed),
        unusable(energy, f"{what} {value}", feed, csv_row_roles.limit(feed, feed.minutes)),
    )
    verdict = next(broken, PASSED)
    start, day = place.start, place.day
    if is_later and place.later is not None:
        start = place.later
        local = wall_clock(start, feed.time_zone) if said.label == "end" else None
        day = local.date() if local else day
    quality = csv_row_roles.quality(row, said)
    yield Reading(row["row_number"], direction, start, place.minutes, day, energy, quality, *verdict)


def _text(row: Row, said: Csv) -> str:
    named = csv_bronze.names(said)
    return " ".join(row[named[name]] for name in said.timestamp if row[named[name]] is not None)


def _timed(row: Row, said: Csv) -> _Timed | None:
    found = written.read(_text(row, said), said.time_pattern)
    if found is None:
        return None
    local, offset = found
    label = local if offset is None and not csv_row_roles.skipped(row, said) else None
    return _Timed(row, local, offset, label)


def _placed(each: _Timed, feed: Feed, said: Csv) -> _Place | None:
    """None for a time beyond all years."""
    try:
        at = _instants(each, feed.time_zone)
        if at is None:
            return None
        local = each.shown if each.offset is None else wall_clock(at[0], feed.time_zone)
        if local is None:
            return None
        return _of_day(local, feed, said) if is_of_days(feed) else _of_interval(each, at, local, feed, said)
    except OverflowError:
        return None


def _instants(each: _Timed, zone: str) -> tuple[datetime, ...] | None:
    """The instants of a time; a neighbour where it does not exist."""
    if each.offset is not None:
        return ((each.shown - each.offset).replace(tzinfo=UTC),)
    first = first_instant(each.shown, zone)
    return instants(each.shown, zone) or (None if first is None else (first,))


def _of_day(local: datetime, feed: Feed, said: Csv) -> _Place | None:
    day = local.date() - timedelta(days=said.label == "end")
    start, minutes = day_start(day, feed.time_zone), day_minutes(day, feed.time_zone)
    return None if start is None else _Place(start, day, local, minutes, exists=minutes > 0)


def _of_interval(each: _Timed, at: tuple[datetime, ...], local: datetime, feed: Feed, said: Csv) -> _Place | None:
    zone = feed.time_zone
    exists = each.offset is not None or bool(instants(each.shown, zone))
    before = timedelta(minutes=feed.minutes if said.label == "end" else 0)
    start, later = at[0] - before, at[1] - before if len(at) > 1 else None
    begins = local if said.label == "start" else wall_clock(start, zone)
    return None if begins is None else _Place(start, begins.date(), begins, feed.minutes, exists, later)


def _broken_time(place: _Place, time: str, feed: Feed) -> Iterator[Refusal]:
    if not place.exists:
        why = "the day was skipped" if is_of_days(feed) else "the clocks went forward"
        yield "LOCAL_TIME_NONEXISTENT", f"{time} does not exist in {feed.time_zone}: {why}"


def as_received(row: Row, feed: Feed) -> str:
    """The row as JSON: its configured cells; of one with another number of fields its text."""
    if row["raw"] is not None:
        return str(row["raw"])
    return json_array(row[name] for name in csv_row_roles.received_columns(csv_of(feed)))
