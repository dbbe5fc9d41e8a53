"""Data files that a table's newest version names and that are not there: what no reader can go past.

A look at names, not into files; in path mode without a JVM. A catalog does not say where its files are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import LostFileError
from pipeline.lake import access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


def of_table(context: Context, table: Table) -> list[str]:
    """Paths below the table's folder, in order; [] where nothing is lost, or nothing is known."""
    return access.lake_of(context).lost_files(table)


def must_be_none(context: Context, every: Iterable[Table]) -> None:
    """LostFileError for the first table that lost a file."""
    for table in every:
        if lost := of_table(context, table):
            raise LostFileError(table.full_name, lost[0], len(lost))
