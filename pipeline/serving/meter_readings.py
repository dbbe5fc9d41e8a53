"""A meter's readings of a span: current ones from files in memory, summed where asked for; all from bronze."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline import tables
from pipeline.clock import zone_info
from pipeline.serving import grains, shapes
from pipeline.serving.answers import Rows
from pipeline.serving.parameters import instant_of, zone_or
from pipeline.serving.problems import ProblemError
from pipeline.tables import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from starlette.responses import Response

    from pipeline.config import Feed
    from pipeline.serving.asked import Asked
    from pipeline.serving.meter_files import Reading
    from pipeline.serving.snapshots import Pinned

WHOSE = columns(
    """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the interval
    interval_end TIMESTAMP End of the interval, no longer in it
    local_date DATE Local day that it starts in: raw, the feed's; summed, that of tz (month: its first day)
    """
)
ENERGY = columns(
    """
    consumption DECIMAL(28,6) Energy of the interval, in unit
    unit STRING Unit: raw as delivered, kWh or Wh; summed always kWh
    quality STRING Quality mark of the source; NULL where it says nothing; mixed: a sum of several
    """
)
LINEAGE = columns(
    """
    file_id BIGINT The delivery it came with: /files/{file_id}
    row_number BIGINT Position in the delivery, from 1 (SMRT: the line of the file)
    """
)
READINGS = columns("readings INT How many readings are in the sum")
CURRENT = columns("is_current BOOLEAN Whether this version is the one that counts")
RAW = (*WHOSE, *ENERGY, *LINEAGE)
SUMS = (*WHOSE, *ENERGY, *READINGS)
VERSIONS = (*RAW, *CURRENT)
# What an answer may hold, for the OpenAPI document.
ALL = (*WHOSE, *ENERGY, *LINEAGE, *READINGS, *CURRENT)
SOMETIMES = (*LINEAGE, *READINGS, *CURRENT)
UNITS = {"consumption": "column unit"}
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Query:
    """What is asked of a meter: the span [first, last), in days of the zone or in instants."""

    meter: str
    first: date | datetime
    last: date | datetime
    granularity: str
    tz: str | None
    direction: str | None
    version: str

    def span(self, feed: Feed) -> tuple[datetime, datetime]:
        """The span as UTC instants; days are those of the zone asked for, else of the feed's."""
        zone = zone_or(self.tz, feed.time_zone)
        return instant_of(self.first, zone), instant_of(self.last, zone)


def answer(asked: Asked, query: Query, feeds: Sequence[Feed]) -> Response:
    """The readings of those feeds; 404 where the lake has no such meter."""
    first, last = query.span(feeds[0])
    asked.service.check_days(query.first, query.last, -((first - last) // timedelta(days=1)))
    summed = query.granularity != "raw"
    shape = SUMS if summed else VERSIONS if query.version == "all" else RAW
    wanted = [tables.READINGS, tables.METER_DAY]

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        found = [row for feed in feeds for row in _rows(asked, pinned, query, feed)]
        if not found:
            _must_be_known(asked, pinned, query.meter)
        found.sort(key=_key)
        if after is not None:
            found = [row for row in found if [*_key(row)] > after] if len(after) == len(KEY) else _not_ours()
        return _page(found, shape, asked, query)

    return asked.answer(wanted, shape, rows, time_zone=query.tz, units=UNITS)


# A row in the order of WHOSE without the meter: start, feed, direction first, as pages go by these.
KEY = ("interval_start", "feed", "direction")


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[: len(KEY)]


def _not_ours() -> list[Any]:
    raise ProblemError(400, "cursor: not one of ours; use the address in `next` as it is", "cursor")


def _rows(asked: Asked, pinned: Pinned, query: Query, feed: Feed) -> Iterator[tuple[Any, ...]]:
    """Rows of one feed: start, feed, direction, end, local day, micro, unit, quality, and what the shape has more."""
    readings = current(asked, pinned, query, feed)
    if query.granularity == "raw":
        for each in readings:
            end = each.start + each.minutes * 60_000_000
            more = each.file_id, each.row_number
            yield (
                each.start,
                each.feed,
                each.direction,
                end,
                each.local_date,
                each.micro,
                each.unit,
                each.quality,
                *more,
            )
        return
    zone = zone_or(query.tz, feed.time_zone)
    for bucket in grains.buckets(readings, query.granularity, zone, zone_info(feed.time_zone)):
        key = bucket.start, bucket.feed, bucket.direction
        yield *key, bucket.end, bucket.local_date, bucket.micro, "kWh", bucket.quality, bucket.readings


def current(asked: Asked, pinned: Pinned, query: Query, feed: Feed) -> Iterator[Reading]:
    """Current readings of one feed that start in the span, from the files of its local days."""
    begin, end = query.span(feed)
    if begin >= end:
        return
    zone = zone_info(feed.time_zone)
    day, last_day = begin.astimezone(zone).date(), end.astimezone(zone).date()
    # A local day of two pieces (clocks back over midnight) may begin before the one that follows it ends.
    days = [day + timedelta(days=n) for n in range(-1, (last_day - day).days + 2)]
    first, last = grains.micros(begin), grains.micros(end)
    keep = tables.READINGS.full_name in pinned.newest
    files = pinned.fragments(tables.READINGS, feed.name, days)
    for each in asked.service.files.readings(files, query.meter, keep=keep):
        if first <= each.start < last and query.direction in {None, each.direction}:
            yield each


def _must_be_known(asked: Asked, pinned: Pinned, meter: str) -> None:
    known = asked.service.engine.query(
        "SELECT 1 FROM meter_day WHERE meter_id = $meter LIMIT 1",
        {"meter": meter},
        {"meter_day": pinned.dataset(tables.METER_DAY)},
    )
    if not known.num_rows:
        raise ProblemError(404, f"no readings of a meter {meter!r} were ever loaded; /meters lists those there are")


def _page(found: list[tuple[Any, ...]], shape: Sequence[tables.Column], asked: Asked, query: Query) -> Rows:
    zone_of = asked.service.zone_of(query.tz)
    page = found[: asked.limit]
    zones: list[tzinfo] = [zone_of(row[1]) for row in page]
    starts, feeds, directions, ends, days, micros, units, qualities, *more = (
        zip(*page, strict=True) if page else [()] * 20
    )
    texts = {
        "feed": list(feeds),
        "meter_id": [query.meter] * len(page),
        "direction": list(directions),
        "interval_start": [shapes.iso(at, zone) for at, zone in zip(starts, zones, strict=True)],
        "interval_end": [shapes.iso(at, zone) for at, zone in zip(ends, zones, strict=True)],
        "local_date": [day.isoformat() for day in days],
        "consumption": [shapes.decimal_text(micro) for micro in micros],
        "unit": list(units),
        "quality": list(qualities),
    }
    own = [column.name for column in shape if column.name not in texts]
    texts |= {name: list(values) for name, values in zip(own, more, strict=False)}
    return Rows(texts, [*_key(page[-1])] if len(found) > len(page) else None)
