"""A feed format for docs/adding-a-feed.md: `meter;start;kwh`, a decimal comma, UTC starts, one line a reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.formats import readings, row_rules
from pipeline.formats.feed_format import FeedFormat, objection_to_name
from pipeline.formats.row_rules import Rule
from pipeline.lake.stores import unchecked
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

HEADER = b"meter;start;kwh"


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:
    """Driver: the verdict on a file, from its bytes."""
    if not content.strip():
        return delivery.refused("EMPTY_FILE", "no content")
    if objection := objection_to_name(delivery.file_name, ".csv"):
        return delivery.refused("BAD_FILE_NAME", objection)
    if content.splitlines()[0] != HEADER:
        return delivery.refused("HEADER_MISSING", f"the first line is not {HEADER.decode()}")
    # Counted here from the bytes and by Spark from bronze: both must say the same.
    return replace(delivery, rows_read=sum(line != b"" for line in content.split(b"\n")[1:]))


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:
    """Spark: one row for each file, and the path by which its delivery is found."""
    files = spark.read.options(**unchecked(paths)).text(paths, wholetext=True)
    return files.withColumn("reported_path", F.col("_metadata.file_path"))


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """Lines as received, numbered as in the file; values stay text."""
    lines = contents.select("file_id", F.posexplode(F.split("value", "\r?\n")).alias("at", "line"))
    cells = F.split("line", ";")
    names = [F.get(cells, F.lit(n)).alias(name) for n, name in enumerate(("meter", "start", "kwh"))]
    number = (F.col("at") + 1).cast("bigint").alias("row_number")
    return lines.where("at > 0 AND line <> ''").select(*names, "file_id", number)


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Readings, each with the first rule it breaks or NULL."""
    parsed = bronze.withColumns(
        {"_start": F.col("start").try_cast("timestamp"), "_kwh": row_rules.energy(F.translate("kwh", ",", "."))}
    )
    start, kwh = F.col("_start"), F.col("_kwh")
    local_date = clock.local_date(start, feed.time_zone)
    rules = [
        Rule("METER_ID_MISSING", row_rules.is_blank(F.col("meter")), F.lit("no meter")),
        Rule(
            "INTERVAL_START_INVALID", start.isNull(), F.concat(F.lit("no such time: "), row_rules.shown(F.col("start")))
        ),
        readings.range_rule(start, local_date, row_rules.shown(F.col("start")), feed, received),
        readings.grid_rule(start, row_rules.shown(F.col("start")), feed),
        *readings.consumption_rules(kwh, F.concat(F.lit("kwh "), row_rules.shown(F.col("kwh"))), feed),
    ]
    columns = {
        "meter_id": F.col("meter"),
        "interval_start": start,
        "local_date": local_date,
        "consumption": kwh,
        "raw": F.concat_ws(";", "meter", "start", "kwh"),
    }
    return readings.as_readings(parsed, feed, columns | readings.judged_by(rules))


OWN = "meter STRING As received\nstart STRING UTC start, as received\nkwh STRING Energy, as received"
FORMAT = FeedFormat(".csv", False, lambda _: (OWN, ""), inspect, contents, rows, judged)  # noqa: FBT003 - its path is its identity
