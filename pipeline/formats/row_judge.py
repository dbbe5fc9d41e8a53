"""Bronze rows of one meter judged in Python, row by row, where no JVM runs.

The rules are those of the format's `judged` for columns. The result only says whether a row passes; the reason of a
rejected row is in silver.rejected_readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.formats.row_rules import BLANKS, LONGEST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from pipeline.config.settings import Feed

Row = dict[str, Any]
MILLIONTH = Decimal("0.000001")
# DECIMAL(18,6), and the digits before the point that Spark's parser accepts, leading zeros included.
LIMIT = Decimal(10) ** 12
MOST_WHOLE_DIGITS = 38
_EXACT = Context(prec=MOST_WHOLE_DIGITS + 6 + 1, rounding=ROUND_HALF_UP)
_NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?0*[0-9]{1,3})?")


class Reading(NamedTuple):
    """A reading that passed: `interval_start` in UTC, `consumption` with six decimals in the feed's unit."""

    row_number: int
    direction: str | None
    interval_start: datetime
    interval_minutes: int
    local_date: date
    consumption: Decimal
    quality: str | None


@dataclass(frozen=True)
class RowJudge:
    """How a format judges rows in Python."""

    # The bronze columns that are needed besides lineage, the meter's first; bronze has it as silver does.
    columns: Callable[[Feed], tuple[str, ...]]
    # All rows of one meter in one delivery, refused ones too, in the order of row_number; when the delivery was
    # received -> the readings that pass.
    readings: Callable[[list[Row], Feed, datetime], Iterator[Reading]]
    # Whether blanks around the meter id are cut off in silver.
    trims_meter: bool = False


def is_blank(text: str | None) -> bool:
    """Whether a text is missing, empty or blank."""
    return text is None or not text.strip(BLANKS)


def time_of(parts: re.Match[str] | None) -> datetime | None:
    """The time from a label's parts, year to minute or second; None if there is no label or no such time."""
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in (*parts.groups(), 0)[:6])
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the format knows the zone
    except ValueError:
        return None


def is_on_grid(moment: datetime, feed: Feed) -> bool:
    """Whether a time is on the feed's grid, which begins at midnight."""
    return (moment.hour * 3600 + moment.minute * 60 + moment.second) % (feed.minutes * 60) == 0


def is_in_range(start: datetime, day: date, feed: Feed, received: datetime) -> bool:
    """Whether an interval begins in the feed's span: at that instant, on that local day."""
    return day >= feed.earliest and start <= received + timedelta(days=feed.latest_days_ahead)


def is_plausible(energy: Decimal, feed: Feed) -> bool:
    """Whether an interval may hold that much energy."""
    return feed.max_consumption is None or energy <= feed.max_consumption


def usable_energy(text: str | None) -> Decimal | None:
    """The value of a text, rounded half up to six decimals; None if it is not a number, negative or too large.

    As in `row_rules.energy` and the rules for consumption; the sign counts after rounding.
    """
    if text is None or len(text) > LONGEST_NUMBER:
        return None
    digits = text.strip(BLANKS)
    if not _NUMBER.fullmatch(digits):
        return None
    value = Decimal(digits)
    _, figures, exponent = value.as_tuple()
    if len(figures) + int(exponent) > MOST_WHOLE_DIGITS:
        return None
    rounded = value.quantize(MILLIONTH, context=_EXACT)
    return rounded if 0 <= rounded < LIMIT else None
