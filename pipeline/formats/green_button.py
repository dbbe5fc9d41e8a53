"""Green Button: ESPI XML, an Atom feed of UsagePoint, MeterReading, ReadingType, IntervalBlock. A row is a reading.

The driver checks the document and resolves its links (green_button_document.py); Spark parses the readings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from pipeline.clock import columns as clock
from pipeline.formats import green_button_document, green_button_rows, readings, row_rules, text_file
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.green_button_document import DESCRIBED
from pipeline.formats.green_button_rows import (
    DAY,
    DIRECTION_OF,
    FIRST_SECOND,
    HOUR,
    LAST_SECOND,
    POWER_OF,
    REGISTERS,
    SAID,
    WATT_HOURS,
)
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

READING = """struct<
    timePeriod: struct<start: string, duration: string>, value: string, ReadingQuality: array<struct<quality: string>>,
    cost: string, tou: string, consumptionTier: string, cpp: string>"""
DOCUMENT = (
    f"entry array<struct<content: array<struct<IntervalBlock: array<struct<IntervalReading: array<{READING}>>>>>>>"
)
DESCRIPTION = "known_id bigint, known_entry int, " + ", ".join(f"{name} string" for name in DESCRIBED)
START, DURATION, MULTIPLIER = r"\A[+-]?[0-9]{1,12}\z", r"\A[0-9]{1,9}\z", r"\A[+-]?[0-9]{1,3}\z"


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """Readings as text: from one row for each file (`value`, `file_id`) to bronze's columns."""
    parsed = contents.select("file_id", F.from_xml("value", DOCUMENT, {"ignoreNamespace": "true"}).alias("feed"))
    each = parsed.select("file_id", F.posexplode(_readings(F.col("feed.entry"))).alias("position", "each"))
    said = each.select("file_id", "position", F.col("each.entry").alias("entry"), "each.reading.*")
    known = _descriptions(contents, deliveries)
    described = said.join(
        F.broadcast(known), (F.col("file_id") == F.col("known_id")) & (F.col("entry") == F.col("known_entry")), "left"
    )
    qualities = F.transform("ReadingQuality", lambda one: one["quality"])
    values = {
        "start": F.col("timePeriod.start"),
        "duration": F.col("timePeriod.duration"),
        "quality": F.when(F.size("ReadingQuality") > 0, F.array_join(qualities, " ")),
        "consumption_tier": F.col("consumptionTier"),
    }
    return described.select(
        *DESCRIBED,
        *(values.get(name, F.col(name)).alias(name) for name in SAID),
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
    )


def _readings(entries: Column) -> Column:
    """All readings of a document in their order, each with the place of its entry."""

    def of_entry(entry: Column, place: Column) -> Column:
        blocks = _flat(F.transform(entry["content"], lambda content: content["IntervalBlock"]))
        found = _flat(F.transform(blocks, lambda block: block["IntervalReading"]))
        return F.transform(found, lambda reading: F.struct(place.alias("entry"), reading.alias("reading")))

    return _flat(F.transform(entries, of_entry))


def _flat(arrays: Column) -> Column:
    """One array of several; those that are missing are passed over."""
    return F.flatten(F.filter(arrays, lambda each: each.isNotNull()))


def _descriptions(contents: DataFrame, deliveries: list[Delivery]) -> DataFrame:
    """What the driver found of each entry with readings: DESCRIPTION."""
    frames = [(each.file_id, cast("tuple[str, ...]", each.frame)) for each in deliveries]
    found = [[file_id, *json.loads(description)] for file_id, frame in frames for description in frame]
    if not found:
        return contents.sparkSession.createDataFrame([], DESCRIPTION)
    names = [column.split()[0] for column in DESCRIPTION.split(", ")]
    kinds = [pa.int64(), pa.int32(), *[pa.string()] * len(DESCRIBED)]
    columns = zip(names, zip(*found, strict=True), kinds, strict=True)
    # From Arrow it is a local relation; a Python list would start a Python worker.
    return contents.sparkSession.createDataFrame(pa.table({name: pa.array(each, kind) for name, each, kind in columns}))


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, each with the reason for its refusal or NULL.

    A row of another quantity than energy of an interval passes and has no reading.
    """
    meter, label, length = F.col("usage_point"), F.col("start"), F.col("duration")
    seconds = F.when(label.rlike(START), label).cast("bigint")
    parsed = bronze.withColumns(
        {
            "_seconds": F.when(length.rlike(DURATION), length).cast("int"),
            "_at": F.when(seconds.between(FIRST_SECOND, LAST_SECOND), seconds),
            "_energy": _energy(feed),
            "_direction": _direction(feed),
            "_other": _is_other(),
        }
    )
    timed = parsed.withColumn("_start", F.when(F.col("_seconds").isNotNull(), F.timestamp_seconds("_at")))
    placed = timed.withColumn("_day", clock.local_date(F.col("_start"), feed.time_zone))
    start, day, energy = F.col("_start"), F.col("_day"), F.col("_energy")
    multiplier = F.col("power_of_ten_multiplier")
    times = F.when(multiplier != "", F.concat(F.lit(" times ten to "), row_rules.shown(multiplier)))
    value = F.concat(F.lit("value "), row_rules.shown(F.col("value")), F.coalesce(times, F.lit("")))
    shown_direction = row_rules.shown(F.col("flow_direction"))
    rules = [
        Rule("METER_ID_MISSING", F.coalesce(meter, F.lit("")) == "", F.lit(green_button_rows.NO_METER)),
        Rule(
            "DIRECTION_UNKNOWN",
            F.col("_direction").isNull(),
            F.concat(F.lit("flowDirection "), shown_direction, F.lit(" is neither import (1) nor export (19)")),
        ),
        Rule(
            "INTERVAL_START_INVALID",
            start.isNull(),
            F.concat(
                F.lit("no start or duration in seconds: "), row_rules.shown(label), F.lit(", "), row_rules.shown(length)
            ),
        ),
        readings.range_rule(start, day, row_rules.shown(label), feed, received),
        Rule(
            "OFF_GRID",
            _is_off_grid(feed),
            F.concat(
                row_rules.shown(label),
                F.lit(" for "),
                row_rules.shown(length),
                F.lit(" seconds is no part of an hour or a day"),
            ),
        ),
        Rule("CONSUMPTION_INVALID", F.col("uom").isNull(), F.lit(green_button_rows.NO_TYPE)),
        *readings.consumption_rules(energy, value, feed),
    ]
    verdict = readings.judged_by(rules)
    columns = {
        "meter_id": meter,
        "direction": F.col("_direction"),
        "interval_start": start,
        "interval_minutes": (F.col("_seconds") / 60).cast("int"),
        "local_date": day,
        "consumption": F.when(~F.col("_other"), energy),
        "quality": F.when(F.col("quality") != "", F.col("quality")),
        "raw": row_rules.to_json(F.struct(*DESCRIBED, *SAID)),
        "position": F.lit(0),
        **{name: F.when(~F.col("_other"), column) for name, column in verdict.items()},
    }
    return readings.as_readings(placed, feed, columns)


def _is_other() -> Column:
    """Whether a row is of another quantity than energy of an interval."""
    register = F.coalesce(F.col("accumulation_behaviour").isin(*REGISTERS), F.lit(False))  # noqa: FBT003
    return F.col("uom").isNotNull() & ((F.col("uom") != WATT_HOURS) | register)


def _direction(feed: Feed) -> Column:
    """The direction of a row; the feed's where the reading type says none."""
    said = F.col("flow_direction")
    known = [F.when(said == code, direction) for code, direction in DIRECTION_OF.items()]
    return F.coalesce(F.when(F.coalesce(said, F.lit("")) == "", feed.direction), *known)


def _energy(feed: Feed) -> Column:
    """The value in the feed's unit, rounded half up once: the power of ten is written behind its digits."""
    given = F.col("power_of_ten_multiplier")
    multiplier = F.when(F.coalesce(given, F.lit("")) == "", F.lit("0")).otherwise(given)
    power = F.when(multiplier.rlike(MULTIPLIER), multiplier).cast("int") + POWER_OF[feed.unit]
    return row_rules.energy(F.when(F.col("uom").isNotNull(), F.concat("value", F.lit("e"), power)))


def _is_off_grid(feed: Feed) -> Column:
    """Whether an interval is neither a part of an hour, nor whole hours that divide a day, nor a whole local day."""
    start, day, seconds, zone = F.col("_start"), F.col("_day"), F.col("_seconds"), feed.time_zone
    length = F.when(seconds > 0, seconds)
    fits = (length % 60 == 0) & ((HOUR % length == 0) | ((length % HOUR == 0) & (DAY % length == 0)))
    local = clock.wall_clock(start, zone)
    is_part = F.coalesce(fits & (F.unix_timestamp(local) % F.least(length, F.lit(HOUR)) == 0), F.lit(False))  # noqa: FBT003
    is_day = (seconds == clock.day_minutes(day, zone) * 60) & (start == clock.day_start(day, zone))
    return ~is_part & ~is_day


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    usage_point STRING Meter: last segment of the UsagePoint's own link
    uom STRING Unit of the linked ReadingType; 72 is Wh
    power_of_ten_multiplier STRING Power of ten of its values
    flow_direction STRING 1 is import, 19 export
    accumulation_behaviour STRING Whether its values are of an interval or of a register
    commodity STRING What is measured, of the ReadingType
    kind STRING Kind of quantity, of the ReadingType
    start STRING Start of the reading, in seconds since 1970 (UTC)
    duration STRING Length of the reading in seconds
    value STRING Value, as received
    quality STRING Quality codes of the reading, a blank between several
    cost STRING Cost, as received
    tou STRING Time of use
    consumption_tier STRING Tier of consumption
    cpp STRING Critical peak
    """
    return own, ""


FORMAT = FeedFormat(
    ending=green_button_document.ENDING,
    identity_is_name=False,
    bronze_columns=_bronze_columns,
    inspect=green_button_document.inspect,
    contents=text_file.contents,
    rows=rows,
    judged=judged,
    # A row is one reading or none, and each says its length.
    many_readings_per_row=True,
    most_readings=1,
    carries_direction=True,
    carries_quality=True,
    row_judge=green_button_rows.ROW_JUDGE,
)
