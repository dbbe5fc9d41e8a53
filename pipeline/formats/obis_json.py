"""OBIS JSON: `{"data": [{"measurement", "timestamp", "tags": {"muid", "quality"}, "<OBIS hex>": number}, ...]}` in UTC.

A record is a row and holds a reading for each of its OBIS codes. obis_document.py checks the files.
"""

from __future__ import annotations

from functools import reduce
from operator import add, and_
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.formats import json_document, obis_document, obis_json_rows, obis_outline, readings, row_rules
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.obis_document import DIRECTION_OF, OWN_KEYS, TAGS
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

SCHEMA = "data array<map<string,string>>, _corrupt_record string"
TIMESTAMP = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.]0++)?)?Z\z"


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """One row for each file: `data`, an array of records as maps of texts, and `_corrupt_record`."""
    return json_document.read(spark, paths, SCHEMA)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """Records as text: from one row for each file (`data`, `file_id`) to bronze's columns.

    A record with a repeated key is kept as `raw` only: Spark's maps can hold such keys, but treat them inconsistently.
    """
    sound = contents.where(F.col("_corrupt_record").isNull())
    records = sound.select("file_id", F.posexplode("data").alias("position", "record"))
    # Functions with a lambda and the parser of tags are the most expensive: only unusual records pay for them.
    usual = records.withColumns({"usual": _holds_only_known_keys(), "texts": F.split(_of_record("tags"), '"')})
    plain = usual.withColumn("plain", _is_plain_tags())
    tags = F.when(~F.col("plain"), json_document.flat_object(_of_record("tags")))
    twice = ~F.col("usual") & json_document.holds_a_key_twice(F.col("record"))
    twice |= F.col("tags").isNotNull() & json_document.holds_a_key_twice(F.col("tags"))
    known = plain.withColumn("tags", tags).withColumn("twice", twice)
    return known.select(
        *(_of_record(name).alias(name) for name in ("measurement", "timestamp")),
        *(_of_tags(name, at).alias(name) for name, at in zip(TAGS, (3, 7), strict=True)),
        F.when(~F.col("twice"), _obis()).alias("obis"),
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
        F.when(F.col("twice"), row_rules.to_json("record")).alias("raw"),
    )


def _of_record(name: str) -> Column:
    return F.try_element_at("record", F.lit(name))


def _has(name: str) -> Column:
    return F.map_contains_key("record", name)


def _holds_only_known_keys() -> Column:
    """Whether the number of known keys in a record, codes in upper case, is its size: then no key is repeated."""
    return F.size("record") == reduce(add, (_has(name).cast("int") for name in (*OWN_KEYS, *DIRECTION_OF)))


def _is_plain_tags() -> Column:
    """Whether tags are `{"muid": "…", "quality": "…"}` without escapes, judged by the text around the quotes."""
    texts = F.col("texts")
    wanted = ((1, ["muid"]), (2, [":", ": "]), (5, ["quality"]), (6, [":", ": "]))
    plain = reduce(and_, (F.get(texts, at).isin(values) for at, values in wanted), F.size(texts) == 9)  # noqa: PLR2004
    return F.coalesce(plain & ~_of_record("tags").contains("\\"), F.lit(False))  # noqa: FBT003 - no tags


def _of_tags(name: str, at: int) -> Column:
    return F.when(F.col("plain"), F.get("texts", F.lit(at))).otherwise(F.try_element_at("tags", F.lit(name)))


def _obis() -> Column:
    """The codes of a record with their values."""
    found = []
    for codes in (tuple(DIRECTION_OF), *((code,) for code in DIRECTION_OF)):
        pairs = [part for code in codes for part in (F.lit(code), _of_record(code))]
        found.append(F.when(F.col("usual") & reduce(and_, map(_has, codes)), F.create_map(*pairs)))
    return F.coalesce(*found, F.map_filter("record", lambda key, _: ~key.isin(*OWN_KEYS)))


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, one for each record and OBIS code, with the reason for its refusal or NULL.

    A record without a code is one row without consumption.
    """
    meter, label, code, text = (F.col(name) for name in ("muid", "timestamp", "_code", "_text"))
    # In steps, so that each value is computed once for each record or code (see split_json).
    timed = bronze.withColumn("_start", _instant(label))
    coded = timed.select("*", F.posexplode_outer("obis").alias("_position", "_code", "_text"))
    parsed = coded.withColumn("_energy", row_rules.energy(text))
    start, energy = F.col("_start"), F.col("_energy")
    local_date = clock.local_date(start, feed.time_zone)
    rules = [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit("a key stands twice in the record")),
        Rule("METER_ID_MISSING", row_rules.is_blank(meter), F.lit("no muid")),
        Rule(
            "INTERVAL_START_INVALID",
            start.isNull(),
            F.concat(F.lit("no time, or not YYYY-MM-DDTHH:MM:SSZ: "), row_rules.shown(label)),
        ),
        readings.range_rule(start, local_date, row_rules.shown(label), feed, received),
        readings.grid_rule(start, row_rules.shown(label), feed),
        *readings.consumption_rules(energy, F.concat(code, F.lit(": "), row_rules.shown(text)), feed, code.isNotNull()),
    ]
    tags = F.struct(*TAGS)
    received = row_rules.to_json(F.struct("measurement", "timestamp", tags.alias("tags"), "obis"))
    columns = {
        "meter_id": meter,
        "direction": _direction(code),
        "interval_start": start,
        "local_date": local_date,
        "consumption": energy,
        "quality": F.when(~row_rules.is_blank(F.col("quality")), F.col("quality")),
        "raw": F.coalesce("raw", received),
        "position": F.coalesce("_position", F.lit(0)),
    }
    return readings.as_readings(parsed, feed, columns | readings.judged_by(rules))


def _instant(label: Column) -> Column:
    """The instant of a label that is exactly `YYYY-MM-DDTHH:MM[:SS[.0…]]Z`, else NULL."""
    to_the_second = F.substring(label, F.lit(1), F.least(F.length(label) - 1, F.lit(len("YYYY-MM-DDTHH:MM:SS"))))
    return F.when(label.rlike(TIMESTAMP) & ~label.startswith("0000"), to_the_second.try_cast("timestamp"))


def _direction(code: Column) -> Column:
    whens = [F.when(F.upper(code) == accepted, direction) for accepted, direction in DIRECTION_OF.items()]
    return F.coalesce(*whens)


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    measurement STRING What is measured, as received
    timestamp STRING Start of the interval (UTC), as received
    muid STRING Meter, as received
    quality STRING Quality mark, as received
    obis MAP<STRING,STRING> Energy of the interval by OBIS code, both as received, all digits
    """
    return own, "raw STRING The whole record, where a key stands twice in it"


FORMAT = FeedFormat(
    ending=json_document.ENDING,
    identity_is_name=False,
    bronze_columns=_bronze_columns,
    inspect=obis_document.inspect,
    outline=obis_outline.OUTLINE,
    contents=contents,
    rows=rows,
    judged=judged,
    many_readings_per_row=True,
    most_readings=len(DIRECTION_OF),
    carries_direction=True,
    carries_quality=True,
    diagnose=obis_document.diagnose,
    row_judge=obis_json_rows.ROW_JUDGE,
)
