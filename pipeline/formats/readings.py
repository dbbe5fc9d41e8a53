"""What the formats share between bronze and readings: the columns of a judged row, and the rules for values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.formats import row_rules
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed

COLUMNS = (
    "meter_id",
    "direction",
    "interval_start",
    "interval_minutes",
    "local_date",
    "consumption",
    "quality",
    "file_id",
    "row_number",
    "batch_id",
    "is_repeated",
    "reason_code",
    "reason",
    "raw",
)


# A version of a reading, as `explain` and the reading history show it.
VERSION_KEY = ("feed", "meter_id", "direction", "interval_start")
PASSED_VERSION = (
    *VERSION_KEY,
    "interval_minutes",
    "local_date",
    "consumption",
    "quality",
    "file_id",
    "row_number",
    "batch_id",
)
VERSION = (*PASSED_VERSION, "reason_code", "reason", "raw")


def judged_by(rules: list[Rule]) -> dict[str, Column]:
    """The columns that say whether and why a row is refused: `reason_code` and `reason`, NULL for a row that passes."""
    return {"reason_code": row_rules.first_broken(rules), "reason": row_rules.first_reason(rules)}


def as_readings(parsed: DataFrame, feed: Feed, columns: dict[str, Column]) -> DataFrame:
    """Judged rows: COLUMNS, then what else a format gives; what it does not give comes from the feed or is NULL."""
    usual = {
        "direction": F.lit(feed.direction),
        "interval_minutes": F.lit(feed.minutes),
        "quality": F.lit(None).cast("string"),
        "is_repeated": F.lit(False),  # noqa: FBT003 - a clock without repeated times
    }
    lineage = {name: F.col(name) for name in ("file_id", "row_number", "batch_id")}
    given = usual | lineage | columns
    order = (*COLUMNS, *(name for name in columns if name not in COLUMNS))
    return parsed.select(*(given[name].alias(name) for name in order))


def grid_rule(time: Column, said: Column, feed: Feed) -> Rule:
    """An interval must begin on the feed's grid; `time` is counted from midnight, `said` is its text in a sentence."""
    off = F.unix_timestamp(time) % (feed.minutes * 60) != 0
    return Rule("OFF_GRID", off, F.concat(said, F.lit(f" is not on the {feed.minutes} minute grid")))


def range_rule(start: Column, local: Column, said: Column, feed: Feed, received: Column) -> Rule:
    """An interval must begin in the feed's span; `local` is its local time or day, `received` when its delivery came.

    The end depends on the delivery, not on the clock, so that a rebuild decides the same.
    """
    early = local < F.lit(feed.earliest.isoformat()).cast("date")
    if feed.earliest.year == 1:  # its first hours may be in the year 0 in UTC
        early |= start < F.lit("0001-01-01 00:00:00").cast("timestamp")
    late = start > received + F.expr(f"INTERVAL {feed.latest_days_ahead} DAYS")
    why = F.when(early, F.lit(f"before {feed.earliest}")).otherwise(
        F.lit(f"more than {feed.latest_days_ahead} days after its delivery came")
    )
    # A row without a known delivery is not checked: it is left out later.
    too_late = F.coalesce(late, F.lit(False))  # noqa: FBT003
    return Rule("INTERVAL_OUT_OF_RANGE", early | too_late, F.concat(said, F.lit(" is out of range: "), why))


def consumption_rules(
    energy: Column, said: Column, feed: Feed, given: Column | None = None, limit: Column | None = None
) -> list[Rule]:
    """A value must be a number, not negative and plausible.

    `said` is its text, `given` whether there is one, `limit` the feed's max_consumption in the value's unit.
    """
    broken = {
        "CONSUMPTION_INVALID": (energy.isNull(), " is not a usable number"),
        "CONSUMPTION_NEGATIVE": (energy < 0, " is negative"),
    }
    if feed.max_consumption is not None:
        most = f"{feed.max_consumption:f} {feed.unit}"
        broken["CONSUMPTION_IMPLAUSIBLE"] = (
            energy > (F.lit(feed.max_consumption) if limit is None else limit),
            f" is more than {most} in an interval",
        )
    return [
        Rule(code, test if given is None else given & test, F.concat(said, F.lit(reason)))
        for code, (test, reason) in broken.items()
    ]
