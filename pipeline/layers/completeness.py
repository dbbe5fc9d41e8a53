"""Which intervals a meter should have delivered, and which of them are missing. Pure.

A meter is expected on a local day if it has readings on that day or on one of the seven days before, or if an agreement
in the reference database is valid for it. A feed without any readings for longer than that is silent, not incomplete.
A day's gaps depend on one week only: late readings change at most the week after them, and a single reading of a
distant year does not open a gap of years.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.clock import columns as clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.feeds import Feed

REMEMBERED_DAYS = 7
WHO = ("feed", "meter_id", "direction", "local_date")


def expected_by_history(meter_days: DataFrame, feed: Feed) -> DataFrame:
    """Meter-days that are expected because of readings in the week before: WHO, `interval_minutes`, `expected_by`.

    `meter_days` is gold.meter_day of one feed. The interval is the shortest one of the newest of those days.
    """
    after = F.explode(F.sequence(F.lit(0), F.lit(REMEMBERED_DAYS))).alias("after")
    length = clock.day_minutes(F.col("local_date"), feed.time_zone)
    minutes = F.round(length / F.col("intervals_expected")).cast("int")
    seen = meter_days.where("intervals_expected > 0").select("*", after).withColumn("minutes", minutes)
    days = seen.select(
        "feed", "meter_id", "direction", F.expr("date_add(local_date, after)").alias("local_date"), "after", "minutes"
    )
    return days.groupBy(*WHO).agg(
        F.min_by("minutes", "after").alias("interval_minutes"), F.lit("history").alias("expected_by")
    )


def expected_by_agreement(products: DataFrame, feed: Feed) -> DataFrame:
    """Meter-days with a valid agreement (agreements.product_of_day), with the columns of `expected_by_history`."""
    return products.select(
        F.lit(feed.name).alias("feed"),
        F.col("meterpoint_id").alias("meter_id"),
        F.lit(feed.direction).alias("direction"),
        F.col("day").alias("local_date"),
        F.lit(feed.minutes).alias("interval_minutes"),
        F.lit("agreement").alias("expected_by"),
    )


def incomplete(expected: Iterable[DataFrame], meter_days: DataFrame, feed: Feed) -> DataFrame:
    """Expected meter-days with missing intervals, and how many are `missing`.

    For the length of the intervals, history has priority over agreements.
    """
    everything = reduce(DataFrame.unionByName, expected)
    once = everything.groupBy(*WHO).agg(
        F.max_by("interval_minutes", "expected_by").alias("interval_minutes"),
        F.max("expected_by").alias("expected_by"),  # 'history' sorts after 'agreement'
    )
    count = clock.intervals_of_day(F.col("local_date"), F.col("interval_minutes"), feed.time_zone)
    received = meter_days.select(*WHO, "intervals_received")
    there = F.coalesce("intervals_received", F.lit(0))
    found = once.join(received, list(WHO), "left").withColumn("missing", count - there)
    return found.where("missing > 0").drop("intervals_received")


def missing_intervals(incomplete_days: DataFrame, readings: DataFrame, feed: Feed) -> DataFrame:
    """The gaps: each interval of those meter-days that is not in `readings` (silver.readings of these days)."""
    zone = feed.time_zone
    starts = clock.instants_of_day(F.col("local_date"), F.col("interval_minutes"), zone)
    intervals = incomplete_days.select("*", F.explode(starts).alias("interval_start"))
    return intervals.join(readings, ["feed", "meter_id", "direction", "interval_start", "local_date"], "left_anti")
