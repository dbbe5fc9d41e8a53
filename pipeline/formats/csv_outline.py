"""The frame of delimited text without quotes as expressions: its beginning, and the lines behind that.

The driver judges the beginning as if it were the whole file: encoding, lines before the header, header, first rows. Of
the rest it must know how many lines there are, and that none is blank.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline
from pipeline.formats import csv_document
from pipeline.formats.csv_frame import BOM
from pipeline.formats.outline import occurrences
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


def _facts(text: Column) -> dict[str, Column]:
    start = F.left(text, F.lit(BEGINNING))
    cut = F.length(start) - F.locate("\n", F.reverse(start)) + 1
    is_long = F.length(text) > BEGINNING
    beginning = F.when(is_long, F.left(start, cut)).otherwise(text)
    rest = F.substring(text, F.length(beginning) + 1, F.length(text))
    last = F.when((rest != "") & ~rest.endswith("\n"), 1).otherwise(0)
    seam = F.concat(F.lit("\n"), rest)
    rules = [
        ~text.contains('"'),
        occurrences(text, "\r") == occurrences(text, "\r\n"),
        ~is_long | start.contains("\n"),
        *(~seam.contains(pair) for pair in MAYBE_BLANK),
    ]
    return {
        "is_plain": reduce(and_, rules),
        "beginning": beginning,
        "lines": occurrences(rest, "\n") + last,
    }


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
