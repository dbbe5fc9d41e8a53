"""The state of a table, read once before a command writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltalake.exceptions import TableNotFoundError

from pipeline.lake import access, gate, tables

if TYPE_CHECKING:
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


@dataclass(frozen=True)
class State:
    """The state of a table."""

    table: str
    batch_id: int = 0
    is_restored: bool = False
    holds_files: bool = False
    # False if the history only holds commits of others, because ours are too old.
    has_progress: bool = True

    @property
    def layer(self) -> str:
        """Bronze, silver, gold or ops."""
        return self.table.partition(".")[0]


def state_of(context: Context, table: Table) -> State | None:
    """The table's state; None if there is no such table."""
    there = None
    if context.settings.catalog:
        if not access.is_in_catalog(context, table):
            return None
        detail = context.spark.sql(f"DESCRIBE DETAIL {tables.address(context.settings, table)}").select("numFiles")
        holds_files = detail.collect()[0][0] > 0
    else:
        try:
            there = gate.opened(context, table)
        except TableNotFoundError:
            return None
        holds_files = bool(there.file_uris())
    found, is_whole = access.found(context, table, there)
    return State(table.full_name, found.batch_id, found.is_restored, holds_files, is_whole)
