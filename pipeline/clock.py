"""Local wall clock -> UTC instants, and local days. Local time is used to read a local source, never to store.

All columns are TIMESTAMPs of a session pinned to UTC; a "local" one holds wall-clock fields, not an instant.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pyspark.sql import Column
from pyspark.sql import functions as F

FIRST_YEAR, LAST_YEAR = 1970, 2100


def zone_info(name: str) -> tzinfo:
    """The zone of that name, a region or an offset such as `+05:30`."""
    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[4:6])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if name[0] == "-" else offset)
    return ZoneInfo(name)


@cache
def _offset_changes(name: str) -> tuple[tuple[datetime, timedelta], ...]:
    """(UTC day, by how much the clocks went forward or back on it), 1970 to 2100; a day's step is enough to see it."""
    zone = zone_info(name)
    days = [datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366 * (LAST_YEAR - FIRST_YEAR))]
    offsets = [day.astimezone(zone).utcoffset() or timedelta() for day in days]
    pairs = zip(days, pairwise(offsets), strict=False)
    return tuple((day, after - before) for day, (before, after) in pairs if after != before)


@cache
def backward_shifts(name: str) -> tuple[timedelta, ...]:
    """By how much the clocks of a zone were ever set back, 1970 to 2100: one hour in most, 30 minutes in some."""
    return tuple(sorted({-shift for _, shift in _offset_changes(name) if shift < timedelta()}))


@cache
def months_of_changes(name: str) -> tuple[int, ...]:
    """Months of the year in which a local day near a clock change lies: in most years and zones two."""
    around = (timedelta(days=n) for n in range(-2, 4))
    near = {(day + distance).month for distance in around for day, _ in _offset_changes(name)}
    return tuple(sorted(near))


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


def day_literal(day: date) -> Column:
    """A day as a literal; by its text, because PySpark cannot pass on a date before the year 1000."""
    return F.lit(day.isoformat()).cast("date")


def is_out_of_range(start: Column, local: Column) -> Column:
    """Whether an instant or its local time lies outside the years 1 to 9999, which no other reader can show."""
    first, end = (F.lit(text).cast("timestamp") for text in ("0001-01-01 00:00:00", "+10000-01-01 00:00:00"))
    return (start < first) | (start >= end) | (local < first) | (local >= end)


def local_date(start: Column, zone: str) -> Column:
    """Local day that a UTC instant lies in."""
    return F.to_date(F.from_utc_timestamp(start, zone) if zone not in {"UTC", "GMT"} else start)


def day_start(day: Column, zone: str) -> Column:
    """UTC instant at which a local day begins (its first instant, where midnight does not exist)."""
    return instant(day.cast("timestamp"), zone)


def day_minutes(day: Column, zone: str) -> Column:
    """True length of a local day in minutes: 1440, or as much more or less as the clocks were set."""
    length = F.unix_timestamp(day_start(F.date_add(day, 1), zone)) - F.unix_timestamp(day_start(day, zone))
    return (length / 60).cast("int")
