"""The frame of SMRT flow files as expressions: a header, CONSU lines and blank ones, a trailer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline, once
from pipeline.formats import smrt_envelope
from pipeline.formats.outline import first_and_last, how_many, lines, named
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

IS_CLEARLY_CONSU = r'\A[ \t]*+(?:"CONSU"|CONSU)[ \t]*+,'


def _facts(text: Column) -> Column:
    return once(lines(text), _of_lines)


def _of_lines(lines: Column) -> Column:
    records, ends = how_many(lines, IS_CLEARLY_CONSU), first_and_last(lines)
    return named({"is_plain": ends.pop("is_short") & (F.size(lines) == records + 2), "records": records, **ends})


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:
    # The two lines that are neither records nor blank are the first and the last.
    text = f"{facts['first']}\n{facts['last']}"
    looked_at = smrt_envelope.inspect(text.encode("utf-8-sig"), delivery, feed, environment)
    return None if looked_at.reason_code or looked_at.rows_read else replace(looked_at, rows_read=facts["records"])


OUTLINE = Outline(_facts, _verdict)
