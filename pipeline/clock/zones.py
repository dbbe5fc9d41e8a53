"""Facts about time zones, 1970 to 2100: their clock changes, and the local days these split. No Spark."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_YEAR, LAST_YEAR = 1970, 2100
# A step that finds every change: in all zones and years here, two changes of a zone are at least six days apart.
STEP = timedelta(days=3)


class _Change(NamedTuple):
    """A change of a zone's clocks: the UTC instant, and the local times (without zone) before and after it."""

    at: datetime
    shown_until: datetime
    shown_from: datetime

    @property
    def shift(self) -> timedelta:
        """By how much the clocks went forward, or back if negative."""
        return self.shown_from - self.shown_until


def zone_info(name: str) -> tzinfo:
    """The zone of that name, a region or an offset such as `+05:30`."""
    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[4:6])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if name[0] == "-" else offset)
    return ZoneInfo(name)


def fixed_offset(name: str) -> int | None:
    """Seconds that a zone without clock changes is ahead of UTC; None for a region."""
    if name in {"UTC", "GMT"}:
        return 0
    if name[0] not in "+-":
        return None
    ahead = zone_info(name).utcoffset(None)
    return None if ahead is None else int(ahead.total_seconds())


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


@cache
def _changes(name: str) -> tuple[_Change, ...]:
    """Every change of a zone's clocks, 1970 to 2100."""
    zone, first = zone_info(name), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    moments = [first + n * STEP for n in range((datetime(LAST_YEAR, 1, 1, tzinfo=UTC) - first) // STEP + 1)]
    found = []
    for moment, (before, after) in zip(moments, pairwise(_offset(each, zone) for each in moments), strict=False):
        if before != after:
            at = _end_of_offset(before, moment, zone)
            found.append(_Change(at, at.replace(tzinfo=None) + before, at.replace(tzinfo=None) + after))
    return tuple(found)


@cache
def offsets(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Since when a zone has had which offset: instants and offsets in microseconds; the last instant ends the facts."""
    zone, first, last = zone_info(name), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    since = [first, *(change.at for change in _changes(name)), last]
    tick = timedelta(microseconds=1)
    return (
        tuple((at - first) // tick for at in since),
        tuple(_offset(at, zone) // tick for at in since),
    )


def _end_of_offset(offset: timedelta, moment: datetime, zone: tzinfo) -> datetime:
    """The first second within a step after `moment` at which the zone no longer has that offset."""
    has_changed = bisect_left(
        range(int(STEP.total_seconds())),
        True,  # noqa: FBT003 - the value to find
        key=lambda seconds: _offset(moment + timedelta(seconds=seconds), zone) != offset,
    )
    return moment + timedelta(seconds=has_changed)


@cache
def backward_shifts(name: str) -> tuple[timedelta, ...]:
    """Every amount that a zone's clocks were set back by, 1970 to 2100: one hour in most zones, 30 minutes in some."""
    return tuple(sorted({-change.shift for change in _changes(name) if change.shift < timedelta()}))


@cache
def months_of_changes(name: str) -> tuple[int, ...]:
    """Months of the year with a local day near a clock change: two in most zones and years."""
    around = [timedelta(days=n) for n in range(-2, 4)]
    return tuple(sorted({(change.at + distance).month for distance in around for change in _changes(name)}))


@cache
def split_days(name: str) -> tuple[date, ...]:
    """Local days that are not one stretch of time: the clocks went back across midnight.

    In Newfoundland until 2011, from 00:01 to 23:01 of the day before: 59 minutes of that day were repeated after the
    first minute of the new one.
    """
    days = set()
    for _, shown_until, shown_from in _changes(name):
        midnight = datetime.combine(shown_until, time.min)
        if shown_from < midnight < shown_until:
            days |= {midnight.date() - timedelta(days=1), midnight.date()}
    return tuple(sorted(days))


def has_clock_changes(name: str) -> bool:
    """Whether a zone's wall clock ever jumps."""
    return name not in {"UTC", "GMT"} and name[0] not in "+-"


def day_texts(days: Iterable[date]) -> str:
    """Days as SQL literals with commas between: thousands of single column literals would take seconds to build."""
    return ", ".join(f"DATE'{day.isoformat()}'" for day in days)
