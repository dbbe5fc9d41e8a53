"""The terminal: a console, values as text or for JSON, and an aligned table."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from pipeline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLES = {"loaded": "green", "succeeded": "green", "rejected": "red", "failed": "red", "conflict": "red"}
# Wide enough for whole rows in a pipe; a terminal has its own width.
PIPE_WIDTH = 400


def console(*, stderr: bool = False) -> Console:
    """Standard output or error; as wide as its rows unless it is a terminal."""
    wide = None if (sys.stderr if stderr else sys.stdout).isatty() else PIPE_WIDTH
    return Console(highlight=False, width=wide, soft_wrap=False, stderr=stderr)


def cell(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    """A value for JSON: decimals as exact text, instants in UTC with their offset, days as ISO dates."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, (date, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()
    if isinstance(value, (list, tuple)):
        return [cell(each) for each in value]
    return value


def text(value: object) -> Text:
    """A value for a terminal: nothing in it acts as markup or as a control sequence."""
    if value is None:
        return Text("NULL", style="dim")
    safe = printable(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(cell(value)))
    return Text(safe, style=STYLES.get(safe, ""))


def of_them(shown: int, count: int, one: str, many: str) -> str:
    """How many of a list are shown, of how many that there are."""
    return f"({shown:,} of {count:,} {one if count == 1 else many})" if count else f"(no {many})"


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None, *, stderr: bool = False
) -> None:
    """Print an aligned table. For lists that may be too wide: `jobs.shared.listing`."""
    console(stderr=stderr).print(grid(columns, rows, title))


def grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Grid:
    """An aligned table; numbers to the right."""
    named = Text(printable(title), style="bold") if title else None
    made = Grid(box=SIMPLE_HEAD, title=named, title_justify="left", pad_edge=False)
    for n, name in enumerate(columns):
        numbers = any(isinstance(row[n], (int, float, Decimal)) for row in rows)
        made.add_column(Text(printable(name)), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(text(value) for value in row))
    return made
