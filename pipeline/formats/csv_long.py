"""Delimited text, a row a reading (or one of each direction): bronze rows as readings. csv_long_rows.py says the same.

A row that `where`, `direction.ignore` or `missing` leaves out is accepted and gives no reading.
"""

from __future__ import annotations

from functools import reduce
from itertools import zip_longest
from operator import or_
from typing import TYPE_CHECKING

from pipeline.clock import columns as clock
from pipeline.clock import written
from pipeline.config.values import DAY_MINUTES
from pipeline.formats import csv_bronze, csv_roles, readings, row_rules, units
from pipeline.formats.csv_document import csv_of
from pipeline.formats.row_rules import Rule
from pipeline.spark import F, Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed


def judged(bronze: DataFrame, feed: Feed, received: Column) -> DataFrame:
    """Bronze rows as readings, each with the reason for its refusal or NULL; a repeated time is the earlier one.

    `in_order` below assigns the later instants.
    """
    said, meter = csv_of(feed), F.col(csv_bronze.meter_column(csv_of(feed)))
    rows, texts = _with_values(bronze.withColumn("_skipped", csv_roles.skipped(said)), feed, said)
    # In steps, so that each value is computed once for each row (see split_json).
    timed = _with_instants(written.with_time(rows, _time(said), said.time_pattern), feed, said)
    given = ~F.col("_skipped") & reduce(or_, (F.col(text).isNotNull() for text in texts))
    numbers = [csv_roles.number(F.col(text), said) for text in texts]
    parsed = timed.withColumns({"_given": given, "_energy": units.energy(numbers, feed, feed.minutes)})
    has_reading, energy, later_day = F.col("_given"), F.col("_energy"), F.to_date("_later_begins")
    rules = [
        *csv_roles.rules(said, meter, F.col("_direction"), csv_roles.direction_text(said)),
        *_time_rules(feed, said, received),
        *readings.consumption_rules(energy, _said(texts, said), feed, limit=_limit(feed)),
    ]
    as_received = row_rules.to_json(F.array(*csv_roles.received_columns(said)))
    columns = {
        "meter_id": meter,
        "direction": F.col("_direction"),
        "interval_start": F.col("_start"),
        "local_date": F.when(has_reading | F.col("raw").isNotNull(), F.col("_day")),
        "consumption": F.when(has_reading, energy),
        "quality": csv_roles.quality(said),
        "is_repeated": F.col("_later").isNotNull(),
        "raw": F.coalesce("raw", as_received),
        "local": F.col("_label"),
        "later_start": F.col("_later"),
        "later_date": F.when(has_reading & (later_day != F.col("_day")), later_day),
    }
    if is_of_days(feed):
        columns["interval_minutes"] = clock.day_minutes(F.col("_day"), feed.time_zone)
    if may_hold_several(feed):
        columns["position"] = F.col("_position")
    return readings.as_readings(
        parsed, feed, columns | csv_roles.verdict([csv_roles.field_count()], rules, has_reading)
    )


def is_of_days(feed: Feed) -> bool:
    """Whether an interval is a local day, as long as that day."""
    return feed.minutes == DAY_MINUTES


def may_hold_several(feed: Feed) -> bool:
    """Whether a row's readings have a position and a length of their own."""
    return csv_of(feed).value.has_both or is_of_days(feed)


def _time(said: Csv) -> Column:
    columns = [F.col(csv_bronze.names(said)[name]) for name in said.timestamp]
    return columns[0] if len(columns) == 1 else F.concat_ws(" ", *columns)


def _with_values(rows: DataFrame, feed: Feed, said: Csv) -> tuple[DataFrame, list[str]]:
    """Rows with `_direction`, `_position` and the texts of their values (NULL: missing), a row for each direction."""
    named, value = csv_bronze.names(said), said.value
    if not value.has_both:
        texts = {f"_text{n}": csv_roles.present(F.col(named[name]), said) for n, name in enumerate(value.alone)}
        columns = {"_direction": csv_roles.direction(said, feed), "_position": F.lit(0)}
        return rows.withColumns(columns | texts), list(texts)
    rows = rows.withColumn("_position", F.explode(F.array(F.lit(0), F.lit(1))))
    is_import, nothing = F.col("_position") == 0, F.lit(None).cast("string")
    pairs = zip_longest(value.imported, value.exported)
    texts = {
        f"_text{n}": csv_roles.present(
            F.when(is_import, F.col(named[one]) if one else nothing).otherwise(F.col(named[two]) if two else nothing),
            said,
        )
        for n, (one, two) in enumerate(pairs)
    }
    return rows.withColumns({"_direction": F.when(is_import, "import").otherwise("export")} | texts), list(texts)


def _with_instants(rows: DataFrame, feed: Feed, said: Csv) -> DataFrame:
    """Rows with `_start` and `_day`, the time whose grid counts, and for a repeated time its later instant.

    `_label` is a local time as written, which may be repeated or not exist; one with an offset is neither.
    """
    zone, shown, offset = feed.time_zone, F.col("_shown"), F.col("_offset")
    at = clock.instant(shown, zone)
    if said.time_pattern.has_offset:
        at = F.when(offset.isNull(), at).otherwise(shown - F.make_dt_interval(secs=offset))
    placed = rows.withColumn("_at", at)
    local = F.when(offset.isNull(), shown).otherwise(clock.wall_clock(F.col("_at"), zone))
    is_end, none = said.label == "end", F.lit(None).cast("timestamp")
    if is_of_days(feed):
        day = F.date_sub(F.to_date("_local"), 1 if is_end else 0)
        dated = placed.withColumn("_local", local).withColumn("_day", day)
        columns = {"_start": clock.day_start(F.col("_day"), zone), "_begins": F.col("_local"), "_later": none}
        return dated.withColumns(columns | {"_label": none, "_later_begins": none})
    labelled = placed.withColumn("_label", F.when(offset.isNull() & ~F.col("_skipped"), shown))
    again = clock.later_instant(F.col("_label"), F.col("_at"), zone)
    if not is_end:
        columns = {"_start": F.col("_at"), "_begins": local, "_later": again, "_day": F.to_date(local)}
        return labelled.withColumns(columns | {"_later_begins": none})
    length = F.expr(f"INTERVAL {feed.minutes} MINUTES")
    ended = labelled.withColumns({"_start": F.col("_at") - length, "_later": again - length})
    begins = {
        name: clock.wall_clock(F.col(of), zone) for name, of in (("_begins", "_start"), ("_later_begins", "_later"))
    }
    return ended.withColumns(begins).withColumn("_day", F.to_date("_begins"))


def _time_rules(feed: Feed, said: Csv, received: Column) -> list[Rule]:
    time, zone = row_rules.shown(F.col("_time")), feed.time_zone
    if is_of_days(feed):
        missing, why = clock.day_minutes(F.col("_day"), zone) == 0, "the day was skipped"
    else:
        missing = clock.is_nonexistent(F.col("_label"), F.col("_at"), zone) & F.col("_label").isNotNull()
        why = "the clocks went forward"
    return [
        Rule("INTERVAL_START_INVALID", F.col("_shown").isNull(), F.concat(F.lit(f"not {written_as(said)}: "), time)),
        Rule("LOCAL_TIME_NONEXISTENT", missing, F.concat(time, F.lit(f" does not exist in {zone}: {why}"))),
        readings.range_rule(F.col("_start"), F.col("_day"), time, feed, received),
        readings.grid_rule(F.col("_begins"), time, feed),
    ]


def written_as(said: Csv) -> str:
    """How times are written, for a sentence."""
    return said.timestamp_format or "ISO 8601"


def _said(texts: list[str], said: Csv) -> Column:
    """A value as it stands, for a sentence."""
    shown = F.concat_ws(" + ", *(F.when(F.col(text).isNotNull(), row_rules.shown(F.col(text))) for text in texts))
    return F.concat(F.col("_direction") if said.value.has_both else F.lit("consumption"), F.lit(" "), shown)


def _limit(feed: Feed) -> Column | None:
    return None if feed.max_consumption is None else units.most(feed, feed.minutes)


def in_order(judged_rows: DataFrame, feed: Feed) -> DataFrame:  # noqa: ARG001 - the later instants are there already
    """Judged rows of files with repeated local times: each occurrence gets its own instant (contract, section 2).

    As in split_json; occurrences count for each direction, and what `where` or `ignore` leaves out is none.
    """
    rows_of_meter = Window.partitionBy("file_id", "meter_id")
    of_label = Window.partitionBy("file_id", "meter_id", "direction", "local")
    readable = F.when(F.col("local").isNotNull(), F.col("row_number"))
    newest_first = F.max_by("local", readable).over(rows_of_meter) < F.min_by("local", readable).over(rows_of_meter)
    first = F.min("row_number").over(of_label) == F.col("row_number")
    is_repeated_label = F.count(F.lit(1)).over(of_label) > 1
    is_later = F.col("is_repeated") & is_repeated_label & F.when(newest_first, first).otherwise(~first)
    ordered = judged_rows.withColumn("_is_later", is_later)
    later_day = F.coalesce("later_date", "local_date")
    return ordered.withColumns(
        {
            "interval_start": F.when(F.col("_is_later"), F.col("later_start")).otherwise(F.col("interval_start")),
            "local_date": F.when(F.col("_is_later"), later_day).otherwise(F.col("local_date")),
        }
    ).drop("_is_later")
