"""Numbers, days and lists for sentences. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.serving.report.local_time import LocalClock

THOUSANDTH = Decimal("0.001")
HOUR_MINUTES, DAY_MINUTES, WEEK_MINUTES = 60, 1440, 10080
SHOWN = 6


def kwh(energy: Decimal) -> str:
    """`1,234.568 kWh`; the tables have all digits."""
    return f"{energy.quantize(THOUSANDTH, ROUND_HALF_UP):,} kWh"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 day`, `1,234 days`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """`12.3 %`; what is not exactly 0 % or 100 % is never rounded to it."""
    share = Decimal(part) * 100 / Decimal(whole)
    rounded = share.quantize(Decimal("0.1"), ROUND_HALF_UP)
    if share and not rounded:
        return "less than 0.1 %"
    return "more than 99.9 %" if rounded == 100 > share else f"{rounded.normalize():f} %"  # noqa: PLR2004 - of a hundred


def day(when: date) -> str:
    """`Sunday 2021-03-28`."""
    return f"{when:%A} {when.isoformat()}"


def lag(minutes: int) -> str:
    """`24 h`, `7 days`, `15 min`."""
    if minutes % DAY_MINUTES == 0 and minutes != DAY_MINUTES:
        return count(minutes // DAY_MINUTES, "day")
    return f"{minutes // HOUR_MINUTES} h" if minutes % HOUR_MINUTES == 0 else f"{minutes} min"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`; if there are many, the first few and how many more."""
    if len(words) > SHOWN:
        return f"{', '.join(words[:SHOWN])} and {len(words) - SHOWN:,} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def period(unit: str, start: datetime | date, clock: LocalClock) -> str:
    """The name of an hour, day, week or month."""
    if isinstance(start, datetime):
        return clock.text(start)
    names = {"week": f"the week from {start.isoformat()}", "month": f"{start:%B %Y}"}
    return names.get(unit, day(start))


def hours(length: timedelta) -> str:
    """`23 hours`, `24.5 hours`."""
    number = length.total_seconds() / 3600
    return f"{number:g} hour{'' if number == 1 else 's'}"


def about(direction: str, sentence: str) -> str:
    """The sentence, beginning with its direction."""
    return f"{direction.capitalize()}: {sentence[0].lower()}{sentence[1:]}"
