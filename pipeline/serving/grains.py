"""A meter's readings by half hour, hour, day and month. Pure; sums in millionths of a kWh, exact.

Half hours follow the feed's local day, as in gold. Hours, days and months are in the requested time zone: the feed's
own gives gold's days. A reading belongs to the hour, day or month that it starts in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.serving.meter_files import Part

GRAINS = ("half_hour", "hour", "day", "month")
# The longest reading that counts in a grain; longer ones cannot be split.
LONGEST_MINUTES = {"half_hour": 30, "hour": 60}
HALF_HOUR = 30 * 60 * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIXED = "mixed"


def instant(micros: int) -> datetime:
    """A UTC instant from microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def micros(moment: datetime) -> int:
    """An instant as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def day_start(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def micro_kwh(micro: int, unit: str) -> int:
    """Millionths of a kWh from millionths of the unit: Wh / 1000, rounded half up, as in gold."""
    return (micro + 500) // 1000 if unit == "Wh" else micro


@dataclass
class Bucket:
    """Energy of a meter in a span [start, end) of UTC microseconds; `qualities` are the marks of its readings."""

    start: int
    end: int
    feed: str
    direction: str
    local_date: date
    micro: int = 0
    readings: int = 0
    qualities: set[str | None] = field(default_factory=set)

    @property
    def quality(self) -> str | None:
        """The mark of all readings, or `mixed` if they differ."""
        return next(iter(self.qualities)) if len(self.qualities) == 1 else MIXED


@lru_cache(maxsize=100_000)
def span(start: int, local_date: date, grain: str, zone: tzinfo, feed_zone: tzinfo) -> tuple[int, int, date]:
    """The span [start, end) that a reading at `start` belongs to, and the local day it is named after."""
    if grain == "half_hour":
        since = (start - micros(day_start(local_date, feed_zone))) % HALF_HOUR
        return start - since, start - since + HALF_HOUR, local_date
    local = instant(start).astimezone(zone)
    if grain == "hour":
        # By the time since its start: an hour of the clock may have begun under another offset.
        begin = instant(start) - timedelta(minutes=local.minute, seconds=local.second)
        return micros(begin), micros(begin) + 2 * HALF_HOUR, local.date()
    first = local.date() if grain == "day" else local.date().replace(day=1)
    after = first + timedelta(days=1) if grain == "day" else (first + timedelta(days=31)).replace(day=1)
    return micros(day_start(first, zone)), micros(day_start(after, zone)), first


def buckets(parts: Iterable[Part], grain: str, zone: tzinfo, feed_zone: tzinfo) -> list[Bucket]:
    """Readings of one feed summed by span and direction, in the order of start and direction."""
    found: dict[tuple[int, str, date], Bucket] = {}
    longest = LONGEST_MINUTES.get(grain)
    for part in parts:
        rows = zip(part.starts, part.directions, part.minutes, part.micros, part.units, part.qualities, strict=True)
        for start, direction, minutes, micro, unit, quality in rows:
            if longest and minutes > longest:
                continue
            if grain == "half_hour" and minutes == longest:
                begin, end, day = start, start + HALF_HOUR, part.local_date
            else:
                begin, end, day = span(start, part.local_date, grain, zone, feed_zone)
            key = (begin, direction, day)
            if key not in found:
                found[key] = Bucket(begin, end, part.feed, direction, day)
            bucket = found[key]
            bucket.micro += micro_kwh(micro, unit)
            bucket.readings += 1
            bucket.qualities.add(quality)
    return [found[key] for key in sorted(found)]
