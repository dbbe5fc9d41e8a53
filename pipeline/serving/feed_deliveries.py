"""/feeds/deliveries: the last delivery of each feed, and what became of all of them."""

from typing import Any

import pyarrow as pa
from fastapi import APIRouter, Response

from pipeline.deliveries.delivery import REFERENCE
from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.lake.tables import columns
from pipeline.serving import paging
from pipeline.serving.answers import Rows
from pipeline.serving.common import AskedRows, rows_of

router = APIRouter(tags=["Feeds"])

FEED_DELIVERIES = columns(
    """
    feed STRING Name of the feed, or 'reference'
    deliveries BIGINT Deliveries of it, whatever became of them
    open_refusals BIGINT Refused deliveries that nothing has settled since
    rows_rejected BIGINT Source rows of loaded deliveries with something that did not pass
    last_file_id BIGINT The newest delivery; NULL if there is none
    last_relative_path STRING Its path below the feed's landing folder
    last_status STRING What became of it
    last_received_at TIMESTAMP When it was decided
    last_loaded_at TIMESTAMP When the newest loaded delivery was decided
    """
)
# NULL where a feed has no delivery yet.
LAST = [each.name for each in FEED_DELIVERIES if each.name.startswith("last_")]
# A refusal is settled by a later delivery of the same path, or by `withdraw`: as deliveries/open_issues.py says it.
OPEN_REFUSALS_SQL = """
    SELECT file_id FROM log WHERE status IN ('rejected', 'conflict') AND NOT EXISTS (SELECT 1 FROM log AS later
        WHERE later.feed = log.feed AND later.relative_path = log.relative_path AND later.file_id > log.file_id
        AND (later.status <> 'withdrawn' OR later.reason_code IS NOT NULL))
"""
FEED_DELIVERIES_SQL = f"""
    WITH open_refusals AS ({OPEN_REFUSALS_SQL}),
        deliveries AS (SELECT feed, count(*) AS deliveries,
            count(*) FILTER (file_id IN (SELECT file_id FROM open_refusals)) AS open_refusals,
            CAST(coalesce(sum(rows_rejected), 0) AS BIGINT) AS rows_rejected,
            max(received_at) FILTER (status = 'loaded') AS last_loaded_at,
            max_by(struct_pack(file_id, relative_path, file_name, status, received_at), file_id) AS last
            FROM log GROUP BY feed)
    SELECT f.feed, coalesce(deliveries, 0) AS deliveries, coalesce(open_refusals, 0) AS open_refusals,
        coalesce(rows_rejected, 0) AS rows_rejected, last.file_id AS last_file_id,
        coalesce(last.relative_path, last.file_name) AS last_relative_path, last.status AS last_status,
        last.received_at AS last_received_at, last_loaded_at
    FROM feeds f LEFT JOIN deliveries USING (feed)
"""  # noqa: S608 - ours


@router.get(
    "/feeds/deliveries",
    summary="Feeds: their last delivery",
    responses=rows_of("FeedDeliveries", FEED_DELIVERIES, nullable=LAST),
)
def feed_deliveries(asked: AskedRows) -> Response:
    """Each feed of the configuration, and the reference database if there is one."""

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        settings = asked.service.settings
        names = [feed.name for feed in settings.feeds] + ([REFERENCE] if settings.reference else [])
        return paging.rows_after(
            asked.service.engine, FEED_DELIVERIES_SQL, {},
            {"log": pinned.dataset(tables.INGESTION_LOG), "feeds": pa.table({"feed": names})}, FEED_DELIVERIES,
            ("feed",), after=after, limit=asked.limit, zone_of=asked.service.zone_of("UTC"),
        )  # fmt: skip

    return asked.answer([tables.INGESTION_LOG], FEED_DELIVERIES, rows, time_zone="UTC")
