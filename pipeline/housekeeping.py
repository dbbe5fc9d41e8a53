"""Compaction, and the removal of what earlier versions of a table hold. In path mode without a JVM."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from pipeline import causes, failpoints, lake, partitions, stores, tables
from pipeline.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pipeline.context import Context
    from pipeline.tables import Table

# Delta's own guard: shorter than this, a reader or writer that is at work may lose its files.
SAFE_HOURS = 168
# Delta's own default for the log of versions.
LOG_DAYS = 30
# A file below this is better put together with others of its partition.
SMALL_FILE = 16 * 1024 * 1024
LOG_RETENTION = "delta.logRetentionDuration"
CLUSTERED_TO, FORGOTTEN_TO = "meterlake.clusteredTo", "meterlake.forgottenTo"
# Row groups that a reader of one meter passes over by their smallest and largest value.
ORDERED = WriterProperties(compression="ZSTD", max_row_group_size=128 * 1024)


def compact(context: Context, table: Table) -> int:
    """Put small files of a partition together; returns how many files went. The mark of the last commit stays."""
    if context.settings.catalog:
        with delta_marks(context, table):
            done = context.spark.sql(f"OPTIMIZE {tables.address(context.settings, table)}").toArrow().to_pylist()
        return int(done[0]["metrics"]["numFilesRemoved"]) if done else 0
    with failpoints.around(f"compact {table.full_name}"), _in_words(context, table):
        optimize = _opened(context, table).optimize
        done = optimize.compact(writer_properties=lake.WRITER, commit_properties=_marked(context, table))
        return int(done["numFilesRemoved"])


def clustered_to(context: Context, table: Table) -> int:
    """The batch up to which the table's days are in the order of `cluster_by`; 0 for none."""
    where = tables.address(context.settings, table)
    if context.settings.catalog:
        told = context.spark.sql(f"SHOW TBLPROPERTIES {where}").toArrow().to_pylist()
        return int({row["key"]: row["value"] for row in told}.get(CLUSTERED_TO, 0))
    return int(lake.opened(context, table).metadata().configuration.get(CLUSTERED_TO, 0))


def cluster(context: Context, table: Table, days: Mapping[str, Sequence[date]], batch_id: int) -> int:
    """Write those days of those feeds anew in the order of `cluster_by`, one file a day as far as it goes.

    Returns how many files went. That it is done up to the batch is noted last: killed before, it is done again.
    """
    gone = 0
    for feed, some in sorted(days.items()):
        if context.settings.catalog:
            with delta_marks(context, table):
                where, by = partitions.days_text({feed: some}), ", ".join(table.cluster_by)
                order = f"OPTIMIZE {tables.address(context.settings, table)} WHERE {where} ZORDER BY ({by})"
                done = context.spark.sql(order).toArrow().to_pylist()
            gone += int(done[0]["metrics"]["numFilesRemoved"]) if done else 0
            continue
        with failpoints.around(f"cluster {table.full_name}"), _in_words(context, table):
            done = _opened(context, table).optimize.z_order(
                list(table.cluster_by),
                partition_filters=[("feed", "=", feed), ("local_date", "in", [day.isoformat() for day in some])],
                writer_properties=ORDERED,
                commit_properties=_marked(context, table),
            )
            gone += int(done["numFilesRemoved"])
    set_properties(context, table, {CLUSTERED_TO: str(batch_id)})
    return gone


def removable(context: Context, table: Table, hours: int) -> int | None:
    """How many files `vacuum` would remove; a catalog does not say (None)."""
    if context.settings.catalog:
        return None
    with _in_words(context, table):
        return len(_opened(context, table).vacuum(retention_hours=hours, enforce_retention_duration=False, full=True))


def storage(context: Context, table: Table) -> dict[str, int | None]:
    """Of the newest version: files, their bytes, and how many of them are small ones that `compact` would put together.

    A catalog does not say which are small (None).
    """
    if context.settings.catalog:
        (told,) = context.spark.sql(f"DESCRIBE DETAIL {tables.address(context.settings, table)}").toArrow().to_pylist()
        return {"files": int(told["numFiles"]), "bytes": int(told["sizeInBytes"]), "small_files": None}
    try:
        found = pa.table(lake.opened(context, table).get_add_actions(flatten=True)).to_pylist()
    except TableNotFoundError:
        found = []
    small: dict[tuple[Any, ...], int] = {}
    for file in found:
        if file["size_bytes"] < SMALL_FILE:
            partition = tuple(file[f"partition.{name}"] for name in table.partition_by)
            small[partition] = small.get(partition, 0) + 1
    several = sum(count for count in small.values() if count > 1)
    return {"files": len(found), "bytes": sum(file["size_bytes"] for file in found), "small_files": several}


def bytes_on_disk(context: Context) -> int | None:
    """All that lies below a lake in a local folder, earlier versions too; None elsewhere."""
    if context.settings.catalog or "://" in context.settings.root:
        return None
    total = 0
    for folder, _, names in os.walk(context.settings.root):
        for name in names:
            with suppress(OSError):  # removed by a run meanwhile
                total += os.lstat(Path(folder, name)).st_size
    return total


def vacuum(context: Context, table: Table, hours: int) -> int:
    """Remove the files that only versions older than `hours` need; returns how many (in a catalog: 0, unknown)."""
    if context.settings.catalog:
        guard = "spark.databricks.delta.retentionDurationCheck.enabled"
        context.spark.conf.set(guard, str(hours >= SAFE_HOURS).lower())
        try:
            context.spark.sql(f"VACUUM {tables.address(context.settings, table)} RETAIN {int(hours)} HOURS")
        finally:
            context.spark.conf.unset(guard)
        return 0
    with failpoints.around(f"vacuum {table.full_name}"), _in_words(context, table):
        gone = _opened(context, table).vacuum(
            retention_hours=hours,
            dry_run=False,
            enforce_retention_duration=hours >= SAFE_HOURS,
            full=True,
            commit_properties=_marked(context, table),
        )
    return len(gone)


def forget(context: Context, table: Table) -> None:
    """Remove every earlier version, and what the log of versions says of them; in path mode only.

    The log's files name smallest and largest values of what was once written. Only files before a checkpoint can go,
    so a commit without data, which says how far the table is complete, comes first. They are removed here and by
    their names: Delta's own clean-up goes by a property of the table, which is its owner's.
    """
    vacuum(context, table, 0)
    set_properties(context, table, {FORGOTTEN_TO: str(lake.version(context, table))} | _retention_lost(context, table))
    with _in_words(context, table):
        opened = _opened(context, table)
        opened.create_checkpoint()
        with failpoints.around(f"forget {table.full_name}"):
            _remove_log_before(tables.address(context.settings, table), opened.version())


def _retention_lost(context: Context, table: Table) -> dict[str, str]:
    """Delta's default, where an erasure of an earlier version was killed and left no time at all."""
    lost = lake.opened(context, table).metadata().configuration.get(LOG_RETENTION) == "interval 0 days"
    return {LOG_RETENTION: f"interval {LOG_DAYS} days"} if lost else {}


def set_properties(context: Context, table: Table, properties: dict[str, str]) -> None:
    """Properties of the table, in a commit that carries the mark of the one before."""
    if context.settings.catalog:
        pairs = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
        with delta_marks(context, table):
            context.spark.sql(f"ALTER TABLE {tables.address(context.settings, table)} SET TBLPROPERTIES ({pairs})")
        return
    with failpoints.around(f"set properties of {table.full_name}"), _in_words(context, table):
        _opened(context, table).alter.set_table_properties(
            properties, raise_if_not_exists=False, commit_properties=_marked(context, table)
        )


def _remove_log_before(where: str, version: int) -> None:
    """Commits, checkpoints and checksums of earlier versions, the oldest first; the version has a checkpoint."""
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(stores.inside(folder, "_delta_log")))
    for entry in sorted(entries, key=lambda entry: str(entry.base_name).lstrip(".")):
        numbered = re.fullmatch(r"\.?([0-9]{20})\..+", entry.base_name)
        if numbered and int(numbered[1]) < version and entry.type == fs.FileType.File:
            system.delete_file(entry.path)


def _opened(context: Context, table: Table) -> DeltaTable:
    return DeltaTable(tables.address(context.settings, table))


def _mark(context: Context, table: Table) -> dict[str, Any]:
    """What the last commit of ours says of the table: every later one must, for old commits are not kept for ever."""
    return {name: value for name, value in lake.mark(context, table).items() if not name.startswith("_")}


def _marked(context: Context, table: Table) -> CommitProperties:
    return CommitProperties(custom_metadata={lake.MARK: json.dumps(_mark(context, table))})


@contextmanager
def delta_marks(context: Context, table: Table) -> Iterator[None]:
    """In a catalog: commits made inside carry the table's mark."""
    from pipeline import delta  # noqa: PLC0415 - path mode needs no Spark for this

    with delta.committing(context, _mark(context, table)):
        yield


@contextmanager
def _in_words(context: Context, table: Table) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as problem:
        where = tables.address(context.settings, table)
        raise LakeError(where, f"cannot be maintained: {causes.one_line(problem)}") from None
