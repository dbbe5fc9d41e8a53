"""Sheets with a row a day: which columns are its times (`00:30`) or periods (`hh1`), and the pattern of their names."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config.values import DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.guess.words import Side

# A day of hours, on the shortest day.
FEWEST = 23
_CLOCK = re.compile(
    r"(?P<before>\D*?)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?P<after>(?::00)?(?P<rest>.*))", re.DOTALL
)
_PERIOD = re.compile(r"(?P<before>\D*)0*(?P<number>[0-9]{1,3})(?P<after>\D*)")
_RANGE = re.compile(r"\s*(?:-|\u2013|to|bis|tot|a|à)\s*[0-9]{1,2}:[0-9]{2}(?::00)?", re.IGNORECASE)


class Wide(NamedTuple):
    """The value columns, the pattern that names them, minutes of an interval, and the side that their names tell."""

    names: list[str]
    pattern: str
    minutes: int
    side: Side | None
    says: str
    quality_beside: bool


def wide_of(names: Sequence[str]) -> Wide | None:
    """The columns of a day's intervals; None where a sheet has none."""
    return _of_times(names) or _of_periods(names)


def _of_times(names: Sequence[str]) -> Wide | None:
    groups: defaultdict[tuple[str, bool, str], list[tuple[str, int]]] = defaultdict(list)
    for name in names:
        found = _CLOCK.fullmatch(name)
        if found:
            rest = found["after"]
            is_range = _RANGE.fullmatch(rest) is not None
            minute = int(found["hour"]) * 60 + int(found["minute"])
            groups[found["before"], is_range, "" if is_range else rest].append((name, minute))
    (before, is_range, after), columns = max(
        groups.items(), key=lambda each: len(each[1]), default=(("", False, ""), [])
    )
    if len(columns) < FEWEST:
        return None
    minutes = [minute for _, minute in columns]
    steps = [later - earlier for earlier, later in pairwise(minutes) if later > earlier]
    length = min(steps) if steps else 0
    if not length or DAY_MINUTES % length:
        return None
    tail = r"\D.*" if is_range else re.escape(after)
    digits = r"\d{2}" if all(re.search(r"(?<!\d)\d\d:", name) for name, _ in columns) else r"\d{1,2}"
    pattern = f"{re.escape(before)}(?P<time>{digits}:\\d{{2}}){tail}"
    side, says = _side(minutes, length, is_range=is_range)
    chosen = [name for name, _ in columns]
    return Wide(chosen, pattern, length, side, says, _beside(names, chosen))


def _side(minutes: list[int], length: int, *, is_range: bool) -> tuple[Side | None, str]:
    if is_range:
        return "start", "the names are spans, of which the first time counts"
    if minutes[0] == 0:
        return "start", "the first column of a day is 00:00"
    if minutes[0] == length:
        last = f"{minutes[-1] // 60:02d}:{minutes[-1] % 60:02d}"
        return "end", f"the first column of a day is its first {length} minutes' end, the last one {last}"
    return None, "the columns begin at another time than midnight"


def _of_periods(names: Sequence[str]) -> Wide | None:
    groups: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for name in names:
        if found := _PERIOD.fullmatch(name):
            groups[found["before"], found["after"]].setdefault(int(found["number"]), name)
    (before, after), columns = max(groups.items(), key=lambda each: len(each[1]), default=(("", ""), {}))
    numbers = sorted(columns)
    if len(numbers) < FEWEST or numbers != list(range(1, len(numbers) + 1)):
        return None
    # 46, 48 and 50 are days of half hours; 23 to 25 of hours; 92 to 100 of quarters.
    length = min((60, 30, 15), key=lambda minutes: abs(DAY_MINUTES // minutes - len(numbers)))
    chosen = [columns[number] for number in numbers]
    pattern = f"{re.escape(before)}(?P<period>\\d{{1,3}}){re.escape(after)}"
    says = "periods count from the day's first interval"
    return Wide(chosen, pattern, length, "start", says, _beside(names, chosen))


def _beside(names: Sequence[str], chosen: list[str]) -> bool:
    """Whether a column of marks stands after each value."""
    places = [names.index(name) for name in chosen]
    return all(after - before == 2 for before, after in pairwise(places)) and places[-1] + 1 < len(names)  # noqa: PLR2004
