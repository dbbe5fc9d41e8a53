"""Green Button in Python: interval readings from a file's bytes, as Spark has them, and why some are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast
from xml.parsers import expat

from pipeline.formats.green_button_document import DESCRIBED
from pipeline.formats.green_button_rows import DIRECTION_OF, NO_METER, SAID, is_other, start_of
from pipeline.formats.row_judge import beyond_all_years, shown
from pipeline.formats.row_rules import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Refusal, Row

PIECE = 1 << 16
# The text of an element that holds others, which Spark has as XML.
NESTED = "<…>"
# The path of a reading in an entry, in lower case, and what lies in it.
READING = ("feed", "entry", "content", "intervalblock", "intervalreading")
INSIDE = {
    ("timeperiod", "start"): "start",
    ("timeperiod", "duration"): "duration",
    ("value",): "value",
    ("readingquality", "quality"): "quality",
    ("cost",): "cost",
    ("tou",): "tou",
    ("consumptiontier",): "consumption_tier",
    ("cpp",): "cpp",
}


class _Reader:
    """Follows a document; `found` are the readings since they were last taken, each with its entry's place."""

    def __init__(self) -> None:
        self.found: list[tuple[int, dict[str, list[str]]]] = []
        self._entry = -1
        self._path: list[str] = []
        self._values: dict[str, list[str]] = {}
        self._text: list[str] = []
        self._holds_more = False
        # Without a DTD, which `inspect` refuses, there are no entities.
        self._parser = expat.ParserCreate("utf-8", " ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._begin, self._end
        self._parser.CharacterDataHandler = self._text_of

    def feed(self, piece: bytes, *, is_last: bool) -> None:
        self._parser.Parse(piece, is_last)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - expat's
        self._path.append(name.rpartition(" ")[2].lower())
        self._text = []
        depth = len(self._path)
        self._holds_more = tuple(self._path[len(READING) : -1]) in INSIDE
        if self._path == ["feed", "entry"]:
            self._entry += 1
        elif self._path[len(READING) :] == ["readingquality"] and tuple(self._path[: len(READING)]) == READING:
            self._values.setdefault("quality", []).append("")
        elif depth == len(READING) and tuple(self._path) == READING:
            self._values = {}

    def _end(self, name: str) -> None:  # noqa: ARG002 - expat's
        depth = len(READING)
        if tuple(self._path[:depth]) == READING:
            if len(self._path) == depth:
                self.found.append((self._entry, self._values))
            elif column := INSIDE.get(tuple(self._path[depth:])):
                text = NESTED if self._holds_more else "".join(self._text).strip(BLANKS)
                # Of several elements of one name the last counts; qualities are of several ReadingQualities.
                self._values[column] = [*(self._values.get(column, ())[:-1] if column == "quality" else ()), text]
        self._path.pop()
        self._text = []

    def _text_of(self, text: str) -> None:
        self._text.append(text)


def rows(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:  # noqa: ARG001 - a format's
    """Interval readings in their order, each with what describes its entry."""
    described = {place: facts for place, *facts in map(json.loads, cast("tuple[str, ...]", delivery.frame))}
    reader, number = _Reader(), 0
    for at in range(0, len(content), PIECE):
        reader.feed(content[at : at + PIECE], is_last=at + PIECE >= len(content))
        for entry, values in reader.found:
            number += 1
            row: Row = dict(zip(DESCRIBED, described.get(entry, [None] * len(DESCRIBED)), strict=True))
            row |= {name: " ".join(filter(None, values[name])) if name in values else None for name in SAID}
            yield row | {"row_number": number}
        reader.found = []


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:  # noqa: ARG001 - a format's
    """Why a row of which the judge says nothing is refused; None for one of another quantity."""
    if is_other(row):
        return None
    if not row["usage_point"]:
        return "METER_ID_MISSING", NO_METER
    if row["flow_direction"] and row["flow_direction"] not in DIRECTION_OF:
        said = f"flowDirection {shown(row['flow_direction'])} is neither import (1) nor export (19)"
        return "DIRECTION_UNKNOWN", said
    if (start := start_of(row)) is not None:
        return beyond_all_years(start, shown(row["start"]), feed)
    said = f"no start or duration in seconds: {shown(row['start'])}, {shown(row['duration'])}"
    return "INTERVAL_START_INVALID", said
