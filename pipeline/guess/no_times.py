"""Times that a csv feed does not read: numbers of a day's intervals, spans in one cell, seconds since 1970."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.guess import words
from pipeline.guess.columns import LAST_HOUR

if TYPE_CHECKING:
    from pipeline.guess.sheet import Sheet

SPAN = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4} [0-9:]+\s*(?:to|-|bis|tot)\s*[0-9]{1,4}[-/.]")
SPANS = (
    "a cell of {!r} holds a start and an end ({!r}), and a csv feed reads one time: ask for two columns, or for the "
    "Green Button (XML) file that such a portal mostly has too"
)
EPOCH = re.compile(r"1[0-9]{9}(?:[0-9]{3})?")
EPOCH_NAMES = "time|unix*|epoch|ts|timestamp|date"
LAST_PERIOD = 100


def period(sheet: Sheet) -> str | None:
    """The column that numbers the intervals of a day (`Settlement Period`), where no column holds a time."""
    for name in sheet.names:
        cells = [cell for cell in sheet.column(name) if cell]
        numbers = cells and all(re.fullmatch(r"[0-9]{1,3}", cell) for cell in cells)
        if numbers and words.is_named(name, words.PERIOD) and LAST_HOUR < max(map(int, cells)) <= LAST_PERIOD:
            return name
    return None


def no_times(sheet: Sheet) -> str:
    """Why no column is one of times: spans in one cell, seconds since 1970, or nothing of the kind."""
    for name in sheet.names:
        cells = [cell for cell in sheet.column(name) if cell]
        if cells and all(SPAN.match(cell) for cell in cells):
            return SPANS.format(name, cells[0])
        if cells and all(EPOCH.fullmatch(cell) for cell in cells) and words.says(name, EPOCH_NAMES):
            return f"the column {name!r} counts seconds since 1970, and a csv feed reads dates"
    return "no column holds a date or a time"
