"""Interval arrays: parquet rows of a meter and a local day, with the day's values in a list.

The list's length and the day's true length give the length of an interval. parquet_file.py checks the files,
interval_arrays.py judges the lists.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from pipeline.formats import interval_arrays, interval_parquet_rows, parquet_file, row_rules
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.interval_arrays import Arrays
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
DAY = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?\z"


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
    """Bronze rows as readings, one for each list element (two if its position occurs twice), with reason or NULL."""
    text, meter = F.col("date"), F.col("ext_dev_ref")
    day = F.when(text.rlike(DAY) & ~text.startswith("0000"), F.substring(text, 1, 10).try_cast("date"))
    arrays = Arrays(
        minutes=MINUTES,
        meter=meter,
        said=text,
        rules=[Rule("METER_ID_MISSING", row_rules.is_blank(meter), F.lit("no ext_dev_ref"))],
        raw=row_rules.to_json(F.struct(*COLUMNS)),
        energy=lambda text, _: row_rules.energy(text),
        limit=lambda _: None,
    )
    return interval_arrays.judged(bronze.withColumns({"_day": day, "_list": F.col(LIST)}), feed, received, arrays)


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
