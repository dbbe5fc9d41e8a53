"""Bronze rows, judged -> the current reading of each key, and the rows that did not pass. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from pipeline import quality

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame

    from pipeline.config import Feed

# (file_id, row_number) in one BIGINT that sorts the same: cheaper to aggregate by than a struct.
ROW_BITS = 31


def current_readings(judged: DataFrame, feed: Feed) -> DataFrame:
    """One row a key, the highest (file_id, row_number), with silver's columns."""
    valid, _ = quality.split(judged)
    received = F.shiftleft("file_id", ROW_BITS) + F.col("row_number")
    kept = F.struct("interval_minutes", "local_date", "consumption", "quality", "file_id", "row_number", "batch_id")
    latest = valid.groupBy("meter_id", "direction", "interval_start").agg(F.max_by(kept, received).alias("latest"))
    return latest.select(
        F.lit(feed.name).alias("feed"),
        "meter_id",
        "direction",
        "interval_start",
        "latest.interval_minutes",
        "latest.local_date",
        "latest.consumption",
        F.lit(feed.unit).alias("unit"),
        "latest.quality",
        "latest.file_id",
        "latest.row_number",
        "latest.batch_id",
    )


def rejected_readings(judged: DataFrame, feed: str, now: datetime) -> DataFrame:
    """Rows that did not pass, with silver.rejected_readings' columns."""
    _, rejected = quality.split(judged)
    return rejected.select(
        F.lit(feed).alias("feed"),
        "meter_id",
        "reason_code",
        "reason",
        "raw",
        "file_id",
        "row_number",
        "batch_id",
        F.lit(now).alias("rejected_at"),
    )


def summary(judged: DataFrame) -> DataFrame:
    """Rows of each delivery and local day: `file_id, local_date, rows, rejected, repeated`.

    The date is that of accepted rows; rejected ones stand under NULL.
    """
    passed = F.col("reason_code").isNull()
    return judged.groupBy("file_id", F.when(passed, F.col("local_date")).alias("local_date")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(~passed).alias("rejected"),
        F.count_if("is_repeated").alias("repeated"),
    )
