"""What people and their tools do to a table: optimize it, add notes, rewrite rows, restore, lose files."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import DeltaTable

from pipeline.lake import access, gate, tables
from pipeline.lake.catalog.writes import COMMIT_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# What others write where our marks are.
NOTES = ("weekly maintenance", '{"job": "x"}', '{"batch_id": 1}', '{"meterlake": "looked at it"}', "7", "null", "{")


def optimize(context: Context, table: Table, *, by_spark: bool) -> None:
    """Compact small files, with another tool's library or with Spark."""
    where = tables.address(context.settings, table)
    if by_spark or gate.readable(context, table) is None:
        context.spark.sql(f"OPTIMIZE {tables.sql_name(context.settings, table)}")
    else:
        DeltaTable(where).optimize.compact()


@contextmanager
def saying(context: Context, note: str) -> Iterator[None]:
    """Commits of Spark inside carry the note."""
    context.spark.conf.set(COMMIT_MARK, note)
    try:
        yield
    finally:
        context.spark.conf.unset(COMMIT_MARK)


def note(context: Context, table: Table, text: str) -> None:
    """A commit that changes no row and carries a note."""
    with saying(context, text):
        _set(context, table, "looked.at", "yes")


def rewrite_a_row(context: Context, table: Table, dice: int) -> None:
    """Delete a row and put it back, with an engine that keeps the file and writes a deletion vector beside it."""
    _set(context, table, "delta.enableDeletionVectors", "true")
    name = tables.sql_name(context.settings, table)
    rows = access.read(context, table).toArrow()
    if not rows.num_rows:
        return
    row = rows.sort_by([(column, "ascending") for column in table.key]).slice(dice % rows.num_rows, 1)
    there = context.spark.createDataFrame(row)
    same = " AND ".join(f"t.{column} <=> s.{column}" for column in table.key)
    there.createOrReplaceTempView("one_row")
    context.spark.sql(f"MERGE INTO {name} t USING one_row s ON {same} WHEN MATCHED THEN DELETE")
    context.spark.sql(f"INSERT INTO {name} SELECT * FROM one_row")


def _set(context: Context, table: Table, key: str, value: str) -> None:
    name = tables.sql_name(context.settings, table)
    context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{key}' = '{value}')")


def restore(context: Context, table: Table, version: int) -> None:
    """The table as it was in a version."""
    context.spark.sql(f"RESTORE TABLE {tables.sql_name(context.settings, table)} TO VERSION AS OF {version}")


def a_data_file(context: Context, table: Table, dice: int) -> Path | None:
    """A file of the table's newest version; None if it has none."""
    named = sorted(uri.removeprefix("file://") for uri in gate.opened(context, table).file_uris())
    return Path(named[dice % len(named)]) if named else None


@contextmanager
def lost(path: Path) -> Iterator[None]:
    """The file is not there inside, and put back afterwards."""
    away = Path(tempfile.mkdtemp(prefix="away")) / path.name
    shutil.move(path, away)
    try:
        yield
    finally:
        shutil.move(away, path)
        away.parent.rmdir()
