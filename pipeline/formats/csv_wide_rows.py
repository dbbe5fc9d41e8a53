"""Delimited text, a row a meter's local day: rows of one meter, judged in Python with the rules of csv_wide.py."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from pipeline.clock import written
from pipeline.formats import csv_bronze, csv_row_roles, interval_array_rows, units
from pipeline.formats.csv_document import csv_of
from pipeline.formats.csv_wide import minutes_of
from pipeline.formats.interval_array_rows import ArrayRow
from pipeline.formats.row_judge import json_array, json_object, json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed
    from pipeline.formats.row_judge import Reading, Row


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: one a value, two where its position comes twice; one of a row that is refused as a whole."""
    said = csv_of(feed)
    by_time = "time" in said.value_pattern.groupindex
    for row in rows:
        if row["raw"] is None and csv_row_roles.skipped(row, said):
            continue
        direction, texts = csv_row_roles.direction(row, feed, said), row[csv_bronze.VALUES] or ()
        date_text = _date_text(row, said)
        array = ArrayRow(
            row_number=row["row_number"],
            direction=direction,
            said=date_text,
            day=_day(date_text, said),
            texts=[csv_row_roles.present(text, said) for text in texts],
            minutes=minutes_of(feed),
            refusals=csv_row_roles.broken(row, said, direction),
            energy=lambda text, minutes: units.energy_of([csv_row_roles.number(text, said)], feed, minutes),
            limit=lambda minutes: csv_row_roles.limit(feed, minutes),
            quality=_qualities(row, said),
            named=sum(text is not None for text in texts) if by_time else None,
            may_be_longer=not by_time,
        )
        yield from interval_array_rows.judged(array, feed, received)


def _date_text(row: Row, said: Csv) -> str:
    named = csv_bronze.names(said)
    return " ".join(row[named[name]] for name in said.timestamp if row[named[name]] is not None)


def _day(text: str, said: Csv) -> date | None:
    found = written.read(text, said.time_pattern)
    return found[0].date() if found and found[0].time() == time.min and found[1] is None else None


def _qualities(row: Row, said: Csv) -> Callable[[int], str | None]:
    if not said.quality_beside:
        of_row = csv_row_roles.quality(row, said)
        return lambda _: of_row
    beside = row[csv_bronze.QUALITIES] or ()
    return lambda position: (beside[position] or None) if position < len(beside) else None


def as_received(row: Row, feed: Feed) -> str:
    """The row as JSON: its configured cells and its values; of one with another number of fields its text."""
    if row["raw"] is not None:
        return str(row["raw"])
    names = csv_row_roles.received_columns(csv_of(feed))
    members = {name: json_value(row[name]) for name in names if row[name] is not None}
    return json_object(members | {csv_bronze.VALUES: json_array(row[csv_bronze.VALUES])})
