"""/feeds: what a page or a client must know about each feed before any other request."""

from typing import Any

import pyarrow as pa
from fastapi import APIRouter, Response

from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.lake.tables import columns
from pipeline.serving import paging
from pipeline.serving.answers import Rows
from pipeline.serving.common import AskedRows, rows_of

router = APIRouter(tags=["Feeds"])

FEEDS = columns(
    """
    feed STRING Name of the feed
    direction STRING import, export, production or consumption; empty if nothing was loaded yet
    time_zone STRING Zone of its local days
    meters BIGINT Meters with a reading in that direction
    first_date DATE First local day with a reading
    last_date DATE Last local day with a reading
    half_hours BOOLEAN Whether /aggregates/half-hour has sums of it: readings of 30 minutes or less
    """
)
FEEDS_SQL = """
    WITH days AS (SELECT feed, direction, count(DISTINCT meter_id) AS meters, min(local_date) AS first_date,
            max(local_date) AS last_date FROM meter_day GROUP BY feed, direction)
    SELECT f.feed, coalesce(d.direction, '') AS direction, f.time_zone, coalesce(d.meters, 0) AS meters, d.first_date,
        d.last_date, f.half_hours
    FROM feeds f LEFT JOIN days d ON d.feed = f.feed
"""


@router.get(
    "/feeds",
    summary="Feeds: their zones, directions, meters and days",
    responses=rows_of("Feed", FEEDS, nullable=["first_date", "last_date"]),
)
def feeds(asked: AskedRows) -> Response:
    """Each direction of each feed of the configuration; one without readings has no direction and no days."""

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        every = asked.service.settings.feeds
        # From the partitions in the table's log: no data file is opened.
        halves = pinned.opened[tables.HALF_HOUR.full_name]
        with_halves = {feed for feed, _ in halves.fragments} if halves else set()
        configured = pa.table(
            {
                "feed": [feed.name for feed in every],
                "time_zone": [feed.time_zone for feed in every],
                "half_hours": [feed.name in with_halves for feed in every],
            }
        )
        return paging.rows_after(
            asked.service.engine, FEEDS_SQL, {}, {"meter_day": pinned.dataset(tables.METER_DAY), "feeds": configured},
            FEEDS, ("feed", "direction"), after=after, limit=asked.limit, zone_of=asked.service.zone_of(None),
        )  # fmt: skip

    return asked.answer([tables.METER_DAY, tables.HALF_HOUR], FEEDS, rows)
