"""The simple grammar of OBIS documents (obis_document.py) as expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline, once
from pipeline.formats import obis_document
from pipeline.formats.feed_format import objection_to_name
from pipeline.formats.json_document import BLANKS, ENDING
from pipeline.formats.outline import named
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# The patterns mean the same in Python and Java: possessive throughout, and of ASCII alone.
BEFORE = r"\A" + BLANKS.decode() + obis_document.BEFORE_RECORDS.decode()
RECORD = obis_document.PLAIN_RECORD.decode()
AFTER = r"\A" + obis_document.AFTER_RECORDS.decode() + BLANKS.decode() + r"\z"


def _facts(text: Column) -> Column:
    is_opened = text.rlike(BEFORE)
    return once(
        F.regexp_replace(text, BEFORE, ""),
        lambda rest: named(
            {
                "is_plain": is_opened & F.regexp_replace(rest, RECORD, "").rlike(AFTER),
                "records": F.regexp_count(rest, F.lit(RECORD)).cast("bigint"),
            }
        ),
    )


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:  # noqa: ARG001 - an outline's
    if objection_to_name(delivery.file_name, ENDING):
        return None
    return replace(delivery, rows_read=facts["records"])


OUTLINE = Outline(_facts, _verdict)
