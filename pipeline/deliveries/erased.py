"""What an erasure must know when it is called again: which rows it already removed. Never whose they were.

The commit that removes rows from bronze says, for each delivery, how many it removes and how many the log had counted
as erased before. While the log still has the old number, it has not counted them yet. The mark of ops.erasures says
that an erasure is unfinished, from its first commit to its last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.lake import access, progress, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.deliveries.delivery import Delivery
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

ERASED, UNFINISHED = "erased", "unfinished"


def whole(meter: str) -> str:
    """A regular expression that finds the meter's id in a text, whole; Java wants `(?U)` before it.

    `12` is not in `1234`, `3.12`, `AB-12`, `12:30` or `2021-12-01`; it is in `"12",`, `:12}` and `12.` at an end.
    """
    return rf"(?<![\w.+/-])(?<!\d:){re.escape(meter)}(?![\w/-])(?!:\d)(?!\.\w)"


def without(text: str, meter: str) -> str:
    """The text with the meter's id removed."""
    return re.sub(whole(meter), "(erased)", text)


def mark(pending: Mapping[int, int], removed: Mapping[int, int], known: Iterable[Delivery]) -> dict[str, Any]:
    """The mark of the commit that removes the rows `removed` from a table, by file, after those `pending`."""
    before = {each.file_id: each.rows_erased for each in known}
    files = {number: pending.get(number, 0) + removed.get(number, 0) for number in {*pending, *removed}}
    return {ERASED: {str(number): [before.get(number, 0), rows] for number, rows in sorted(files.items())}}


def pending(context: Context, table: Table, known: Iterable[Delivery]) -> dict[int, int]:
    """file_id -> rows that an erasure removed from this bronze table and that the log does not count as erased yet."""
    before = {each.file_id: each.rows_erased for each in known}
    newest: dict[int, list[int]] = {}
    for note in _marks(context, table):
        for number, said in note.get(ERASED, {}).items():
            newest.setdefault(int(number), said)
    return {number: rows for number, (counted, rows) in newest.items() if before.get(number) == counted and rows}


def unfinished(context: Context) -> dict[str, Any]:
    """What an erasure that was killed was to remove, in numbers; {} if there was none."""
    found: dict[str, Any] = access.mark(context, tables.ERASURES).get(UNFINISHED, {})
    return found


def _marks(context: Context, table: Table) -> list[dict[str, Any]]:
    """Our notes in the table's commits, newest first; a later batch has its own mark."""
    commits = access.history(context, table, None)
    return [said for each in commits if (said := progress.mark_in(each, old_form=True)) is not None]
