"""Data files that a table's newest version names but that are missing: no reader can work without them.

Only names are compared, files are not opened; no JVM in path mode. A catalog does not say where its files are.
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
    return access.lake_of(context).facts.lost_files(table)


def must_be_none(context: Context, every: Iterable[Table]) -> None:
    """Raise LostFileError for the first table with a lost file."""
    for table in every:
        if lost := of_table(context, table):
            raise LostFileError(table.full_name, lost[0], len(lost))
