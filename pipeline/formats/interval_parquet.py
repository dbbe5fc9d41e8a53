"""Interval arrays: parquet rows of a meter and a local day, with the day's values in a list.

The list's length and the day's true length give the length of an interval. A list with as many values as the day has
intervals holds them in order; a list for a normal day, on a day of another length, holds wall-clock positions.
parquet_file.py checks the files.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.config.values import DAY_MINUTES
from pipeline.formats import interval_parquet_rows, parquet_file, readings, row_rules
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.interval_parquet_rows import MINUTES
from pipeline.formats.parquet_file import COLUMNS, LIST
from pipeline.formats.row_rules import Rule
from pipeline.lake.stores import unchecked
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# Quarter hours of the longest day.
MOST_READINGS = 25 * 4
NO_ROWS = (
    "client_id string, date string, ext_dev_ref string, energy_consumption array<string>, resolution string, "
    "extra map<string,string>, row_number bigint, reported_path string"
)
DAY = r"\A(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?\z"


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:
    """The rows, all values as text, with `row_number`; files of the same types are read together."""
    paths_of: dict[tuple[str, ...], list[str]] = {}
    for path, delivery in zip(paths, deliveries, strict=True):
        if delivery.columns:  # otherwise it has no rows
            paths_of.setdefault(delivery.columns, []).append(path)
    parts = [
        spark.read.options(**unchecked(some))
        .schema(", ".join(types))
        .parquet(*some)
        .select(
            *(_text_of(column).alias(name) for name, column in zip(COLUMNS, types, strict=False)),
            _extra(types[len(COLUMNS) :]).alias("extra"),
            (F.col("_metadata.row_index") + 1).alias("row_number"),
            F.col("_metadata.file_path").alias("reported_path"),
        )
        for types, some in sorted(paths_of.items())
    ]
    return reduce(lambda one, other: one.unionByName(other), parts) if parts else spark.createDataFrame([], NO_ROWS)


def _text_of(column: str) -> Column:
    """One of COLUMNS as text; the argument is its `name TYPE`."""
    name, kind = column.split(" ", 1)
    if name == LIST:
        return F.col(name).cast("array<string>")
    if name != "date" or kind in {"STRING", "DATE", "TIMESTAMP_NTZ"}:
        return F.col(name).cast("string")
    at, rest = F.col(name), F.lit("")
    if kind.startswith("BIGINT"):
        at = F.timestamp_micros(F.expr(f"({name} - pmod({name}, 1000)) DIV 1000"))
        rest = F.when(F.expr(f"pmod({name}, 1000) <> 0"), " and nanoseconds").otherwise("")
    local = F.from_utc_timestamp(at, kind.split("'")[1]) if "COMMENT" in kind else at
    # A time of day is kept: it is the reason why such a row is refused.
    return F.concat(F.regexp_replace(local.cast("string"), r" 00:00:00\z", ""), rest)


def _extra(columns: tuple[str, ...]) -> Column:
    """Further columns by name, NULL if there are none."""
    if not columns:
        return F.lit(None).cast("map<string,string>")
    names = [re.sub(r"` \S+\Z", "`", column) for column in columns]
    pairs = [each for name in names for each in (F.lit(name[1:-1].replace("``", "`")), F.col(name).cast("string"))]
    return F.create_map(*pairs)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """Bronze's columns."""
    return contents.select(*COLUMNS, "file_id", "row_number", "extra")


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, one for each list element (two if its position occurs twice), with reason or NULL.

    Of the elements without a value only the first is kept, so that a row without any value is still counted.
    """
    text = F.col("date")
    days = bronze.withColumn("_day", F.when(text.rlike(DAY), F.substring(text, 1, 10).try_cast("date")))
    sized = days.withColumns(
        {"_length": clock.day_minutes(F.col("_day"), feed.time_zone), "_size": F.coalesce(F.size(LIST), F.lit(0))}
    )
    measured = sized.withColumns({"_true": _true_minutes(feed.time_zone), "_wall": _wall_minutes()})
    of_row = measured.withColumn("_minutes", F.coalesce("_true", "_wall"))
    of_days = _rules_of_days(feed, received)
    coded = of_row.withColumns({"_code": row_rules.first_broken(of_days), "_reason": row_rules.first_reason(of_days)})
    values = F.when(F.col("_code").isNull(), F.col(LIST))
    elements = coded.select("*", F.posexplode_outer(values).alias("_at", "_text")).withColumns(
        {"position": F.coalesce("_at", F.lit(0)), "_energy": row_rules.energy(F.col("_text"))}
    )
    kept = elements.where(F.col("_text").isNotNull() | (F.col("position") == 0))
    return _on_instants(_placed(kept, feed), feed, received)


def _true_minutes(zone: str) -> Column:
    """Minutes of an interval if the list holds every interval of the day, else NULL."""
    day, length, size = F.col("_day"), F.col("_length"), F.col("_size")
    whole_day = F.when((size == 1) & (length > 0), length)
    fits = [
        F.when((length % minutes == 0) & (size == clock.intervals_of_day(day, minutes, zone)) & (size > 0), minutes)
        for minutes in MINUTES
    ]
    return F.coalesce(whole_day, *fits)


def _wall_minutes() -> Column:
    """Minutes of an interval if the list has a normal day's length on a day of another length, else NULL."""
    length, size = F.col("_length"), F.col("_size")
    fits = [
        F.when((length > 0) & (length % minutes == 0) & (size == DAY_MINUTES // minutes), minutes)
        for minutes in MINUTES
    ]
    return F.coalesce(*fits)


def _rules_of_days(feed: Feed, received: Column) -> list[Rule]:
    """Rules for the row as a whole."""
    meter, day = F.col("ext_dev_ref"), F.col("_day")
    return [
        Rule("METER_ID_MISSING", row_rules.is_blank(meter), F.lit("no ext_dev_ref")),
        Rule(
            "INTERVAL_START_INVALID",
            day.isNull(),
            F.concat(F.lit("not a day: "), row_rules.shown(F.col("date"))),
        ),
        readings.range_rule(clock.day_start(day, feed.time_zone), day, row_rules.shown(F.col("date")), feed, received),
        Rule(
            "LOCAL_TIME_NONEXISTENT",
            F.col("_length") == 0,
            F.concat(
                row_rules.shown(F.col("date")), F.lit(f" does not exist in {feed.time_zone}: the day was skipped")
            ),
        ),
        Rule(
            "ARRAY_LENGTH_INVALID",
            F.col("_minutes").isNull(),
            F.concat(F.lit("a list of "), F.col("_size"), F.lit(" on a day of "), F.col("_length"), F.lit(" minutes")),
        ),
    ]


def _placed(elements: DataFrame, feed: Feed) -> DataFrame:
    """Elements with `_first`, the instant of their position, and `_second` if the position occurs twice."""
    zone, day, position, minutes = feed.time_zone, F.col("_day"), F.col("position"), F.col("_minutes")
    offset = F.make_dt_interval(mins=position * minutes)
    in_order = clock.instant_in_day(day, position, minutes, zone)
    labelled = elements.withColumn("_label", F.when(F.col("_true").isNull(), day.cast("timestamp") + offset))
    at = F.when(F.col("_label").isNull(), in_order).otherwise(clock.instant(F.col("_label"), zone))
    placed = labelled.withColumn("_first", at)
    return placed.withColumns(
        {
            "_second": clock.later_instant(F.col("_label"), F.col("_first"), zone),
            "_missing": clock.is_nonexistent(F.col("_label"), F.col("_first"), zone),
        }
    )


def _on_instants(placed: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """One row for each instant: a position that occurs twice holds the sum of both, which is split evenly."""
    text, energy, twice = F.col("_text"), F.col("_energy"), F.col("_second").isNotNull()
    where = F.concat(F.lit("element "), F.col("position") + 1, F.lit(": "), row_rules.shown(text))
    of_interval = F.when(twice, energy / 2).otherwise(energy)
    rules = [
        readings.range_rule(F.coalesce("_second", "_first"), F.col("_day"), where, feed, received),
        *readings.consumption_rules(of_interval, where, feed),
        Rule(
            "NONEXISTENT_POSITION",
            F.coalesce("_missing", F.lit(False)),  # noqa: FBT003
            F.concat(where, F.lit(" stands at a time that does not exist: the clocks went forward")),
        ),
    ]
    has_value = text.isNotNull()
    verdicts = placed.withColumns(
        {
            "_code": F.coalesce("_code", F.when(has_value, row_rules.first_broken(rules))),
            "_reason": F.coalesce("_reason", F.when(has_value, row_rules.first_reason(rules))),
        }
    )
    both = F.array("_first", "_second")
    instants = F.when(twice & F.col("_code").isNull(), both).otherwise(F.array("_first"))
    columns = {
        "meter_id": F.col("ext_dev_ref"),
        "interval_start": F.col("_start"),
        "interval_minutes": F.col("_minutes"),
        "local_date": F.col("_day"),
        "consumption": of_interval.cast("DECIMAL(18,6)"),
        "quality": F.when(twice, F.lit("split")),
        "reason_code": F.col("_code"),
        "reason": F.col("_reason"),
        "raw": F.to_json(F.struct(*COLUMNS)),
        # NULL at the second instant: the row is counted once.
        "position": F.when(~F.coalesce(F.col("_start") == F.col("_second"), F.lit(False)), F.col("position")),  # noqa: FBT003
    }
    return readings.as_readings(verdicts.select("*", F.explode(instants).alias("_start")), feed, columns)


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    client_id STRING Client, as received
    date STRING Local day, as received
    ext_dev_ref STRING Meter, as received
    energy_consumption ARRAY<STRING> Energy of the day's intervals, as received
    resolution STRING What the source says of the interval; its length is taken from the list
    """
    return own, "extra MAP<STRING,STRING> Further columns of the delivery, by name"


FORMAT = FeedFormat(
    ending=parquet_file.ENDING,
    identity_is_name=False,
    # Lists in zstd: 28 MB held 19 million readings, 1.5 bytes each; a row of split JSON takes about fifty.
    weight=30,
    bronze_columns=_bronze_columns,
    inspect=parquet_file.inspect,
    contents=contents,
    rows=rows,
    judged=judged,
    many_readings_per_row=True,
    most_readings=MOST_READINGS,
    carries_quality=True,
    row_judge=interval_parquet_rows.ROW_JUDGE,
)
