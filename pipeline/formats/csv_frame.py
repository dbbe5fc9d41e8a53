"""The frame of a delimited text, on the driver: encoding, lines before the header, header, quotes, number of rows.

A record is a row unless it is one blank field. A quote opens a field only at its beginning (spaces aside); what stands
after the closing one belongs to the field as it is, and any other quote is a character like others. Python's csv
module, which counts the rows here, reads texts so; csv_text.py says the same to Spark as patterns.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from pipeline.config.csv_columns import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.config.csv_columns import Csv

BOM = "\ufeff"
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
LINE_END = r"(?:\r\n|\n|\r)"
_LINE = re.compile(rf"[^\r\n]*{LINE_END}|[^\r\n]+")
_SEPARATOR_LINE = re.compile(rf'[ \t]*"?sep=[^\r\n]"?[ \t]*(?:{LINE_END}|\Z)', re.IGNORECASE)
# No line of a file: read after the last one, it shows whether a quote is still open.
_AFTER_ALL = "\0\0after all\0\0"


class OpenQuoteError(ValueError):
    """A quote that was opened and never closed."""


@dataclass(frozen=True)
class Body:
    """The rows below a header: how many, and what Spark must know to find the same ones."""

    rows: int
    has_quotes: bool
    # Whether quotes hold delimiters or line breaks, or lines end in CR alone: records must be read, not split.
    is_quoted: bool
    has_blank_rows: bool


def encoding_of(content: bytes, configured: str) -> str:
    """A byte order mark's encoding, else the one that is configured; of UTF-16 the order of its bytes."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    if configured != "utf-16":
        return configured
    start = content[:1000]
    return "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"


def header(text: str, said: Csv) -> tuple[list[str] | None, int, int]:
    """The header's fields (without a header: the first row's), and where the rows begin: character, line.

    The fields are None where the text ends before them. Raises OpenQuoteError.
    """
    at, lines = 0, 0
    if found := _SEPARATOR_LINE.match(text):
        at, lines = found.end(), 1
    for _ in range(said.skip_lines):
        if (skipped := _LINE.match(text, at)) is None:
            return None, at, lines
        at, lines = skipped.end(), lines + 1
    ends: list[int] = []
    for fields in _reader(_noted(text, at, ends, said), said):
        if fields == _after_all():
            return None, at, lines
        if fields and fields[-1].endswith(_AFTER_ALL):
            raise OpenQuoteError
        if not is_blank(fields):
            return (fields, ends[-1], lines + len(ends)) if said.header else (fields, at, lines)
    return None, at, lines


def _noted(text: str, at: int, ends: list[int], said: Csv) -> Iterator[str]:
    """The lines from a place on; where each ends is noted when it is asked for."""
    for found in _LINE.finditer(text, at):
        ends.append(found.end())
        yield found[0]
    yield said.delimiter.join(_after_all())


def _after_all() -> list[str]:
    """The fields behind the last line: two, unless a quote is still open."""
    return [_AFTER_ALL, _AFTER_ALL]


def is_blank(fields: list[str]) -> bool:
    """Whether a record is no row."""
    return len(fields) <= 1 and not "".join(fields).strip(BLANKS)


def _reader(lines: Iterable[str], said: Csv, *, strict: bool = False) -> Any:  # noqa: ANN401 - the csv module's own type
    # Where the delimiter is a blank, no blank is cut off before a quote.
    blanks = said.delimiter != " "
    return csv.reader(lines, delimiter=said.delimiter, skipinitialspace=blanks, strict=strict)


def body(text: str, at: int, said: Csv) -> Body:
    """The rows from a place in the text on; raises OpenQuoteError."""
    alone = text.count("\r") != text.count("\r\n")
    if not alone and text.find('"', at) < 0:
        return _of_lines(text, at, said)
    widths, lines = _widths(text[at:], said)
    blank, rows = widths[0], widths.total() - widths[0]
    delimiters = sum((width - 1) * records for width, records in widths.items() if width)
    is_split = lines == rows + blank and text.count(said.delimiter, at) == delimiters
    return Body(rows, text.find('"', at) >= 0, alone or not is_split, blank > 0)


def blanks_but(delimiter: str) -> str:
    """The blanks that are no delimiter, for a character class."""
    return " \t".replace(delimiter, "")


def _of_lines(text: str, at: int, said: Csv) -> Body:
    lines = text.count("\n", at) + (at < len(text) and not text.endswith("\n"))
    start = max(at - 1, 0)
    plain = not any(text.find(pair, start) >= 0 for pair in ("\n\n", "\n\r\n", "\n ", "\n\t"))
    if plain and (at or text[:1] not in BLANKS):
        return Body(lines, has_quotes=False, is_quoted=False, has_blank_rows=False)
    blank_line = re.compile(rf"^[{blanks_but(said.delimiter)}]*\r?(?:\n|\Z)", re.MULTILINE)
    blank = sum(1 for found in blank_line.finditer(text, at) if found[0])
    return Body(lines - blank, has_quotes=False, is_quoted=False, has_blank_rows=blank > 0)


def _widths(text: str, said: Csv) -> tuple[Counter[int], int]:
    """Records by their number of fields (0: blank ones), and the lines they take."""
    reader = _reader(io.StringIO(text, newline=""), said, strict=True)
    try:
        widths = Counter(map(len, reader))
    except csv.Error:
        return _widths_of_odd(text, said)
    return _widths_of_odd(text, said) if widths[1] else (widths, reader.line_num)


def _widths_of_odd(text: str, said: Csv) -> tuple[Counter[int], int]:
    """The same, record by record: where some have one field, or quotes stand where RFC 4180 has none."""
    reader = _reader(chain(io.StringIO(text, newline=""), [said.delimiter.join(_after_all())]), said)
    widths: Counter[int] = Counter()
    record: list[str] = []
    try:
        for record in reader:
            widths[0 if is_blank(record) else len(record)] += 1
    except csv.Error as problem:
        raise OpenQuoteError from problem
    if record != _after_all():
        raise OpenQuoteError
    widths[len(record)] -= 1
    return widths, reader.line_num - 1
