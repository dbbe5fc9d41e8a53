"""/aggregates/gaps: the meters with missing readings on a feed's incomplete days."""

from typing import Any

from fastapi import APIRouter, Response

from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.lake.tables import columns
from pipeline.serving import paging
from pipeline.serving.answers import Rows
from pipeline.serving.common import AskedRows, rows_of
from pipeline.serving.parameters import DirectionName, FeedName, FromDay, ToDay

router = APIRouter(tags=["Aggregates"])

GAPS = columns(
    """
    local_date DATE Local day of the feed
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    meter_id STRING Meter or meterpoint
    intervals_received BIGINT Readings of the meter on that day
    intervals_missing BIGINT Expected intervals that are missing
    first_missing TIMESTAMP Start of the first of these
    last_missing TIMESTAMP Start of the last of these
    """
)
GAPS_SQL = """
    WITH gaps AS (SELECT local_date, feed, direction, meter_id, count(*) AS intervals_missing,
            min(interval_start) AS first_missing, max(interval_start) AS last_missing FROM missing
            WHERE local_date >= $first AND local_date < $last AND ($feed IS NULL OR feed = $feed)
                AND ($direction IS NULL OR direction = $direction) GROUP BY ALL),
        days AS (SELECT local_date, feed, direction, meter_id, CAST(intervals_received AS BIGINT) AS received
            FROM meter_day WHERE local_date >= $first AND local_date < $last)
    SELECT local_date, feed, direction, meter_id, coalesce(received, 0) AS intervals_received, intervals_missing,
        first_missing, last_missing
    FROM gaps LEFT JOIN days USING (local_date, feed, direction, meter_id)
"""


@router.get("/aggregates/gaps", summary="Meters with missing intervals, by local day", responses=rows_of("Gap", GAPS))
def gaps(
    asked: AskedRows, first: FromDay, last: ToDay, feed: FeedName = None, direction: DirectionName = None
) -> Response:
    """gold.missing_intervals by meter and day; `total` is the number of meter-days with gaps.

    The intervals themselves: /meters/{meter_id}/completeness with detail=interval.
    """
    asked.service.feed(feed)
    asked.service.check_days(first, last, (last - first).days)
    wanted = {"first": first, "last": last, "feed": feed, "direction": direction}

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"meter_day": pinned.dataset(tables.METER_DAY), "missing": pinned.dataset(tables.MISSING)}
        return paging.rows_after(
            asked.service.engine, GAPS_SQL, wanted, reads, GAPS, ("local_date", "feed", "direction", "meter_id"),
            after=after, limit=asked.limit, zone_of=asked.service.zone_of(None), counted=True,
        )  # fmt: skip

    return asked.answer([tables.METER_DAY, tables.MISSING], GAPS, rows)
