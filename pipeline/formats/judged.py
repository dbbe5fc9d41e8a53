"""Facts from judged rows of any format: how many of each delivery passed, on which days, and when each came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from pipeline.deliveries.delivery import Delivery

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# For a delivery without a time of receipt in the log.
ALWAYS = datetime(7000, 1, 1, tzinfo=UTC)
NOTHING: dict[str, Any] = {
    "rows_read": 0,
    "rows_accepted": 0,
    "rows_rejected": 0,
    "local_dates": (),
    "repeated_times": 0,
}


def counts(judged: DataFrame, *, many_readings_per_row: bool) -> dict[int, dict[str, Any]]:
    """file_id -> rows_read, rows_accepted, rows_rejected, local_dates, repeated_times; only deliveries with rows."""
    found: dict[int, dict[str, Any]] = {}
    for row in summary(judged, many_readings_per_row=many_readings_per_row).toArrow().to_pylist():
        of_file = found.setdefault(row["file_id"], dict(NOTHING))
        of_file["rows_read"] += row["rows"]
        of_file["rows_rejected"] += row["rejected"]
        of_file["rows_accepted"] += row["rows"] - row["rejected"]
        of_file["repeated_times"] += row["repeated"]
        days = (day for day in (row["local_date"], row["later_date"]) if day is not None)
        of_file["local_dates"] = (*of_file["local_dates"], *days)
    for of_file in found.values():
        of_file["local_dates"] = tuple(sorted({*of_file["local_dates"]}))  # does not depend on Spark's order
    return found


def summary(judged: DataFrame, *, many_readings_per_row: bool = False) -> DataFrame:
    """Source rows of each delivery and local day: `file_id, local_date, rows, rejected, repeated`.

    The date is that of accepted rows; rejected ones have NULL. With `many_readings_per_row` a row is counted once, on
    the first of its days, and as rejected if one of its readings is. `later_date` is another day that repeated times
    may turn out to be on.
    """
    passed = F.col("reason_code").isNull()
    later = F.max("later_date") if "later_date" in judged.columns else F.lit(None).cast("date")
    if many_readings_per_row:
        # Each row has one reading at position 0. So a row that is in bronze twice is counted twice.
        rows = judged.groupBy("file_id", "row_number").agg(
            F.count_if(F.col("position") == 0).alias("copies"),
            F.count_if("is_repeated").alias("repeated"),
            later.alias("later"),
            F.bool_or(~passed).alias("refused"),
            F.sort_array(F.collect_set(F.when(passed & F.col("consumption").isNotNull(), F.col("local_date")))).alias(
                "days"
            ),
        )
        days = rows.select("*", F.posexplode_outer("days").alias("n", "local_date"))
        first = F.coalesce(F.col("n"), F.lit(0)) == 0
        return days.groupBy("file_id", "local_date").agg(
            F.sum(F.when(first, F.col("copies")).otherwise(0)).alias("rows"),
            F.count_if(first & F.col("refused")).alias("rejected"),
            F.sum(F.when(first, F.col("repeated")).otherwise(0)).alias("repeated"),
            F.max("later").alias("later_date"),
        )
    return judged.groupBy("file_id", F.when(passed, F.col("local_date")).alias("local_date")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if(~passed).alias("rejected"),
        F.count_if("is_repeated").alias("repeated"),
        later.alias("later_date"),
    )


def received_at(deliveries: Iterable[Delivery]) -> Column:
    """When each row's delivery was received: one literal for one batch, else looked up by the row's batch.

    A replayed delivery came before its batch: these few are looked up by their file number.
    """
    known = [(each.batch_id, each.file_id, each.received_at or ALWAYS) for each in deliveries]
    if len(times := {at for *_, at in known}) == 1:
        return F.lit(times.pop())
    of_batch = {batch: at for batch, _, at in sorted(known)}
    first, last = min(of_batch), max(of_batch)
    micros = (
        str((of_batch.get(batch, ALWAYS) - EPOCH) // timedelta(microseconds=1)) for batch in range(first, last + 1)
    )
    # One text, which Spark folds into an array: thousands of literals would take seconds to build.
    times_of_batches = F.split(F.lit(",".join(micros)), ",").cast("array<bigint>")
    column = F.timestamp_micros(F.get(times_of_batches, (F.col("batch_id") - first).cast("int")))
    for batch, file_id, at in known:
        if of_batch[batch] != at:
            column = F.when(F.col("file_id") == file_id, F.lit(at)).otherwise(column)
    return column
