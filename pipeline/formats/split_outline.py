"""The plain frame of split JSON (split_document.py) as expressions."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline, once
from pipeline.formats import split_document
from pipeline.formats.feed_format import objection_to_name
from pipeline.formats.json_document import ENDING
from pipeline.formats.outline import is_blank, named, occurrences
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# The longest list of column names that is taken to the driver.
LONGEST_COLUMNS = 10_000
COLUMNS = r'"columns"\s*+:\s*+(\[[^\[\]]*+\])'
DATA = r'"data"\s*+:\s*+\['


def _facts(text: Column) -> Column:
    return once(F.regexp_extract(text, COLUMNS, 1), lambda columns: _with_columns(text, columns))


def _with_columns(text: Column, columns: Column) -> Column:
    rules = [
        is_blank(F.substring_index(text, "{", 1)),
        is_blank(F.substring_index(text, "}", -1)),
        *(occurrences(text, piece) == 1 for piece in ("{", "}", '"columns"', '"data"')),
        ~text.contains("\x00"),
        ~text.contains("\\"),
        text.rlike(DATA),
        columns != "",
        F.length(columns) <= LONGEST_COLUMNS,
    ]
    return named(
        {
            "is_plain": reduce(and_, rules),
            "columns": F.left(columns, F.lit(LONGEST_COLUMNS)),
            "rows": occurrences(text, "[") - occurrences(columns, "[") - 1,
        }
    )


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:  # noqa: ARG001 - an outline's
    if objection_to_name(delivery.file_name, ENDING):
        return None
    found = split_document.of_plain_frame(facts["columns"], facts["rows"], delivery, feed)
    return None if found is None or found.reason_code else found


OUTLINE = Outline(_facts, _verdict)
