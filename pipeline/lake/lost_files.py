"""Data files that a table's newest version names but that are missing: no reader can work without them.

Only names are compared, files are not opened; no JVM in path mode. A catalog does not say where its files are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
from deltalake.exceptions import TableNotFoundError
from pyarrow import fs

from pipeline.errors import LostFileError
from pipeline.lake import access, stores, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


def of_table(context: Context, table: Table) -> list[str]:
    """Paths below the table's folder, in order; [] if nothing is lost or nothing is known."""
    if context.settings.catalog:
        return []
    try:
        named = pa.table(access.opened(context, table).get_add_actions(flatten=True))["path"].to_pylist()
    except TableNotFoundError:
        return []
    is_there = _look(tables.address(context.settings, table))
    # Names may be URL-encoded, as in the log, or decoded; files outside the folder are not checked.
    return sorted(path for path in named if "://" not in path and not (is_there(path) or is_there(unquote(path))))


def _look(where: str) -> Callable[[str], bool]:
    """A function that says whether a file is there: on a disk one check each, in an object store one listing."""
    if not stores.is_remote(where):
        return lambda path: Path(where, path).exists()
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(folder, recursive=True))
    there = {entry.path.removeprefix(folder).lstrip("/") for entry in entries}
    return there.__contains__


def must_be_none(context: Context, every: Iterable[Table]) -> None:
    """Raise LostFileError for the first table with a lost file."""
    for table in every:
        if lost := of_table(context, table):
            raise LostFileError(table.full_name, lost[0], len(lost))
