"""Parameters that several addresses share, each checked with a message that says what to write instead."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import PlainValidator, WithJsonSchema

from pipeline.clock.zones import zone_info
from pipeline.config.values import Direction, Zone
from pipeline.serving.grains import day_start

# So that every zone's offset fits, and every reading ever taken.
FIRST_YEAR, LAST_YEAR = 1900, 2200
DAY_OR_INSTANT = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
    "examples": ["2021-03-28", "2021-03-28T00:30:00+00:00"],
}


def _moment(text: str) -> date | datetime:
    plain = text.strip().replace(" ", "+").upper()  # a plus sign that was not encoded in the address
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", plain)
    is_instant = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", plain)
    found: date | datetime | None = None
    if is_day or is_instant:
        with suppress(ValueError):
            found = date.fromisoformat(plain) if is_day else datetime.fromisoformat(plain)
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        message = (
            "write a day (2021-03-28) or an instant with its offset (2021-03-28T00:30:00Z), "
            f"of a year from {FIRST_YEAR} to {LAST_YEAR}"
        )
        raise ValueError(message)
    return found


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        message = f"write a day as YYYY-MM-DD, of a year from {FIRST_YEAR} to {LAST_YEAR}"
        raise ValueError(message)
    return found


def instant_of(moment: date | datetime, zone: tzinfo) -> datetime:
    """A day's first instant in the zone, or the instant itself."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else day_start(moment, zone)


def local_day(moment: date | datetime, zone: tzinfo) -> date:
    """The local day of an instant, or the day itself."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def zone_or(name: str | None, other: str) -> tzinfo:
    """The requested zone, or the other one."""
    return zone_info(name or other)


Meter = Annotated[
    str, Path(min_length=1, max_length=200, description="The meter's id, as in the source (percent-encoded)")
]
FeedName = Annotated[str | None, Query(pattern="^[a-z][a-z0-9_]{0,62}$", description="Only this feed")]
DirectionName = Annotated[Direction | None, Query(description="Only this direction")]
Moment = Annotated[date | datetime, PlainValidator(_moment), WithJsonSchema(DAY_OR_INSTANT)]
From = Annotated[Moment, Query(alias="from", description="From this day or instant on; days are in the time zone")]
To = Annotated[Moment, Query(alias="to", description="Up to this day or instant, which is not included")]
Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
FromDay = Annotated[Day, Query(alias="from", description="From this local day on")]
ToDay = Annotated[Day, Query(alias="to", description="Up to this local day, which is not included")]
TimeZone = Annotated[
    Zone | None,
    Query(
        description="Zone of days and of the offsets of instants; the feed's own if left out",
        examples=["Europe/London"],
    ),
]
Format = Annotated[Literal["json", "csv", "arrow"] | None, Query(description="Form of the answer, instead of `Accept`")]
CursorWord = Annotated[
    str | None, Query(max_length=2000, description="Where the page begins: taken from `next`, not made by hand")
]
