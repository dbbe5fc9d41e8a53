"""Local wall clock -> UTC instants, and local days. Local time is used to read a local source, never to store.

All columns are TIMESTAMPs of a session pinned to UTC; a "local" one holds wall-clock fields, not an instant.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pyspark.sql import Column
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_YEAR, LAST_YEAR = 1970, 2100
# A step that sees every change: between two of one zone lie six days at least, in all zones and years looked at.
STEP = timedelta(days=3)


class _Change(NamedTuple):
    """A change of a zone's clocks: the UTC instant, and the local time (without zone) it ends and begins with."""

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


def _end_of_offset(offset: timedelta, moment: datetime, zone: tzinfo) -> datetime:
    """The first second within a step after `moment` at which the zone has that offset no more."""
    has_changed = bisect_left(
        range(int(STEP.total_seconds())),
        True,  # noqa: FBT003 - what is looked for
        key=lambda seconds: _offset(moment + timedelta(seconds=seconds), zone) != offset,
    )
    return moment + timedelta(seconds=has_changed)


@cache
def backward_shifts(name: str) -> tuple[timedelta, ...]:
    """By how much the clocks of a zone were ever set back, 1970 to 2100: one hour in most, 30 minutes in some."""
    return tuple(sorted({-change.shift for change in _changes(name) if change.shift < timedelta()}))


@cache
def months_of_changes(name: str) -> tuple[int, ...]:
    """Months of the year in which a local day near a clock change lies: in most years and zones two."""
    around = [timedelta(days=n) for n in range(-2, 4)]
    return tuple(sorted({(change.at + distance).month for distance in around for change in _changes(name)}))


@cache
def split_days(name: str) -> tuple[date, ...]:
    """Local days that are not one stretch of time: the clocks went back over a midnight that they had passed.

    In Newfoundland until 2011, from 00:01 to 23:01 of the day before: that day's last hour, but for a minute, came
    again after the new day's first minute.
    """
    days = set()
    for _, shown_until, shown_from in _changes(name):
        midnight = datetime.combine(shown_until, time.min)
        if shown_from < midnight < shown_until:
            days |= {midnight.date() - timedelta(days=1), midnight.date()}
    return tuple(sorted(days))


def _may_change(local: Column, name: str) -> Column:
    """Whether a clock change may be near: the tests for one cost more than all else that a row needs."""
    year = F.year(local)
    return F.month(local).isin(*months_of_changes(name)) | (year < FIRST_YEAR + 1) | (year >= LAST_YEAR)


def has_clock_changes(name: str) -> bool:
    """Whether a zone's wall clock ever jumps."""
    return name not in {"UTC", "GMT"} and name[0] not in "+-"


def instant(local: Column, zone: str) -> Column:
    """UTC instant of a local time: the earlier one where it occurs twice, a neighbour where it does not exist."""
    return F.to_utc_timestamp(local, zone) if zone not in {"UTC", "GMT"} else local


def is_nonexistent(local: Column, first: Column, zone: str) -> Column:
    """Whether the wall clock never showed a local time (spring); `first` is its `instant`."""
    if not has_clock_changes(zone):
        return F.lit(False)  # noqa: FBT003 - a literal column
    shown = F.from_utc_timestamp(first, zone)
    return F.when(_may_change(local, zone), shown != local).otherwise(F.lit(False))  # noqa: FBT003


def later_instant(local: Column, first: Column, zone: str) -> Column:
    """The second UTC instant of a local time that occurs twice (autumn), else NULL; `first` is its `instant`."""
    shifts = backward_shifts(zone) if has_clock_changes(zone) else ()
    candidates = [first + F.expr(f"INTERVAL {int(shift.total_seconds())} SECONDS") for shift in shifts]
    found = [F.when(F.from_utc_timestamp(second, zone) == local, second) for second in candidates]
    return F.when(_may_change(local, zone), F.coalesce(*found)) if found else F.lit(None).cast("timestamp")


def day_texts(days: Iterable[date]) -> str:
    """Days as SQL literals with commas between: as columns one by one thousands of them take seconds to build."""
    return ", ".join(f"DATE'{day.isoformat()}'" for day in days)


def local_date(start: Column, zone: str) -> Column:
    """Local day that a UTC instant lies in."""
    return F.to_date(F.from_utc_timestamp(start, zone) if zone not in {"UTC", "GMT"} else start)


def day_start(day: Column, zone: str) -> Column:
    """UTC instant at which a local day begins (its first instant, where midnight does not exist)."""
    return instant(day.cast("timestamp"), zone)


def day_minutes(day: Column, zone: str) -> Column:
    """Minutes from a local day's first instant to the next day's: 1440, or as much more or less as the clocks were set.

    Its true length, but in `split_days`. Zero for a day that never was (Apia, 30 December 2011).
    """
    length = F.unix_timestamp(day_start(F.date_add(day, 1), zone)) - F.unix_timestamp(day_start(day, zone))
    return (length / 60).cast("int")


def instants_of_day(day: Column, minutes: Column | int, zone: str) -> Column:
    """UTC instants at which the whole intervals of a local day begin: ARRAY<TIMESTAMP>, ascending.

    They are counted from the day's first instant (in Kathmandu a quarter past the hour in UTC). Empty for a day that
    never was.
    """
    start, end = day_start(day, zone), day_start(F.date_add(day, 1), zone)
    step = F.make_dt_interval(mins=F.lit(minutes))
    whole = F.slice(F.sequence(start, end, step), 1, _whole_intervals(day, minutes, zone))
    # A part of a split day lies after the next day's first instant; no clock was ever set back by more than a day.
    later_end = end + F.expr("INTERVAL 1 DAY")
    in_parts = F.filter(F.sequence(start, later_end, step), lambda at: local_date(at, zone) == day)
    return _unless_split(whole, in_parts, day, zone)


def instant_in_day(day: Column, position: Column, minutes: Column, zone: str) -> Column:
    """UTC instant at which the interval of that position (from 0) in a local day begins; of `instants_of_day`."""
    usual = day_start(day, zone) + F.make_dt_interval(mins=position * minutes)
    return _unless_split(usual, F.get(instants_of_day(day, minutes, zone), position), day, zone)


def intervals_of_day(day: Column, minutes: Column | int, zone: str) -> Column:
    """Number of whole intervals in a local day, INT: 46, 48 or 50 half hours; of `instants_of_day`, but cheaper."""
    counted = F.size(instants_of_day(day, minutes, zone))
    return _unless_split(_whole_intervals(day, minutes, zone), counted, day, zone)


def _whole_intervals(day: Column, minutes: Column | int, zone: str) -> Column:
    return F.floor(day_minutes(day, zone) / minutes).cast("int")


def _unless_split(usual: Column, exact: Column, day: Column, zone: str) -> Column:
    """The usual value, but the exact one for the few days of the few zones that need it."""
    days = split_days(zone) if has_clock_changes(zone) else ()
    return F.when(day.isin(*days), exact).otherwise(usual) if days else usual
