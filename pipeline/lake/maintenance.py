"""Compaction, and the removal of what earlier versions of a table hold. In path mode without a JVM."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, WriterProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from pipeline.errors import LakeError
from pipeline.lake import access, gate, progress, stores, tables
from pipeline.lake.days import days_text
from pipeline.runtime import error_messages, failpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

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
    with access.committed(context, f"compact {table.full_name}"), _in_words(context, table):
        to_write = gate.writable(context, table)
        if to_write is None:
            return _by_spark(context, table, f"OPTIMIZE {spark_name(context, table)}")
        done = to_write.optimize.compact(writer_properties=access.WRITER, commit_properties=marked(context, table))
        return int(done["numFilesRemoved"])


def clustered_to(context: Context, table: Table) -> int:
    """The batch up to which the table's days are in the order of `cluster_by`; 0 for none."""
    return int((access.properties(context, table) or {}).get(CLUSTERED_TO, 0))


def cluster(context: Context, table: Table, days: Mapping[str, Sequence[date]], batch_id: int) -> int:
    """Rewrite those days of those feeds in the order of `cluster_by`, one file a day as far as it goes.

    Returns how many files went. That it is done up to the batch is noted last: killed before, it is done again.
    """
    gone = 0
    for feed, some in sorted(days.items()):
        with access.committed(context, f"cluster {table.full_name}"), _in_words(context, table):
            to_write = gate.writable(context, table)
            if to_write is None:
                only, by = days_text({feed: some}), ", ".join(table.cluster_by)
                order = f"OPTIMIZE {spark_name(context, table)} WHERE {only} ZORDER BY ({by})"
                gone += _by_spark(context, table, order)
                continue
            done = to_write.optimize.z_order(
                list(table.cluster_by),
                partition_filters=[("feed", "=", feed), ("local_date", "in", [day.isoformat() for day in some])],
                writer_properties=ORDERED,
                commit_properties=marked(context, table),
            )
            gone += int(done["numFilesRemoved"])
    set_properties(context, table, {CLUSTERED_TO: str(batch_id)})
    return gone


def removable(context: Context, table: Table, hours: int) -> int | None:
    """How many files `vacuum` would remove; Spark does not say (None)."""
    with _in_words(context, table):
        to_write = gate.writable(context, table)
        if to_write is None:
            return None
        return len(to_write.vacuum(retention_hours=hours, enforce_retention_duration=False, full=True))


def storage(context: Context, table: Table) -> dict[str, int | None]:
    """Of the newest version: files, their bytes, and how many of them are small ones that `compact` would put together.

    A catalog does not say which are small (None).
    """
    try:
        there = gate.readable(context, table)
    except TableNotFoundError:
        return {"files": 0, "bytes": 0, "small_files": 0}
    if there is None:
        (told,) = context.spark.sql(f"DESCRIBE DETAIL {spark_name(context, table)}").toArrow().to_pylist()
        return {"files": int(told["numFiles"]), "bytes": int(told["sizeInBytes"]), "small_files": None}
    found = pa.table(there.get_add_actions(flatten=True)).to_pylist()
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
    """Remove the files that only versions older than `hours` need; returns how many (by Spark: 0, unknown)."""
    with access.committed(context, f"vacuum {table.full_name}"), _in_words(context, table):
        to_write = gate.writable(context, table)
        if to_write is None:
            guard = "spark.databricks.delta.retentionDurationCheck.enabled"
            context.spark.conf.set(guard, str(hours >= SAFE_HOURS).lower())
            try:
                context.spark.sql(f"VACUUM {spark_name(context, table)} RETAIN {int(hours)} HOURS")
            finally:
                context.spark.conf.unset(guard)
            return 0
        gone = to_write.vacuum(
            retention_hours=hours,
            dry_run=False,
            enforce_retention_duration=hours >= SAFE_HOURS,
            full=True,
            commit_properties=marked(context, table),
        )
    return len(gone)


def forget(context: Context, table: Table) -> None:
    """Remove every earlier version, and what the log of versions says of them; in path mode only.

    The log's files name smallest and largest values of what was once written. Only files before a checkpoint can go,
    so a commit without data, which says how far the table is complete, comes first. They are removed here and by
    their names: Delta's own clean-up goes by a property of the table, which is its owner's.
    """
    vacuum(context, table, 0)
    if gate.writable(context, table) is None:  # only Spark writes it, whose own clean-up goes by the table's property
        return
    set_properties(
        context, table, {FORGOTTEN_TO: str(access.version(context, table))} | _retention_lost(context, table)
    )
    with _in_words(context, table):
        opened = gate.opened(context, table)
        opened.create_checkpoint()
        with failpoints.around(f"forget {table.full_name}"):
            _remove_log_before(tables.address(context.settings, table), opened.version())


def _retention_lost(context: Context, table: Table) -> dict[str, str]:
    """Delta's default, where an erasure of an earlier version was killed and left no time at all."""
    lost = (access.properties(context, table) or {}).get(LOG_RETENTION) == "interval 0 days"
    return {LOG_RETENTION: f"interval {LOG_DAYS} days"} if lost else {}


def set_properties(context: Context, table: Table, properties: dict[str, str]) -> None:
    """Properties of the table, in a commit that carries the mark of the one before."""
    with access.committed(context, f"set properties of {table.full_name}"), _in_words(context, table):
        to_write = gate.writable(context, table)
        if to_write is None:
            pairs = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
            with spark_marks(context, table):
                context.spark.sql(f"ALTER TABLE {spark_name(context, table)} SET TBLPROPERTIES ({pairs})")
            return
        to_write.alter.set_table_properties(
            properties, raise_if_not_exists=False, commit_properties=marked(context, table)
        )


def _remove_log_before(where: str, version: int) -> None:
    """Commits, checkpoints and checksums of earlier versions, the oldest first; the version has a checkpoint."""
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(stores.inside(folder, "_delta_log")))
    for entry in sorted(entries, key=lambda entry: str(entry.base_name).lstrip(".")):
        numbered = re.fullmatch(r"\.?([0-9]{20})\..+", entry.base_name)
        if numbered and int(numbered[1]) < version and entry.type == fs.FileType.File:
            system.delete_file(entry.path)


def marked(context: Context, table: Table) -> CommitProperties:
    """What the last commit of ours says of the table: every later one must, for old commits are not kept for ever."""
    return gate.stamped(context, access.with_claim(context, table, access.mark(context, table)))


def spark_name(context: Context, table: Table) -> str:
    """The table's name in SQL: that of the catalog, or its path."""
    where = tables.address(context.settings, table)
    return where if context.settings.catalog else f"delta.`{where}`"


@contextmanager
def spark_marks(context: Context, table: Table) -> Iterator[None]:
    """Commits that Spark makes inside carry the table's mark; these operations know no transactions."""
    from pipeline.lake import delta  # noqa: PLC0415 - path mode needs no Spark for this

    mark = access.with_claim(context, table, access.mark(context, table))
    context.spark.conf.set(delta.COMMIT_MARK, progress.text_of(mark))
    try:
        yield
    finally:
        context.spark.conf.unset(delta.COMMIT_MARK)


def _by_spark(context: Context, table: Table, optimize: str) -> int:
    # Row groups of a file are ordered by the column though Delta keeps no statistics of it.
    guard = "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled"
    context.spark.conf.set(guard, "false")
    try:
        with spark_marks(context, table):
            # Not as Arrow: other metrics are NULL where Delta says that they never are.
            done = context.spark.sql(optimize).select("metrics.numFilesRemoved").collect()
    finally:
        context.spark.conf.unset(guard)
    return int(done[0][0]) if done else 0


@contextmanager
def _in_words(context: Context, table: Table) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as problem:
        where = tables.address(context.settings, table)
        raise LakeError(where, f"cannot be maintained: {error_messages.one_line(problem)}") from None
