"""Local time by `zoneinfo` alone: what the laws compare the pipeline with. It knows nothing of `pipeline.clock`.

Times are numpy arrays of seconds since 1970, of UTC (an instant) or of a wall clock (a label); days are counted since
1970. From 2000 on every offset of every zone is a whole number of quarter hours, and so all is looked at by quarters.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from zoneinfo import ZoneInfo

import numpy as np

DAY, HOUR, QUARTER, MINUTE = 86_400, 3600, 900, 60
QUARTERS = DAY // QUARTER
STEP = 5 * DAY  # no zone changes its clocks twice within it (the nearest two: Boa Vista in 2000, seven days)
EPOCH = date(1970, 1, 1)
FIRST_YEAR, LAST_YEAR = 2000, 2037
FIRST_DAY, LAST_DAY = (date(FIRST_YEAR, 1, 1) - EPOCH).days, (date(LAST_YEAR, 12, 31) - EPOCH).days
# Changes at the edges are seen from both sides, their days' neighbours included.
BEGIN, END = (FIRST_DAY - 8) * DAY, (LAST_DAY + 8) * DAY


def offset(zone, second):
    return int(datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset().total_seconds())


def day_of(day):
    """The date as a number of days since 1970."""
    return (day - EPOCH).days


def year_of(days):
    """Years of days since 1970."""
    return np.asarray(days, "datetime64[D]").astype("datetime64[Y]").astype(int) + EPOCH.year


@dataclass(frozen=True)
class Clock:
    """The wall clock of a zone: from `starts[n]` on it is `offsets[n]` ahead of UTC."""

    starts: tuple[int, ...]
    offsets: tuple[int, ...]

    @cached_property
    def stretches(self):
        """(start, end, offset) of each stretch of time without a change."""
        return list(zip(self.starts, (*self.starts[1:], END), self.offsets, strict=True))

    @cached_property
    def changes(self):
        """(label at which one offset ends, label with which the next begins) of each change."""
        pairs = zip(self.starts[1:], self.offsets[:-1], self.offsets[1:], strict=True)
        return [(at + before, at + after) for at, before, after in pairs]

    def shown(self, instants):
        """The label that the clock shows at each instant."""
        stretch = np.searchsorted(self.starts, instants, side="right") - 1
        return instants + np.asarray(self.offsets)[stretch]

    def occurrences(self, labels):
        """(first instant, last instant) at which each label is shown; -1 where it never is."""
        every = [labels - offset for offset in sorted(set(self.offsets), reverse=True)]
        shows = [self.shown(instants) == labels for instants in every]
        first, last = np.full(len(labels), -1), np.full(len(labels), -1)
        for instants, shown in zip(every, shows, strict=True):  # ascending
            first = np.where(shown & (first < 0), instants, first)
            last = np.where(shown, instants, last)
        assert max(np.sum(shows, axis=0), default=0) <= 2
        return first, last

    @cache  # noqa: B019 - as few clocks as there are zones
    def quarters(self, day):
        """Instants, a quarter of an hour apart, at which the clock shows a label of that day."""
        around = np.arange((day - 1) * DAY, (day + 2) * DAY, QUARTER)
        return around[self.shown(around) // DAY == day]

    def instants(self, day, minutes):
        """Instants at which the day's intervals begin, on the grid from its first instant, if they end in the day."""
        quarters = self.quarters(day)
        if not len(quarters):
            return quarters
        length = minutes * MINUTE
        whole = quarters + length <= quarters[-1] + QUARTER
        return quarters[whole & ((quarters - quarters[0]) % length == 0)]

    @cached_property
    def days_of_changes(self):
        """The days that a change touches (one that it skips too), of the years looked at."""
        dates = [sorted((until // DAY, begin // DAY)) for until, begin in self.changes]
        days = {day for first, last in dates for day in range(first, last + 1)}
        return sorted(day for day in days if FIRST_DAY <= day <= LAST_DAY)

    @cached_property
    def days_near_changes(self):
        """These days, the day before and the day after."""
        near = {day + distance for day in self.days_of_changes for distance in (-1, 0, 1)}
        return sorted(day for day in near if FIRST_DAY <= day <= LAST_DAY)


def end_of_offset(before, second, zone):
    """The first second after that one at which the zone no longer has that offset."""
    return bisect_left(range(second, second + STEP), 1, key=lambda at: int(offset(zone, at) != before)) + second


@cache
def clock(name):
    """The clock of a zone, from a little before 2000 to a little after 2037."""
    zone = ZoneInfo(name)
    starts, offsets = [BEGIN], [offset(zone, BEGIN)]
    for second in range(BEGIN, END, STEP):
        before, after = offsets[-1], offset(zone, second + STEP)
        if before != after:
            starts.append(end_of_offset(before, second, zone))
            offsets.append(after)
    assert not any(each % QUARTER for each in offsets), name
    return Clock(tuple(starts), tuple(offsets))
