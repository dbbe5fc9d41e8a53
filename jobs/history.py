"""The reading history: every version of a reading that was received and passed, the current one marked."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs import silver
from pipeline.ingestion_log import LOADED, logged

if TYPE_CHECKING:
    from pipeline.context import Context

COLUMNS = (
    "feed",
    "meter_id",
    "direction",
    "interval_start",
    "interval_minutes",
    "local_date",
    "consumption",
    "quality",
    "file_id",
    "row_number",
    "batch_id",
)


def readings(context: Context) -> DataFrame | None:
    """One row a version: silver's columns and `is_current`; None where nothing was loaded."""
    loaded = [each for each in logged(context) if each.status == LOADED and each.local_dates]
    parts = []
    for feed in context.settings.feeds:
        of_feed = [each for each in loaded if each.feed == feed.name]
        if of_feed:
            rows = silver.judged(context, feed, of_feed).where("reason_code IS NULL AND consumption IS NOT NULL")
            parts.append(rows.withColumn("feed", F.lit(feed.name)).select(*COLUMNS))
    if not parts:
        return None
    newest_first = Window.partitionBy("feed", "meter_id", "direction", "interval_start").orderBy(
        F.col("file_id").desc(), F.col("row_number").desc()
    )
    everything = reduce(DataFrame.unionByName, parts)
    return everything.withColumn("is_current", F.row_number().over(newest_first) == 1)
