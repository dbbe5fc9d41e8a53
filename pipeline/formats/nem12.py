"""NEM12: interval data of Australian meters. A row is a 300 record: a day of values, described by the 200 before it.

Spark reads only files with a sound frame (nem12_frame.py), in parallel, and takes them apart (nem12_lines.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.config.values import DAY_MINUTES
from pipeline.formats import nem12_frame, nem12_lines, nem12_outline, nem12_rows, readings, row_rules, text_file
from pipeline.formats.feed_format import FeedFormat
from pipeline.formats.nem12_rows import DIRECTION_OF, LENGTHS, POWER_OF
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed

POSITION = r"\A[0-9]{1,4}\z"
LENGTH = rf"\A0*({'|'.join(map(str, LENGTHS))})\z"
DAY = r"\A[0-9]{8}\z"


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, one for each interval, with the reason for its refusal or NULL.

    Of the intervals without a value only the first is kept, so that a row without any value is still counted. A row
    of another quantity than energy passes and has no reading.
    """
    text, day = F.col("interval_date"), F.col("_day")
    dashed = F.concat_ws("-", F.substring(text, 1, 4), F.substring(text, 5, 2), F.substring(text, 7, 2))
    minutes = F.regexp_extract("interval_length", LENGTH, 1).try_cast("int")
    parsed = bronze.withColumns(
        {
            "_day": F.when(text.rlike(DAY) & ~text.startswith("0000"), dashed.try_cast("date")),
            "_minutes": minutes,
            "_unit": F.upper("uom"),
            "_size": F.coalesce(F.size("interval_values"), F.lit(0)),
            "_direction": _direction(F.upper(F.substring("nmi_suffix", 1, 1))),
            "_ranges": _ranges(),
        }
    )
    dated = parsed.withColumn("_midnight", clock.day_start(day, feed.time_zone))
    of_row, is_other = _rules_of_days(feed, received), ~F.col("_unit").isin("", *POWER_OF)
    verdicts = dated.withColumns(
        {"_other": F.coalesce(is_other, F.lit(False)), "_code": row_rules.first_broken(of_row)}  # noqa: FBT003
    )
    coded = verdicts.withColumns(
        {
            "_code": F.when(~F.col("_other"), F.col("_code")),
            "_reason": F.when(~F.col("_other"), row_rules.first_reason(of_row)),
        }
    )
    values = F.when(F.col("_code").isNull() & ~F.col("_other"), F.col("interval_values"))
    elements = coded.select("*", F.posexplode_outer(values).alias("_at", "_text"))
    kept = elements.withColumn("_text", F.when(~row_rules.is_blank(F.col("_text")), F.col("_text"))).where(
        F.col("_text").isNotNull() | (F.coalesce("_at", F.lit(0)) == 0)
    )
    return _on_instants(kept, feed, received)


def _direction(letter: Column) -> Column:
    return F.coalesce(*(F.when(letter == known, direction) for known, direction in DIRECTION_OF.items()))


def _ranges() -> Column:
    """The 400 records of a row: from the first to the last interval, counted from 1, and their quality."""

    def of(line: Column) -> Column:
        fields = nem12_lines.fields_of(line)
        first, last = (F.when(F.get(fields, n).rlike(POSITION), F.get(fields, n)).cast("int") for n in (1, 2))
        quality = F.when(F.get(fields, 0) == "400", F.get(fields, 3))
        return F.struct(first.alias("first"), last.alias("last"), quality.alias("quality"))

    return F.when(F.size("records") > 0, F.filter(F.transform("records", of), lambda each: each["quality"] != ""))


def _rules_of_days(feed: Feed, received: Column) -> list[Rule]:
    """Rules for the row as a whole."""
    meter, text, day = F.col("meter"), F.col("interval_date"), F.col("_day")
    minutes, size = F.col("_minutes"), F.col("_size")
    wanted = F.lit(DAY_MINUTES) / minutes
    length = F.concat(F.lit("interval length "), row_rules.shown(F.col("interval_length")), F.lit(" is none of NEM12"))
    wrong = F.concat(size, F.lit(" values of "), minutes, F.lit(" minutes, not "), wanted.cast("int"))
    return [
        Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit(nem12_rows.OPEN_QUOTE)),
        Rule(
            "FIELD_COUNT",
            meter.isNotNull() & (F.coalesce("uom", F.lit("")) == ""),
            F.lit(nem12_rows.NO_UNIT),
        ),
        Rule("METER_ID_MISSING", meter.isNull(), F.lit(nem12_rows.NO_METER)),
        Rule(
            "DIRECTION_UNKNOWN",
            F.col("_direction").isNull(),
            F.concat(
                F.lit("suffix "), row_rules.shown(F.col("nmi_suffix")), F.lit(" is neither import (E) nor export (B)")
            ),
        ),
        Rule("INTERVAL_START_INVALID", day.isNull(), F.concat(F.lit("not YYYYMMDD: "), row_rules.shown(text))),
        readings.range_rule(F.col("_midnight"), day, row_rules.shown(text), feed, received),
        Rule("ARRAY_LENGTH_INVALID", minutes.isNull() | (size != wanted), F.coalesce(wrong, length)),
    ]


def _on_instants(elements: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """One row for each interval, judged."""
    text, position = F.col("_text"), F.coalesce("_at", F.lit(0))
    placed = elements.withColumns(
        {
            "_start": F.col("_midnight") + F.make_dt_interval(mins=position * F.col("_minutes")),
            "_energy": _energy(text, F.col("_unit"), feed),
            "_quality": _quality(position + 1),
        }
    )
    where = F.concat(F.lit("interval "), position + 1, F.lit(": "), row_rules.shown(text))
    energy = F.col("_energy")
    rules = [
        readings.range_rule(F.col("_start"), F.col("_day"), where, feed, received),
        *readings.consumption_rules(energy, where, feed),
    ]
    columns = {
        "meter_id": F.col("meter"),
        "direction": F.col("_direction"),
        "interval_start": F.col("_start"),
        "interval_minutes": F.col("_minutes"),
        "local_date": F.col("_day"),
        "consumption": energy,
        "quality": F.col("_quality"),
        "reason_code": F.coalesce("_code", F.when(text.isNotNull(), row_rules.first_broken(rules))),
        "reason": F.coalesce("_reason", F.when(text.isNotNull(), row_rules.first_reason(rules))),
        "raw": F.coalesce("raw", _as_received()),
        "position": position,
    }
    return readings.as_readings(placed, feed, columns)


def _energy(text: Column, unit: Column, feed: Feed) -> Column:
    """A value in the feed's unit, rounded half up once."""
    in_unit = (
        F.when(unit == name, row_rules.energy_shifted(text, nem12_rows.power_of(name, feed))) for name in POWER_OF
    )
    return F.coalesce(*in_unit)


def _quality(number: Column) -> Column:
    """The quality of an interval, counted from 1: of the last 400 record that covers it, else of the row."""
    covering = F.filter("_ranges", lambda each: (each["first"] <= number) & (each["last"] >= number))
    of_range = F.when(F.size("_ranges") > 0, F.try_element_at(covering, F.lit(-1))["quality"])
    return F.coalesce(of_range, F.when(F.col("quality_method") != "", F.col("quality_method")))


def _as_received() -> Column:
    return F.concat_ws(",", F.lit("300"), "interval_date", "interval_values", "quality_method", "further")


def _bronze_columns(feed: Feed) -> tuple[str, str]:  # noqa: ARG001 - the same for every feed
    own = """
    meter STRING NMI and suffix of the 200 record before it, `NMI/SUFFIX`
    nmi STRING NMI, second field of that 200 record
    nmi_configuration STRING Third field: all suffixes of the NMI
    register_id STRING Fourth field
    nmi_suffix STRING Fifth field: what is measured, as E1 (import) or B1 (export)
    data_stream STRING Sixth field
    meter_serial_number STRING Seventh field
    uom STRING Eighth field: unit of the values
    interval_length STRING Ninth field, in minutes
    next_scheduled_read_date STRING Tenth field
    interval_date STRING Second field of the 300 record: day at +10:00, YYYYMMDD
    interval_values ARRAY<STRING> Values of the day's intervals, from 00:00 on
    quality_method STRING Quality of the whole day, as A or S14; V where the 400 records have it
    further ARRAY<STRING> What follows the quality method: reason code and text, time of update, time of load
    records ARRAY<STRING> The 400 and 500 records that follow, whole lines
    """
    return own, "raw STRING The whole line, where a quote is open"


FORMAT = FeedFormat(
    ending=nem12_frame.ENDING,
    identity_is_name=False,
    # A value and its comma are about six bytes; a row of split JSON takes about fifty.
    weight=8,
    bronze_columns=_bronze_columns,
    inspect=nem12_frame.inspect,
    outline=nem12_outline.OUTLINE,
    contents=text_file.contents,
    rows=nem12_lines.rows,
    judged=judged,
    many_readings_per_row=True,
    most_readings=DAY_MINUTES // min(LENGTHS),
    carries_direction=True,
    carries_quality=True,
    row_judge=nem12_rows.ROW_JUDGE,
)
