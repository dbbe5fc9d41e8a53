"""A text as rows and columns: its delimiter, the lines before its header, its names."""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.guess.text import Text


DELIMITERS = ",;\t|"
# Lines that are looked at for delimiter and header.
FIRST_LINES = 200
FEWEST_HOURS = 23
_KINDS = {
    "date": re.compile(r"[0-9]{1,4}(?:\. |[-/.])[0-9A-Za-z]{1,3}(?:\. |[-/.])[0-9]{1,4}|(?:19|20)[0-9]{6}\Z"),
    "time": re.compile(r"[0-9]{1,2}:[0-9]{2}"),
    "number": re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\Z"),
}


class Sheet(NamedTuple):
    """Rows of a delimited text, cells cut of blanks and of Excel's `="…"`; `skip_lines` stand before header or data.

    `preamble` is the cells of those lines; `lengths` has the number of fields of each row, empty ones behind those of
    the header aside, which are `width`.
    """

    delimiter: str
    skip_lines: int
    header: bool
    names: list[str]
    rows: list[list[str]]
    preamble: list[list[str]]
    lengths: list[int]
    width: int

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]

    def odd_rows(self, least: int) -> int:
        """Rows with fewer fields than this, or with more than the header."""
        return sum(not least <= length <= max(self.width, least) for length in self.lengths)


def sheet_of(text: Text) -> Sheet | None:
    """The rows of a text; None where no delimiter gives two columns, or no row holds data."""
    delimiter = text.sep or _delimiter(text.text)
    if delimiter is None:
        return None
    lines = _lines(text.text, delimiter)
    first = _first_data([cells for _, cells in lines[:FIRST_LINES]])
    if first is None:
        return None
    width = max(_used(cells) for _, cells in lines[first:][:FIRST_LINES])
    header = first > 0 and width <= len(lines[first - 1][1])
    top = lines[first - header]
    names = _unique(top[1]) if header else [f"c{n}" for n in range(1, len(top[1]) + 1)]
    rows = [(cells + [""] * len(names))[: len(names)] for _, cells in lines[first:]]
    named = _used(top[1]) if header else len(names)
    lengths = [max(min(len(cells), named), _used(cells)) for _, cells in lines[first:]]
    return Sheet(
        delimiter, top[0], header, names, rows, [cells for _, cells in lines[: first - header]], lengths, named
    )


def _first_data(rows: list[list[str]]) -> int | None:
    """The first row whose cells are of the kinds that most rows have."""
    # As many lines before the header as rows: the rows are the wider ones.
    seen = Counter(map(len, rows))
    width = max(seen, key=lambda width: (seen[width], width), default=0)
    alike = [row for row in rows if len(row) == width]
    kinds = [_usual(map(_kind, cells)) for cells in zip(*alike, strict=True)]
    data = [at for at, kind in enumerate(kinds) if kind != "text"]
    for n, row in enumerate(rows):
        held = sum(at < len(row) and _kind(row[at]) == kinds[at] for at in data)
        if data and held * 2 >= len(data) and not _counts(row):
            return n
    return None


def _usual(kinds: Iterable[str]) -> str:
    """The commonest kind; as common as a text, it is data below its header."""
    seen = Counter(filter(None, kinds))
    return max(seen, key=lambda kind: (seen[kind], kind != "text"), default="text")


def _kind(cell: str) -> str:
    """What a cell holds: a date, a time, a number or a text; nothing where it is empty."""
    for kind, pattern in _KINDS.items():
        if pattern.match(cell):
            return kind
    return "text" if cell else ""


def _counts(row: list[str]) -> bool:
    """Whether a row numbers columns: 1, 2, 3 … are the names of a day's hours."""
    numbers = [int(cell) for cell in row if cell.isdigit() and len(cell) < 4]  # noqa: PLR2004
    return len(numbers) >= FEWEST_HOURS and numbers == list(range(1, len(numbers) + 1))


def _lines(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(lines of the text before it, cells) of each row that is not blank."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    found, before = [], 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            found.append((before, [_cell(cell) for cell in cells]))
        before = reader.line_num
    return found


def _cell(text: str) -> str:
    cut = text.strip()
    return cut[2:-1] if cut.startswith('="') and cut.endswith('"') else cut


def _delimiter(text: str) -> str | None:
    """The delimiter by which most lines have the same number of fields; of several DuckDB's choice.

    DuckDB alone takes a decimal comma for one where most rows have it, and finds one column in files that begin with
    lines of another kind.
    """
    first = "".join(text.splitlines(keepends=True)[:FIRST_LINES])
    sniffed = _sniffed(first)
    agreed: dict[str, tuple[int, int, bool]] = {}
    for each in DELIMITERS:
        seen = Counter(len(cells) for _, cells in _lines(first, each))
        widths = [(lines, width, each == sniffed) for width, lines in seen.items() if width > 1]
        if widths:
            agreed[each] = max(widths)
    return max(agreed, key=agreed.__getitem__) if agreed else None


def _sniffed(text: str) -> str | None:
    """The delimiter that DuckDB finds."""
    with tempfile.TemporaryDirectory(prefix="meterlake-guess-") as folder:
        part = Path(folder) / "first_lines.csv"
        part.write_text(text, encoding="utf-8")
        try:
            query = "SELECT Delimiter FROM sniff_csv($path, sample_size = -1)"
            ((found,),) = duckdb.execute(query, {"path": str(part)}).fetchall()
        except duckdb.Error:
            return None
    return str(found)


def _used(cells: list[str]) -> int:
    """Cells up to the last that is not empty."""
    return max((n for n, cell in enumerate(cells, start=1) if cell), default=0)


def _unique(names: list[str]) -> list[str]:
    """Names as the configuration knows them: one that stands twice is `NAME`, then `NAME.2`."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found
