"""Filters of commands that list something: a word that is none of those there are is an error, not an empty list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.delivery import REFERENCE
from pipeline.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.runtime.context import Context


def check(what: str, word: str | None, known: Iterable[str]) -> None:
    """Raise UnknownNameError (`no feed 'gass' …`) if a filter was given and is none of `known`."""
    every = [*known]
    if word is not None and word not in every:
        raise UnknownNameError(what, word, *every)


def feeds(context: Context, log: Iterable[Mapping[str, Any]]) -> list[str]:
    """The feeds of the configuration, those that left it and have deliveries in the log, and `reference`."""
    names = [feed.name for feed in context.settings.feeds]
    return [*dict.fromkeys([*names, *sorted({row["feed"] for row in log} - {REFERENCE}), REFERENCE])]


@dataclass(frozen=True)
class OfRejected:
    """Which rejected rows: of a feed, of deliveries, of a meter, with a reason code; None is all."""

    feed: str | None = None
    # A part of the delivery's path, or its file_id, with or without '#'.
    file: str | None = None
    meter: str | None = None
    reason: str | None = None

    def where(self, log: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Column -> its values; UsageError if the log has no such delivery."""
        given = {"feed": self.feed, "meter_id": self.meter, "reason_code": self.reason}
        wanted: dict[str, list[Any]] = {column: [value] for column, value in given.items() if value is not None}
        return wanted if self.file is None else wanted | {"file_id": _ids(self.file, log)}


def _ids(file: str, log: Iterable[Mapping[str, Any]]) -> list[int]:
    by_id = {row["file_id"]: row["relative_path"] for row in log}
    number = re.fullmatch("#?([0-9]{1,18})", file)
    if number and int(number[1]) in by_id:
        return [int(number[1])]
    found = [file_id for file_id, path in by_id.items() if file in path]
    if not found:
        raise UsageError(f"no delivery with {file!r} in its path, or as its file_id: `main.py files` lists all")
    return found
