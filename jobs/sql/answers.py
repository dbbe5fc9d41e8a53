"""Answers of `sql` on standard output: aligned columns, a line a value where these are too wide, CSV, JSON."""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared.output import cell, console, print_table, text
from pipeline.errors import UnknownNameError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

FORMS = ("table", "csv", "json")
EXPANDED = ("auto", "on", "off")
# What stands between two columns of an aligned table, and at both ends of its lines.
GAP, ENDS = 3, 2
# Of an answer that is a text of several lines: a plan (EXPLAIN), or a statement (SHOW CREATE TABLE).
PLAN_COLUMNS = 2


def check(form: str, expanded: str) -> None:
    """Raise UsageError for a form that there is not."""
    if form not in FORMS:
        raise UnknownNameError("unknown format", form, *FORMS)
    if expanded not in EXPANDED:
        raise UsageError(f"unknown value {expanded!r} for --expanded: use {', '.join(EXPANDED)}")


def show(answer: pa.Table, form: str, limit: int, expanded: str = "auto") -> None:
    """Print an answer; a table shows at most `limit` rows, and says so where there are more."""
    # By column: two of them may have the same name.
    rows = [list(row) for row in zip(*(column.to_pylist() for column in answer.columns), strict=True)]
    if form == "json":
        named = [{name: cell(value) for name, value in zip(answer.column_names, row, strict=True)} for row in rows]
        print(json.dumps(named, ensure_ascii=False, default=str))
    elif form == "csv":
        # Values as they are, for the next program, even those that a spreadsheet would take for a formula (`=1+1`).
        writer = csv.writer(_Lines())
        writer.writerow(answer.column_names)
        writer.writerows([["" if value is None else cell(value) for value in row] for row in rows])
    else:
        _show_table(answer.column_names, rows[:limit], expanded)
        more = f"the first {limit} rows; --limit shows more" if len(rows) > limit else of_rows(len(rows))
        print(f"({more})")


def of_rows(count: int) -> str:
    """A number of rows in words."""
    return "1 row" if count == 1 else f"{count:,} rows"


class _Lines:
    """Standard output for CSV: rows end in a line feed, and a value with a carriage return is still quoted.

    (Python 3.11 quotes a value only for the characters that rows end in.)
    """

    def write(self, row: str) -> None:
        """One row, as the writer gives it."""
        sys.stdout.write(row.removesuffix("\r\n") + "\n")


def _show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], expanded: str) -> None:
    if len(rows) == 1 and len(columns) <= PLAN_COLUMNS and isinstance(rows[0][-1], str) and "\n" in rows[0][-1]:
        for line in rows[0][-1].splitlines():
            print(printable(line))
    elif rows and (expanded == "on" or (expanded == "auto" and _is_too_wide(columns, rows))):
        _show_expanded(columns, rows)
    elif rows or expanded == "off" or not _is_too_wide(columns, rows):
        print_table(columns, rows)


def _is_too_wide(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Whether an aligned table would fold values."""
    widths = [
        max(text(value).cell_len for value in (name, *values)) for name, *values in zip(columns, *rows, strict=True)
    ]
    return sum(widths) + GAP * (len(widths) - 1) + ENDS > console().width


def _show_expanded(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A line for each value, below a line for each row."""
    out = console()
    names = [printable(name) for name in columns]
    width = max(Text(name).cell_len for name in names) + 1
    for number, row in enumerate(rows, 1):
        out.print(Text(f"-[ row {number} ]".ljust(width + len("-[ row 1 ]"), "-"), style="dim"))
        for name, value in zip(names, row, strict=True):
            pad = " " * (width - Text(name).cell_len)
            out.print(Text(name, style="bold"), Text(pad + "| "), text(_plain(value)), sep="", soft_wrap=True)


def _plain(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value
