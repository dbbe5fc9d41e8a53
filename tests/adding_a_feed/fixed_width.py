"""A feed format for docs/adding-a-feed.md: lines of 32 characters, no delimiter, as old head-end systems write them.

A meter (12, filled up with blanks), the start in UTC (`YYYYMMDDHHMM`), and the energy (8 digits) in the feed's unit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.formats import readings, row_rules, text_file
from pipeline.formats.feed_format import FeedFormat, objection_to_name
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

BLANKS = " \t\r"
FIELDS = {"meter": (1, 12), "start": (13, 12), "energy": (25, 8)}
LENGTH = 32


def inspect(content: bytes, delivery: Delivery, feed: Feed, _environment: str) -> Delivery:
    """The driver's verdict on a file, from its bytes, with the number of its rows; codes in the contract's order."""
    if not content.strip():
        return delivery.refused("EMPTY_FILE", "no content")
    if objection := objection_to_name(delivery.file_name, feed.ending or FORMAT.ending):
        return delivery.refused("BAD_FILE_NAME", objection)
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        return delivery.refused("NOT_UTF8", f"byte {problem.start + 1} is not UTF-8")
    # Spark counts the rows again, from bronze: both must find the same ones.
    return replace(delivery, rows_read=sum(line.strip(BLANKS) != "" for line in text.split("\n")))


def rows(contents: DataFrame, _feed: Feed, _deliveries: list[Delivery]) -> DataFrame:
    """Lines as received, numbered as in the file; values stay text. From one row for each file (`value`, `file_id`)."""
    numbered = contents.select("file_id", F.posexplode(F.split("value", "\n")).alias("at", "ended"))
    lines = numbered.withColumn("line", F.rtrim("ended", F.lit(BLANKS))).where("line <> ''")
    whole = F.length("line") == LENGTH
    fields = [F.when(whole, F.substring("line", *place)).alias(name) for name, place in FIELDS.items()]
    number = (F.col("at") + 1).cast("bigint").alias("row_number")
    return lines.select(*fields, "file_id", number, F.when(~whole, F.col("line")).alias("raw"))


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Readings, each with the first rule it breaks or NULL; UTC starts, so the feed's zone only names the local day."""
    # In steps: each value is computed once for each row, and the rules read these columns.
    read = {
        "_meter": F.trim("meter"),
        "_start": F.when(F.col("start").rlike(r"\A[0-9]{12}\z"), F.try_to_timestamp("start", F.lit("yyyyMMddHHmm"))),
        "_energy": F.when(F.col("energy").rlike(r"\A[0-9]{8}\z"), row_rules.energy(F.col("energy"))),
    }
    parsed = bronze.withColumns(read).withColumn("_day", clock.local_date(F.col("_start"), feed.time_zone))
    start, said = F.col("_start"), row_rules.shown(F.col("start"))
    rules = [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit(f"not {LENGTH} characters")),
        Rule("METER_ID_MISSING", F.col("_meter") == "", F.lit("no meter")),
        Rule("INTERVAL_START_INVALID", start.isNull(), F.concat(F.lit("no such time: "), said)),
        readings.range_rule(start, F.col("_day"), said, feed, received),
        readings.grid_rule(start, said, feed),
        *readings.consumption_rules(F.col("_energy"), row_rules.shown(F.col("energy")), feed),
    ]
    columns = {"meter_id": "_meter", "interval_start": "_start", "local_date": "_day", "consumption": "_energy"}
    given = {name: F.col(column) for name, column in columns.items()}
    raw = F.coalesce("raw", F.concat("meter", "start", "energy"))
    return readings.as_readings(parsed, feed, given | {"raw": raw} | readings.judged_by(rules))


OWN = "meter STRING Characters 1 to 12\nstart STRING 13 to 24, UTC\nenergy STRING 25 to 32"
FORMAT = FeedFormat(
    ending=".dat",
    identity_is_name=False,
    rows_are_lines=True,
    bronze_columns=lambda _: (OWN, "raw STRING The whole line, where it has another length"),
    inspect=inspect,
    contents=text_file.contents,
    rows=rows,
    judged=judged,
)
