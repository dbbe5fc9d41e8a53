"""Rules for rows: a code, a predicate that is true for a broken row, a sentence. The first rule that applies counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.formats import exponents
from pipeline.runtime import sail
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# The order of a refused delivery's reasons (contract, section 3).
FILE_CODES = (
    "EMPTY_FILE",
    "BAD_FILE_NAME",
    "NOT_UTF8",
    "HEADER_MISSING",
    "HEADER_INVALID",
    "TRAILER_MISSING",
    "TRAILER_NOT_LAST",
    "UNKNOWN_RECORD",
    "WRONG_COMPANY",
    "WRONG_ENVIRONMENT",
    "NAME_MISMATCH",
    "MALFORMED_JSON",
    "MALFORMED_CSV",
    "MALFORMED_XML",
    "WRONG_SHAPE",
    "COLUMNS_MISSING",
    "UNREADABLE",
    "CHANGED_AFTER_LOADING",
)
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "METER_ID_INVALID",
    "DIRECTION_UNKNOWN",
    "INTERVAL_START_INVALID",
    "LOCAL_TIME_NONEXISTENT",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
    "CONSUMPTION_IMPLAUSIBLE",
    "ARRAY_LENGTH_INVALID",
    "NONEXISTENT_POSITION",
    "REFERENCE_ROW_INVALID",
)


LONGEST_NUMBER = 1000
LONGEST_SHOWN = 60
# What pandas and Excel make of an id: a number with a fraction, or with an exponent and its sign. `12E5` is an id.
NO_ID = r"(?:-?[0-9]+(?:[.][0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-][0-9]+)|true|false)"
# What is cut off around a value. Nothing else is: a control character is none, though Java trims those too.
BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Rule:
    """`broken` is true (NULL counts as true) for a row that does not pass; `reason` says so in words."""

    code: str
    broken: Column
    reason: Column


def first_broken(rules: list[Rule]) -> Column:
    """The code of the first rule that a row breaks, NULL for a row that passes."""
    return _first(rules, [F.lit(rule.code) for rule in rules])


def first_reason(rules: list[Rule]) -> Column:
    """The sentence of the first rule that a row breaks, NULL for a row that passes."""
    return _first(rules, [rule.reason for rule in rules])


def _first(rules: list[Rule], values: list[Column]) -> Column:
    ordered = sorted(zip(rules, values, strict=True), key=lambda pair: ROW_CODES.index(pair[0].code))
    return F.coalesce(*(F.when(F.coalesce(rule.broken, F.lit(True)), value) for rule, value in ordered))  # noqa: FBT003


def split(judged: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Rows with a `reason_code` column -> (valid, rejected)."""
    return judged.where(F.col("reason_code").isNull()), judged.where(F.col("reason_code").isNotNull())


def is_blank(text: Column) -> Column:
    """Whether a text is empty or blank; trimmed only if it begins with a blank, because trimming is slow."""
    return (text < "!") & (F.trim(text, F.lit(BLANKS)) == "")


def ends_in_blanks(text: Column) -> Column:
    """Whether a text begins or ends with a blank or a control character: a cheap test before an expensive one."""
    return (text < "!") | (F.substring(text, -1, 1) < "!")


def trimmed(text: Column) -> Column:
    """A text without the blanks around it."""
    return F.when(ends_in_blanks(text), F.trim(text, F.lit(BLANKS))).otherwise(text)


def is_lost_id(meter: str) -> bool:
    """`is_no_id` of a single id."""
    return re.fullmatch(NO_ID, meter) is not None


def is_no_id(meter: Column) -> Column:
    """Whether a meter id is a number with a fraction or an exponent, or is true or false.

    Bronze holds text, so the type in the document is not known; the pattern is applied only to the few ids that hold a
    point, a sign or these words.
    """
    may_be = meter.contains(".") | meter.contains("+") | meter.contains("-") | meter.isin("true", "false")
    return may_be & meter.rlike(rf"\A{NO_ID}\z")


def shown(value: Column) -> Column:
    """A value for a sentence: cut short, so that one hostile cell cannot fill a log."""
    return F.concat(F.lit("'"), F.substring(F.coalesce(value, F.lit("")), 1, LONGEST_SHOWN), F.lit("'"))


def to_json(value: Column | str) -> Column:
    """A value as JSON; control characters have large hexadecimal digits, as Spark writes them, and not Sail."""
    written = F.to_json(value)
    if not sail.is_used():
        return written
    # No control character stands in JSON as it is: one keeps the place of a backslash of the text's own.
    fixed = F.replace(written, F.lit(r"\\"), F.lit("\x01"))
    for code in (0xB, 0xE, 0xF, *range(0x1A, 0x20)):
        fixed = F.replace(fixed, F.lit(f"\\u{code:04x}"), F.lit(f"\\u{code:04X}"))
    return F.when(written.contains("\\u0"), F.replace(fixed, F.lit("\x01"), F.lit(r"\\"))).otherwise(written)


def energy(text: Column, kind: str = "DECIMAL(18,6)") -> Column:
    """Exact decimal of a text, rounded half up once; NULL for anything that is not a number or is too large.

    A long exponent would make the decimal parser build a number of that many digits (measured: `1e2147483647` ends the
    whole run), and so would a text of a million digits. The parser also accepts digits of other scripts, which do not
    count here, and cuts off control characters.
    """
    exponent = text.contains("e") | text.contains("E")
    plain = (F.length(text) <= LONGEST_NUMBER) & (F.octet_length(text) == F.length(text))
    usable = plain & (~exponent | text.rlike(r"[eE][+-]?0*[0-9]{1,3}[\x00-\x20]*\z"))
    clean = ~ends_in_blanks(text) | text.rlike(r"\A[ \t\r\n]*+[!-~]++[ \t\r\n]*+\z")
    read = exponents.written_out(text) if sail.is_used() else text
    return F.when(usable & clean, read.try_cast(kind))


def energy_shifted(text: Column, power: int) -> Column:
    """`energy` of ten to that power times the number: exact, rounded half up once, after the shift."""
    if not power:
        return energy(text)
    exact = energy(text, f"DECIMAL(18,{6 + power})")
    return (exact * F.lit(Decimal(10) ** power)).cast("DECIMAL(18,6)")
