"""Arrays of one meter's local days, of any format, judged in Python with the rules of interval_arrays.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock.local_time import day_minutes, day_start, first_instant, instants, instants_of_day
from pipeline.config.values import DAY_MINUTES
from pipeline.formats.row_judge import MILLIONTH, PASSED, Reading, Refusal, out_of_range, shown, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from pipeline.config.feeds import Feed

# The clocks never change by more.
LONGEST_CHANGE = 120


@dataclass(frozen=True)
class ArrayRow:
    """A row, as interval_arrays.Arrays says it of columns."""

    row_number: int
    direction: str | None
    # The day as received, and the day.
    said: str | None
    day: date | None
    # Values, None for no reading.
    texts: Sequence[str | None]
    minutes: tuple[int, ...]
    # What refuses the row as a whole, besides rules of time.
    refusals: Iterable[Refusal]
    energy: Callable[[str, int], Decimal | None]
    limit: Callable[[int], Decimal | None]
    # The mark of an element.
    quality: Callable[[int], str | None] = lambda _: None
    # Of elements that are named by times: how many of them the file has.
    named: int | None = None
    may_be_longer: bool = False


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


def judged(row: ArrayRow, feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: one an element, two where its position comes twice; one of a row that is refused as a whole."""
    placed = _placed(row, feed.time_zone)
    if placed is None:
        return
    refusal = next(_broken(row, placed.day, feed, received), None)
    if refusal is None:
        yield from _of_elements(row, placed, feed, received)
    elif (first := placed.places[0]).start is not None:
        quality = "split" if first.later else row.quality(0)
        yield Reading(row.row_number, row.direction, first.start, placed.minutes, placed.day, None, quality, *refusal)


def _broken(row: ArrayRow, day: date, feed: Feed, received: datetime) -> Iterator[Refusal]:
    """What refuses a row as a whole."""
    yield from row.refusals
    if (start := day_start(day, feed.time_zone)) is not None:
        yield from out_of_range(start, day, shown(row.said), feed, received)


def _of_elements(row: ArrayRow, placed: _Day, feed: Feed, received: datetime) -> Iterator[Reading]:
    for position, (text, place) in enumerate(zip(row.texts, placed.places, strict=False)):
        if text is None or place.start is None:
            continue
        energy, quality = row.energy(text, placed.minutes), row.quality(position)
        if place.later is not None:
            # A position that comes twice carries the sum of both.
            energy, quality = energy and energy / 2, "split"
        where = f"element {position + 1}: {shown(text)}"
        broken = chain(
            out_of_range(place.later or place.start, placed.day, where, feed, received),
            unusable(energy, where, feed, row.limit(placed.minutes)),
            _nonexistent(place, where),
        )
        verdict = next(broken, PASSED)
        each = None if energy is None else energy.quantize(MILLIONTH, ROUND_HALF_UP)
        for start in (place.start, place.later if verdict == PASSED else None):
            if start is not None:
                yield Reading(row.row_number, row.direction, start, placed.minutes, placed.day, each, quality, *verdict)


def _nonexistent(place: _Place, where: str) -> Iterator[Refusal]:
    if not place.exists:
        yield "NONEXISTENT_POSITION", f"{where} stands at a time that does not exist: the clocks went forward"


def _placed(row: ArrayRow, zone: str) -> _Day | None:
    """Where the positions of a row's list lie.

    None where the row names no day, the day does not exist, or the list fits neither it nor a normal day.
    """
    day = row.day
    start, length = (day_start(day, zone), day_minutes(day, zone)) if day else (None, 0)
    size = _size(row, zone) if day and length else 0
    if day is None or start is None or not length or not size:
        return None
    if size == 1:
        return _Day(day, length, [_Place(start)])
    for minutes in (each for each in row.minutes if length % each == 0):
        in_order = instants_of_day(day, minutes, zone)
        if row.named is None and size == len(in_order):
            return _Day(day, minutes, [_Place(at) for at in in_order])
    for minutes in (each for each in row.minutes if length % each == 0):
        all_named = row.named in {None, size, len(instants_of_day(day, minutes, zone))}
        if size == DAY_MINUTES // minutes and all_named:
            midnight, step = datetime.combine(day, time.min), timedelta(minutes=minutes)
            return _Day(day, minutes, [_of_label(midnight + n * step, zone) for n in range(size)])
    return None


def _size(row: ArrayRow, zone: str) -> int:
    """Elements, without those behind the day's true length if these hold nothing and may be there."""
    size = len(row.texts)
    if row.may_be_longer and row.day is not None:
        near = (each for each in row.minutes if abs(size - DAY_MINUTES // each) <= LONGEST_CHANGE // each)
        for minutes in near:
            true = len(instants_of_day(row.day, minutes, zone))
            return true if size > true and not any(text is not None for text in row.texts[true:]) else size
    return size


def _of_label(local: datetime, zone: str) -> _Place:
    at = instants(local, zone)
    if not at:
        return _Place(first_instant(local, zone), exists=False)
    return _Place(at[0], at[1] if len(at) > 1 else None)
