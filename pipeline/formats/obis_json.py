"""OBIS JSON: `{"data": [{"measurement", "timestamp", "tags": {"muid", "quality"}, "<OBIS hex>": number}, ...]}` in UTC.

A record is a row and holds a reading for each of its OBIS codes. Files of the plain grammar below, as all but odd
ones are, are let through without parsing them; the others are parsed in Python, for an exact verdict.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import reduce
from operator import add, and_
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import clock, quality
from pipeline.formats import json_document
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.json_document import BLANKS, COLON, VALUE, Pairs, kind, object_of
from pipeline.quality import Rule

if TYPE_CHECKING:
    from pipeline.config import Feed
    from pipeline.ingestion_log import Delivery

SCHEMA = "data array<map<string,string>>, _corrupt_record string"
TIMESTAMP = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.]0++)?)?Z\z"
# The codes that are accepted, in upper case -> direction.
DIRECTION_OF = {"0100011D00FF": "import", "0100021D00FF": "export"}
# What the third and the fourth number of a code say.
IMPORT, EXPORT = 1, 2
REGISTER, INTERVAL = 8, 29
OWN_KEYS = ("measurement", "timestamp", "tags")
TAGS = ("muid", "quality")

# The plain grammar: strict JSON of the one shape, without escapes and nested values.
_TAGS = object_of(rb'"(?:muid|quality)"' + COLON + VALUE)
_KEY = rb'"(?:measurement|timestamp|0100021[Dd]00[Ff]{2}|0100011[Dd]00[Ff]{2})"'
_RECORD = object_of(rb"(?:" + _KEY + COLON + VALUE + rb'|"tags"' + COLON + _TAGS + rb")")
# A record and what parts it from the next: a comma and an opening brace, or the array's end.
_PLAIN_RECORD = re.compile(_RECORD + BLANKS + rb"(?:,(?=" + BLANKS + rb"\{)|(?=\]))")
_BEFORE_RECORDS = re.compile(rb"\{" + BLANKS + rb'"data"' + COLON + rb"\[")
_AFTER_RECORDS = re.compile(BLANKS + rb"\]" + BLANKS + rb"\}")


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a format's
    """The delivery with its number of records, refused when it is not one whole OBIS document."""
    body = json_document.body_of(content)
    if refused := json_document.refused_at_first_sight(content, body, delivery):
        return refused
    records = _plain_records(body)
    return diagnose(content, delivery, feed) if records is None else replace(delivery, rows_read=records)


def _plain_records(body: bytes) -> int | None:
    """How many records a document of the plain grammar holds, None for any other.

    Each record is taken out with what parts it from the next: of a document that is plain from end to end nothing
    but the empty array is left. Three times faster than counting keys and braces, five times than parsing (measured).
    """
    before = _BEFORE_RECORDS.match(body)
    if before is None:
        return None
    rest, records = _PLAIN_RECORD.subn(b"", body[before.end() :])
    return records if _AFTER_RECORDS.fullmatch(rest) else None


def diagnose(content: bytes, delivery: Delivery, feed: Feed) -> Delivery:  # noqa: ARG001 - a format's
    """The exact verdict on a delivery, by parsing all of it; for those that are not plain or that Spark refused."""
    root = json_document.root_of(content, delivery)
    if not isinstance(root, Pairs):
        return root
    keys = [key for key, _ in root.pairs]
    if keys != ["data"]:
        return delivery.refused("WRONG_SHAPE", f"the document's keys are {json.dumps(keys)[:200]}, not one 'data'")
    ((_, data),) = root.pairs
    if not isinstance(data, list):
        return delivery.refused("WRONG_SHAPE", f"data is {kind(data)}, not an array")
    for number, record in enumerate(data, start=1):
        if objection := _objection_to_record(record):
            return delivery.refused("WRONG_SHAPE", f"record {number}: {objection}")
    return replace(delivery, rows_read=len(data))


def _objection_to_record(record: object) -> str | None:
    if not isinstance(record, Pairs):
        return f"{kind(record)} instead of an object"
    for key, value in record.pairs:
        objection = _objection_to_tags(value) if key == "tags" else None
        if key not in OWN_KEYS:
            objection = objection_to_code(key)
        if objection:
            return objection
    return None


def _objection_to_tags(tags: object) -> str | None:
    if not isinstance(tags, Pairs):
        return f"tags is {kind(tags)}, not an object"
    for key, value in tags.pairs:
        if key not in TAGS:
            return f"tags holds {key[:40]!r}, which is neither muid nor quality"
        if isinstance(value, (Pairs, list)):
            return f"{key} is {kind(value)}, not a text"
    return None


def objection_to_code(key: str) -> str | None:
    """What is wrong with a key as the OBIS code of an interval's energy; None where nothing is.

    >>> objection_to_code("0100010800FF")
    '0100010800FF is 1-0:1.8.0*255, a cumulative register, not energy of an interval'
    """
    if not re.fullmatch(r"[0-9A-Fa-f]{12}", key):
        return f"key {key[:40]!r} is not an OBIS code"
    if key.upper() in DIRECTION_OF:
        return None
    a, b, c, d, e, f = bytes.fromhex(key)
    named = f"{key} is {a}-{b}:{c}.{d}.{e}*{f}"
    if d == REGISTER:
        return f"{named}, a cumulative register, not energy of an interval"
    if d != INTERVAL:
        return f"{named}, which is not energy of an interval"
    if c not in {IMPORT, EXPORT}:
        return f"{named}, which is not active import or export"
    return f"{named}, which is neither 1-0:1.29.0*255 nor 1-0:2.29.0*255"


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """One row a file: `data`, an array of records as maps of texts, and `_corrupt_record`."""
    return json_document.read(spark, paths, SCHEMA)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """Records as text: from one row a file (`data`, `file_id`) to bronze's columns.

    A record with a key twice is kept as `raw` only: Spark's maps hold such keys, but what it does with them varies.
    """
    sound = contents.where(F.col("_corrupt_record").isNull())
    records = sound.select("file_id", F.posexplode("data").alias("position", "record"))
    # Functions with a lambda, and the parser of tags, cost more than all else: only unusual records pay for them.
    usual = records.withColumns({"usual": _holds_only_known_keys(), "texts": F.split(_of_record("tags"), '"')})
    plain = usual.withColumn("plain", _is_plain_tags())
    tags = F.when(~F.col("plain"), json_document.flat_object(_of_record("tags"), TAGS))
    twice = ~F.col("usual") & json_document.holds_a_key_twice(F.col("record"))
    twice |= F.col("tags").isNotNull() & json_document.holds_a_key_twice(F.col("tags"))
    known = plain.withColumn("tags", tags).withColumn("twice", twice)
    return known.select(
        *(_of_record(name).alias(name) for name in ("measurement", "timestamp")),
        *(_of_tags(name, at).alias(name) for name, at in zip(TAGS, (3, 7), strict=True)),
        F.when(~F.col("twice"), _obis()).alias("obis"),
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
        F.when(F.col("twice"), F.to_json("record")).alias("raw"),
    )


def _of_record(name: str) -> Column:
    return F.try_element_at("record", F.lit(name))


def _has(name: str) -> Column:
    return F.map_contains_key("record", name)


def _holds_only_known_keys() -> Column:
    """Whether a record has as many keys as there are different ones, codes in upper case: then none stands twice."""
    return F.size("record") == reduce(add, (_has(name).cast("int") for name in (*OWN_KEYS, *DIRECTION_OF)))


def _is_plain_tags() -> Column:
    """Whether tags are `{"muid": "…", "quality": "…"}` without escapes, seen from what stands around the quotes."""
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


def judged(bronze: DataFrame, feed: Feed) -> DataFrame:
    """Bronze rows as readings, one a record and OBIS code, each with the reason that refuses it or NULL.

    A record without a code is one row without consumption.
    """
    meter, label, code, text = (F.col(name) for name in ("muid", "timestamp", "_code", "_text"))
    # In steps, so that each value is computed once a record or once a code (see split_json).
    timed = bronze.withColumn("_start", _instant(label))
    coded = timed.select("*", F.posexplode_outer("obis").alias("_position", "_code", "_text"))
    parsed = coded.withColumn("_energy", quality.energy(text))
    start, energy = F.col("_start"), F.col("_energy")
    local_date = clock.local_date(start, feed.time_zone)
    rules = [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit("a key stands twice in the record")),
        Rule("METER_ID_MISSING", quality.is_blank(meter), F.lit("no muid")),
        Rule(
            "INTERVAL_START_INVALID",
            start.isNull() | clock.is_out_of_range(start, local_date.cast("timestamp")),
            F.concat(F.lit("no time, or not YYYY-MM-DDTHH:MM:SSZ: "), quality.shown(label)),
        ),
        Rule(
            "OFF_GRID",
            F.unix_timestamp(start) % (feed.minutes * 60) != 0,
            F.concat(quality.shown(label), F.lit(f" is not on the {feed.minutes} minute grid")),
        ),
        Rule(
            "CONSUMPTION_INVALID",
            code.isNotNull() & energy.isNull(),
            F.concat(code, F.lit(": "), quality.shown(text), F.lit(" is not a usable number")),
        ),
        Rule(
            "CONSUMPTION_NEGATIVE",
            code.isNotNull() & (energy < 0),
            F.concat(code, F.lit(": "), quality.shown(text), F.lit(" is negative")),
        ),
    ]
    tags = F.struct(*TAGS)
    received = F.to_json(F.struct("measurement", "timestamp", tags.alias("tags"), "obis"))
    return parsed.select(
        meter.alias("meter_id"),
        _direction(code).alias("direction"),
        start.alias("interval_start"),
        F.lit(feed.minutes).alias("interval_minutes"),
        local_date.alias("local_date"),
        energy.alias("consumption"),
        F.when(~quality.is_blank(F.col("quality")), F.col("quality")).alias("quality"),
        "file_id",
        "row_number",
        "batch_id",
        F.lit(False).alias("is_repeated"),  # noqa: FBT003 - UTC has no repeated time
        quality.first_broken(rules).alias("reason_code"),
        quality.first_reason(rules).alias("reason"),
        F.coalesce("raw", received).alias("raw"),
        F.coalesce("_position", F.lit(0)).alias("position"),
    )


def _instant(label: Column) -> Column:
    """The instant of a label that is exactly `YYYY-MM-DDTHH:MM[:SS[.0…]]Z`, else NULL."""
    to_the_second = F.substring(label, F.lit(1), F.least(F.length(label) - 1, F.lit(len("YYYY-MM-DDTHH:MM:SS"))))
    return F.when(label.rlike(TIMESTAMP), to_the_second.try_cast("timestamp"))


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
    identity_is_name=False,
    bronze_columns=_bronze_columns,
    inspect=inspect,
    contents=contents,
    rows=rows,
    judged=judged,
    several=True,
    carries_quality=True,
    diagnose=diagnose,
)
