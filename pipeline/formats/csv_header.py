"""The names in a delimited text's header: which columns the configuration means, and where a wide file's values are."""

from __future__ import annotations

import difflib
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.config.csv_columns import BLANKS
from pipeline.config.values import DAY_MINUTES

if TYPE_CHECKING:
    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed

MOST_NAMES_SHOWN = 200
USUAL_DELIMITERS = (";", ",", "\t", "|")
_TIME = re.compile(r"([0-9]{1,2}):?([0-9]{2})(?::00)?")


class HeaderError(ValueError):
    """A header that does not fit the configuration: the file's reason code and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def names(fields: list[str], said: Csv) -> tuple[str, ...]:
    """The columns' names, cut of blanks, each once: one that stands twice is NAME, then NAME.2.

    Empty names at the end are no columns, except for one that may stand above the qualities of the last values.
    """
    if not said.header:
        return tuple(f"c{number}" for number in range(1, len(fields) + 1))
    cut = [field.strip(BLANKS) for field in fields]
    named = max((number for number, name in enumerate(cut, start=1) if name), default=0)
    found: dict[str, None] = {}
    for name in cut[:named]:
        number = 2
        own = name
        while own in found:
            own, number = f"{name}.{number}", number + 1
        found[own] = None
    return tuple(found) + tuple(cut[named : named + said.quality_beside])


def fields_at_least(header: tuple[str, ...], positions: tuple[int, ...], said: Csv) -> int:
    """The number of fields up to the last column that the configuration names; `positions` as below."""
    places = [header.index(name) for name in said.columns]
    places += [place + said.quality_beside for place in positions if place >= 0]
    return max(places) + 1


def missing(header: tuple[str, ...], said: Csv) -> HeaderError | None:
    """What to say of configured columns that the header lacks, None if it has all."""
    lacking = [name for name in said.columns if name not in header]
    if not lacking:
        return None
    other = next((each for each in USUAL_DELIMITERS if each in header[0]), None) if len(header) == 1 else None
    if other:
        return HeaderError("COLUMNS_MISSING", f"the header is one field that holds {other!r}: is that the delimiter?")
    lower = {name.lower(): name for name in header if name}
    near = difflib.get_close_matches(lacking[0].lower(), lower, 1)
    hint = f"the nearest is {lower[near[0]]!r}" if near else f"there are {', '.join(header)[:MOST_NAMES_SHOWN]}"
    return HeaderError("COLUMNS_MISSING", f"no column {', '.join(map(repr, lacking))}; {hint}")


def positions(header: tuple[str, ...], feed: Feed, said: Csv) -> tuple[int, ...]:
    """For each position of a wide row the place of its column, -1 where the header lacks it; raises HeaderError."""
    pattern = said.value_pattern
    matched = [(place, found) for place, name in enumerate(header) if (found := pattern.fullmatch(name))]
    if not matched:
        shown = ", ".join(header)[:MOST_NAMES_SHOWN]
        raise HeaderError("COLUMNS_MISSING", f"no column matches value = {said.value.alone[0]!r}; there are {shown}")
    values = {header[place] for place, _ in matched}
    if twice := [name for name in header if name not in values and re.sub(r"\.[0-9]+\Z", "", name) in values]:
        raise HeaderError("WRONG_SHAPE", f"the value column {re.sub(r'[.][0-9]+$', '', twice[0])!r} stands twice")
    by_time = "time" in pattern.groupindex
    step, of = _by_time(matched, header, feed, said) if by_time else (1, _by_period(matched, header))
    last = DAY_MINUTES // step if by_time else max(of) + 1
    places = tuple(of.get(position * step, -1) for position in range(last))
    if by_time and len(of) != sum(place >= 0 for place in places):
        raise HeaderError("WRONG_SHAPE", f"the value columns are not {step} minutes apart, from midnight on")
    if not by_time and -1 in places:
        raise HeaderError("COLUMNS_MISSING", f"no value column for period {places.index(-1) + 1}")
    if said.quality_beside:
        _must_have_neighbours(places, header)
    return places


def _by_time(
    matched: list[tuple[int, re.Match[str]]], header: tuple[str, ...], feed: Feed, said: Csv
) -> tuple[int, dict[int, int]]:
    """(Minutes between the columns, minutes from midnight at which an interval starts -> place)."""
    labels: dict[int, int] = {}
    for place, found in matched:
        time = _TIME.fullmatch(found["time"] or "")
        minutes = int(time[1]) * 60 + int(time[2]) if time else -1
        if time is None or minutes > DAY_MINUTES or int(time[2]) >= 60:  # noqa: PLR2004 - minutes of an hour
            raise HeaderError("WRONG_SHAPE", f"the value column {header[place]!r} names no time of a day")
        # As an end, 00:00 is the end of the day.
        _put(labels, minutes or DAY_MINUTES if said.label == "end" else minutes, place, header)
    if said.label == "start" and DAY_MINUTES in labels:
        raise HeaderError("WRONG_SHAPE", "a value column begins at 24:00: are these labels the ends of intervals?")
    apart = [later - earlier for earlier, later in pairwise(sorted(labels))]
    step = feed.interval_minutes or min(apart, default=DAY_MINUTES)
    if DAY_MINUTES % step:
        raise HeaderError("WRONG_SHAPE", f"the value columns are {step} minutes apart, which does not divide a day")
    before = step if said.label == "end" else 0
    return step, {minutes - before: place for minutes, place in labels.items()}


def _by_period(matched: list[tuple[int, re.Match[str]]], header: tuple[str, ...]) -> dict[int, int]:
    """Periods from 0 -> place."""
    found: dict[int, int] = {}
    for place, each in matched:
        text = each["period"] or ""
        if not re.fullmatch(r"0*[1-9][0-9]{0,3}", text):
            raise HeaderError("WRONG_SHAPE", f"the value column {header[place]!r} names no period from 1 on")
        _put(found, int(text) - 1, place, header)
    return found


def _put(found: dict[int, int], position: int, place: int, header: tuple[str, ...]) -> None:
    if position in found:
        raise HeaderError("WRONG_SHAPE", f"{header[found[position]]!r} and {header[place]!r} mean the same interval")
    found[position] = place


def _must_have_neighbours(places: tuple[int, ...], header: tuple[str, ...]) -> None:
    for place in places:
        if place >= 0 and (place + 1 == len(header) or place + 1 in places):
            raise HeaderError("COLUMNS_MISSING", f"no quality column after the value column {header[place]!r}")
