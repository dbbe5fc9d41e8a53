"""A sheet -> the entry that loads it, long or wide, and what the file cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.csv_columns import Csv
from pipeline.config.values import DAY_MINUTES
from pipeline.formats import csv_header
from pipeline.guess import columns, energy, no_times, numbers, series, whose, words
from pipeline.guess.entry import Entry
from pipeline.guess.series import Evidence
from pipeline.guess.wide import Wide, wide_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.guess.columns import Times
    from pipeline.guess.sheet import Sheet
    from pipeline.guess.text import Text

HALF_AN_HOUR = 30
HOUR = 60
NUMBERED = (
    "the column {!r} numbers the intervals of a day, and a row is one of them: a csv feed reads times, or a row a day "
    "with a column for each period; ask the sender for one of these"
)
APART = (
    "its rows are {:,} to {:,} days apart: billing periods or readings of a register, and Meterlake loads intervals of "
    "at most a day; ask for interval data"
)
LAST_MINUTES = (
    "its labels are the last minutes of their intervals ({:%H:%M}, {:%H:%M}, …), and a csv feed reads where an "
    "interval begins or ends; ask for one of these"
)
LOOK_AT_A_DAY = (
    "Look at a whole day: where its last label is 24:00 or its first 00:30, labels are probably ends. Of a solar "
    "meter, the day's middle is the sun's noon"
)


class UnknownFileError(Exception):
    """Why no entry can be guessed."""


def entry_of(sheet: Sheet, text: Text, feed: dict[str, object], file_name: str) -> Entry:
    """The entry; `feed` holds its name, format and path. UnknownFileError where the file has no times or values."""
    entry = Entry(dict(feed))
    _frame(entry, sheet, text)
    wide = wide_of(sheet.names)
    used = set(wide.names) if wide else set()
    labels = _labels(sheet, wide)
    used |= set(labels.names)
    meter = whose.meter(entry, sheet, used, file_name)
    used |= {meter} if meter else set()
    _times(entry, labels)
    directions = columns.directions(sheet, used)
    used |= {directions.name} if directions else set()
    if wide:
        entry.csv |= {"layout": "wide", "value": wide.pattern}
        entry.csv |= {"quality_beside": True} if wide.quality_beside else {}
        names = wide.names
    elif not (names := energy.values(entry, sheet, used, directions)):
        raise UnknownFileError("no column holds numbers that could be energy")
    cells = [cell for name in names for cell in sheet.column(name)]
    numbers.into(entry, cells)
    meters, ways = (sheet.column(name) if name else [""] * len(sheet.rows) for name in (meter, _name(directions)))
    keys = list(zip(meters, ways, strict=True))
    _intervals(entry, labels, wide, keys)
    energy.direction(entry, sheet, directions)
    energy.unit(entry, sheet, used, directions, wide)
    energy.commodity(entry, sheet, used)
    whose.zone(entry, sheet, labels if wide else _with_values(labels, sheet, names), meter, keys)
    if not wide:
        if len(names) == 1:
            energy.surprises(entry, labels, keys, cells)
        if quality := next(iter(columns.few(sheet, words.QUALITY, used)), None):
            entry.csv["quality"] = quality
    _fields(entry, sheet, wide)
    return entry


def _name(directions: columns.Directions | None) -> str | None:
    """The column of the direction, if there is one."""
    return directions.name if directions else None


def _frame(entry: Entry, sheet: Sheet, text: Text) -> None:
    if sheet.delimiter != ",":
        entry.csv["delimiter"] = sheet.delimiter
    if text.encoding not in {None, "utf-8"}:
        entry.csv["encoding"] = text.encoding
    if sheet.skip_lines:
        entry.csv["skip_lines"] = sheet.skip_lines
    if not sheet.header:
        entry.csv["header"] = False
        entry.note("header", "the first row looks like data; without names columns are c1, c2, …")


def _fields(entry: Entry, sheet: Sheet, wide: Wide | None) -> None:
    """Say how many rows have too few or too many fields for the entry, which is complete."""
    positions = tuple(map(sheet.names.index, wide.names)) if wide else ()
    least = csv_header.fields_at_least(tuple(sheet.names), positions, Csv.model_validate(entry.csv))
    if odd := sheet.odd_rows(least):
        says = f"{odd:,} rows lack a configured column or are longer than the header, and would be rejected"
        entry.note("timestamp", f"{says} (FIELD_COUNT)")


def _labels(sheet: Sheet, wide: Wide | None) -> Times:
    numbered = None if wide else no_times.period(sheet)
    labels = columns.label(_without(sheet, wide.names if wide else []))
    if numbered and not (labels and labels.pattern.has_clock):
        raise UnknownFileError(NUMBERED.format(numbered))
    if labels is None:
        raise UnknownFileError(no_times.no_times(sheet))
    return labels


def _without(sheet: Sheet, names: Sequence[str]) -> Sheet:
    kept = [n for n, name in enumerate(sheet.names) if name not in set(names)]
    return sheet._replace(names=[sheet.names[n] for n in kept], rows=[[row[n] for n in kept] for row in sheet.rows])


def _with_values(labels: Times, sheet: Sheet, names: Sequence[str]) -> Times:
    """The labels of rows that hold a value: some write every hour, with `No Data` in the one that the clock skips."""
    held = [any(map(columns.is_number, cells)) for cells in zip(*map(sheet.column, names), strict=True)]
    return labels._replace(labels=[label if has else None for label, has in zip(labels.labels, held, strict=True)])


def _times(entry: Entry, labels: Times) -> None:
    entry.csv["timestamp"] = list(labels.names) if len(labels.names) > 1 else labels.names[0]
    if labels.pattern.spark is not None:
        entry.csv["timestamp_format"] = labels.pattern.spark
    if not labels.pattern.is_certain:
        entry.note("timestamp_format", "no number of a date is above 12: is the day first, or the month?")
    if lost := sum(label is None for label in labels.labels):
        entry.note("timestamp", f"{lost:,} rows hold no such time and would be rejected")


def _intervals(entry: Entry, labels: Times, wide: Wide | None, keys: Sequence[object]) -> None:
    if wide:
        entry.feed["interval_minutes"] = wide.minutes
        _label(entry, Evidence(wide.side, wide.says))
        return
    times = series.by_series(keys, labels.labels)
    if apart := series.days_apart(times):
        raise UnknownFileError(APART.format(*apart))
    length = series.minutes(times, labels.labels, labels.others if labels.side != "end" else None)
    if last := series.last_minutes(times):
        if not _as_hours(entry, labels, length):
            raise UnknownFileError(LAST_MINUTES.format(*last))
        return
    entry.feed["interval_minutes"] = length or HALF_AN_HOUR
    if length is None:
        entry.note("interval_minutes", "too few rows to see it: half hours are assumed")
    named = Evidence(labels.side, f"the name says so: {' '.join(labels.names)}") if labels.side else None
    _label(entry, named or series.side(labels.labels, times, length or HALF_AN_HOUR))


def _as_hours(entry: Entry, labels: Times, length: int | None) -> bool:
    """Read 04:59 as the hour from 04:00, by a pattern that holds the minutes as text; whether that can be done."""
    minutes = {label.at.minute for label in labels.labels if label}
    pattern = labels.pattern.of_hours("59") if minutes == {59} and length != DAY_MINUTES else None
    if pattern is None:
        return False
    entry.feed["interval_minutes"] = HOUR
    entry.csv |= {"timestamp_format": pattern, "label": "start"}
    says = "each label is the last minute of its hour (04:59): the minutes are read as text, and the hour as its start"
    entry.note("timestamp_format", says)
    return True


def _label(entry: Entry, evidence: Evidence) -> None:
    entry.csv["label"] = evidence.side or "start"
    if evidence.side is None:
        entry.note("label", f"start or end? {evidence.says}. {LOOK_AT_A_DAY}")
    else:
        entry.note("label", evidence.says, is_certain="probably" not in evidence.says)
