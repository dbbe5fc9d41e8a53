"""The frame of NEM12 files as expressions: a 100 record, records between and blank lines, a 900 record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.by_executors import Outline, once
from pipeline.formats import nem12_frame
from pipeline.formats.outline import first_and_last, how_many, lines, named
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

IS_CLEARLY_INNER = r'\A[ \t]*+(?:"[2-5]00"|[2-5]00)[ \t]*+,'
IS_CLEARLY_A_DAY = r'\A[ \t]*+(?:"300"|300)[ \t]*+,'
# As in nem12_frame.py, and a little more: what it finds too often, the driver reads. Only "\n" ends a line (d).
WITHOUT_A_DAY = r'(?md)^[ \t]*+"?[12]00(?![A-Za-z0-9_])[^\n]*+\n[ \t\r\n]*+"?[45]00(?![A-Za-z0-9_])'


def _facts(text: Column) -> Column:
    whole = ~text.rlike(WITHOUT_A_DAY)
    return once(lines(text), lambda lines: _of_lines(lines, whole))


def _of_lines(lines: Column, is_whole: Column) -> Column:
    inner, ends = how_many(lines, IS_CLEARLY_INNER), first_and_last(lines)
    is_plain = ends.pop("is_short") & (F.size(lines) == inner + 2) & is_whole
    return named({"is_plain": is_plain, "days": how_many(lines, IS_CLEARLY_A_DAY), **ends})


def _verdict(facts: Mapping[str, Any], delivery: Delivery, feed: Feed, environment: str) -> Delivery | None:
    # The two lines that are neither inner records nor blank are the first and the last.
    text = f"{facts['first']}\n{facts['last']}"
    looked_at = nem12_frame.inspect(text.encode("utf-8-sig"), delivery, feed, environment)
    return None if looked_at.reason_code or looked_at.rows_read else replace(looked_at, rows_read=facts["days"])


OUTLINE = Outline(_facts, _verdict)
