"""Arrays of a meter's local day: their elements on instants, judged. interval_array_rows.py says the same in Python.

An array with as many elements as the day has intervals holds them in order; one for a normal day, on a day of another
length, holds wall-clock positions, and so does one whose elements are named by times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.config.values import DAY_MINUTES
from pipeline.formats import readings, row_rules
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed

# The clocks never change by more.
LONGEST_CHANGE = 120
# More than any text has; a place and this together still are an INT.
ALL = 2**30


@dataclass(frozen=True)
class Arrays:
    """What a format says of its rows, which have `_day`, a DATE, and `_list`, texts."""

    # Possible lengths of an interval; an array of one value holds the whole day.
    minutes: tuple[int, ...]
    meter: Column
    # The day as received.
    said: Column
    # Rules for the row as a whole, besides those of time.
    rules: list[Rule]
    raw: Column
    # A value's text and its interval's minutes -> energy in the kept unit; minutes -> the most of an interval.
    energy: Callable[[Column, Column], Column]
    limit: Callable[[Column], Column | None]
    # NULL or false for a row that gives no reading.
    has_readings: Column | None = None
    direction: Column | None = None
    # The mark of an element, whose position is `position`.
    quality: Column | None = None
    # Of elements that are named by times: how many of them the file has.
    named: Column | None = None
    # Whether elements behind the day's true length are dropped if they hold nothing.
    may_be_longer: bool = False
    # An element's text -> the same, or NULL for no reading.
    present: Callable[[Column], Column] = lambda text: text


def judged(days: DataFrame, feed: Feed, received: Column, arrays: Arrays) -> DataFrame:
    """Rows as readings, one for each element (two if its position occurs twice), with reason or NULL.

    Of the elements without a value only the first is kept, so that a row without any value is still counted.
    """
    sized = days.withColumn("_length", clock.day_minutes(F.col("_day"), feed.time_zone))
    if arrays.may_be_longer:
        sized = sized.withColumn("_list", _without_empty_end(feed.time_zone, arrays))
    sized = sized.withColumn("_size", F.coalesce(F.size("_list"), F.lit(0)))
    measured = sized.withColumns(_minutes(feed.time_zone, arrays))
    of_row = measured.withColumn("_minutes", F.coalesce("_true", "_wall"))
    of_days = [*arrays.rules, *_rules_of_days(feed, received, arrays)]
    wanted = F.lit(True) if arrays.has_readings is None else F.coalesce(arrays.has_readings, F.lit(False))  # noqa: FBT003
    verdict = {"_code": row_rules.first_broken(of_days), "_reason": row_rules.first_reason(of_days)}
    coded = of_row.withColumns({name: F.when(wanted, column) for name, column in verdict.items()})
    values = F.when(F.col("_code").isNull() & wanted, F.col("_list"))
    exploded = coded.select("*", F.posexplode_outer(values).alias("_at", "_received"))
    elements = exploded.withColumn("_text", arrays.present(F.col("_received"))).withColumns(
        {"position": F.coalesce("_at", F.lit(0)), "_energy": arrays.energy(F.col("_text"), F.col("_minutes"))}
    )
    kept = elements.where(F.col("_text").isNotNull() | (F.col("position") == 0))
    return _on_instants(_placed(kept, feed), feed, received, arrays)


def _without_empty_end(zone: str, arrays: Arrays) -> Column:
    """The list without elements behind the day's true length, if these hold nothing."""
    size = F.size("_list")
    true = F.coalesce(
        *(
            F.when(
                F.abs(size - DAY_MINUTES // each) <= LONGEST_CHANGE // each,
                clock.intervals_of_day(F.col("_day"), each, zone),
            )
            for each in arrays.minutes
        )
    )
    end = F.transform(F.slice("_list", true + 1, F.lit(ALL)), arrays.present)
    is_empty = F.size(F.array_compact(end)) == 0
    return F.when((size > true) & is_empty, F.slice("_list", F.lit(1), true)).otherwise(F.col("_list"))


def _minutes(zone: str, arrays: Arrays) -> dict[str, Column]:
    """`_true` and `_wall`: minutes of an interval if the list holds every interval of the day, or else positions."""
    day, length, size = F.col("_day"), F.col("_length"), F.col("_size")
    whole_day = F.when((size == 1) & (length > 0), length)
    in_order, by_clock = [whole_day], [F.lit(None).cast("int")]
    for minutes in arrays.minutes:
        divides, normal = (length > 0) & (length % minutes == 0), size == DAY_MINUTES // minutes
        true = clock.intervals_of_day(day, minutes, zone)
        if arrays.named is None:
            in_order.append(F.when(divides & (size == true) & (size > 0), minutes))
            by_clock.append(F.when(divides & normal, minutes))
        else:
            all_named = (arrays.named == size) | (arrays.named == true)
            by_clock.append(F.when(divides & normal & all_named, minutes))
    return {"_true": F.coalesce(*in_order), "_wall": F.coalesce(*by_clock)}


def _rules_of_days(feed: Feed, received: Column, arrays: Arrays) -> list[Rule]:
    """Rules of time for the row as a whole."""
    day, said = F.col("_day"), row_rules.shown(arrays.said)
    size = F.col("_size") if arrays.named is None else arrays.named
    return [
        Rule("INTERVAL_START_INVALID", day.isNull(), F.concat(F.lit("not a day: "), said)),
        readings.range_rule(clock.day_start(day, feed.time_zone), day, said, feed, received),
        Rule(
            "LOCAL_TIME_NONEXISTENT",
            F.col("_length") == 0,
            F.concat(said, F.lit(f" does not exist in {feed.time_zone}: the day was skipped")),
        ),
        Rule(
            "ARRAY_LENGTH_INVALID",
            F.col("_minutes").isNull(),
            F.concat(F.lit("a list of "), size, F.lit(" on a day of "), F.col("_length"), F.lit(" minutes")),
        ),
    ]


def _placed(elements: DataFrame, feed: Feed) -> DataFrame:
    """Elements with `_first`, the instant of their position, and `_second` if the position occurs twice."""
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


def _on_instants(placed: DataFrame, feed: Feed, received: Column, arrays: Arrays) -> DataFrame:
    """One row for each instant: a position that occurs twice holds the sum of both, which is split evenly."""
    text, energy, twice = F.col("_text"), F.col("_energy"), F.col("_second").isNotNull()
    where = F.concat(F.lit("element "), F.col("position") + 1, F.lit(": "), row_rules.shown(text))
    of_interval = F.when(twice, energy / 2).otherwise(energy)
    rules = [
        readings.range_rule(F.coalesce("_second", "_first"), F.col("_day"), where, feed, received),
        *readings.consumption_rules(of_interval, where, feed, limit=arrays.limit(F.col("_minutes"))),
        Rule(
            "NONEXISTENT_POSITION",
            F.coalesce("_missing", F.lit(False)),  # noqa: FBT003
            F.concat(where, F.lit(" stands at a time that does not exist: the clocks went forward")),
        ),
    ]
    has_value = text.isNotNull()
    verdicts = placed.withColumns(
        {
            "_code": F.coalesce("_code", F.when(has_value, row_rules.first_broken(rules))),
            "_reason": F.coalesce("_reason", F.when(has_value, row_rules.first_reason(rules))),
        }
    )
    both = F.array("_first", "_second")
    instants = F.when(twice & F.col("_code").isNull(), both).otherwise(F.array("_first"))
    split = F.when(twice, F.lit("split"))
    columns = {
        "meter_id": arrays.meter,
        "direction": F.lit(feed.direction) if arrays.direction is None else arrays.direction,
        "interval_start": F.col("_start"),
        "interval_minutes": F.col("_minutes"),
        "local_date": F.col("_day"),
        "consumption": of_interval.cast("DECIMAL(18,6)"),
        "quality": split if arrays.quality is None else F.coalesce(split, arrays.quality),
        "reason_code": F.col("_code"),
        "reason": F.col("_reason"),
        "raw": arrays.raw,
        # NULL at the second instant: the row is counted once.
        "position": F.when(~F.coalesce(F.col("_start") == F.col("_second"), F.lit(False)), F.col("position")),  # noqa: FBT003
    }
    return readings.as_readings(verdicts.select("*", F.explode(instants).alias("_start")), feed, columns)
