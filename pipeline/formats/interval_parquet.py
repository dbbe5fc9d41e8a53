"""Interval arrays: parquet rows of a meter and a local day, with the day's values in a list.

The list's length and the day's true length say how long an interval is. A list as long as the day has intervals
holds them in order; one as long as a normal day, on a day of another length, holds wall-clock positions.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import clock, quality
from pipeline.config import DAY_MINUTES
from pipeline.formats.feed_format import FeedFormat
from pipeline.quality import Rule

if TYPE_CHECKING:
    from pipeline.config import Feed
    from pipeline.ingestion_log import Delivery

ENDING = ".parquet"
COLUMNS = ("client_id", "date", "ext_dev_ref", "energy_consumption", "resolution")
LIST = "energy_consumption"
# Intervals of a day that a list may hold, in minutes; a list of one value holds the whole day.
MINUTES = (60, 30, 15)
SPARK_INTEGERS = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.uint8(): "SMALLINT",
    pa.uint16(): "INT",
    pa.uint32(): "BIGINT",
    pa.uint64(): "DECIMAL(20,0)",
}
# Spark reads no timestamp of nanoseconds, pandas' own, but as a number when it is told to (session.py).
NANOSECONDS_IN_A_DAY = 86_400_000_000_000
SPARK_DATES = {
    pa.date32(): "DATE",
    pa.date64(): "DATE",
    pa.timestamp("s"): "TIMESTAMP_NTZ",
    pa.timestamp("ms"): "TIMESTAMP_NTZ",
    pa.timestamp("us"): "TIMESTAMP_NTZ",
    pa.timestamp("ns"): "BIGINT",
}
CODECS = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW"}
DAY = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?\z"


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a return a reason
    """The delivery with its columns' types, refused when it is not a parquet file of this shape.

    All of it is read once: one page that cannot be would end Spark's job for every other delivery too.
    """
    if not content:
        return delivery.refused("EMPTY_FILE", "no content (0 bytes)")
    if not delivery.file_name.endswith(ENDING):
        return delivery.refused("BAD_FILE_NAME", f"the name does not end in {ENDING}")
    if delivery.file_name.startswith("_") or ":" in delivery.file_name:
        return delivery.refused("BAD_FILE_NAME", "Spark reads no name that begins with '_' or holds ':'; rename it")
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as problem:
        return delivery.refused("UNREADABLE", f"not a whole parquet file: {problem}")
    groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
    codecs = {group.column(n).compression for group in groups for n in range(group.num_columns)}
    if odd := sorted(codecs - CODECS):
        return delivery.refused("UNREADABLE", f"compressed with {odd[0]}, which Spark cannot read")
    return _with_types(table, delivery)


def _with_types(table: pa.Table, delivery: Delivery) -> Delivery:
    names = table.column_names
    if other := [name for name in names if name not in COLUMNS]:
        return delivery.refused("WRONG_SHAPE", f"a column {other[0]!r} beside {', '.join(COLUMNS)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return delivery.refused("WRONG_SHAPE", f"the column {twice[0]!r} stands twice")
    kinds = {field.name: _spark_type(field) for field in table.schema}
    for name, kind in kinds.items():
        if kind is None:
            what = "a list of integers" if name == LIST else "a date" if name == "date" else "text or an integer"
            return delivery.refused("WRONG_SHAPE", f"{name} is {table.schema.field(name).type}, not {what}")
    if missing := [name for name in COLUMNS if name not in names]:
        return delivery.refused("COLUMNS_MISSING", f"no column {', '.join(missing)}")
    return replace(delivery, columns=tuple(f"{name} {kinds[name]}" for name in COLUMNS), rows_read=table.num_rows)


def _spark_type(field: pa.Field) -> str | None:
    """The type to read a column with, None where it cannot be of this shape."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if field.name == LIST:
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        of = SPARK_INTEGERS.get(kind.value_type) if is_list else None
        return f"ARRAY<{of}>" if of else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "STRING"
    return (SPARK_DATES if field.name == "date" else SPARK_INTEGERS).get(kind)


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:
    """The rows, all values as text, with `row_number`; files of the same types are read together."""
    paths_of: dict[tuple[str, ...], list[str]] = {}
    for path, delivery in zip(paths, deliveries, strict=True):
        paths_of.setdefault(delivery.columns, []).append(path)
    parts = []
    for types, some in sorted(paths_of.items()):
        read = spark.read.schema(", ".join(types)).parquet(*some)
        date = F.date_from_unix_date(F.floor(F.col("date") / NANOSECONDS_IN_A_DAY).cast("int"))
        is_number = "date BIGINT" in types
        # A time of day is kept, as the reason why such a row is refused.
        rest = F.when(F.col("date") % NANOSECONDS_IN_A_DAY != 0, F.lit(" and a time of day")) if is_number else None
        parts.append(
            read.select(
                F.col("client_id").cast("string").alias("client_id"),
                (
                    F.concat_ws("", date.cast("string"), rest) if rest is not None else F.col("date").cast("string")
                ).alias("date"),
                F.col("ext_dev_ref").cast("string").alias("ext_dev_ref"),
                F.col(LIST).cast("array<string>").alias(LIST),
                F.col("resolution").cast("string").alias("resolution"),
                (F.col("_metadata.row_index") + 1).alias("row_number"),
                F.col("_metadata.file_path").alias("reported_path"),
            )
        )
    return reduce(DataFrame.unionByName, parts)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """Bronze's columns."""
    return contents.select(*COLUMNS, "file_id", "row_number")


def judged(bronze: DataFrame, feed: Feed) -> DataFrame:
    """Bronze rows as readings, one a list element (two where its position comes twice), each with what refuses it.

    Of elements without a value only the first stays, so that a row without any is still there to be counted.
    """
    text = F.col("date")
    days = bronze.withColumn("_day", F.when(text.rlike(DAY), F.substring(text, 1, 10).try_cast("date")))
    sized = days.withColumns(
        {"_length": clock.day_minutes(F.col("_day"), feed.time_zone), "_size": F.coalesce(F.size(LIST), F.lit(0))}
    )
    measured = sized.withColumns({"_true": _true_minutes(feed.time_zone), "_wall": _wall_minutes()})
    of_row = measured.withColumn("_minutes", F.coalesce("_true", "_wall"))
    coded = of_row.withColumns(
        {"_code": quality.first_broken(_row_rules(feed)), "_reason": quality.first_reason(_row_rules(feed))}
    )
    values = F.when(F.col("_code").isNull(), F.col(LIST))
    elements = coded.select("*", F.posexplode_outer(values).alias("_at", "_text")).withColumns(
        {"position": F.coalesce("_at", F.lit(0)), "_energy": quality.energy(F.col("_text"))}
    )
    kept = elements.where(F.col("_text").isNotNull() | (F.col("position") == 0))
    return _on_instants(_placed(kept, feed), feed)


def _true_minutes(zone: str) -> Column:
    """Minutes of an interval where the list holds every interval of the day, else NULL."""
    day, length, size = F.col("_day"), F.col("_length"), F.col("_size")
    whole_day = F.when((size == 1) & (length > 0), length)
    fits = [
        F.when((length % minutes == 0) & (size == clock.intervals_of_day(day, minutes, zone)) & (size > 0), minutes)
        for minutes in MINUTES
    ]
    return F.coalesce(whole_day, *fits)


def _wall_minutes() -> Column:
    """Minutes of an interval where a list of a normal day's length stands on a day of another length, else NULL."""
    length, size = F.col("_length"), F.col("_size")
    fits = [
        F.when((length > 0) & (length % minutes == 0) & (size == DAY_MINUTES // minutes), minutes)
        for minutes in MINUTES
    ]
    return F.coalesce(*fits)


def _row_rules(feed: Feed) -> list[Rule]:
    """What refuses a row as a whole."""
    meter, day = F.col("ext_dev_ref"), F.col("_day")
    return [
        Rule("METER_ID_MISSING", quality.is_blank(meter), F.lit("no ext_dev_ref")),
        Rule(
            "INTERVAL_START_INVALID",
            day.isNull() | clock.is_out_of_range(clock.day_start(day, feed.time_zone), day.cast("timestamp")),
            F.concat(F.lit("not a day: "), quality.shown(F.col("date"))),
        ),
        Rule(
            "LOCAL_TIME_NONEXISTENT",
            F.col("_length") == 0,
            F.concat(quality.shown(F.col("date")), F.lit(f" does not exist in {feed.time_zone}: the day was skipped")),
        ),
        Rule(
            "ARRAY_LENGTH_INVALID",
            F.col("_minutes").isNull(),
            F.concat(F.lit("a list of "), F.col("_size"), F.lit(" on a day of "), F.col("_length"), F.lit(" minutes")),
        ),
    ]


def _placed(elements: DataFrame, feed: Feed) -> DataFrame:
    """Elements with `_first`, the instant of their position, and where that comes twice `_second`."""
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


def _on_instants(placed: DataFrame, feed: Feed) -> DataFrame:
    """One row an instant: a position that comes twice carries the sum of both and is split evenly."""
    text, energy, twice = F.col("_text"), F.col("_energy"), F.col("_second").isNotNull()
    where = F.concat(F.lit("element "), F.col("position") + 1, F.lit(": "), quality.shown(text))
    rules = [
        Rule("CONSUMPTION_INVALID", energy.isNull(), F.concat(where, F.lit(" is not a usable number"))),
        Rule("CONSUMPTION_NEGATIVE", energy < 0, F.concat(where, F.lit(" is negative"))),
        Rule(
            "NONEXISTENT_POSITION",
            F.coalesce("_missing", F.lit(False)),  # noqa: FBT003
            F.concat(where, F.lit(" stands at a time that does not exist: the clocks went forward")),
        ),
    ]
    has_value = text.isNotNull()
    verdicts = placed.withColumns(
        {
            "_code": F.coalesce("_code", F.when(has_value, quality.first_broken(rules))),
            "_reason": F.coalesce("_reason", F.when(has_value, quality.first_reason(rules))),
        }
    )
    both = F.array("_first", "_second")
    instants = F.when(twice & F.col("_code").isNull(), both).otherwise(F.array("_first"))
    return verdicts.select("*", F.explode(instants).alias("_start")).select(
        F.col("ext_dev_ref").alias("meter_id"),
        F.lit(feed.direction).alias("direction"),
        F.col("_start").alias("interval_start"),
        F.col("_minutes").alias("interval_minutes"),
        F.col("_day").alias("local_date"),
        F.when(twice, energy / 2).otherwise(energy).cast("DECIMAL(18,6)").alias("consumption"),
        F.when(twice, F.lit("split")).alias("quality"),
        "file_id",
        "row_number",
        "batch_id",
        F.lit(False).alias("is_repeated"),  # noqa: FBT003 - positions, not labels, say which of the two is meant
        F.col("_code").alias("reason_code"),
        F.col("_reason").alias("reason"),
        F.to_json(F.struct(*COLUMNS)).alias("raw"),
        "position",
    )


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    client_id STRING Client, as received
    date STRING Local day, as received
    ext_dev_ref STRING Meter, as received
    energy_consumption ARRAY<STRING> Energy of the day's intervals, as received
    resolution STRING What the source says of the interval; its length is taken from the list
    """
    return own, ""


FORMAT = FeedFormat(
    identity_is_name=False,
    bronze_columns=_bronze_columns,
    inspect=inspect,
    contents=contents,
    rows=rows,
    judged=judged,
    several=True,
    carries_quality=True,
)
