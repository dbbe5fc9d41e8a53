"""What bronze calls a delimited text's columns: those that the configuration names, in words that a table may hold."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pipeline.config.values import OWN_COLUMNS
from pipeline.formats.csv_document import csv_of

if TYPE_CHECKING:
    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed

# Whose readings these are, where no column says it.
METER = "meter_id"
# Of a wide file.
VALUES, QUALITIES = "values", "qualities"
ROLES = {
    "meter": "Meter, as received",
    "timestamp": "Time as received, or a part of it",
    "value": "Energy or power of the interval, as received, all digits",
    "direction": "Direction, as received",
    "quality": "Quality, as received",
    "where": "What decides whether the row is a reading, as received",
}


def names(said: Csv) -> dict[str, str]:
    """Configured column -> its name in bronze: letters, digits and `_`, each once whatever its case."""
    return _names(said.columns)


@cache
def _names(columns: tuple[str, ...]) -> dict[str, str]:
    taken = {*OWN_COLUMNS, METER, VALUES, QUALITIES}
    found = {}
    for column in columns:
        plain = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_") or "column"
        plain = f"c{plain}" if plain[0].isdigit() else plain
        name, number = plain, 2
        while name.lower() in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.lower())
        found[column] = name
    return found


def meter_column(said: Csv) -> str:
    """The bronze column that holds the meter."""
    return names(said)[said.meter] if said.meter is not None else METER


def columns(feed: Feed) -> tuple[str, str]:
    """The lines of FeedFormat.bronze_columns."""
    said = csv_of(feed)
    of_meter = (
        [] if said.meter else [f"{METER} STRING Meter, from the {'path' if said.meter_in_path else 'configuration'}"]
    )
    own = [f"{name} STRING {_comment(column, said)}" for column, name in names(said).items()]
    wide = [f"{VALUES} ARRAY<STRING> Values of the day's intervals, as received; NULL: no such column"]
    if said.quality_beside:
        wide.append(f"{QUALITIES} ARRAY<STRING> Quality of each value, as received")
    more = """
    extra MAP<STRING,STRING> Further columns of the delivery, by name
    raw STRING The whole row, where its number of fields differs from the header's
    """
    return "\n".join([*of_meter, *own, *(wide if said.is_wide else [])]), more


def _comment(column: str, said: Csv) -> str:
    of_role = {
        "meter": (said.meter,),
        "timestamp": said.timestamp,
        "value": said.value.columns,
        "direction": (said.direction.column if said.direction else None,),
        "quality": (said.quality,),
    }
    role = next((name for name, columns in of_role.items() if column in columns), "where")
    return f"{ROLES[role]}; column '{' '.join(column.split())}'"
