"""A number's text without its exponent and with few decimals, as an engine wants it that reads no others (Sail)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column

WITH_EXPONENT = r"\A[ \t\r\n]*([+-]?)([0-9]*)[.]?([0-9]*)[eE]([+-]?[0-9]+)[ \t\r\n]*\z"
# More decimals than any value keeps (units.WIDE has 17), and one that rounds it.
TOO_LONG, SHORT = r"([.][0-9]{20})[0-9]+", 21
# As Spark's parser: zeros that lead do not count, those of an exponent do.
MOST_WHOLE_DIGITS = 38


def written_out(text: Column) -> Column:
    """`1.5e3` as `1500`; a text without an exponent as it is, NULL for what is no number or has too many digits.

    The exponent has three digits at most, zeros before them aside. Decimals beyond those that decide how a value is
    rounded half up are cut off: with more than 76 digits Sail takes no text for a number.
    """
    sign, whole, fraction, exponent = (F.regexp_extract(text, WITH_EXPONENT, n) for n in (1, 2, 3, 4))
    given = F.concat(whole, fraction)
    digits = F.when(F.ltrim(given, F.lit("0")) == "", "0").otherwise(F.ltrim(given, F.lit("0")))
    length = F.length(digits)
    point = length + exponent.try_cast("int") - F.length(fraction)
    small = F.concat(F.lit("0."), F.repeat(F.lit("0"), -point), digits)
    large = F.concat(digits, F.repeat(F.lit("0"), point - length))
    between = F.concat(F.substring(digits, F.lit(1), point), F.lit("."), F.substring(digits, point + 1, length))
    plain = F.when(point <= 0, small).when(point >= length, large).otherwise(between)
    usable = (given != "") & (point <= MOST_WHOLE_DIGITS)
    has_exponent = text.contains("e") | text.contains("E")
    number = F.when(~has_exponent, text).when(usable, F.concat(sign, plain))
    return F.when(F.length(number) > SHORT, F.regexp_replace(number, TOO_LONG, "$1")).otherwise(number)
