"""Bronze rows of one meter judged in Python, row by row, where no JVM runs.

The same rules as a format's `judged` has for columns, in the same order and the same words. A row whose time cannot be
read belongs to no interval: nothing is said of it.

A second set of rules, for answers without a JVM (`explain` and the API: a second instead of twenty). Right as long as
it says what Spark's rules say: tests/jobs/test_received_versions.py compares every version of every meter of the demo,
and of hostile rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.formats.row_rules import BLANKS, LONGEST_NUMBER, LONGEST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from pipeline.config.feeds import Feed

Row = dict[str, Any]
MILLIONTH = Decimal("0.000001")
# DECIMAL(18,6), and the digits before the point that Spark's parser accepts; zeros that lead do not count, those of an
# exponent do (`0e38`).
LIMIT = Decimal(10) ** 12
MOST_WHOLE_DIGITS = 38
_EXACT = Context(prec=MOST_WHOLE_DIGITS + 20, rounding=ROUND_HALF_UP)
_ESCAPED = {n: f"\\u{n:04X}" for n in range(32)}
_ESCAPED |= {ord(sign): f"\\{letter}" for sign, letter in zip('"\\\b\t\n\f\r', '"\\btnfr', strict=True)}
_NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?0*[0-9]{1,3})?")


# The code of a rule that a row breaks, and the sentence.
Refusal = tuple[str, str]
PASSED: tuple[None, None] = (None, None)


class Reading(NamedTuple):
    """A judged reading: `interval_start` in UTC, `consumption` with six decimals in the feed's unit.

    One that passed has no `reason_code`; of a refused one the consumption may be unknown.
    """

    row_number: int
    direction: str | None
    interval_start: datetime
    interval_minutes: int
    local_date: date
    consumption: Decimal | None
    quality: str | None
    reason_code: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class RowJudge:
    """How a format judges rows in Python."""

    # The bronze columns that are needed besides lineage, the meter's first; bronze has it as silver does.
    columns: Callable[[Feed], tuple[str, ...]]
    # All rows of one meter in one delivery, in the order of row_number, and when the delivery came -> its readings.
    judged: Callable[[list[Row], Feed, datetime], Iterator[Reading]]
    # A whole row of bronze -> its text, as `judged` for columns gives it as `raw`.
    as_received: Callable[[Row, Feed], str]
    # Whether blanks around the meter are cut off on the way to silver.
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


def shown(text: str | None) -> str:
    """A value for a sentence, as `row_rules.shown`."""
    return f"'{(text or '')[:LONGEST_SHOWN]}'"


def off_grid(moment: datetime, said: str, feed: Feed) -> Iterator[Refusal]:
    """As `readings.grid_rule`: the feed's grid begins at midnight."""
    if (moment.hour * 3600 + moment.minute * 60 + moment.second) % (feed.minutes * 60):
        yield "OFF_GRID", f"{said} is not on the {feed.minutes} minute grid"


def out_of_range(start: datetime, day: date, said: str, feed: Feed, received: datetime) -> Iterator[Refusal]:
    """As `readings.range_rule`: an interval begins in the feed's span, at that instant, on that local day."""
    if day < feed.earliest:
        yield "INTERVAL_OUT_OF_RANGE", f"{said} is out of range: before {feed.earliest}"
    if start > received + timedelta(days=feed.latest_days_ahead):
        late = f"more than {feed.latest_days_ahead} days after its delivery came"
        yield "INTERVAL_OUT_OF_RANGE", f"{said} is out of range: {late}"


def beyond_all_years(time: datetime, said: str, feed: Feed) -> Refusal:
    """Of a time that is in the years 1 to 9999 in UTC or on the local clock, and not on both; the same rule."""
    late = f"more than {feed.latest_days_ahead} days after its delivery came"
    why = f"before {feed.earliest}" if time.year == 1 else late
    return "INTERVAL_OUT_OF_RANGE", f"{said} is out of range: {why}"


def unusable(energy: Decimal | None, said: str, feed: Feed, most: Decimal | None = None) -> Iterator[Refusal]:
    """As `readings.consumption_rules`; `energy` is None for what is no number, `most` is the limit in its unit."""
    if energy is None:
        yield "CONSUMPTION_INVALID", f"{said} is not a usable number"
    elif energy < 0:
        yield "CONSUMPTION_NEGATIVE", f"{said} is negative"
    elif feed.max_consumption is not None and energy > (feed.max_consumption if most is None else most):
        shown_most = f"{feed.max_consumption:f} {feed.unit}"
        yield "CONSUMPTION_IMPLAUSIBLE", f"{said} is more than {shown_most} in an interval"


def energy_of(text: str | None, power: int = 0) -> Decimal | None:
    """Ten to that power times the value of a text, rounded half up to six decimals; None for no number or too large.

    As `row_rules.energy` and `row_rules.energy_shifted`.
    """
    return decimal_of(text, power=power)


def decimal_of(text: str | None, decimals: int = 6, whole: int = 12, power: int = 0) -> Decimal | None:
    """The same with so many decimals and so many digits before the point."""
    if text is None or len(text) > LONGEST_NUMBER:
        return None
    digits = text.strip(BLANKS)
    if not _NUMBER.fullmatch(digits):
        return None
    value = Decimal(digits)
    sign, figures, exponent = value.as_tuple()
    if len(figures) + int(exponent) > MOST_WHOLE_DIGITS:
        return None
    shifted = Decimal((sign, figures, int(exponent) + power))  # not `scaleb`, which rounds
    if shifted and shifted.adjusted() > MOST_WHOLE_DIGITS:
        return None
    rounded = shifted.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
    if not rounded:
        return abs(rounded)  # Spark knows no negative zero
    return rounded if abs(rounded) < Decimal(10) ** whole else None


def json_value(text: str | None) -> str:
    """A text as Spark's `to_json` writes it."""
    return "null" if text is None else f'"{text.translate(_ESCAPED)}"'


def json_array(texts: Iterable[str | None]) -> str:
    """Texts as Spark's `to_json` writes an array."""
    return f"[{','.join(map(json_value, texts))}]"


def json_object(members: Mapping[str, str]) -> str:
    """Members, of which the values are JSON, as Spark's `to_json` writes a struct or a map."""
    return "{" + ",".join(f"{json_value(name)}:{value}" for name, value in members.items()) + "}"
