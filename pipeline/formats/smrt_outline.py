"""The frame of SMRT flow files as expressions: a header, CONSU lines and blank ones, a trailer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline
from pipeline.formats import smrt_envelope
from pipeline.formats.outline import LONGEST_HEADER
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

IS_CLEARLY_CONSU = r'\A[ \t]*+(?:"CONSU"|CONSU)[ \t]*+,'


def _facts(text: Column) -> dict[str, Column]:
    lines = F.split(text, "\n")
    records = F.size(F.filter(lines, lambda line: line.rlike(IS_CLEARLY_CONSU)))
    blank = F.size(F.filter(lines, lambda line: F.trim(line, F.lit(" \t\r")) == ""))
    first = F.substring_index(text, "\n", 1)
    last = F.substring_index(F.rtrim(text, F.lit(" \t\r\n")), "\n", -1)
    short = (F.length(first) <= LONGEST_HEADER) & (F.length(last) <= LONGEST_HEADER)
    return {
        "is_plain": short & (records + blank + 2 == F.size(lines)),
        "first": F.left(first, F.lit(LONGEST_HEADER)),
        "last": F.left(last, F.lit(LONGEST_HEADER)),
        "records": records.cast("bigint"),
    }


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:
    # The two lines that are neither records nor blank are the first and the last.
    text = f"{facts['first']}\n{facts['last']}"
    looked_at = smrt_envelope.inspect(text.encode("utf-8-sig"), delivery, feed, environment)
    return None if looked_at.reason_code or looked_at.rows_read else replace(looked_at, rows_read=facts["records"])


OUTLINE = Outline(_facts, _verdict)
