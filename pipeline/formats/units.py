"""From a source's unit to the one that silver keeps, exact and rounded half up once: columns, and values in Python.

MWh become kWh; a mean power (kW, W) times the interval's length becomes energy.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from pipeline.formats import row_rules
from pipeline.formats.row_judge import LIMIT, MILLIONTH, decimal_of
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed

KEPT = "DECIMAL(18,6)"
# Before the conversion: products with minutes, and a sixtieth of these, keep all digits in Spark's 38.
WIDE, DECIMALS, WHOLE = "DECIMAL(30,17)", 17, 13
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def _is_power(feed: Feed) -> bool:
    return feed.unit in {"kW", "W"}


def energy(texts: Sequence[Column], feed: Feed, minutes: Column | int) -> Column:
    """The sum of values in the kept unit, NULL if one is no number or it is too large.

    Of several, those whose text is NULL do not count, and where one is negative, it is the result.
    """
    if len(texts) == 1 and feed.unit == feed.kept_unit:
        return row_rules.energy(texts[0])
    values = [row_rules.energy(text, WIDE) for text in texts]
    total = values[0]
    if len(values) > 1:
        values = [F.when(text.isNull(), F.lit(Decimal(0))).otherwise(v) for text, v in zip(texts, values, strict=True)]
        total, least = reduce(add, values), F.least(*values)
        total = F.when(total.isNotNull() & (least < 0), least).otherwise(total)
    return _converted(total, feed, minutes).try_cast(KEPT)


def most(feed: Feed, minutes: Column | int) -> Column:
    """The feed's max_consumption in the kept unit."""
    return _converted(F.lit(feed.max_consumption), feed, minutes)


def _converted(value: Column, feed: Feed, minutes: Column | int) -> Column:
    if feed.unit == "MWh":
        return value * F.lit(Decimal(1000))
    if not _is_power(feed):
        return value
    length = F.lit(Decimal(minutes)) if isinstance(minutes, int) else minutes.cast("DECIMAL(4,0)")
    return value * length / F.lit(Decimal(60))


def energy_of(texts: Sequence[str | None], feed: Feed, minutes: int) -> Decimal | None:
    """The same in Python."""
    if len(texts) == 1 and feed.unit == feed.kept_unit:
        return decimal_of(texts[0])
    values = [decimal_of(text, DECIMALS, WHOLE) for text in texts if text is not None or len(texts) == 1]
    if None in values:
        return None
    known = [value for value in values if value is not None]
    total = min(known) if min(known, default=0) < 0 and len(texts) > 1 else sum(known, Decimal(0))
    kept = _EXACT.quantize(converted(total, feed, minutes), MILLIONTH)
    return (kept or abs(kept)) if -LIMIT < kept < LIMIT else None


def converted(value: Decimal, feed: Feed, minutes: int) -> Decimal:
    """A value in the feed's unit in the kept one, not rounded."""
    if feed.unit == "MWh":
        return _EXACT.multiply(value, Decimal(1000))
    return _EXACT.divide(_EXACT.multiply(value, Decimal(minutes)), Decimal(60)) if _is_power(feed) else value
