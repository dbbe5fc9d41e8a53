"""A file -> its entry, whatever it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.config.values import RESERVED_FEED_NAMES
from pipeline.guess import csv_entry, other_formats, proof
from pipeline.guess.csv_entry import UnknownFileError
from pipeline.guess.sheet import sheet_of
from pipeline.guess.text import MOST_BYTES, text_of
from pipeline.guess.words import plain

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.guess.entry import Entry

LANDING = "data_lake/landing"
# Formats whose feeds may have another ending.
ENDINGS = {"csv": ".csv", "nem12": ".csv", "green_button": ".xml"}


def guess(path: Path, name: str | None = None) -> Entry:
    """The entry of the feed that loads the file; UnknownFileError where none can be guessed, OSError."""
    with path.open("rb") as file:
        head = file.read(MOST_BYTES + 1)
    is_whole = len(head) <= MOST_BYTES
    if not head.strip():
        raise UnknownFileError("it is empty")
    feed_name = name or name_of(path.stem)
    feed: dict[str, object] = {"name": feed_name, "format": "csv", "path": f"{LANDING}/{feed_name}"}
    found = other_formats.entry_of(path, head, feed)
    if found is None:
        text = text_of(head[:MOST_BYTES], is_whole=is_whole)
        sheet = sheet_of(text) if text else None
        if text is None or sheet is None or not sheet.rows:
            raise UnknownFileError("it is neither delimited text with rows nor a file of the other formats")
        found = csv_entry.entry_of(sheet, text, feed, path.name)
    _ending(found, path.suffix)
    if not is_whole:
        found.note("", f"only the first {MOST_BYTES // 1_000_000} MB of the file were looked at")
    proof.prove(found, head[:MOST_BYTES], path.name)
    return found


def _ending(entry: Entry, suffix: str) -> None:
    """Write the ending of the files' names, where it is not the format's usual one."""
    usual = ENDINGS.get(str(entry.feed["format"]))
    if usual is None or suffix.lower() == usual:
        return
    if re.fullmatch(r"\.[A-Za-z0-9]+", suffix):
        entry.feed["ending"] = suffix
    else:
        entry.note("", f"the name has no ending: name deliveries so that they end in {usual}")


def name_of(stem: str) -> str:
    """A feed's name from a file's, without numbers and dates.

    >>> name_of("HDF_calckWh_10012345678_02-11-2023"), name_of("20230101")
    ('hdf_calck_wh', 'readings')
    """
    words = [word for word in plain(stem).split() if not re.search(r"[0-9]", word)]
    short = "_".join(words)[:40].strip("_")
    return "readings" if not short or short in RESERVED_FEED_NAMES else short
