"""Whose readings a sheet holds, and in which zone: the keys `meter…` and `time_zone`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.guess import columns, series, words, zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.guess.columns import Times
    from pipeline.guess.entry import Entry
    from pipeline.guess.sheet import Sheet

_DATE = re.compile(
    r"(?<![0-9])(?:20[0-9]{2}[-_.]?[0-9]{2}[-_.]?[0-9]{2}|[0-9]{2}[-_.][0-9]{2}[-_.]20[0-9]{2})(?![0-9])"
)
_ID = re.compile(r"(?:[A-Z]{2})?[0-9]{6,}")
HOW_TO_FIND_THE_ZONE = (
    "How to find out: on the spring Sunday when clocks go forward a file in local time lacks an hour, and on the "
    "autumn one an hour stands twice; where neither happens it is UTC or a fixed offset (+01:00)"
)


def meter(entry: Entry, sheet: Sheet, used: set[str], file_name: str) -> str | None:
    """Write where the meter stands; its column, if it has one."""
    if name := columns.meter(sheet, used):
        entry.csv["meter"] = name
        if any(cell.startswith("'") for cell in sheet.column(name)):
            entry.note("meter", "ids begin with an apostrophe, and keep it: write them so wherever you ask for one")
        return name
    if not sheet.header and (name := _column_of_few(sheet, used)):
        entry.csv["meter"] = name
        entry.note("meter", "no header says so: a column of few different texts")
        return name
    above = next((found for phrases in words.METER if (found := in_preamble(sheet, phrases))), None)
    if above:
        entry.csv["meter_id"] = above
        says = "from the lines before the header; for other meters another feed each, or meter_in_path"
        entry.note("meter_id", says)
    elif in_name := _ID.search(_DATE.sub("", file_name)):
        letters = "[A-Z]{2}" if in_name[0][0].isalpha() else ""
        digits = len(in_name[0]) - (2 if letters else 0)
        entry.csv["meter_in_path"] = f"({letters}[0-9]{{{digits}}})"
        entry.note("meter_in_path", f"no column names the meter: taken from the file's name, {in_name[0]}")
    else:
        entry.csv["meter_id"] = "meter-1"
        entry.note("meter_id", "no column names the meter: write its id here, or a pattern in meter_in_path")
    return None


def _column_of_few(sheet: Sheet, used: set[str]) -> str | None:
    for name in sheet.names:
        cells = sheet.column(name)
        numbers = any("," in cell or "." in cell for cell in cells)
        if name not in used and all(cells) and len(set(cells)) <= len(cells) / 2 and not numbers:
            return name
    return None


def in_preamble(sheet: Sheet, phrases: str) -> str | None:
    """The value of a name before the header: beside it in a row of two, else below it."""
    rows = sheet.preamble
    for n, row in enumerate(rows):
        for at, cell in enumerate(row):
            if not words.is_named(cell, phrases):
                continue
            if at == 0 and len([each for each in row if each]) == 2:  # noqa: PLR2004 - a name and its value
                return row[1]
            if n + 1 < len(rows) and at < len(rows[n + 1]) and rows[n + 1][at]:
                return rows[n + 1][at]
    return None


def zone(entry: Entry, sheet: Sheet, labels: Times, name: str | None, keys: Sequence[object]) -> None:
    """Write the zone: that of the country of the meter ids, checked against the file's clock changes."""
    _zone(entry, sheet, labels, name, keys)
    chosen, length = str(entry.feed["time_zone"]), entry.feed["interval_minutes"]
    if labels.pattern.has_offset or entry.csv.get("layout") == "wide":
        return
    if at := zones.once(chosen, series.by_series(keys, labels.labels), labels.labels, length):
        says = (
            f"{at:{zones.SHOWN}} stands once, and the clock in {chosen} showed it twice: a row with both hours' energy"
        )
        entry.note("timestamp", f"{says}, or the second is missing; it is loaded as the first")


def _zone(entry: Entry, sheet: Sheet, labels: Times, name: str | None, keys: Sequence[object]) -> None:
    guessed = zones.of_meter(*_ids(entry, sheet, name))
    entry.feed["time_zone"] = guessed.name or "UTC"
    if labels.pattern.has_offset:
        why = f"{guessed.says}; " if guessed.name else ""
        offsets = {label.offset for label in labels.labels if label and label.offset is not None}
        shown = ", ".join(map(_shown, sorted(offsets)))
        says = f"times carry their offset ({shown}): this zone only names the local days"
        entry.note("time_zone", f"{why}{says}")
        return
    if any(words.says(each, "utc|gmt") for each in labels.names):
        entry.feed["time_zone"] = "UTC"
        entry.note("time_zone", "the column's name says so", is_certain=True)
        return
    times, length = series.by_series(keys, labels.labels), entry.feed["interval_minutes"]
    if guessed.name:
        found = zones.clock_evidence(guessed.name, times, labels.labels, length)
        if found and found.name:
            entry.feed["time_zone"] = found.name
            entry.note("time_zone", f"{guessed.says}; {found.says}", is_certain=True)
            return
    elif clock := zones.of_clock(times, labels.labels, length):
        entry.feed["time_zone"] = clock.name
        entry.note("time_zone", clock.says)
        return
    entry.note("time_zone", f"{guessed.says}. {HOW_TO_FIND_THE_ZONE}")


def _shown(offset: timedelta) -> str:
    """An offset as a file writes it."""
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _ids(entry: Entry, sheet: Sheet, name: str | None) -> tuple[str, list[str]]:
    """(the name of the meter's column in plain words, ids) from the column, from above it, or from the file's name."""
    if name:
        return words.plain(name), sheet.column(name)
    above = next((cell for row in sheet.preamble for cell in row if words.is_named(cell, words.METER[0])), "")
    of_file = [note.says.rpartition(" ")[2] for note in entry.notes if note.key == "meter_in_path"]
    return words.plain(above), of_file or [entry.csv.get("meter_id", "")]
