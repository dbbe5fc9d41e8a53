"""A meter's readings in a span: current ones from files in memory, summed on request; all versions from bronze."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.clock.zones import zone_info
from pipeline.lake import tables
from pipeline.serving import grains, reading_shapes, shapes, version_rows
from pipeline.serving.answers import Rows
from pipeline.serving.parameters import zone_or
from pipeline.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from pipeline.config.feeds import Feed
    from pipeline.lake.snapshots import Pinned
    from pipeline.serving.asked import Asked
    from pipeline.serving.meter_files import Part
    from pipeline.serving.meter_query import MeterQuery

MINUTE = 60_000_000


def answer(asked: Asked, query: MeterQuery, feeds: Sequence[Feed]) -> Response:
    """The readings from those feeds; 404 if the lake has no such meter."""
    first, last = query.span(feeds[0])
    asked.service.check_days(query.first, query.last, -((first - last) // timedelta(days=1)))
    summed = query.granularity != "raw"
    shape = reading_shapes.SUMS if summed else reading_shapes.VERSIONS if query.version == "all" else reading_shapes.RAW
    all_versions = query.version == "all"
    wanted = version_rows.wanted(feeds) if all_versions else [tables.READINGS, tables.METER_DAY]

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        if all_versions:
            page = version_rows.rows(asked, pinned, query, feeds, after)
            if not page.columns["feed"] and after is None:
                _must_be_known(asked, pinned, query.meter)
            return page
        found = _columns(asked, pinned, query, feeds)
        if not found.starts:
            _must_be_known(asked, pinned, query.meter)
        return _page(found, after, shape, asked, query)

    return asked.answer(wanted, shape, rows, time_zone=query.tz, units=reading_shapes.UNITS)


@dataclass
class _Columns:
    """What was found, column by column; `more` are the columns besides WHOSE and ENERGY."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    micros: list[int] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    qualities: list[str | None] = field(default_factory=list)
    more: list[list[Any]] = field(default_factory=lambda: [[], []])

    def keys(self) -> list[tuple[int, str, str]]:
        """The keys that rows and pages are ordered by."""
        return list(zip(self.starts, self.feeds, self.directions, strict=True))

    def at(self, places: list[int]) -> _Columns:
        """Only the rows at those positions, in that order."""
        own: list[list[Any]] = [
            self.starts,
            self.ends,
            self.feeds,
            self.directions,
            self.days,
            self.micros,
            self.units,
            self.qualities,
        ]
        chosen: list[Any] = [[column[n] for n in places] for column in own]
        chosen.append([[column[n] for n in places] for column in self.more if column])
        return _Columns(*chosen)


def _columns(asked: Asked, pinned: Pinned, query: MeterQuery, feeds: Sequence[Feed]) -> _Columns:
    found = _Columns()
    for feed in feeds:
        parts = current(asked, pinned, query, feed)
        if query.granularity == "raw":
            for part in parts:
                count = len(part.starts)
                found.starts += part.starts
                found.ends += [at + length * MINUTE for at, length in zip(part.starts, part.minutes, strict=True)]
                found.feeds += [part.feed] * count
                found.directions += part.directions
                found.days += [part.local_date] * count
                found.micros += part.micros
                found.units += part.units
                found.qualities += part.qualities
                found.more[0] += part.file_ids
                found.more[1] += part.row_numbers
            continue
        zone = zone_or(query.tz, feed.time_zone)
        for bucket in grains.buckets(parts, query.granularity, zone, zone_info(feed.time_zone)):
            found.starts.append(bucket.start)
            found.ends.append(bucket.end)
            found.feeds.append(bucket.feed)
            found.directions.append(bucket.direction)
            found.days.append(bucket.local_date)
            found.micros.append(bucket.micro)
            found.units.append("kWh")
            found.qualities.append(bucket.quality)
            found.more[0].append(bucket.readings)
    return found


def current(asked: Asked, pinned: Pinned, query: MeterQuery, feed: Feed) -> list[Part]:
    """Current readings of one feed that start in the span, from the files of those local days."""
    begin, end = query.span(feed)
    if begin >= end:
        return []
    zone = zone_info(feed.time_zone)
    day, last_day = begin.astimezone(zone).date(), end.astimezone(zone).date()
    # Clocks that go back across midnight make local days overlap in time, so the days around are read too.
    days = [day + timedelta(days=n) for n in range(-1, (last_day - day).days + 2)]
    first, last = grains.micros(begin), grains.micros(end)
    keep = tables.READINGS.full_name in pinned.newest
    files = pinned.fragments(tables.READINGS, feed.name, days)
    return [
        part if _whole(part, first, last, query.direction) else _within(part, first, last, query.direction)
        for part in asked.service.files.parts(files, query.meter, keep=keep)
    ]


def _whole(part: Part, first: int, last: int, direction: str | None) -> bool:
    return direction is None and min(part.starts) >= first and max(part.starts) < last


def _within(part: Part, first: int, last: int, direction: str | None) -> Part:
    rows = enumerate(zip(part.starts, part.directions, strict=True))
    return part.where([n for n, (at, way) in rows if first <= at < last and direction in {None, way}])


def _must_be_known(asked: Asked, pinned: Pinned, meter: str) -> None:
    known = asked.service.engine.query(
        "SELECT 1 FROM meter_day WHERE meter_id = $meter LIMIT 1",
        {"meter": meter},
        {"meter_day": pinned.dataset(tables.METER_DAY)},
    )
    if not known.num_rows:
        raise ProblemError(404, f"no readings of a meter {meter!r} were ever loaded; /meters lists all meters")


def _page(
    found: _Columns, after: list[Any] | None, shape: Sequence[tables.Column], asked: Asked, query: MeterQuery
) -> Rows:
    keys = found.keys()
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if after is not None:
        order = order[_beginning(keys, order, after) :]
    more = len(order) > asked.limit
    page = found.at(order[: asked.limit])
    zone_of = asked.service.zone_of(query.tz)
    zones = {feed: zone_of(feed) for feed in set(page.feeds)}
    days = {day: day.isoformat() for day in set(page.days)}
    texts: dict[str, list[Any]] = {
        "feed": page.feeds,
        "meter_id": [query.meter] * len(page.feeds),
        "direction": page.directions,
        "interval_start": [shapes.iso(at, zones[feed]) for at, feed in zip(page.starts, page.feeds, strict=True)],
        "interval_end": [shapes.iso(at, zones[feed]) for at, feed in zip(page.ends, page.feeds, strict=True)],
        "local_date": [days[day] for day in page.days],
        "consumption": [shapes.decimal_text(micro) for micro in page.micros],
        "unit": page.units,
        "quality": page.qualities,
    }
    own = [column.name for column in shape if column.name not in {*texts, reading_shapes.KWH}]
    texts |= dict(zip(own, page.more or [[], []], strict=False))
    texts[reading_shapes.KWH] = reading_shapes.kwh_texts(page.micros, page.units, texts["consumption"])
    return Rows(texts, [*page.keys()[-1]] if more else None)


def _beginning(keys: list[tuple[int, str, str]], order: list[int], after: list[Any]) -> int:
    """The position in the order where the rows after that key begin."""
    try:
        start, feed, direction = after
        return bisect_right(order, (int(start), str(feed), str(direction)), key=keys.__getitem__)
    except (ValueError, TypeError):
        raise ProblemError(400, "cursor: not valid; use the address in `next` as it is", "cursor") from None
