"""A single local time -> its UTC instants, and local days, in Python; columns.py does the same for columns.

A local time is a datetime without a zone, an instant is one in UTC; `zone` is a name that `zones.zone_info` takes. The
result is None outside the years 1 to 9999.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from pipeline.clock import zones
from pipeline.config.values import DAY_MINUTES

_split_days = cache(zones.split_days)
DAY = timedelta(days=1)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


def wall_clock(at: datetime, zone: str) -> datetime | None:
    """The local time that the clocks show at an instant."""
    try:
        return at.astimezone(zones.zone_info(zone)).replace(tzinfo=None)
    except OverflowError:
        return None


def instants(local: datetime, zone: str) -> tuple[datetime, ...]:
    """The instants, ascending, at which the clocks show a local time: one, in autumn two, in spring none."""
    first = first_instant(local, zone)
    if first is None or wall_clock(first, zone) != local:
        return ()
    # By the zone's own shifts back, as in columns.py: so both find the same repeated times, before 1970 too.
    room = LAST_INSTANT - first
    shifts = [shift for shift in zones.backward_shifts(zone) if shift <= room]
    later = next((first + shift for shift in shifts if wall_clock(first + shift, zone) == local), None)
    return (first,) if later is None else (first, later)


def first_instant(local: datetime, zone: str) -> datetime | None:
    """The earlier instant of a local time, a neighbour where it does not exist."""
    try:
        return local.replace(tzinfo=zones.zone_info(zone)).astimezone(UTC)
    except OverflowError:
        return None


def day_start(day: date, zone: str) -> datetime | None:
    """The instant at which a local day begins (its first one, where midnight does not exist)."""
    return first_instant(datetime.combine(day, time.min), zone)


def day_minutes(day: date, zone: str) -> int:
    """Minutes from a local day's first instant to the next day's, zero for a day that never was."""
    start = day_start(day, zone)
    end = day_start(day + DAY, zone) if day < date.max else None
    # The last possible day has no next one; no zone changes its clocks on it.
    return DAY_MINUTES if start is None or end is None else int((end - start).total_seconds() / 60)


def instants_of_day(day: date, minutes: int, zone: str) -> list[datetime | None]:
    """The instants at which the whole intervals of a local day begin, ascending."""
    start, step = day_start(day, zone), timedelta(minutes=minutes)
    if start is None:
        return []
    is_split = day in _split_days(zone)
    # Part of a split day comes after the next day's first instant; no clock was ever set back by more than a day.
    count = day_minutes(day, zone) // minutes if not is_split else 3 * DAY_MINUTES // minutes
    found = [start + n * step if n * step <= LAST_INSTANT - start else None for n in range(count)]
    return [at for at in found if at and _is_on(day, at, zone)] if is_split else found


def _is_on(day: date, at: datetime, zone: str) -> bool:
    local = wall_clock(at, zone)
    return local is not None and local.date() == day
