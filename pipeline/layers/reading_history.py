"""The reading history: every version of a reading that was received, judged again from bronze."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pipeline.deliveries.delivery import LOADED, WITHDRAWN
from pipeline.deliveries.ingestion_log import logged
from pipeline.formats.readings import PASSED_VERSION, VERSION, VERSION_KEY
from pipeline.layers.judged import judged

if TYPE_CHECKING:
    from pipeline.runtime.context import Context


def received(context: Context, *, withdrawn: bool = False) -> DataFrame | None:
    """One row for each version, also refused ones: readings.VERSION; None if nothing was loaded.

    Versions from withdrawn deliveries are included only on request.
    """
    wanted = {LOADED, WITHDRAWN} if withdrawn else {LOADED}
    loaded = [each for each in logged(context) if each.status in wanted and each.rows_read]
    parts = []
    for feed in context.settings.feeds:
        of_feed = [each for each in loaded if each.feed == feed.name]
        if of_feed:
            rows = judged(context, feed, of_feed).where("reason_code IS NOT NULL OR consumption IS NOT NULL")
            parts.append(rows.withColumn("feed", F.lit(feed.name)).select(*VERSION))
    return reduce(DataFrame.unionByName, parts) if parts else None


def readings(context: Context) -> DataFrame | None:
    """Versions that passed: readings.PASSED_VERSION and `is_current`; None if nothing was loaded."""
    versions = received(context)
    if versions is None:
        return None
    newest_first = Window.partitionBy(*VERSION_KEY).orderBy(F.col("file_id").desc(), F.col("row_number").desc())
    passed = versions.where("reason_code IS NULL").select(*PASSED_VERSION)
    return passed.withColumn("is_current", F.row_number().over(newest_first) == 1)
