"""Which column of a sheet holds the meter, the time, the energy, its direction, unit and quality."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipeline.guess import times, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.guess.sheet import Sheet
    from pipeline.guess.times import Label, Pattern
    from pipeline.guess.words import Side

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# The contract's own markers for what is no reading.
MISSING = ("", "-", "NULL", "N/A")
MOST = 0.9
# More different texts than this are no direction, unit or quality.
FEW = 12
LAST_HOUR = 25
OF_ONE_METER = re.compile(r"[0-9]{5}")


class Times(NamedTuple):
    """The columns of a label, the label of each row (None where it is none), and what the names say."""

    names: tuple[str, ...]
    pattern: Pattern
    labels: list[Label | None]
    side: Side | None
    # The other end of each interval, where columns hold it.
    others: list[Label | None] | None = None


class Directions(NamedTuple):
    """A column that says the direction, and what each of its values means; `unknown` ones are put under ignore."""

    name: str
    into: list[str]
    out: list[str]
    ignore: list[str]
    unknown: list[str]


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a point or a comma."""
    return NUMBER.fullmatch(cell) is not None


def meter(sheet: Sheet, used: Iterable[str] = ()) -> str | None:
    """The column of the meter, by its name; one that is mostly empty is none."""
    free = [name for name in sheet.names if name not in set(used)]
    for phrases in words.METER:
        for name in free:
            cells = sheet.column(name)
            if words.is_id(name, phrases) and sum(map(bool, cells)) >= MOST * len(cells):
                return name
    return None


def label(sheet: Sheet) -> Times | None:
    """The columns of the times: of several, those that tell most rows apart, and the start before the end."""
    found: list[Times] = []
    moments, days, clocks = _by_kind(sheet)
    for name in moments:
        found += _times(sheet, (name,))
    if not found:
        for day in days:
            for clock in clocks:
                sides = {words.side_of(each) for each in (day, clock)} - {None}
                if len(sides) < 2:  # noqa: PLR2004 - `Tot (datum)` and `Van (tijdstip)` are of two times
                    found += _times(sheet, (day, clock))
    if not found:
        for day in days:
            found += _times(sheet, (day,))
    if not found:
        return None
    counts = [len({at for at in each.labels if at}) for each in found]
    best = [each for each, count in zip(found, counts, strict=True) if count >= MOST * max(counts)]
    rank = {"start": 0, None: 1, "end": 2}
    chosen = min(best, key=lambda each: rank[each.side])
    end = next((each for each in best if each.side == "end"), None)
    if chosen.side != "end" and end is not None and len(end.names) == len(chosen.names):
        side = chosen.side or "start"
        return chosen._replace(side=side, others=end.labels)
    return chosen


def _by_kind(sheet: Sheet) -> tuple[list[str], list[str], list[str]]:
    """(columns of dates with times, of dates, of times) by what their cells hold."""
    moments: list[str] = []
    days: list[str] = []
    clocks: list[str] = []
    for name in sheet.names:
        cells = [cell for cell in sheet.column(name) if cell]
        if not cells or words.says(name, words.OTHER_TIME):
            continue
        pattern = times.pattern_of(cells)
        compact = pattern is not None and all(cell.isdigit() for cell in cells)
        if pattern and not (compact and not (words.says(name, words.DAY) or words.side_of(name))):
            (moments if pattern.has_clock else days).append(name)
        elif sum(map(times.is_time, cells)) >= MOST * len(cells) or _numbers_hours(name, cells):
            clocks.append(name)
    # A column whose dates never change beside one whose dates do says something else.
    return _varying(sheet, moments), days, clocks


def _varying(sheet: Sheet, names: list[str]) -> list[str]:
    counts = {name: len(set(sheet.column(name))) for name in names}
    return [name for name in names if counts[name] > 1 or len(sheet.rows) == 1]


def _numbers_hours(name: str, cells: Sequence[str]) -> bool:
    numbers = all(re.fullmatch(r"[0-9]{1,2}", cell) for cell in cells)
    return numbers and words.is_named(name, words.TIME) and max(map(int, cells)) <= LAST_HOUR


def _times(sheet: Sheet, names: tuple[str, ...]) -> list[Times]:
    texts = [" ".join(cells).strip() for cells in zip(*map(sheet.column, names), strict=True)]
    pattern = times.pattern_of([text for text in texts if text])
    if pattern is None:
        return []
    sides = [side for name in names if (side := words.side_of(name))]
    return [Times(names, pattern, [pattern.read(text) for text in texts], sides[0] if sides else None)]


def values(sheet: Sheet, used: Iterable[str]) -> dict[str, int]:
    """Columns of numbers that may be energy, with how much their names speak for it; the best first."""
    found = {}
    for name in sheet.names:
        cells = [cell for cell in sheet.column(name) if cell not in MISSING]
        numbers = sum(map(is_number, cells))
        if not name or name in set(used) or not cells or numbers < MOST / 2 * len(cells):
            continue
        if words.says(name, words.NO_ENERGY) or words.says(name, words.REACTIVE):
            continue
        score = 3 * (words.unit_of(name) is not None) + 2 * words.says(name, words.VALUE)
        score += words.direction_of(name) is not None
        if any(words.is_named(name, phrases) for phrases in words.METER):
            score = 0
        found[name] = score
    best = {name: score for name, score in found.items() if score}
    return dict(sorted((best or found).items(), key=lambda each: -each[1]))


def few(sheet: Sheet, phrases: str, used: Iterable[str], *, whole: bool = True) -> dict[str, list[str]]:
    """Columns of that name with few different values -> these values, sorted."""
    found = {}
    for name in sheet.names:
        named = words.is_named(name, phrases) if whole else words.says(name, phrases)
        if name in set(used) or not named:
            continue
        distinct = sorted(set(sheet.column(name)))
        if len(distinct) <= FEW and any(distinct):
            found[name] = distinct
    return found


def directions(sheet: Sheet, used: Iterable[str]) -> Directions | None:
    """The column that says the direction, by its values; of several, one with both import and export.

    A word that may mean a kind of row (usage) needs an export beside it; a code of one meter says nothing of others.
    """
    best: Directions | None = None
    for name, distinct in few(sheet, words.DIRECTION, used, whole=False).items():
        into, out = ([value for value in distinct if words.direction_of(value) == way] for way in ("import", "export"))
        plainly = any(words.says(value, words.PLAINLY_IN) or words.plain(value) in words.CODES for value in into)
        if not (out or plainly) or any(OF_ONE_METER.search(value) for value in distinct):
            continue
        if _most_are_neither(sheet.column(name), {*into, *out}):
            continue
        if best is None or (into and out and not (best.into and best.out)):
            others = [value for value in distinct if value not in {*into, *out}]
            best = Directions(name, into, out, others, [each for each in others if not _is_other_energy(each)])
    return best


def _most_are_neither(cells: Sequence[str], known: set[str]) -> bool:
    """Whether most rows say neither direction, and no other quantity: a list of devices with one solar panel in it."""
    active = [cell for cell in cells if not (cell and words.says(cell, words.REACTIVE))]
    return sum(cell in known for cell in active) * 2 < len(active)


def _is_other_energy(value: str) -> bool:
    return not value or words.says(value, words.REACTIVE)
