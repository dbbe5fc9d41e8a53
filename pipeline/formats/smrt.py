"""SMRT flow files: HEADR, any number of CONSU, TRAIL. The envelope is checked as a whole, each CONSU row by its rules.

Spark reads only files with a sound envelope (smrt_envelope.py), in parallel, and splits the CONSU lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.formats import readings, row_rules, smrt_envelope, smrt_outline, smrt_rows, text_file
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.row_rules import Rule
from pipeline.formats.smrt_rows import FIELDS, NAMES
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

CONSU_LINE = r"\A" + ",".join([smrt_envelope.FIELD] * FIELDS) + r"\z"
IS_CONSU = r'\A[ \t]*+"?CONSU'


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """CONSU lines as text: from one row for each file (`value`, `file_id`) to bronze's columns."""
    lines = contents.select("file_id", F.posexplode(F.split("value", "\r?\n")).alias("position", "line"))
    consu = lines.where(F.col("line").rlike(IS_CONSU))
    whole = F.col("line").rlike(CONSU_LINE)
    # The first field is the record's type.
    parts = [F.regexp_extract("line", CONSU_LINE, 2 + n) for n in range(len(NAMES))]
    return consu.select(
        *(F.when(whole, _unquoted(part)).alias(name) for name, part in zip(NAMES, parts, strict=True)),
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
        F.when(~whole, F.col("line")).alias("raw"),
    )


def _unquoted(field: Column) -> Column:
    inner = F.substring(field, F.lit(2), F.length(field) - 2)
    return F.when(field.startswith('"'), F.replace(inner, F.lit('""'), F.lit('"'))).otherwise(
        F.rtrim(field, F.lit(" \t"))
    )


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, each with the reason for its refusal or NULL."""
    meter, day, time = F.col("meter_number"), F.col("measurement_date"), F.col("measurement_time")
    text = F.concat_ws(
        "",
        F.concat_ws("-", F.substring(day, 1, 4), F.substring(day, 5, 2), F.substring(day, 7, 2)),
        F.lit(" "),
        F.concat_ws(":", F.substring(time, 1, 2), F.substring(time, 3, 2), F.lit("00")),
    )
    shaped = day.rlike(r"\A[0-9]{8}\z") & time.rlike(r"\A[0-9]{4}\z") & ~day.startswith("0000")
    # In steps, so that each value is computed once for each row (see split_json).
    parsed = bronze.withColumns(
        {"_start": F.when(shaped, text.try_cast("timestamp")), "_energy": row_rules.energy(F.col("consumption"))}
    )
    start, energy = F.col("_start"), F.col("_energy")
    local_date = clock.local_date(start, feed.time_zone)
    rules = [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit(f"not {FIELDS} fields, or an open quote")),
        Rule("METER_ID_MISSING", meter == "", F.lit("no meter number")),
        Rule(
            "METER_ID_INVALID",
            ~meter.rlike(r"\A[0-9]+\z"),
            F.concat(F.lit("meter "), row_rules.shown(meter), F.lit(" is not digits")),
        ),
        Rule(
            "INTERVAL_START_INVALID",
            start.isNull(),
            F.concat(F.lit("no such date or time: "), row_rules.shown(F.concat_ws(" ", day, time))),
        ),
        readings.range_rule(start, local_date, row_rules.shown(F.concat_ws(" ", day, time)), feed, received),
        readings.grid_rule(start, F.concat(F.lit("time "), row_rules.shown(time)), feed),
        *readings.consumption_rules(
            energy, F.concat(F.lit("consumption "), row_rules.shown(F.col("consumption"))), feed
        ),
    ]
    received = F.concat_ws(
        ",", F.lit('"CONSU"'), *(F.concat(F.lit('"'), c, F.lit('"')) for c in (meter, day, time)), F.col("consumption")
    )
    columns = {
        "meter_id": meter,
        "interval_start": start,
        "local_date": local_date,
        "consumption": energy,
        "raw": F.coalesce("raw", received),
    }
    return readings.as_readings(parsed, feed, columns | readings.judged_by(rules))


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    meter_number STRING Second field of the CONSU line
    measurement_date STRING Third field, YYYYMMDD (UTC)
    measurement_time STRING Fourth field, HHMM (UTC), start of the hour
    consumption STRING Fifth field
    """
    return own, "raw STRING The whole line, where it does not have five fields"


FORMAT = FeedFormat(
    ending=smrt_envelope.ENDING,
    identity_is_name=True,
    rows_are_lines=True,
    bronze_columns=_bronze_columns,
    inspect=smrt_envelope.inspect,
    outline=smrt_outline.OUTLINE,
    contents=text_file.contents,
    rows=rows,
    judged=judged,
    row_judge=smrt_rows.ROW_JUDGE,
)
