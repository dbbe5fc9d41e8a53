"""Times as they are written: read by a pattern, as columns for Spark and as single values in Python, by one rule.

What is read is what the clock showed, and the offset from UTC where one is written. 24:00 is 00:00 of the next day.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from pipeline.config.datetime_pattern import ISO, MONTHS, parsed
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.datetime_pattern import DatetimePattern

# Begins what the pattern matched; a text that holds it is no time.
MATCHED = "\x01"
# The usual ones of ISO 8601, which Spark's cast takes as they are.
USUAL = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?\z"
# The pattern of what is written as Spark's cast takes it.
CANONICAL = parsed("yyyy-MM-dd HH:mm:ss").regex
# Order of the fields of a text that Spark's cast takes.
ORDER = ("year", "month", "day", "hour", "minute", "second")
_SHORT_MONTHS = "".join(month[:3] for month in MONTHS).upper()


@cache
def _regex(pattern: DatetimePattern) -> re.Pattern[str]:
    return re.compile(pattern.regex)


def read(text: str, pattern: DatetimePattern) -> tuple[datetime, timedelta | None] | None:
    """(What the clock showed, the offset from UTC if one is written); None for a text that is no such time."""
    found = _regex(pattern).fullmatch(text)
    if found is None:
        return None
    of = {field: value for field, value in zip(pattern.fields, found.groups(), strict=True) if value is not None}
    year = int(of["year"] if "year" in of else "20" + of["short_year"])
    month = int(of["month"]) if "month" in of else _SHORT_MONTHS.index(of["month_name"][:3].upper()) // 3 + 1
    minute, second = (int(of.get(name, 0)) for name in ("minute", "second"))
    hour = int(of.get("hour", 0))
    if "half_day_hour" in of:
        if not 1 <= int(of["half_day_hour"]) <= 12:  # noqa: PLR2004 - hours of half a day
            return None
        hour = int(of["half_day_hour"]) % 12 + (12 if of["half_day"].upper() == "PM" else 0)
    at_end = (hour, minute, second) == (24, 0, 0)
    try:
        shown = datetime(year, month, int(of["day"]), 0 if at_end else hour, minute, second)  # noqa: DTZ001 - as shown
        return shown + timedelta(days=at_end), _offset(of["offset"]) if "offset" in of else None
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timedelta(minutes=-minutes if text.startswith("-") else minutes)


def with_time(rows: DataFrame, text: Column, pattern: DatetimePattern) -> DataFrame:
    """Rows with `_shown`, what the clock showed (TIMESTAMP), and `_offset`, the written offset's seconds (INT)."""
    # In steps, so that each pattern is applied once for each row.
    named, no_offset = rows.withColumn("_time", text), F.lit(None).cast("int")
    if pattern.is_plain:
        return _shown(_rewritten(named, pattern)).withColumn("_offset", no_offset)
    time = F.col("_time")
    quick = _is_usual(time) | time.rlike(USUAL) if pattern is ISO else F.lit(False)  # noqa: FBT003 - a literal column
    groups = MATCHED + "|".join(f"${number}" for number in range(1, len(pattern.fields) + 1))
    parts = F.split(F.regexp_replace(time, rf"\A{pattern.regex}\z", groups), r"\|")
    found = named.withColumn("_quick", quick).withColumn(
        "_parts", F.when(~F.col("_quick") & ~time.startswith(MATCHED), parts)
    )
    of = {field: F.get("_parts", F.lit(number)) for number, field in enumerate(pattern.fields)}
    is_read = of[pattern.fields[0]].startswith(MATCHED)
    of[pattern.fields[0]] = F.substring(of[pattern.fields[0]], 2, 100)
    date = [_year(of), F.lit("-"), _month(of), F.lit("-"), of["day"]]
    written = F.concat(*date, F.lit(" "), _clock(of))
    found = found.withColumn("_written", F.when(F.col("_quick"), time).when(is_read, written))
    return _shown(found).withColumn("_offset", _seconds(of["offset"]) if pattern.has_offset else no_offset)


def _rewritten(rows: DataFrame, pattern: DatetimePattern) -> DataFrame:
    """Rows with `_written`, a text that Spark's cast takes; NULL where the pattern does not match."""
    time, matches = F.col("_time"), rf"\A{pattern.regex}\z"
    of_group = {field: f"${number}" for number, field in enumerate(pattern.fields, start=1)}
    year, month, day, *clock = (of_group.get(field, "00") for field in ORDER)
    rewritten = rows.withColumn("_written", F.regexp_replace(time, matches, f"{year}-{month}-{day} {':'.join(clock)}"))
    # A text that does not match stays as it is. So does one that is written so already.
    is_read = time.rlike(matches) if pattern.regex == CANONICAL else F.col("_written") != time
    return rewritten.withColumn("_written", F.when(is_read, F.col("_written")))


def _is_usual(time: Column) -> Column:
    """Whether a text is of ISO 8601 on a half hour, or is no time for Spark's cast.

    The pattern would be exact, but costs as much as everything else that a row needs. Of texts of that length that
    begin with a digit, have their first dash and their `T` or blank in place and end so, it takes only exact ones.
    """
    length = F.octet_length(time)
    ends = {"YYYY-MM-DD HH:MM": (":00", ":30"), "YYYY-MM-DD HH:MM:SS": (":00:00", ":30:00")}
    on_half_hours = [(length == len(form)) & (time.endswith(a) | time.endswith(b)) for form, (a, b) in ends.items()]
    parted = (F.instr(time, " ") == len("YYYY-MM-DD ")) | (F.instr(time, "T") == len("YYYY-MM-DDT"))
    begins_with_digit = (time >= "0") & (time < ":")
    return (on_half_hours[0] | on_half_hours[1]) & (F.instr(time, "-") == len("YYYY-")) & parted & begins_with_digit


def _year(of: dict[str, Column]) -> Column:
    return of["year"] if "year" in of else F.concat(F.lit("20"), of["short_year"])


def _month(of: dict[str, Column]) -> Column:
    if "month" in of:
        return of["month"]
    place = F.instr(F.lit(_SHORT_MONTHS), F.upper(F.substring(of["month_name"], 1, 3)))
    return F.floor((place + 2) / 3).cast("int").cast("string")


def _clock(of: dict[str, Column]) -> Column:
    hour, minute, second = (of.get(name, F.lit("00")) for name in ORDER[3:])
    if "half_day_hour" in of:
        of_half = of["half_day_hour"].try_cast("int")
        of_day = of_half % 12 + F.when(F.upper(of["half_day"]) == "PM", 12).otherwise(0)
        hour = F.when(of_half.between(1, 12), of_day.cast("string"))
    # What an optional part does not say is zero.
    hour, minute, second = (F.when(part == "", "00").otherwise(part) for part in (hour, minute, second))
    return F.concat(hour, F.lit(":"), minute, F.lit(":"), second)


def _shown(rows: DataFrame) -> DataFrame:
    """Rows with the time of `_written`: `year-month-day hour:minute:second`, or as ISO 8601 has it."""
    written = F.col("_written")
    day = F.substring_index(F.substring_index(written, " ", 1), "T", 1)
    next_day = F.date_add(day.try_cast("date"), 1).cast("timestamp")
    at_end = F.when(written.rlike(r"[T ]24:0?0(?::0?0)?\z") & ~written.startswith("9999-12-31"), next_day)
    return rows.withColumn(
        "_shown", F.when(~written.startswith("0000"), F.coalesce(written.try_cast("timestamp"), at_end))
    )


def _seconds(offset: Column) -> Column:
    digits = F.rpad(F.replace(F.substring(offset, 2, 5), F.lit(":"), F.lit("")), 4, "0")
    minutes = F.substring(digits, 1, 2).try_cast("int") * 60 + F.substring(digits, 3, 2).try_cast("int")
    signed = F.when(offset.startswith("-"), -minutes).otherwise(minutes)
    return F.when(offset == "Z", 0).when(offset != "", signed * 60)
