"""Interval arrays: rows of one meter, judged in Python with the rules of interval_parquet.py."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING

from pipeline.clock.local_time import day_minutes, day_start, instants, instants_of_day
from pipeline.config.values import DAY_MINUTES
from pipeline.formats.parquet_file import LIST
from pipeline.formats.row_judge import (
    MILLIONTH,
    Reading,
    Row,
    RowJudge,
    is_blank,
    is_in_range,
    is_plausible,
    usable_energy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.settings import Feed

# Possible interval lengths in minutes; a list of one value holds the whole day.
MINUTES = (60, 30, 15)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: 00:00:00)?")


def readings(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """The readings that pass: one for each element, two if its position occurs twice."""
    for row in rows:
        day, values = _day(row["date"] or ""), row[LIST] or []
        if day is None or is_blank(row["ext_dev_ref"]):
            continue
        minutes, places = _places(day, len(values), feed.time_zone)
        for text, at in zip(values, places, strict=False):
            if not at or (energy := usable_energy(text)) is None or not is_in_range(at[-1], day, feed, received):
                continue
            # A position that occurs twice holds the sum of both.
            is_split = len(at) > 1
            of_interval = energy / 2 if is_split else energy
            if not is_plausible(of_interval, feed):
                continue
            each = of_interval.quantize(MILLIONTH, ROUND_HALF_UP)
            quality = "split" if is_split else None
            for start in at:
                yield Reading(row["row_number"], feed.direction, start, minutes, day, each, quality)


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _places(day: date, size: int, zone: str) -> tuple[int, list[tuple[datetime, ...]]]:
    """The minutes of an interval, and the instants of each position in a list of that size: none if it never was.

    There are no positions if the day does not exist, or if the list fits neither it nor a normal day.
    """
    start, length = day_start(day, zone), day_minutes(day, zone)
    if start is None or not length or not size:
        return 0, []
    if size == 1:
        return length, [(start,)]
    fitting = [minutes for minutes in MINUTES if length % minutes == 0]
    for minutes in fitting:
        in_order = instants_of_day(day, minutes, zone)
        if size == len(in_order):
            return minutes, [(at,) if at else () for at in in_order]
    for minutes in fitting:
        if size == DAY_MINUTES // minutes:
            midnight, step = datetime.combine(day, time.min), timedelta(minutes=minutes)
            return minutes, [instants(midnight + n * step, zone) for n in range(size)]
    return 0, []


ROW_JUDGE = RowJudge(lambda _: ("ext_dev_ref", "date", LIST), readings)
