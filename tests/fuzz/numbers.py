"""What is a usable number, and its value: by Python's own decimals, for the oracles of all formats."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*([0-9]+))?")
# Blanks around a text's digits are ignored; a control character is not a blank.
AROUND = " \t\r\n"
# Its silence on numbers that are a burden, not a value: more characters, more digits of an exponent than these.
LONGEST, DIGITS_OF_EXPONENT = 1000, 3
# The largest DECIMAL(18,6) in millionths.
LARGEST = 10**18 - 1
_EXACT = Context(prec=3 * LONGEST)


def millionths(text, power=0):
    """The value times ten to a power, rounded half up to six decimals, in millionths; None for no number or too large.

    The sign counts after rounding: -0.0000004 is 0.000000 (the contract does not say which comes first).

    >>> millionths("0.0000005"), millionths("-1e2"), millionths("999999999999.9999995"), millionths("NaN")
    (1, -100000000, None, None)
    """
    digits = text.strip(AROUND)
    found = NUMBER.fullmatch(digits)
    if found is None or len(text) > LONGEST or len(found[3] or "") > DIGITS_OF_EXPONENT:
        return None
    value = Decimal(digits)
    if value and value.adjusted() + power > 12:
        return None
    if not value and value.as_tuple().exponent > 37:
        # Zero with such an exponent is a zero that Spark's decimals cannot hold: refused, never wrong.
        return None
    rounded = int(value.scaleb(6 + power, _EXACT).quantize(Decimal(1), ROUND_HALF_UP, _EXACT))
    return rounded if abs(rounded) <= LARGEST else None
