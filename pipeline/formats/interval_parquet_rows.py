"""Interval arrays: rows of one meter, judged in Python with the rules of interval_parquet.py."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipeline.formats import interval_array_rows
from pipeline.formats.interval_array_rows import ArrayRow
from pipeline.formats.parquet_file import COLUMNS, LIST
from pipeline.formats.row_judge import (
    Reading,
    Refusal,
    Row,
    RowJudge,
    energy_of,
    is_blank,
    json_array,
    json_object,
    json_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed

# Possible interval lengths in minutes; a list of one value holds the whole day.
MINUTES = (60, 30, 15)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: 00:00:00)?")


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: one an element, two where its position comes twice; one of a row that is refused as a whole."""
    for row in rows:
        array = ArrayRow(
            row_number=row["row_number"],
            direction=feed.direction,
            said=row["date"],
            day=_day(row["date"] or ""),
            texts=row[LIST] or (),
            minutes=MINUTES,
            refusals=_broken(row),
            energy=lambda text, _: energy_of(text),
            limit=lambda _: None,
        )
        yield from interval_array_rows.judged(array, feed, received)


def _broken(row: Row) -> Iterator[Refusal]:
    if is_blank(row["ext_dev_ref"]):
        yield "METER_ID_MISSING", "no ext_dev_ref"


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The row as JSON, without further columns."""
    members = {
        name: json_array(row[name]) if name == LIST else json_value(row[name])
        for name in COLUMNS
        if row[name] is not None
    }
    return json_object(members)


ROW_JUDGE = RowJudge(lambda _: ("ext_dev_ref", "date", LIST), judged, as_received)
