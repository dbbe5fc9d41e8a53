"""What the columns of a delimited text say besides time and value, for both of its layouts: columns and rules."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pipeline.formats import csv_bronze, row_rules
from pipeline.formats.row_rules import Rule
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed

NO_NUMBER = "?"
FIELD_COUNT = "the row lacks a configured column, or is longer than the header"


def is_one_of(text: Column, values: Sequence[str]) -> Column:
    """Whether a text is one of the configured values; a missing one is none."""
    return F.coalesce(text.isin(*values), F.lit(False))  # noqa: FBT003 - a literal column


def skipped(said: Csv) -> Column:
    """Whether `where` or `direction.ignore` leaves a row out: it is accepted and gives no reading."""
    named = csv_bronze.names(said)
    out = [~is_one_of(F.col(named[name]), values) for name, values in said.where.items()]
    if said.direction:
        out.append(is_one_of(F.col(named[said.direction.column]), said.direction.ignore))
    return reduce(or_, out, F.lit(False))  # noqa: FBT003


def direction_text(said: Csv) -> Column | None:
    """How a row says its direction."""
    return F.col(csv_bronze.names(said)[said.direction.column]) if said.direction else None


def present(text: Column, said: Csv) -> Column:
    """A value's text, NULL for one that is no reading."""
    return F.when(~is_one_of(text, said.missing), text)


def number(text: Column, said: Csv) -> Column:
    """A value's text with a decimal point, and no number where the other sign stands in it."""
    if said.decimal == ".":
        return text
    return F.when(text.contains("."), F.lit(NO_NUMBER)).otherwise(F.replace(text, F.lit(","), F.lit(".")))


def direction(said: Csv, feed: Feed) -> Column:
    """A row's direction, NULL for an unknown one."""
    if said.direction is None:
        return F.lit(feed.direction)
    text = F.col(csv_bronze.names(said)[said.direction.column])
    of = {"import": said.direction.imported, "export": said.direction.exported}
    return F.coalesce(*(F.when(is_one_of(text, values), name) for name, values in of.items()))


def quality(said: Csv) -> Column:
    """A row's mark of quality as it stands, NULL for a blank one."""
    if said.quality is None:
        return F.lit(None).cast("string")
    text = F.col(csv_bronze.names(said)[said.quality])
    return F.when(text != "", text)


def rules(said: Csv, meter: Column, direction_of_row: Column, text: Column | None = None) -> list[Rule]:
    """Rules for meter and direction; `text` is how the row says the direction."""
    lost = " is a number that lost digits, or a flag: no id"
    found = [
        Rule("METER_ID_MISSING", meter == "", F.lit("no meter id")),
        Rule(
            "METER_ID_INVALID",
            row_rules.is_no_id(meter),
            F.concat(F.lit("meter "), row_rules.shown(meter), F.lit(lost)),
        ),
    ]
    if said.direction and text is not None:
        reason = F.concat(
            row_rules.shown(text), F.lit(f" in column {said.direction.column} is no configured direction")
        )
        found.append(Rule("DIRECTION_UNKNOWN", direction_of_row.isNull(), reason))
    return found


def verdict(row: list[Rule], of_reading: list[Rule], has_reading: Column) -> dict[str, Column]:
    """`reason_code` and `reason`: rules of the whole row first, the others where it has a reading."""
    return {
        name: F.coalesce(first(row), F.when(has_reading, first(of_reading)))
        for name, first in (("reason_code", row_rules.first_broken), ("reason", row_rules.first_reason))
    }


def field_count() -> Rule:
    """A row must have as many fields as the header."""
    return Rule("FIELD_COUNT", F.col("raw").isNotNull(), F.lit(FIELD_COUNT))


def received_columns(said: Csv) -> list[str]:
    """The bronze columns that a row's text is made of; those of a wide row's values aside."""
    return [*([] if said.meter else [csv_bronze.METER]), *csv_bronze.names(said).values()]
