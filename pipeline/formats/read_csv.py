"""Delimited text in Python: rows from a file's bytes, as csv_text.py has them from Spark, and why some are refused."""

from __future__ import annotations

import csv
import io
from datetime import UTC, time
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.clock import written
from pipeline.config.csv_columns import BLANKS
from pipeline.formats import csv_bronze, csv_frame, csv_row_roles, csv_wide_rows, unread_arrays
from pipeline.formats.csv_cells import others_of
from pipeline.formats.csv_document import Frame, csv_of, meter_in_path
from pipeline.formats.csv_long import written_as
from pipeline.formats.row_judge import out_of_range, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row


def rows(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:
    """Rows in their order; cells cut of blanks, quotes and Excel's `="…"`."""
    said, frame = csv_of(feed), delivery.frame
    if not isinstance(frame, Frame):
        raise TypeError(delivery.relative_path)  # `inspect` gave it one
    text = content.decode(frame.encoding).removeprefix(csv_frame.BOM)
    _, at, _ = csv_frame.header(text, said)
    named = csv_bronze.names(said)
    places = {named[name]: frame.names.index(name) for name in said.columns} if frame.names else {}
    meter = {} if said.meter else {csv_bronze.METER: said.meter_id or meter_in_path(delivery, said)}
    others = [(place, frame.names[place]) for place in others_of(frame, said)]
    for number, (fields, source) in enumerate(_records(text[at:], said), start=1):
        cells = [_clean(field) for field in fields]
        row: Row = meter | {name: cells[place] if place < len(cells) else None for name, place in places.items()}
        row |= _of_wide(cells, frame, said)
        whole = len(cells) >= frame.least and not any(cells[frame.width :])
        further = [(name, cells[place] if place < len(cells) else None) for place, name in others]
        yield row | {
            "row_number": number,
            "extra": further if whole and others else None,
            "raw": None if whole else source,
        }


def _records(text: str, said: Csv) -> Iterator[tuple[list[str], str]]:
    """The fields of each record that is a row, as csv_frame.py counts them, and its text without its line's end."""
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    blanks = said.delimiter != " "
    for fields in csv.reader(noted(), delimiter=said.delimiter, skipinitialspace=blanks):
        source = "".join(lines).rstrip("\r\n")
        lines.clear()
        if not csv_frame.is_blank(fields):
            yield fields, source


def _clean(field: str) -> str:
    text = field.strip(BLANKS)
    return text[2:-1].strip(BLANKS) if len(text) > 2 and text.startswith('="') and text.endswith('"') else text  # noqa: PLR2004


def _of_wide(cells: list[str], frame: Frame, said: Csv) -> Row:
    """The values of a wide row, and the qualities beside them."""
    found: Row = {}
    if said.is_wide:
        for name, beside in {csv_bronze.VALUES: 0, csv_bronze.QUALITIES: 1}.items():
            if beside == 0 or said.quality_beside:
                at = (place + beside if place >= 0 else -1 for place in frame.positions)
                found[name] = [cells[place] if 0 <= place < len(cells) else None for place in at]
    return found


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:
    """Why a row of which the judge says nothing is refused; None for one that is left out or holds no value."""
    said = csv_of(feed)
    if said.is_wide:
        return next(_unread_wide(row, feed, said, received), None)
    for direction, texts in csv_row_roles.values(row, feed, said):
        holds = any(text is not None for text in texts) and not csv_row_roles.skipped(row, said)
        if holds or row["raw"] is not None:
            return next(chain(csv_row_roles.broken(row, said, direction), _unread_time(row, feed, said, received)))
    return None


def _unread_time(row: Row, feed: Feed, said: Csv, received: datetime) -> Iterator[Refusal]:
    """Why a time gave no interval: it is none, or the interval is not in the years 1 to 9999."""
    text = _time(row, said)
    if (found := written.read(text, said.time_pattern)) is None:
        yield "INTERVAL_START_INVALID", f"not {written_as(said)}: {shown(text)}"
        return
    yield from out_of_range(found[0].replace(tzinfo=UTC), found[0].date(), shown(text), feed, received)
    yield "INTERVAL_OUT_OF_RANGE", f"{shown(text)} is out of range: before {feed.earliest}"


def _unread_wide(row: Row, feed: Feed, said: Csv, received: datetime) -> Iterator[Refusal]:
    if row["raw"] is None and csv_row_roles.skipped(row, said):
        return
    yield from csv_row_roles.broken(row, said, csv_row_roles.direction(row, feed, said))
    values, text = row[csv_bronze.VALUES] or (), _time(row, said)
    # With a value in it the judge would say something, if the list had places.
    probe = row | {csv_bronze.VALUES: ["0", *values[1:]]}
    has_places = bool(values) and any(csv_wide_rows.judged([probe], feed, received))
    found = written.read(text, said.time_pattern)
    day = found[0].date() if found and found[0].time() == time.min and found[1] is None else None
    size = sum(value is not None for value in values) if "time" in said.value_pattern.groupindex else len(values)
    yield from unread_arrays.broken(day, text, size, feed, received, has_places=has_places)


def _time(row: Row, said: Csv) -> str:
    """What the time's columns hold."""
    named = csv_bronze.names(said)
    return " ".join(row[named[name]] for name in said.timestamp if row[named[name]] is not None)
