"""Delimited text, a row a meter's local day: bronze rows as arrays, judged as interval_arrays.py judges them.

Columns named by times are wall-clock positions; columns named by periods are the array of their day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import written
from pipeline.formats import csv_bronze, csv_roles, interval_arrays, row_rules, units
from pipeline.formats.csv_document import csv_of
from pipeline.formats.interval_arrays import Arrays
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed

# Where the configuration does not say how long an interval is, the number of values does.
MINUTES = (60, 30, 15, 10, 5)
# Five minutes of the longest day.
MOST_READINGS = 26 * 12
# A row is a line, so that no cell holds one's end.
NO_CELL = "\n"
LINEAGE = ("file_id", "row_number", "batch_id")


def minutes_of(feed: Feed) -> tuple[int, ...]:
    """Possible lengths of an interval."""
    return (feed.interval_minutes,) if feed.interval_minutes else MINUTES


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, one for each value (two if its position occurs twice), with reason or NULL."""
    said = csv_of(feed)
    named = csv_bronze.names(said)
    date = F.concat_ws(" ", *(F.col(named[name]) for name in said.timestamp))
    timed = written.with_time(bronze, date, said.time_pattern)
    # Names of our own only: a source's column may be called like one of an array's.
    rows = timed.select(
        *LINEAGE,
        "_time",
        _day().alias("_day"),
        F.col(csv_bronze.VALUES).alias("_list"),
        _named().alias("_named"),
        F.col(csv_bronze.meter_column(said)).alias("_meter"),
        csv_roles.direction(said, feed).alias("_direction"),
        _qualities(said).alias("_quality"),
        (~csv_roles.skipped(said)).alias("_counts"),
        F.col("raw").alias("raw"),
        F.coalesce("raw", as_received(said)).alias("_raw"),
        (F.lit(None) if (text := csv_roles.direction_text(said)) is None else text).alias("_direction_text"),
    )
    rules = csv_roles.rules(said, F.col("_meter"), F.col("_direction"), F.col("_direction_text"))
    by_time = "time" in said.value_pattern.groupindex
    arrays = Arrays(
        minutes=minutes_of(feed),
        meter=F.col("_meter"),
        said=F.col("_time"),
        rules=[csv_roles.field_count(), *rules],
        raw=F.col("_raw"),
        energy=lambda text, minutes: units.energy([csv_roles.number(text, said)], feed, minutes),
        limit=lambda minutes: None if feed.max_consumption is None else units.most(feed, minutes),
        has_readings=F.col("_counts") | F.col("raw").isNotNull(),
        direction=F.col("_direction"),
        quality=_quality() if said.quality_beside else F.col("_quality"),
        named=F.col("_named") if by_time else None,
        may_be_longer=not by_time,
        present=lambda text: csv_roles.present(text, said),
    )
    return interval_arrays.judged(rows, feed, received, arrays)


def _day() -> Column:
    """A day is written as a date, or as a time at midnight."""
    shown = F.col("_shown")
    is_day = (shown == F.date_trunc("day", shown)) & F.col("_offset").isNull()
    return F.when(is_day, F.to_date(shown))


def _named() -> Column:
    """How many of the configured columns the file has: the others are NULL.

    Functions of elements are for files that lack some: Spark 4.2 makes a configuration of its own for each element that
    such a function is given, which took most of a wide file's judging.
    """
    lacks_some = F.array_join(csv_bronze.VALUES, "", NO_CELL).contains(NO_CELL)
    return F.when(lacks_some, F.size(F.array_compact(csv_bronze.VALUES))).otherwise(F.size(csv_bronze.VALUES))


def _qualities(said: Csv) -> Column:
    return F.col(csv_bronze.QUALITIES) if said.quality_beside else csv_roles.quality(said)


def _quality() -> Column:
    """The mark beside a value, NULL for a blank one."""
    text = F.get("_quality", F.col("position"))
    return F.when(text != "", text)


def as_received(said: Csv) -> Column:
    """A row as JSON: its cells, then its values."""
    columns = [*csv_roles.received_columns(said), csv_bronze.VALUES]
    return row_rules.to_json(F.struct(*columns))
