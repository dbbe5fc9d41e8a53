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

# JSON's blanks, and those around the lines of flow files.
BLANK_CHARACTERS = " \t\r\n"
# The longest line of a header that is taken to the driver.
LONGEST_HEADER = 1000


def stripped(text: Column) -> Column:
    """The text without blanks around it."""
    return F.trim(text, F.lit(BLANK_CHARACTERS))


def occurrences(text: Column, piece: str) -> Column:
    """How often a piece stands in the text, counted from the left, without overlaps."""
    return ((F.length(text) - F.length(F.replace(text, F.lit(piece), F.lit("")))) / len(piece)).cast("bigint")
