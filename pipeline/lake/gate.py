"""Who may touch a table: the driver, without a JVM, or Spark alone. Decided here and nowhere else.

The driver's library (delta-rs) knows Delta's first features. A table that other tools gave deletion vectors, column
mapping or anything newer is read, written and vacuumed by Spark, which knows them all; so is every table of a catalog,
unless a reader has asked where it lies (`places.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import TableNotFoundError

from pipeline.errors import OvertakenError
from pipeline.lake import progress, tables

if TYPE_CHECKING:
    from typing import Any

    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# The protocol's versions of tables without any feature that a simple reader or writer must know.
PLAIN_READER, PLAIN_WRITER = 1, 2
# Under this name every commit of a run carries a number that only grows: two runs cannot both make the next one.
APPLICATION = "meterlake.claim"


def at(settings: Settings, table: Table, version: int | None = None) -> DeltaTable:
    """The table's log at its newest version or that one. TableNotFoundError where there is none."""
    if settings.places is not None and table.full_name not in settings.places:
        raise TableNotFoundError(f"{tables.address(settings, table)} is not in the catalog")
    return DeltaTable(tables.address(settings, table), version=version)


def opened(context: Context, table: Table) -> DeltaTable:
    """The table's log: versions, history, protocol. For its rows ask `readable`."""
    return at(context.settings, table)


def is_plain(delta: DeltaTable, *, to_write: bool = False) -> bool:
    """Whether the driver knows all that the table uses."""
    protocol = delta.protocol()
    plain = protocol.min_reader_version <= PLAIN_READER
    return bool(plain and (protocol.min_writer_version <= PLAIN_WRITER or not to_write))


def readable(context: Context, table: Table, version: int | None = None) -> DeltaTable | None:
    """The table for the driver to read; None where only Spark may. TableNotFoundError where there is none."""
    found = at(context.settings, table, version)
    return found if is_plain(found) else None


def writable(context: Context, table: Table) -> DeltaTable | None:
    """The table for the driver to write; None where only Spark may. OvertakenError where a later run owns the lake.

    What is committed on it conflicts with any commit of another run since.
    """
    found = opened(context, table)
    if context.claim is not None and (found.transaction_version(APPLICATION) or 0) >= context.claim.end:
        raise OvertakenError(context.settings.root)
    return found if is_plain(found, to_write=True) else None


def stamped(context: Context, mark: dict[str, Any] | None) -> CommitProperties:
    """The mark as the driver's writer wants it, with the number that tells this run's commits from another's."""
    numbers = [Transaction(APPLICATION, context.claim.next_number())] if context.claim is not None else None
    said = None if mark is None else {progress.KEY: progress.text_of(mark)}
    return CommitProperties(custom_metadata=said, app_transactions=numbers)
