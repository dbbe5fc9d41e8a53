"""What the times of a file say of its intervals: their length, and whether a label begins or ends one."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config.values import DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.guess.times import Label
    from pipeline.guess.words import Side

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Fewer distances than this say nothing.
FEWEST_STEPS = 3
# Every interval ends at a minute that this divides.
MINUTES_OF_A_PART = 5


class Evidence(NamedTuple):
    """Start or end (None: the file does not tell), and the sentence that says why."""

    side: Side | None
    says: str


def by_series(keys: Sequence[object], labels: Sequence[Label | None]) -> list[list[datetime]]:
    """The local times of each meter and direction, ascending."""
    found: defaultdict[object, set[datetime]] = defaultdict(set)
    for key, label in zip(keys, labels, strict=True):
        if label is not None:
            found[key].add(label.at)
    return [sorted(series) for series in found.values()]


def minutes(
    series: list[list[datetime]], starts: Sequence[Label | None], ends: Sequence[Label | None] | None
) -> int | None:
    """The commonest distance between neighbours that divides a day; else from start to end; None where none does."""
    steps = Counter((after - before) // MINUTE for times in series for before, after in pairwise(times))
    if not any(_divides(step) for step in steps) and ends is not None:
        both = [(one.at, other.at) for one, other in zip(starts, ends, strict=True) if one and other]
        # Some write 00:00 to 00:59.
        steps = Counter(-(-((end - start) // MINUTE) // 5) * 5 for start, end in both if end > start)
    fitting = {step: count for step, count in steps.items() if _divides(step)}
    return max(fitting, key=lambda step: (fitting[step], -step)) if fitting else None


def days_apart(series: list[list[datetime]]) -> tuple[int, int] | None:
    """(fewest, most) days between neighbours where all are more than a day apart; None where any is nearer."""
    steps = [after - before for times in series for before, after in pairwise(times)]
    if len(steps) < FEWEST_STEPS or min(steps) <= DAY + HOUR:
        return None
    return min(steps) // DAY, -(-max(steps) // DAY)


def last_minutes(series: list[list[datetime]]) -> tuple[datetime, datetime] | None:
    """Two labels, where all are the minute before one that ends an interval: 04:59, or 04:14."""
    labels = [at for times in series for at in times]
    if len(labels) < FEWEST_STEPS or not all(at.minute % MINUTES_OF_A_PART == MINUTES_OF_A_PART - 1 for at in labels):
        return None
    return labels[0], labels[1]


def _divides(step: int) -> bool:
    return 0 < step <= DAY_MINUTES and DAY_MINUTES % step == 0


def side(labels: Sequence[Label | None], series: list[list[datetime]], length: int) -> Evidence:
    """Whether labels begin or end their intervals, by how days begin and end in the file."""
    if any(label and label.ends_the_day for label in labels):
        return Evidence("end", "24:00 occurs, and no interval begins there")
    if length == DAY_MINUTES:
        return Evidence("start", "a label is a day")
    return _by_edges(series, length)


def _by_edges(series: list[list[datetime]], length: int) -> Evidence:
    """By the first and the last time of most meters."""
    firsts = Counter(_minute(times[0]) for times in series if times)
    lasts = Counter(_minute(times[-1]) for times in series if times)
    if not firsts:
        return Evidence(None, "no label can be read")
    first, last = firsts.most_common(1)[0][0], lasts.most_common(1)[0][0]
    if first == length:
        ends = "and the last one 00:00" if last == 0 else "so probably of the interval from 00:00"
        return Evidence("end", f"the first label of the file is {_clock(first)}, {ends}")
    if first == 0 and last == 0 and any(len(times) > 1 for times in series):
        return Evidence(None, "the file goes from 00:00 to 00:00, which fits both")
    if first == 0:
        whole = last == DAY_MINUTES - length
        ends = f"and the last one {_clock(last)}" if whole else "so probably of the interval from there"
        return Evidence("start", f"the first label of the file is 00:00, {ends}")
    return Evidence(None, f"the file goes from {_clock(first)} to {_clock(last)}, which fits both")


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
