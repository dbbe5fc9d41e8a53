"""The bytes of a delimited file as text: its encoding, as the configuration names it."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

# Enough for a year of a house, or a day of thousands of meters.
MOST_BYTES = 32_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SEP = re.compile(r"sep=(.)[ \t]*\r?(?:\n|\Z)", re.IGNORECASE)
_HALF = 0.5


class Text(NamedTuple):
    """A file's text without mark and `sep=` line; `encoding` is a key of the configuration, None where a mark says it.

    `sep` is the delimiter that a first line `sep=X` names.
    """

    text: str
    encoding: str | None
    sep: str | None
    is_whole: bool


def text_of(content: bytes, *, is_whole: bool = True) -> Text | None:
    """The text of a file's first bytes; None where they are no text."""
    marked = next(((mark, codec) for mark, codec in _MARKS if content.startswith(mark)), None)
    if marked:
        body, encoding = content[len(marked[0]) :].decode(marked[1], "replace"), None
    else:
        codec, encoding = _without_mark(content)
        body = content.decode(codec, "replace")
    if "\x00" in body:
        return None
    if not is_whole:  # the last line may be cut
        body = body[: body.rfind("\n") + 1]
    sep = _SEP.match(body)
    return Text(body[sep.end() :] if sep else body, encoding, sep[1] if sep else None, is_whole)


def _without_mark(content: bytes) -> tuple[str, str]:
    """(Python's codec, the configuration's name) of bytes without a byte order mark."""
    zeros = content.count(0)
    if zeros > _HALF * len(content) / 2:
        return ("utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"), "utf-16"
    try:
        # The end of a part of a file may cut a character.
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        # Letters of 0x80 to 0x9F are control characters in Latin-1; no sender writes those.
        return "cp1252", "cp1252"
    return "utf-8", "utf-8"
