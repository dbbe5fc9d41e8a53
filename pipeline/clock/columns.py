"""Local wall clock -> UTC instants, and local days. Local time is used to read a local source, never for storage.

All columns are TIMESTAMPs in a session pinned to UTC; a "local" one holds wall-clock fields, not an instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock.zones import (
    FIRST_YEAR,
    LAST_YEAR,
    backward_shifts,
    fixed_offset,
    has_clock_changes,
    months_of_changes,
    split_days,
)
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column


def _may_change(local: Column, name: str) -> Column:
    """Whether a clock change may be near: testing for one costs more than everything else that a row needs."""
    year = F.year(local)
    return F.month(local).isin(*months_of_changes(name)) | (year < FIRST_YEAR + 1) | (year >= LAST_YEAR)


def instant(local: Column, zone: str) -> Column:
    """UTC instant of a local time: the earlier one where it occurs twice, a neighbour where it does not exist."""
    if (offset := fixed_offset(zone)) is not None:
        return local - F.expr(f"INTERVAL {offset} SECONDS") if offset else local
    return F.to_utc_timestamp(local, zone)


def wall_clock(at: Column, zone: str) -> Column:
    """The local time that a zone's clock shows at a UTC instant."""
    if (offset := fixed_offset(zone)) is not None:
        return at + F.expr(f"INTERVAL {offset} SECONDS") if offset else at
    return F.from_utc_timestamp(at, zone)


def is_nonexistent(local: Column, first: Column, zone: str) -> Column:
    """Whether the wall clock never showed a local time (spring); `first` is its `instant`."""
    if not has_clock_changes(zone):
        return F.lit(False)  # noqa: FBT003 - a literal column
    shown = wall_clock(first, zone)
    return F.when(_may_change(local, zone), shown != local).otherwise(F.lit(False))  # noqa: FBT003


def later_instant(local: Column, first: Column, zone: str) -> Column:
    """The second UTC instant of a local time that occurs twice (autumn), else NULL; `first` is its `instant`."""
    shifts = backward_shifts(zone) if has_clock_changes(zone) else ()
    candidates = [first + F.expr(f"INTERVAL {int(shift.total_seconds())} SECONDS") for shift in shifts]
    found = [F.when(wall_clock(second, zone) == local, second) for second in candidates]
    return F.when(_may_change(local, zone), F.coalesce(*found)) if found else F.lit(None).cast("timestamp")


def local_date(start: Column, zone: str) -> Column:
    """The local day of a UTC instant."""
    return F.to_date(wall_clock(start, zone))


def day_start(day: Column, zone: str) -> Column:
    """UTC instant at which a local day begins (its first instant, if midnight does not exist)."""
    return instant(day.cast("timestamp"), zone)


def day_minutes(day: Column, zone: str) -> Column:
    """Minutes from a local day's first instant to the next day's: 1440, more or less if the clocks change on it.

    This is its true length, except for `split_days`. Zero for a day that never was (Apia, 30 December 2011).
    """
    length = F.unix_timestamp(day_start(F.date_add(day, 1), zone)) - F.unix_timestamp(day_start(day, zone))
    return (length / 60).cast("int")


def instants_of_day(day: Column, minutes: Column | int, zone: str) -> Column:
    """UTC instants at which the whole intervals of a local day begin: ARRAY<TIMESTAMP>, ascending.

    Intervals are counted from the day's first instant (in Kathmandu a quarter past the hour in UTC). Empty for a day
    that never was.
    """
    start, end = day_start(day, zone), day_start(F.date_add(day, 1), zone)
    step = F.make_dt_interval(mins=F.lit(minutes))
    whole = F.slice(F.sequence(start, end, step), 1, _whole_intervals(day, minutes, zone))
    # Part of a split day comes after the next day's first instant; no clock was ever set back by more than a day.
    later_end = end + F.expr("INTERVAL 1 DAY")
    in_parts = F.filter(F.sequence(start, later_end, step), lambda at: local_date(at, zone) == day)
    return _unless_split(whole, in_parts, day, zone)


def instant_in_day(day: Column, position: Column, minutes: Column, zone: str) -> Column:
    """UTC instant at which the interval at that position (from 0) of a local day begins, as in `instants_of_day`."""
    usual = day_start(day, zone) + F.make_dt_interval(mins=position * minutes)
    return _unless_split(usual, F.get(instants_of_day(day, minutes, zone), position), day, zone)


def intervals_of_day(day: Column, minutes: Column | int, zone: str) -> Column:
    """Number of whole intervals in a local day, INT: 46, 48 or 50 half hours; cheaper than `instants_of_day`."""
    counted = F.size(instants_of_day(day, minutes, zone))
    return _unless_split(_whole_intervals(day, minutes, zone), counted, day, zone)


def _whole_intervals(day: Column, minutes: Column | int, zone: str) -> Column:
    return F.floor(day_minutes(day, zone) / minutes).cast("int")


def _unless_split(usual: Column, exact: Column, day: Column, zone: str) -> Column:
    """The usual value, or the exact one for the few split days of the few zones that have any."""
    days = split_days(zone) if has_clock_changes(zone) else ()
    return F.when(day.isin(*days), exact).otherwise(usual) if days else usual
