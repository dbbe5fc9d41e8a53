"""The frame of delimited text without quotes as expressions: its beginning, and the lines behind that.

The driver judges the beginning as if it were the whole file: encoding, lines before the header, header, first rows. Of
the rest it must know how many lines there are, and that none is blank.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import ALL, Outline, once
from pipeline.formats import csv_document
from pipeline.formats.csv_frame import BOM
from pipeline.formats.outline import named, occurrences
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# Characters of the beginning.
BEGINNING = 16_000
# A line of blanks alone begins with one, and so does a row whose first cell is padded: the driver tells them apart.
MAYBE_BLANK = ("\n\n", "\n\r\n", "\n ", "\n\t")


def _facts(text: Column) -> Column:
    return once(_beginning(text), lambda beginning: _with_beginning(text, beginning))


def _beginning(text: Column) -> Column:
    """The text up to a line's end near BEGINNING; all of it if it is short, nothing if its first line is longer."""
    start = F.left(text, F.lit(BEGINNING))
    lines = F.left(start, F.length(start) - F.locate("\n", F.reverse(start)) + 1)
    return F.when(F.octet_length(text) <= BEGINNING, text).otherwise(F.when(start.contains("\n"), lines).otherwise(""))


def _with_beginning(text: Column, beginning: Column) -> Column:
    rest = F.substring(text, F.length(beginning) + 1, ALL)
    return once(F.concat(F.lit("\n"), rest), lambda rest: _with_rest(text, beginning, rest))


def _with_rest(text: Column, beginning: Column, rest: Column) -> Column:
    """`rest` begins with the line's end before it."""
    open_line = F.when(rest.endswith("\n"), 0).otherwise(1)
    rules = [
        beginning != "",
        ~text.contains('"'),
        occurrences(text, "\r") == occurrences(text, "\r\n"),
        *(~rest.contains(pair) for pair in MAYBE_BLANK),
    ]
    return named(
        {
            "is_plain": reduce(and_, rules),
            "beginning": beginning,
            "lines": occurrences(rest, "\n") - 1 + open_line,
        }
    )


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:
    if csv_document.csv_of(feed).encoding != "utf-8":
        return None
    beginning = (BOM + facts["beginning"]).encode()
    looked_at = csv_document.inspect(beginning, delivery, feed, environment)
    # Where the beginning has no row, the rows may begin behind it.
    if looked_at.reason_code or not looked_at.rows_read:
        return None
    return replace(looked_at, rows_read=looked_at.rows_read + facts["lines"])


OUTLINE = Outline(_facts, _verdict)
