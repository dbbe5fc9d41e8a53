"""What the formats share on the way from bronze to readings: the columns of a judged row, and the rules for values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline import quality
from pipeline.quality import Rule

if TYPE_CHECKING:
    from pipeline.config import Feed

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


def judged_by(rules: list[Rule]) -> dict[str, Column]:
    """The columns that say whether and why a row is refused: `reason_code` and `reason`, NULL for one that passes."""
    return {"reason_code": quality.first_broken(rules), "reason": quality.first_reason(rules)}


def as_readings(parsed: DataFrame, feed: Feed, columns: dict[str, Column]) -> DataFrame:
    """Judged rows: COLUMNS, then what else a format gives; what it does not give is the feed's, or says nothing."""
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
    """An interval begins on the feed's grid; `time` is counted from midnight, `said` names it in a sentence."""
    off = F.unix_timestamp(time) % (feed.minutes * 60) != 0
    return Rule("OFF_GRID", off, F.concat(said, F.lit(f" is not on the {feed.minutes} minute grid")))


def consumption_rules(energy: Column, said: Column, given: Column | None = None) -> list[Rule]:
    """A value must be a number and not negative; `said` names it in a sentence, `given` is whether there is one."""
    invalid, negative = energy.isNull(), energy < 0
    if given is not None:
        invalid, negative = given & invalid, given & negative
    return [
        Rule("CONSUMPTION_INVALID", invalid, F.concat(said, F.lit(" is not a usable number"))),
        Rule("CONSUMPTION_NEGATIVE", negative, F.concat(said, F.lit(" is negative"))),
    ]
