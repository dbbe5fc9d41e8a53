"""What the cells of one row of delimited text say besides time, in Python: the same as csv_roles.py for columns."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from pipeline.formats import csv_bronze, units
from pipeline.formats.csv_roles import FIELD_COUNT, NO_NUMBER, received_columns
from pipeline.formats.row_judge import shown
from pipeline.formats.row_rules import is_lost_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed
    from pipeline.formats.row_judge import Refusal, Row

__all__ = ["broken", "direction", "limit", "number", "present", "quality", "received_columns", "skipped", "values"]


def skipped(row: Row, said: Csv) -> bool:
    """Whether `where` or `direction.ignore` leaves a row out."""
    named = csv_bronze.names(said)
    if any(row[named[name]] not in values for name, values in said.where.items()):
        return True
    return said.direction is not None and row[named[said.direction.column]] in said.direction.ignore


def present(text: str | None, said: Csv) -> str | None:
    """A value's text, None for one that is no reading."""
    return None if text in said.missing else text


def number(text: str | None, said: Csv) -> str | None:
    """A value's text with a decimal point, and no number where the other sign stands in it."""
    if text is None or said.decimal == ".":
        return text
    return NO_NUMBER if "." in text else text.replace(",", ".")


def direction(row: Row, feed: Feed, said: Csv) -> str | None:
    """A row's direction, None for an unknown one."""
    if said.direction is None:
        return feed.direction
    text = row[csv_bronze.names(said)[said.direction.column]]
    of = {"import": said.direction.imported, "export": said.direction.exported}
    return next((name for name, texts in of.items() if text in texts), None)


def values(row: Row, feed: Feed, said: Csv) -> list[tuple[str | None, list[str | None]]]:
    """(Direction, texts of its values) of a long row; a missing value is None."""
    named, value = csv_bronze.names(said), said.value
    if not value.has_both:
        return [(direction(row, feed, said), [present(row[named[name]], said) for name in value.alone])]
    pairs = list(zip_longest(value.imported, value.exported))
    texts = [[present(row[named[pair[n]]] if pair[n] else None, said) for pair in pairs] for n in (0, 1)]
    return [("import", texts[0]), ("export", texts[1])]


def quality(row: Row, said: Csv) -> str | None:
    """A row's mark of quality, None for a blank one."""
    return row[csv_bronze.names(said)[said.quality]] or None if said.quality else None


def broken(row: Row, said: Csv, direction_of_row: str | None) -> Iterator[Refusal]:
    """What refuses a row before its time is looked at."""
    if row["raw"] is not None:
        yield "FIELD_COUNT", FIELD_COUNT
    meter = row[csv_bronze.meter_column(said)]
    if not meter:
        yield "METER_ID_MISSING", "no meter id"
    elif is_lost_id(meter):
        yield "METER_ID_INVALID", f"meter {shown(meter)} is a number that lost digits, or a flag: no id"
    if said.direction and direction_of_row is None:
        text = row[csv_bronze.names(said)[said.direction.column]]
        yield "DIRECTION_UNKNOWN", f"{shown(text)} in column {said.direction.column} is no configured direction"


def limit(feed: Feed, minutes: int) -> Decimal | None:
    """The feed's max_consumption in the kept unit."""
    return None if feed.max_consumption is None else units.converted(feed.max_consumption, feed, minutes)
