"""Split JSON: `{"columns": [...], "data": [[...], ...]}` in local time.

Spark parses the rows with their exact digits; the driver checks the frame (split_document.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.formats import json_document, readings, row_rules, split_document, split_json_rows, split_outline
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.row_rules import Rule
from pipeline.spark import F, Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

SCHEMA = "columns array<string>, data array<array<string>>, _corrupt_record string"
LABEL = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\z"


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """One row for each file: `columns`, `data`, `_corrupt_record`."""
    return json_document.read(spark, paths, SCHEMA)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """Rows of data as text: from one row for each file (`columns`, `data`, `file_id`) to bronze's columns."""
    sound = contents.where(F.col("_corrupt_record").isNull())
    exploded = sound.select("file_id", "columns", F.posexplode("data").alias("position", "cells"))
    wanted = (feed.columns.interval_start, feed.columns.meter_id, feed.columns.consumption)
    cells = [F.get("cells", F.array_position("columns", name) - 1).alias(name) for name in wanted]
    whole = F.size("cells") == F.size("columns")
    return exploded.select(
        *cells,
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
        _extra(whole, wanted, deliveries).alias("extra"),
        F.when(F.coalesce(~whole, F.lit(True)), F.coalesce(row_rules.to_json("cells"), F.lit("null"))).alias("raw"),  # noqa: FBT003
    )


def _extra(whole: Column, wanted: tuple[str, ...], deliveries: list[Delivery]) -> Column:
    if all(len(delivery.columns) == len(wanted) for delivery in deliveries):
        return F.lit(None).cast("map<string,string>")  # a map for every row of every file costs seconds
    everything = F.map_from_arrays("columns", "cells")
    return F.when(whole, F.map_filter(everything, lambda name, _: ~name.isin(*wanted)))


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, each with the reason for its refusal or NULL; a repeated local time is the earlier one.

    `in_order` below assigns the later instants.
    """
    names = feed.columns
    meter, label, text = F.col("_meter"), F.col(names.interval_start), F.col(names.consumption)
    # In steps, so that each value is computed once for each row: an expression that repeats them becomes too large for
    # the JVM to compile, and is interpreted (measured: ten times slower).
    parsed = bronze.withColumns(
        {
            "_meter": row_rules.trimmed(F.col(names.meter_id)),
            "_local": _local(label),
            "_energy": row_rules.energy(text),
        }
    )
    placed = parsed.withColumn("_start", clock.instant(F.col("_local"), feed.time_zone))
    local, start, energy = F.col("_local"), F.col("_start"), F.col("_energy")
    rules = [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit("the row is shorter or longer than columns")),
        Rule("METER_ID_MISSING", meter == "", F.lit("no meter id")),
        Rule(
            "METER_ID_INVALID",
            row_rules.is_no_id(meter),
            F.concat(F.lit("meter "), row_rules.shown(meter), F.lit(" is a number that lost digits, or a flag: no id")),
        ),
        Rule(
            "INTERVAL_START_INVALID",
            local.isNull(),
            F.concat(F.lit("not YYYY-MM-DD HH:MM:SS: "), row_rules.shown(label)),
        ),
        Rule(
            "LOCAL_TIME_NONEXISTENT",
            clock.is_nonexistent(local, start, feed.time_zone),
            F.concat(row_rules.shown(label), F.lit(f" does not exist in {feed.time_zone}: the clocks went forward")),
        ),
        readings.range_rule(start, local, row_rules.shown(label), feed, received),
        readings.grid_rule(local, row_rules.shown(label), feed),
        *readings.consumption_rules(energy, F.concat(F.lit("consumption "), row_rules.shown(text)), feed),
    ]
    as_received = row_rules.to_json(F.array(label, F.col(names.meter_id), text))
    columns = {
        "meter_id": meter,
        "interval_start": start,
        "local_date": F.to_date(local),
        "consumption": energy,
        "is_repeated": clock.later_instant(local, start, feed.time_zone).isNotNull(),
        "raw": F.coalesce("raw", as_received),
        "local": local,
    }
    return readings.as_readings(placed, feed, columns | readings.judged_by(rules))


def _local(label: Column) -> Column:
    """The wall-clock time of a label that is exactly `YYYY-MM-DD HH:MM:SS`, else NULL.

    The cast accepts more than that (a sign, a zone, one digit instead of two). The pattern would be exact, but costs as
    much as everything else that a row needs. So it is skipped for labels of that length that are on a half hour, begin
    with a digit, and have the first dash and the blank in their places: of these the cast accepts only exact ones.
    """
    usual = (
        (F.octet_length(label) == len("YYYY-MM-DD HH:MM:SS"))
        & (F.instr(label, "-") == len("YYYY-"))
        & (F.instr(label, " ") == len("YYYY-MM-DD "))
        & (label.endswith(":00:00") | label.endswith(":30:00"))
    )
    begins_with_digit = (label >= "0") & (label < ":")
    exact = begins_with_digit & ~label.startswith("0000") & (usual | label.rlike(LABEL))
    return F.when(exact, label.try_cast("timestamp"))


def in_order(judged_rows: DataFrame, feed: Feed) -> DataFrame:
    """Judged rows of files with repeated local times: each occurrence gets its own instant (contract, section 2).

    Rows are in order of time in the file: the first occurrence of a meter's label is the earlier instant and every
    further one is the later instant. If the meter's last time in the file is before its first, it is the other way
    round. Rejected rows count as occurrences.
    """
    rows_of_meter = Window.partitionBy("file_id", "meter_id")
    of_label = Window.partitionBy("file_id", "meter_id", "local")
    readable = F.when(F.col("local").isNotNull(), F.col("row_number"))
    newest_first = F.max_by("local", readable).over(rows_of_meter) < F.min_by("local", readable).over(rows_of_meter)
    first = F.min("row_number").over(of_label) == F.col("row_number")
    is_repeated_label = F.count(F.lit(1)).over(of_label) > 1
    is_later = F.col("is_repeated") & is_repeated_label & F.when(newest_first, first).otherwise(~first)
    later = clock.later_instant(F.col("local"), F.col("interval_start"), feed.time_zone)
    return judged_rows.withColumn("interval_start", F.when(is_later, later).otherwise(F.col("interval_start")))


def _bronze_columns(feed: Feed) -> tuple[str, str]:
    own = f"""
    {feed.columns.interval_start} STRING Local wall clock, as received
    {feed.columns.meter_id} STRING Meterpoint, as received
    {feed.columns.consumption} STRING Energy of the interval, as received, all digits
    """
    more = """
    extra MAP<STRING,STRING> Further columns of the delivery, by name
    raw STRING The whole row, where its length differs from that of columns
    """
    return own, more


FORMAT = FeedFormat(
    ending=json_document.ENDING,
    identity_is_name=False,
    bronze_columns=_bronze_columns,
    inspect=split_document.inspect,
    outline=split_outline.OUTLINE,
    contents=contents,
    rows=rows,
    judged=judged,
    in_order=in_order,
    diagnose=split_document.diagnose,
    row_judge=split_json_rows.ROW_JUDGE,
)
