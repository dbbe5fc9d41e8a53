"""Who may touch a table: the driver, without a JVM, or Spark alone. Decided here and nowhere else.

The driver's library (delta-rs) knows Delta's first features. A table that other tools gave deletion vectors, column
mapping or anything newer is read, written and vacuumed by Spark, which knows them all; so is every table of a catalog,
unless a reader has asked where it lies (`places.py`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError

from pipeline.errors import OvertakenError
from pipeline.lake import progress, stores, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

T = TypeVar("T")
# The protocol's versions of tables without any feature that a simple reader or writer must know.
PLAIN_READER, PLAIN_WRITER = 1, 2
# Under this name every commit of a run carries a number that only grows: two runs cannot both make the next one.
APPLICATION = "meterlake.claim"


def at(settings: Settings, table: Table, version: int | None = None) -> DeltaTable:
    """The table's log at its newest version or that one. TableNotFoundError where there is none."""
    if settings.places is not None and table.full_name not in settings.places:
        raise TableNotFoundError(f"{tables.address(settings, table)} is not in the catalog")
    return DeltaTable(tables.address(settings, table), version=version)


def commit_file(where: str, version: int) -> tuple[int, int] | None:
    """What identifies the file of a commit; None if there is none, or if the table is not in a folder."""
    if stores.is_remote(where):
        return None
    try:
        found = os.stat(f"{where}/_delta_log/{version:020d}.json")  # noqa: PTH116 - at every question
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


class Followed:
    """A table that was opened for reading, and what its history told."""

    def __init__(self, where: str, delta: DeltaTable) -> None:
        self.where, self.delta = where, delta
        self.seen = commit_file(where, delta.version())
        self.told: dict[tuple[int, object], Any] = {}

    def is_newest(self) -> bool:
        """Whether it is at the newest version; brings it there if it can."""
        if self.seen is None or commit_file(self.where, self.delta.version()) != self.seen:
            return False
        if commit_file(self.where, self.delta.version() + 1) is not None:
            try:
                self.delta.update_incremental()
            except DeltaError:  # opened again, it says what is wrong
                return False
            self.seen = commit_file(self.where, self.delta.version())
        return True


def opened(context: Context, table: Table) -> DeltaTable:
    """The table's log, for reading: versions, history, protocol. For its rows ask `readable`.

    In a folder it is opened once and then followed: its commit's file is unchanged, and there is no later one. Opening
    reads every commit since the last checkpoint.
    """
    where = tables.address(context.settings, table)
    kept: Followed | None = context.opened.get(where)
    if kept is None or not kept.is_newest():
        kept = context.opened[where] = Followed(where, at(context.settings, table))
    return kept.delta


def told(context: Context, table: Table, question: object, tell: Callable[[DeltaTable], T]) -> T:
    """The answer to a question of the table's history, which `tell` gives once for each version."""
    delta = opened(context, table)
    kept: Followed = context.opened[tables.address(context.settings, table)]
    asked = delta.version(), question
    if asked not in kept.told:
        kept.told = {asked: tell(delta)}
    found: T = kept.told[asked]
    return found


def is_plain(delta: DeltaTable, *, to_write: bool = False) -> bool:
    """Whether the driver knows all that the table uses."""
    protocol = delta.protocol()
    plain = protocol.min_reader_version <= PLAIN_READER
    return bool(plain and (protocol.min_writer_version <= PLAIN_WRITER or not to_write))


def readable(context: Context, table: Table, version: int | None = None) -> DeltaTable | None:
    """The table for the driver to read; None where only Spark may. TableNotFoundError where there is none."""
    found = opened(context, table) if version is None else at(context.settings, table, version)
    return found if is_plain(found) else None


def writable(context: Context, table: Table) -> DeltaTable | None:
    """The table for the driver to write; None where only Spark may. OvertakenError where a later run owns the lake.

    What is committed on it conflicts with any commit of another run since.
    """
    # Not one that was opened before: it must stay at the version that the writer has seen.
    found = at(context.settings, table)
    if context.claim is not None and (found.transaction_version(APPLICATION) or 0) >= context.claim.end:
        raise OvertakenError(context.settings.root)
    return found if is_plain(found, to_write=True) else None


def stamped(context: Context, mark: dict[str, Any] | None) -> CommitProperties:
    """The mark as the driver's writer wants it, with the number that tells this run's commits from another's."""
    numbers = [Transaction(APPLICATION, context.claim.next_number())] if context.claim is not None else None
    said = None if mark is None else {progress.KEY: progress.text_of(mark)}
    return CommitProperties(custom_metadata=said, app_transactions=numbers)
