"""Judged bronze rows -> the current reading of each key, and the rejected rows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed

# (file_id, row_number) in one BIGINT with the same order: cheaper to aggregate than a struct.
ROW_BITS = 31
ROW_MASK = (1 << ROW_BITS) - 1


def current_readings(  # noqa: PLR0913 - all are independent
    judged: DataFrame,
    feed: Feed,
    batches: Mapping[int, int],
    *,
    many_readings_per_row: bool,
    carries_quality: bool,
    one_direction: bool = False,
) -> DataFrame:
    """One row for each key, the highest (file_id, row_number), with silver's columns; the flags are the format's.

    `one_direction`: every row has the feed's direction, so the key need not contain it.

    A rejected row has NULL in the order, so it never wins; a key with only such rows is left out at the end. (Filtering
    them first makes Spark judge every row twice: measured.) `batches` is file_id -> batch_id of the deliveries with
    rows that passed. What is the same for all rows of a key is part of the key or looked up afterwards: each value
    carried along costs as much as the aggregation itself. Spark aggregates only fixed-length values by hashing; a text
    among them makes it sort all rows.
    """
    passed = F.col("reason_code").isNull() & F.col("consumption").isNotNull()
    received = F.shiftleft("file_id", ROW_BITS) + F.col("row_number")
    directions = [] if one_direction else ["direction"]
    carried = [*(["interval_minutes"] if many_readings_per_row else []), *(["quality"] if carries_quality else [])]
    latest = (
        judged.withColumn("received", F.when(passed, received))
        .groupBy("meter_id", *directions, "interval_start", "local_date")
        .agg(
            F.max("received").alias("received"),
            *(F.max_by(name, "received").alias(name) for name in ("consumption", *carried)),
        )
        .where(F.col("received").isNotNull())
        .withColumn("file_id", F.shiftright("received", ROW_BITS))
    )
    return latest.select(
        F.lit(feed.name).alias("feed"),
        "meter_id",
        F.lit(feed.direction).alias("direction") if one_direction else F.col("direction"),
        "interval_start",
        F.col("interval_minutes") if many_readings_per_row else F.lit(feed.minutes).alias("interval_minutes"),
        "local_date",
        "consumption",
        F.lit(feed.kept_unit).alias("unit"),
        F.col("quality") if carries_quality else F.lit(None).cast("string").alias("quality"),
        "file_id",
        F.col("received").bitwiseAND(F.lit(ROW_MASK)).alias("row_number"),
        _batch(batches).alias("batch_id"),
    )


def _batch(batches: Mapping[int, int]) -> Column:
    """The batch of a delivery: nearly always one for all; except for replays, a batch's file ids are consecutive."""
    runs: list[tuple[int, int]] = []
    for file_id, batch_id in sorted(batches.items()):
        if not runs or runs[-1][1] != batch_id:
            runs.append((file_id, batch_id))
    column = F.lit(runs[0][1]).cast("bigint")
    for first_file, batch_id in runs[1:]:
        column = F.when(F.col("file_id") >= first_file, F.lit(batch_id).cast("bigint")).otherwise(column)
    return column


def rejected_readings(judged: DataFrame, feed: str, now: datetime, *, many_readings_per_row: bool = False) -> DataFrame:
    """Rejected rows, with the columns of silver.rejected_readings.

    With `many_readings_per_row`, a row's readings that broke the same rule become one row: the first of them says why.
    """
    rejected = judged.where(F.col("reason_code").isNotNull())
    if many_readings_per_row:
        more = F.when(F.count(F.lit(1)) > 1, F.concat(F.lit(" (and "), F.count(F.lit(1)) - 1, F.lit(" more)")))
        rejected = rejected.groupBy("file_id", "row_number", "reason_code", "batch_id").agg(
            F.concat_ws("", F.min_by("reason", "position"), more).alias("reason"),
            *(F.min_by(name, "position").alias(name) for name in ("meter_id", "raw")),
        )
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
