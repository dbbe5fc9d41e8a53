"""Filters of commands that list something: a word that is none of those there are is an error, not an empty list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline.deliveries.delivery import REFERENCE
from pipeline.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.deliveries.log_rows import LogRows
    from pipeline.runtime.context import Context


def check(what: str, word: str | None, known: Iterable[str]) -> None:
    """Raise UnknownNameError (`no feed 'gass' …`) if a filter was given and is none of `known`."""
    every = [*known]
    if word is not None and word not in every:
        raise UnknownNameError(what, word, *every)


def check_feed(context: Context, log: LogRows, feed: str | None) -> None:
    """The same of a feed: of the configuration, or one that left it and has deliveries in the log, or `reference`."""
    names = [feed.name for feed in context.settings.feeds]
    if feed is None or feed in {*names, REFERENCE}:
        return  # the log, which may be long, is not asked
    logged = log.distinct("feed") - {REFERENCE}
    check("no feed", feed, [*dict.fromkeys([*names, *sorted(logged), REFERENCE])])


@dataclass(frozen=True)
class OfRejected:
    """Which rejected rows: of a feed, of deliveries, of a meter, with a reason code; None is all."""

    feed: str | None = None
    # A part of the delivery's path, or its file_id, with or without '#'.
    file: str | None = None
    meter: str | None = None
    reason: str | None = None

    def where(self, log: LogRows) -> dict[str, list[Any]]:
        """Column -> its values; UsageError if the log has no such delivery."""
        given = {"feed": self.feed, "meter_id": self.meter, "reason_code": self.reason}
        wanted: dict[str, list[Any]] = {column: [value] for column, value in given.items() if value is not None}
        return wanted if self.file is None else wanted | {"file_id": _ids(self.file, log)}


def _ids(file: str, log: LogRows) -> list[int]:
    number = re.fullmatch("#?([0-9]{1,18})", file)
    if number and log.paths([int(number[1])]):
        return [int(number[1])]
    found: list[int] = []
    for piece in log.pieces(["file_id", "relative_path"]):
        holds_it = pc.match_substring(piece["relative_path"], file)
        found += piece.filter(holds_it)["file_id"].to_pylist()
    if not found:
        raise UsageError(f"no delivery with {file!r} in its path, or as its file_id: `main.py files` lists all")
    return found
