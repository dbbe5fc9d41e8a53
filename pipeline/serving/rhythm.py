"""When the next run is due, from the times of earlier ones: nothing says how it is scheduled. Pure."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
# An hour of summer time, and a scheduler that is late.
LONGEST_TOLERANCE = timedelta(minutes=75)
SHORTEST_TOLERANCE = timedelta(minutes=2)
# A rhythm is believed if it would have foretold this many of the last starts.
FORETOLD, OF_THE_LAST = 3, 4


def next_due(starts: Sequence[datetime]) -> datetime | None:
    """When the next run would start if runs go on as they did; None where no rhythm is seen.

    `starts` are those of earlier runs, in order. A run by hand is passed over: what was due before it is still due.
    """
    due = _due(starts)
    if due is None and len(starts) > 1:
        due = _due(starts[:-1])
        return due if due is not None and due > starts[-1] else None
    return due


def _due(starts: Sequence[datetime]) -> datetime | None:
    """What followed a week ago comes first, so that runs on working days are not expected at the weekend."""
    newest = len(starts) - 1
    if newest < OF_THE_LAST:
        return None
    usual = sorted(after - before for before, after in pairwise(starts))[newest // 2]
    tolerance = max(SHORTEST_TOLERANCE, min(LONGEST_TOLERANCE, usual / 5))
    for period in (WEEK, DAY, usual):
        due = _after(starts, newest, period, tolerance)
        foretold = [(_after(starts, n, period, tolerance), starts[n + 1]) for n in range(newest - OF_THE_LAST, newest)]
        right = sum(at is not None and abs(at - came) <= tolerance for at, came in foretold)
        if due is not None and right >= FORETOLD:
            return due
    return None


def _after(starts: Sequence[datetime], n: int, period: timedelta, tolerance: timedelta) -> datetime | None:
    """What follows the n-th start, if it follows as it did a period before, or two: then the earlier."""
    followers = []
    if not n:
        return None
    for periods in (1, 2):
        before = starts[n] - periods * period
        place = bisect_left(starts, before, hi=n)
        near = min((each for each in (place - 1, place) if 0 <= each < n), key=lambda each: abs(starts[each] - before))
        if abs(starts[near] - before) <= tolerance:
            followers.append(starts[near + 1] + periods * period)
    return min(followers, default=None)
