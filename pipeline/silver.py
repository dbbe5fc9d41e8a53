"""Bronze rows, judged -> the current reading of each key, and the rows that did not pass. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import Column, DataFrame

    from pipeline.config.settings import Feed
    from pipeline.deliveries.ingestion_log import Delivery

# (file_id, row_number) in one BIGINT that sorts the same: cheaper to aggregate by than a struct.
ROW_BITS = 31
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of a delivery of which the log does not say when it came.
ALWAYS = datetime(7000, 1, 1, tzinfo=UTC)
ROW_MASK = (1 << ROW_BITS) - 1


def current_readings(  # noqa: PLR0913 - each is a thing of its own
    judged: DataFrame,
    feed: Feed,
    batches: Mapping[int, int],
    *,
    several: bool,
    carries_quality: bool,
    one_direction: bool = False,
) -> DataFrame:
    """One row a key, the highest (file_id, row_number), with silver's columns; the flags are those of its format.

    `one_direction`: every row has the feed's, so that the key need not hold it.

    A row that did not pass has no place in the order, so it never wins; a key of such rows only is left out at the
    end. (Leaving them out at the beginning makes Spark judge every row twice, before and after: measured.)
    `batches` is file_id -> batch_id of the deliveries that hold rows which passed. What is the same for all rows of
    a key is part of the key or looked up afterwards: each value carried along costs as much as the sum itself. Only
    values of a fixed length are aggregated by hashing; a text among them makes Spark sort all rows.
    """
    passed = F.col("reason_code").isNull() & F.col("consumption").isNotNull()
    received = F.shiftleft("file_id", ROW_BITS) + F.col("row_number")
    directions = [] if one_direction else ["direction"]
    carried = [*(["interval_minutes"] if several else []), *(["quality"] if carries_quality else [])]
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
        F.col("interval_minutes") if several else F.lit(feed.minutes).alias("interval_minutes"),
        "local_date",
        "consumption",
        F.lit(feed.unit).alias("unit"),
        F.col("quality") if carries_quality else F.lit(None).cast("string").alias("quality"),
        "file_id",
        F.col("received").bitwiseAND(F.lit(ROW_MASK)).alias("row_number"),
        _batch(batches).alias("batch_id"),
    )


def _batch(batches: Mapping[int, int]) -> Column:
    """The batch of a delivery: nearly always one for all; batches take file ids in unbroken runs but for replays."""
    runs: list[tuple[int, int]] = []
    for file_id, batch_id in sorted(batches.items()):
        if not runs or runs[-1][1] != batch_id:
            runs.append((file_id, batch_id))
    column = F.lit(runs[0][1]).cast("bigint")
    for first_file, batch_id in runs[1:]:
        column = F.when(F.col("file_id") >= first_file, F.lit(batch_id).cast("bigint")).otherwise(column)
    return column


def received_at(deliveries: Iterable[Delivery]) -> Column:
    """When the delivery of each row came: one literal for one batch, else looked up by the row's batch.

    A delivery that was replayed is of a later batch than it came with: those few are told by their number.
    """
    known = [(each.batch_id, each.file_id, each.received_at or ALWAYS) for each in deliveries]
    if len(times := {at for *_, at in known}) == 1:
        return F.lit(times.pop())
    of_batch = {batch: at for batch, _, at in sorted(known)}
    first, last = min(of_batch), max(of_batch)
    micros = (
        str((of_batch.get(batch, ALWAYS) - EPOCH) // timedelta(microseconds=1)) for batch in range(first, last + 1)
    )
    # As one text, which is folded into an array: thousands of literals take seconds to build.
    times_of_batches = F.split(F.lit(",".join(micros)), ",").cast("array<bigint>")
    column = F.timestamp_micros(F.get(times_of_batches, (F.col("batch_id") - first).cast("int")))
    for batch, file_id, at in known:
        if of_batch[batch] != at:
            column = F.when(F.col("file_id") == file_id, F.lit(at)).otherwise(column)
    return column


def rejected_readings(judged: DataFrame, feed: str, now: datetime, *, several: bool = False) -> DataFrame:
    """Rows that did not pass, with silver.rejected_readings' columns.

    Of a row with `several` readings, those that broke the same rule are one row: the first of them says why.
    """
    rejected = judged.where(F.col("reason_code").isNotNull())
    if several:
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


def summary(judged: DataFrame, *, several: bool = False) -> DataFrame:
    """Source rows of each delivery and local day: `file_id, local_date, rows, rejected, repeated`.

    The date is that of accepted rows; rejected ones stand under NULL. A row with `several` readings is counted once,
    under the first of its days, and as rejected when one of them is.
    """
    passed = F.col("reason_code").isNull()
    if several:
        # Each row has one first reading, whose second instant, where it has two, is told as repeated: so a row that
        # stands in bronze twice is counted twice.
        rows = judged.groupBy("file_id", "row_number").agg(
            F.count_if((F.col("position") == 0) & ~F.col("is_repeated")).alias("copies"),
            F.bool_or(~passed).alias("refused"),
            F.sort_array(F.collect_set(F.when(passed & F.col("consumption").isNotNull(), F.col("local_date")))).alias(
                "days"
            ),
        )
        days = rows.select("file_id", "copies", "refused", F.posexplode_outer("days").alias("n", "local_date"))
        first = F.coalesce(F.col("n"), F.lit(0)) == 0
        return days.groupBy("file_id", "local_date").agg(
            F.sum(F.when(first, F.col("copies")).otherwise(0)).alias("rows"),
            F.count_if(first & F.col("refused")).alias("rejected"),
            F.lit(0).alias("repeated"),
        )
    return judged.groupBy("file_id", F.when(passed, F.col("local_date")).alias("local_date")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(~passed).alias("rejected"),
        F.count_if("is_repeated").alias("repeated"),
    )
