"""What the logs of tables in a folder or an object store say: by the driver, without a JVM."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
from deltalake.exceptions import TableNotFoundError
from pyarrow import fs

from pipeline.lake import commits, gate, progress, stores, tables
from pipeline.lake.progress import Progress
from pipeline.lake.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deltalake import DeltaTable

    from pipeline.lake.progress import Commit
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


class PathFacts:
    """See protocol.Facts."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def exists(self, table: Table) -> bool:
        """Whether there is such a table."""
        return self.version(table) is not None

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""
        try:
            return self._history(table, gate.opened(self.context, table), limit)
        except TableNotFoundError:
            return []

    def _history(self, table: Table, opened: DeltaTable, limit: int | None) -> list[Commit]:
        """The newest commit alone is one read; delta-rs lists the whole log for it."""
        where = tables.address(self.context.settings, table)
        only = commits.newest(where, opened.version()) if limit == 1 else None
        return opened.history(limit) if only is None else [only]

    def version(self, table: Table) -> int | None:
        """The table's newest version, None where there is no such table."""
        try:
            return gate.opened(self.context, table).version()
        except TableNotFoundError:
            return None

    def properties(self, table: Table) -> dict[str, str] | None:
        """The table's properties; None where there is no such table."""
        try:
            return dict(gate.opened(self.context, table).metadata().configuration)
        except TableNotFoundError:
            return None

    def progress(self, table: Table) -> tuple[Progress, bool]:
        """(how far the table is complete, whether its history says so); see progress.search."""
        try:
            return self._told(table)
        except TableNotFoundError:
            return Progress(), True

    def _told(self, table: Table) -> tuple[Progress, bool]:
        """Asked once for each version: where our last commit is far back, the search reads all since then."""
        old_form = commits.is_of_old_form(self.context, self)

        def tell(opened: DeltaTable) -> tuple[Progress, bool]:
            return progress.search(partial(self._history, table, opened), old_form=old_form)

        return gate.told(self.context, table, ("progress", old_form), tell)

    def states(self, every: Iterable[Table]) -> list[State]:
        """What the tables say of themselves; without those that are not there."""
        return [found for table in every if (found := self._state(table)) is not None]

    def _state(self, table: Table) -> State | None:
        try:
            opened = gate.opened(self.context, table)
        except TableNotFoundError:
            return None
        found, is_whole = self._told(table)
        return State(table.full_name, found.batch_id, found.is_restored, bool(opened.file_uris()), is_whole)

    def names_in(self, layer: str) -> list[str]:
        """Names of the tables of a layer."""
        if (places := self.context.settings.places) is not None:
            return sorted(name.removeprefix(f"{layer}.") for name in places if name.startswith(f"{layer}."))
        system, folder = stores.opened(f"{self.context.settings.root}/{layer}")
        found = system.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return sorted(each.base_name for each in found if each.type == fs.FileType.Directory)

    def lost_files(self, table: Table) -> list[str]:
        """Data files that the newest version names and that are not there, as paths below the table's folder."""
        try:
            named = pa.table(gate.opened(self.context, table).get_add_actions(flatten=True))["path"].to_pylist()
        except TableNotFoundError:
            return []
        is_there = _look(tables.address(self.context.settings, table))
        # Names are as they stand in the log, or decoded; a file outside of the folder is not ours to judge.
        return sorted(path for path in named if "://" not in path and not (is_there(path) or is_there(unquote(path))))


def _look(where: str) -> Callable[[str], bool]:
    """Whether a file of a folder is there: asked one by one on a disk, by one listing of an object store."""
    if not stores.is_remote(where):
        return lambda path: Path(where, path).exists()
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(folder, recursive=True))
    there = {entry.path.removeprefix(folder).lstrip("/") for entry in entries}
    return there.__contains__
