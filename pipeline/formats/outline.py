"""What the outlines of the formats share: how executors see a file's frame (pipeline/deliveries/by_executors.py).

A format's outline has two halves. Spark takes facts from a file's text by expressions alone. The driver makes a verdict
of them, with the same functions that judge bytes, and only where the file is plainly sound; any other it reads. So no
refusal comes from an outline, and its wording exists once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column

BLANKS = " \t\r\n"
# The longest line of a header that is taken to the driver.
LONGEST_HEADER = 1000


def is_blank(text: Column) -> Column:
    """Whether the text is empty but for blanks."""
    return F.trim(text, F.lit(BLANKS)) == ""


def lines(text: Column) -> Column:
    """The lines that are not blank, as an array; only a line feed ends one."""
    return F.filter(F.split(text, "\n"), lambda line: ~is_blank(line))


def first_and_last(lines: Column) -> dict[str, Column]:
    """The two lines around all others, and whether both may be taken to the driver."""
    first, last = F.try_element_at(lines, F.lit(1)), F.try_element_at(lines, F.lit(-1))
    return {
        "is_short": (F.length(first) <= LONGEST_HEADER) & (F.length(last) <= LONGEST_HEADER),
        "first": F.left(first, F.lit(LONGEST_HEADER)),
        "last": F.left(last, F.lit(LONGEST_HEADER)),
    }


def how_many(lines: Column, pattern: str) -> Column:
    """The number of lines that the pattern finds."""
    return F.size(F.filter(lines, lambda line: line.rlike(pattern))).cast("bigint")


def named(facts: dict[str, Column]) -> Column:
    """The facts as a struct."""
    return F.struct(*(fact.alias(name) for name, fact in facts.items()))


def occurrences(text: Column, piece: str) -> Column:
    """How often a piece of ASCII characters stands in the text, counted from the left, without overlaps."""
    without = F.replace(text, F.lit(piece), F.lit(""))
    return ((F.octet_length(text) - F.octet_length(without)) / len(piece)).cast("bigint")
