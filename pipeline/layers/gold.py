"""Silver -> gold: pure aggregations of the readings of whole local days. All energy in kWh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.layers.agreements import NO_AGREEMENT
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

HALF_HOUR = 30
HALF_HOUR_SECONDS = HALF_HOUR * 60
WH_IN_KWH = 1000


def in_kwh(readings: DataFrame) -> DataFrame:
    """Readings with `kwh DECIMAL(18,6)`: Wh / 1000, each value rounded half up."""
    from_wh = F.round(F.col("consumption").cast("DECIMAL(28,9)") / F.lit(WH_IN_KWH), 6).cast("DECIMAL(18,6)")
    return readings.withColumn("kwh", F.when(F.col("unit") == "Wh", from_wh).otherwise(F.col("consumption")))


def half_hours(readings: DataFrame, zones: Mapping[str, str]) -> DataFrame:
    """Readings of 30 minutes or less in their half hour: `interval_start` is its start on the local day's grid.

    `zones` is feed -> time zone. Half hours are counted from local midnight: in Kathmandu they begin at a quarter past
    in UTC.
    """
    short = readings.where(F.col("interval_minutes") <= HALF_HOUR)
    midnight = by_feed(zones, lambda zone: clock.day_start(F.col("local_date"), zone))
    since = F.unix_timestamp("interval_start") - F.unix_timestamp(midnight)
    floored = F.timestamp_seconds(F.unix_timestamp("interval_start") - F.pmod(since, F.lit(HALF_HOUR_SECONDS)))
    start = F.when(F.col("interval_minutes") == HALF_HOUR, F.col("interval_start")).otherwise(floored)
    return short.withColumn("interval_start", start)


def by_feed(zones: Mapping[str, str], expression: Callable[[str], Column]) -> Column:
    """A column that depends on the feed's time zone; feeds that share a zone share a branch."""
    feeds_of: dict[str, list[str]] = {}
    for feed, zone in zones.items():
        feeds_of.setdefault(zone, []).append(feed)
    branches = [(F.col("feed").isin(*feeds), expression(zone)) for zone, feeds in sorted(feeds_of.items())]
    if len(branches) == 1:
        return branches[0][1]
    column = F.when(*branches[0])
    for branch in branches[1:]:
        column = column.when(*branch)
    return column


def total_consumption_half_hour(halves: DataFrame, *, one_row_a_meter: bool) -> DataFrame:
    """Energy of each half hour over all meters of a feed.

    `one_row_a_meter`: no reading is shorter than half an hour, so rows can be counted instead of distinct meters
    (measured: 14 times faster).
    """
    groups = halves.groupBy("feed", "direction", "interval_start", "local_date")
    return groups.agg(_meters(one_row_a_meter), F.sum("kwh").cast("DECIMAL(28,6)").alias("total_kwh"), _newest())


def _meters(one_row_a_meter: bool) -> Column:  # noqa: FBT001
    count = F.count(F.lit(1)) if one_row_a_meter else F.count_distinct("meter_id")
    return count.alias("meterpoint_count")


def _newest() -> Column:
    """The newest delivery with a reading in the cell: it leads from a number back to a file."""
    return F.max("file_id").alias("file_id")


def meter_day(readings: DataFrame, zones: Mapping[str, str]) -> DataFrame:
    """Energy of each meter and local day, with the number of intervals received and expected."""
    days = readings.groupBy("feed", "meter_id", "direction", "local_date").agg(
        F.sum("kwh").cast("DECIMAL(28,6)").alias("consumption"),
        F.count(F.lit(1)).cast("int").alias("intervals_received"),
        F.min("interval_minutes").alias("shortest"),
        F.min("interval_start").alias("first_interval"),
        F.max("interval_start").alias("last_interval"),
        _newest(),
    )
    expected = by_feed(zones, lambda zone: clock.intervals_of_day(F.col("local_date"), F.col("shortest"), zone))
    return days.withColumns({"unit": F.lit("kWh"), "intervals_expected": expected})


def with_product(readings: DataFrame, products: DataFrame) -> DataFrame:
    """Readings with the product agreed for their meter on their local day, or `(no agreement)`."""
    same = (F.col("meter_id") == F.col("meterpoint_id")) & (F.col("local_date") == F.col("day"))
    return (
        readings.join(products, same, "left")
        .drop("meterpoint_id", "day")
        .withColumn("product_display_name", F.coalesce("product_display_name", F.lit(NO_AGREEMENT)))
    )


def consumption_per_product_per_day(meter_days: DataFrame) -> DataFrame:
    """Energy of each product and local day, from the rows of gold.meter_day with their product."""
    return meter_days.groupBy("feed", "direction", F.col("local_date").alias("date"), "product_display_name").agg(
        _meters(one_row_a_meter=True), F.sum("consumption").cast("DECIMAL(28,6)").alias("total_kwh"), _newest()
    )


def avg_half_hour_by_product(halves: DataFrame, *, one_row_a_meter: bool) -> DataFrame:
    """Energy of each product and half hour: total, and average over its meters."""
    totals = halves.groupBy("feed", "direction", "interval_start", "local_date", "product_display_name").agg(
        _meters(one_row_a_meter), F.sum("kwh").cast("DECIMAL(28,6)").alias("total_kwh"), _newest()
    )
    return totals.withColumn("avg_kwh", average())


def average() -> Column:
    """`total_kwh` divided by `meterpoint_count`, rounded half up."""
    return F.round(F.col("total_kwh") / F.col("meterpoint_count"), 6).cast("DECIMAL(18,6)")


def over_all_products(averages: pa.Table) -> pa.Table:
    """Rows of gold.total_consumption_half_hour from gold.avg_half_hour_by_product: a meter has one product a day."""
    totals = averages.group_by(["feed", "direction", "interval_start", "local_date"]).aggregate(
        [("meterpoint_count", "sum"), ("total_kwh", "sum"), ("file_id", "max")]
    )
    return totals.rename_columns([name.removesuffix("_sum").removesuffix("_max") for name in totals.column_names])
