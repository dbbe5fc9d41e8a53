"""Lists for people: whole where the terminal is wide enough, readable where it is not.

Where the whole table fits it is printed as ever. Else what is long (a reason) stands on lines of its own below its
row; in a narrow terminal fewer columns are shown, times are short, and one column is folded to what is left. Where not
even that fits each row is printed a column a line, as psql's expanded display does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from jobs.shared.terminal import PIPE_WIDTH, console, grid, text
from pipeline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

BETWEEN = "  "
# The folded column gets no narrower than this: then rows are expanded.
LEAST_FOLDED = 12
# No limit.
WIDEST = 100_000
INDENT = 4
# A name is parted after these where it is too long.
PARTING = " /-_"


@dataclass(frozen=True)
class Listing:
    """What a list shows: every column where there is room, else the `narrow` ones with `below` on a line of its own.

    `folds` is the narrow column whose cells are folded; `names` are shorter heads of narrow columns; `joined` stands
    between values below a row; those of `apart` follow, each on a line of its own.
    """

    columns: Sequence[str]
    narrow: Sequence[str]
    folds: str
    below: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    joined: str = ": "
    apart: Sequence[str] = ()

    def print(self, rows: Sequence[Mapping[str, Any]], title: str | None = None, out: Console | None = None) -> None:
        """Print the rows in the widest form that fits."""
        out = out or console()
        whole = grid(self.columns, [[row[name] for name in self.columns] for row in rows], title)
        natural = out.measure(whole, options=out.options.update(max_width=WIDEST)).maximum
        if natural <= out.width or out.width >= PIPE_WIDTH:
            out.print(whole)
            return
        if title:
            out.print(Text(printable(title), style="bold"))
        below = {*self.below, *self.apart}
        beside = [name for name in self.columns if name not in below]
        lines = below and self._lines(beside, text, rows, out, WIDEST)
        lines = lines or self._lines(self.narrow, short, rows, out, LEAST_FOLDED)
        if lines is None:
            expanded(self.columns, rows, out)
        for line in lines or ():
            out.print(line)

    def _lines(
        self,
        names: Sequence[str],
        shown: Callable[[Any], Text],
        rows: Sequence[Mapping[str, Any]],
        out: Console,
        least: int,
    ) -> list[Text] | None:
        """Head and rows of these columns; None where they leave the folded one less than it needs, or than `least`."""
        heads = [Text(self.names.get(name, name) if shown is short else name, style="bold") for name in names]
        cells = [[shown(row[name]) for name in names] for row in rows]
        widths = [max(each.cell_len for each in column) for column in zip(heads, *cells, strict=True)]
        at = list(names).index(self.folds)
        room = out.width - sum(widths) + widths[at] - len(BETWEEN) * (len(widths) - 1)
        if room < min(least, widths[at]):
            return None
        widths[at] = min(widths[at], room)
        right = [any(isinstance(row[name], (int, Decimal)) for row in rows) for name in names]
        rule = sum(widths) + len(BETWEEN) * (len(widths) - 1)
        lines = [*_row(heads, widths, right), Text("─" * rule)]
        for row, each in zip(rows, cells, strict=True):
            lines += _row(each, widths, right)
            if said := [text(row[name]) for name in self.below if row[name] is not None]:
                lines += hanging(Text(self.joined).join(said), out, " " * INDENT)
            for name in self.apart:
                lines += hanging(text(row[name]), out, " " * INDENT) if row[name] is not None else ()
        return lines


def fitted(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """Print a table of columns that all matter: where it is too wide, its longest column of words is folded."""
    lengths = {
        name: 0 if any(isinstance(value, (int, float, Decimal)) for value in values) else _longest(values)
        for name, *values in zip(columns, *rows, strict=True)
    }
    listing = Listing(columns, columns, folds=max(columns, key=lambda name: lengths[name]))
    listing.print([dict(zip(columns, row, strict=True)) for row in rows], title)


def _longest(values: Sequence[object]) -> int:
    return max((text(value).cell_len for value in values), default=0)


def hanging(words: Text, out: Console, head: str) -> list[Text]:
    """Words folded to the width that the head leaves; the head stands before their first line."""
    lines = words.wrap(out, max(LEAST_FOLDED, out.width - len(head)), overflow="fold")
    for line in lines:
        line.rstrip()
    return [Text(head if n == 0 else " " * len(head)).append_text(line) for n, line in enumerate(lines)]


def expanded(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], out: Console | None = None) -> None:
    """Print each row a column a line."""
    out = out or console()
    width = max(len(name) for name in columns)
    for number, row in enumerate(rows, 1):
        out.print(Text(f"─[ {number} ]".ljust(min(out.width, width + 20), "─"), style="dim"))
        for name in columns:
            for line in hanging(text(row[name]), out, printable(name).ljust(width) + BETWEEN):
                out.print(line)


def short(value: object) -> Text:
    """A value for a narrow column: an instant to the minute, in UTC, with the year where it is not this one."""
    if value is None:
        return Text("")
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        this_year = moment.year == datetime.now(UTC).year
        return Text(f"{moment.day} {moment:%b %H:%M}" if this_year else f"{moment:%Y-%m-%d %H:%M}")
    return text(value.isoformat() if isinstance(value, date) else value)


def _parts(cell: Text, width: int) -> list[Text]:
    """A cell in lines of at most this width, parted after slashes, dashes and blanks where that fills half a line."""
    parts: list[Text] = []
    while cell.cell_len > width:
        most = min(len(cell), width)
        while most > 1 and cell_len(cell.plain[:most]) > width:
            most -= 1
        at = max(cell.plain.rfind(each, 0, most) + 1 for each in PARTING)
        head, cell = cell.divide([at if at > width // 2 else most])
        head.rstrip()
        parts.append(head)
    return [*parts, cell]


def _row(cells: Sequence[Text], widths: Sequence[int], right: Sequence[bool]) -> list[Text]:
    """A row as lines: cells that are too long go on in the next one."""
    folded = [_parts(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for parts in zip_longest(*folded):
        line = Text()
        for part, width, to_the_right in zip(parts, widths, right, strict=True):
            piece = part.copy() if part else Text()
            piece.align("right" if to_the_right else "left", width)
            line.append_text(piece).append(BETWEEN)
        line.rstrip()
        lines.append(line)
    return lines
