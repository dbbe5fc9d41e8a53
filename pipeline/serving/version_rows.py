"""`version=all`: every version of a meter's readings that was received, the current one marked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import formats
from pipeline.clock.zones import zone_info
from pipeline.errors import VersionsNeedSparkError
from pipeline.lake import tables
from pipeline.serving import grains, reading_shapes, received, shapes
from pipeline.serving.answers import Rows
from pipeline.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.config.feeds import Feed
    from pipeline.lake.snapshots import Pinned
    from pipeline.lake.tables import Table
    from pipeline.serving.asked import Asked
    from pipeline.serving.meter_query import MeterQuery

# Versions of one interval are in the order in which they were received; pages use the same order.
KEY = ("interval_start", "feed", "direction", "file_id", "row_number")
HALF_A_DAY = timedelta(hours=12)


def wanted(feeds: Sequence[Feed]) -> list[Table]:
    """The tables to read, the log first: bronze then holds at least what the log counts."""
    return [tables.INGESTION_LOG, *(formats.bronze_table(feed) for feed in feeds), tables.METER_DAY]


def rows(asked: Asked, pinned: Pinned, query: MeterQuery, feeds: Sequence[Feed], after: list[Any] | None) -> Rows:
    """A page of versions that start in the span."""
    found = pa.concat_tables([received.SCHEMA.empty_table(), *(_of_feed(pinned, query, feed) for feed in feeds)])
    found = found.sort_by([(name, "ascending") for name in KEY])
    starts = found["interval_start"].cast(pa.int64())
    keys = list(zip(starts.to_pylist(), *(found[name].to_pylist() for name in KEY[1:]), strict=True))
    if after is not None:
        try:
            begins = sum(key <= tuple(after) for key in keys)
        except TypeError:
            raise ProblemError(400, "cursor: not valid; use the address in `next` as it is", "cursor") from None
        found, keys = found.slice(begins), keys[begins:]
    page = found.slice(0, asked.limit)
    lengths = pc.multiply(page["interval_minutes"].cast(pa.int64()), 60_000_000).cast(pa.duration("us"))
    page = page.append_column("interval_end", pc.add(page["interval_start"], lengths))
    zone_of = asked.service.zone_of(query.tz)
    more = [*keys[asked.limit - 1]] if len(keys) > asked.limit else None
    texts = shapes.texts(page, reading_shapes.RECEIVED, zone_of)
    micros = [int(value.scaleb(6)) for value in page["consumption"].to_pylist()]
    texts[reading_shapes.KWH] = reading_shapes.kwh_texts(micros, page["unit"].to_pylist(), texts["consumption"])
    return Rows(texts, more)


def _of_feed(pinned: Pinned, query: MeterQuery, feed: Feed) -> pa.Table:
    begin, end = query.span(feed)
    both = tables.INGESTION_LOG, formats.bronze_table(feed)
    if begin >= end or any(pinned.opened[table.full_name] is None for table in both):
        return received.SCHEMA.empty_table()
    zone = zone_info(feed.time_zone)
    # Clocks that go back across midnight make local days overlap in time.
    first, last = (begin - HALF_A_DAY).astimezone(zone).date(), (end + HALF_A_DAY).astimezone(zone).date()
    try:
        versions = received.versions(feed, query.meter, first, last, pinned.dataset)
    except VersionsNeedSparkError as problem:
        raise ProblemError(400, f"version: {problem}", "version") from None
    start = versions["interval_start"].cast(pa.int64())
    inside = pc.and_(pc.greater_equal(start, grains.micros(begin)), pc.less(start, grains.micros(end)))
    found = versions.filter(inside)
    return found if query.direction is None else found.filter(pc.equal(found["direction"], query.direction))
