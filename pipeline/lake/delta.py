"""Reading and writing Delta tables. Every commit carries a mark: the batch it made the table complete to.

Spark writes; but rows that are few (`at_most` says how many there can be) come to the driver, whose writer (lake.py)
needs no Spark job: a MERGE of a day into silver takes one second, by Spark eight, most of them cold code.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from delta.tables import DeltaTable
from pyspark.sql import functions as F

from pipeline.errors import OvertakenError
from pipeline.lake import access, data_files, driver_merge, gate, progress, tables
from pipeline.lake.days import days_text, on_days
from pipeline.runtime import session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

COMMIT_MARK = "spark.databricks.delta.commitInfo.userMetadata"
TXN_APP = "spark.databricks.delta.write.txnAppId"
TXN_VERSION = "spark.databricks.delta.write.txnVersion"
# Rows that the driver takes in without a thought: of readings, the widest of them, some 120 MB.
FEW_ROWS = 1_000_000
# Rows of a table that Spark gets from the driver: more of them cost more to hand over than the jobs that find them.
FEW_TO_READ = 50_000
# Rows on the days of a MERGE, which its driver's writer joins and writes again.
FEW_TO_MERGE_INTO = 4 * FEW_ROWS


def read(context: Context, table: Table) -> DataFrame:
    """The table as it is now."""
    where = tables.address(context.settings, table)
    if context.settings.catalog:
        return context.spark.read.table(where)
    return context.spark.read.format("delta").load(where)


def append(
    context: Context, table: Table, rows: DataFrame, mark: Mapping[str, Any], *, at_most: int | None = None
) -> int:
    """Add rows; returns how many."""
    if _are_few(context, table, at_most):
        return access.write_rows(context, table, collect(context, rows, table), dict(mark))
    with access.committed(context, f"write {table.full_name}"):
        return save(context, table, rows, mark)


def replace_days(  # noqa: PLR0913 - what a replacement, a MERGE is made of
    context: Context,
    table: Table,
    rows: DataFrame,
    days: Mapping[str, Sequence[date]],
    mark: Mapping[str, Any],
    *,
    at_most: int | None = None,
    about: int | None = None,
) -> int:
    """Put rows in the place of those days of those feeds: days that became empty go, no other day is touched.

    `about` is a guess at their number where `at_most` says little: if they turn out to be more, Spark makes them again.
    """
    where = days_text(days, day=table.partition_by[1])
    found = None
    if _are_few(context, table, at_most):
        found = collect(context, rows, table)
    elif _are_few(context, table, about):
        found = collect(context, rows.limit(FEW_ROWS + 1), table)
    if found is not None and found.num_rows <= FEW_ROWS:
        return access.write_rows(context, table, found, dict(mark), where)
    with access.committed(context, f"write {table.full_name}"):
        return save(context, table, rows, mark, replace=where)


def _are_few(context: Context, table: Table, at_most: int | None) -> bool:
    few = at_most is not None and at_most <= FEW_ROWS
    return few and gate.writable(context, table) is not None


def collect(context: Context, rows: DataFrame, table: Table) -> pa.Table:
    """Few rows for the table, brought to the driver."""
    session.describe(context.spark, f"aggregate for {table.full_name}")
    return conform(rows, table).toArrow()


def read_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
    """The rows of those days of those feeds."""
    count = access.count_on_days(context, table, days)
    if count is not None and count <= FEW_TO_READ:
        return context.spark.createDataFrame(access.rows_of_days(context, table, days))
    found = data_files.of_partitions(context, table, {(feed, day) for feed, some in days.items() for day in some})
    if found is None:
        found = read(context, table)
    return found.where(on_days(days, day=table.partition_by[1]))


def read_batches(context: Context, table: Table, batches: Collection[int]) -> DataFrame:
    """The rows of those batches."""
    found = data_files.of_batches(context, table, batches)
    if found is None:
        found = read(context, table)
    return found.where(F.col("batch_id").isin(*sorted(batches)))


def replace_files(
    context: Context, table: Table, rows: DataFrame, file_ids: Sequence[int], mark: Mapping[str, Any]
) -> int:
    """Put rows in the place of all that the table holds of these deliveries; returns how many."""
    numbers = ", ".join(str(int(number)) for number in sorted(file_ids))
    with access.committed(context, f"write {table.full_name}"):
        return save(context, table, rows, mark, replace=f"file_id IN ({numbers})")


def merge_latest(  # noqa: PLR0913 - what a replacement, a MERGE is made of
    context: Context,
    table: Table,
    source: DataFrame,
    days: Mapping[str, Sequence[date]],
    mark: Mapping[str, Any],
    *,
    at_most: int | None = None,
) -> int:
    """Insert new keys, update those whose delivery is newer; an older delivery changes nothing. Returns rows changed.

    `source` holds one row a key, all of them on `days` of their feeds; only those days are read and rewritten.
    """
    same_key = " AND ".join(f"t.{name} = s.{name}" for name in (*table.key, "local_date"))
    condition = f"({days_text(days, prefix='t.')}) AND {same_key}"
    newer = "s.file_id > t.file_id OR (s.file_id = t.file_id AND s.row_number > t.row_number)"
    held = access.count_on_days(context, table, days)
    if held is not None and held <= FEW_TO_MERGE_INTO and _are_few(context, table, at_most):
        rows = collect(context, source, table)
        return driver_merge.merge_rows(context, table, rows, dict(mark), condition=condition, newer=newer)
    merge = (
        _delta_table(context, table)
        .alias("t")
        .merge(conform(source, table).alias("s"), condition)
        .whenMatchedUpdateAll(condition=newer)
        .whenNotMatchedInsertAll()
    )
    # The transaction makes the commit (and so its mark) happen even when no row changed.
    with access.committed(context, f"write {table.full_name}"), noted(context, table, mark) as metrics:
        session.describe(context.spark, f"merge into {table.full_name}")
        merge.execute()
    return int(metrics["numTargetRowsInserted"]) + int(metrics["numTargetRowsUpdated"])


def delete(context: Context, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
    """Remove the rows that meet the condition; one commit, also where there are none."""
    with access.committed(context, f"delete {table.full_name}"):
        to_write = gate.writable(context, table)
        if to_write is None:
            with noted(context, table, mark):
                _delta_table(context, table).delete(condition)
            return
        before = to_write.version()
        to_write.delete(condition, access.WRITER, commit_properties=gate.stamped(context, dict(mark)))
        if to_write.version() == before:
            access.append_nothing(context, to_write, table, dict(mark))


def delete_matching(
    context: Context, table: Table, key: Sequence[str], keys: pa.Table, also: Mapping[str, Any] | None = None
) -> int:
    """Remove the rows that have one of the keys; returns how many. The table's mark stays as it is, and says `also`.

    Keys come from the driver and the condition names columns only: Delta writes a condition into its log, where no
    value of an erased row may stand.
    """
    if not keys.num_rows:
        return 0
    same = [F.col(f"t.{name}").eqNullSafe(F.col(f"s.{name}")) for name in key]
    condition = same[0]
    for part in same[1:]:
        condition = condition & part
    source = context.spark.createDataFrame(keys).alias("s")
    merge = _delta_table(context, table).alias("t").merge(source, condition).whenMatchedDelete()
    mark = access.mark(context, table) | dict(also or {})
    with access.committed(context, f"delete {table.full_name}"), noted(context, table, mark) as metrics:
        merge.execute()
    return int(metrics["numTargetRowsDeleted"])


def conform(rows: DataFrame, table: Table) -> DataFrame:
    """The rows with the table's columns, in its order and types."""
    return rows.select(*(F.col(column.name).cast(column.type).alias(column.name) for column in table.columns))


def _delta_table(context: Context, table: Table) -> DeltaTable:
    where = tables.address(context.settings, table)
    if context.settings.catalog:
        return DeltaTable.forName(context.spark, where)
    return DeltaTable.forPath(context.spark, where)


def save(
    context: Context, table: Table, rows: DataFrame, mark: Mapping[str, Any] | None, replace: str | None = None
) -> int:
    """Append rows, or `replace` those that meet a condition; by Spark, inside of lake.committed. Returns how many."""
    session.describe(context.spark, f"write {table.full_name}")
    where = tables.address(context.settings, table)
    rows = conform(rows, table)
    if table.partition_by and session.has_many_tasks(context.spark):
        rows = rows.hint("rebalance", *table.partition_by)  # else each task writes a file into each partition
    # Where the lock is held nobody else commits, and to look for others' numbers is a Spark job on each new table.
    with noted(context, table, mark, numbered=not context.is_alone) as metrics:
        if context.settings.catalog:
            # Not saveAsTable, which replaces the table with its comments and partitions, not its rows.
            into = rows.writeTo(where)
            if replace is None:
                into.append()
            else:
                into.overwrite(F.expr(replace))
        elif replace is None:
            rows.write.format("delta").mode("append").save(where)
        else:
            rows.write.format("delta").mode("overwrite").option("replaceWhere", replace).save(where)
    return int(metrics.get("numOutputRows") or 0)


@contextmanager
def noted(
    context: Context, table: Table, mark: Mapping[str, Any] | None, *, numbered: bool = True
) -> Iterator[dict[str, Any]]:
    """The commit that Spark makes inside carries the mark and the run's next number; gives what Spark measured of it.

    Delta skips a commit whose number is no higher than one that the table has: then another run owns the lake. A run's
    row in ops.runs has no such number, because runs that end at the same moment both have theirs.
    """
    application = "meterlake" if context.claim is None else gate.APPLICATION
    number = time.time_ns() // 1000 if context.claim is None else context.claim.next_number()
    if mark is None:  # to whoever reads how far the table is complete, nothing of ours
        said = json.dumps({gate.APPLICATION: number})
    else:
        said = progress.text_of(access.with_claim(context, table, dict(mark)) | {"commit": number})
    conf = context.spark.conf
    conf.set(COMMIT_MARK, said)
    if numbered and (context.claim is not None or table != tables.RUNS):
        conf.set(TXN_APP, application)
        conf.set(TXN_VERSION, str(number))
    metrics: dict[str, Any] = {}
    try:
        yield metrics
    finally:
        for name in (COMMIT_MARK, TXN_APP, TXN_VERSION):
            conf.unset(name)
    metrics |= _measured(context, table, said)


def _measured(context: Context, table: Table, said: str) -> dict[str, Any]:
    """What Spark measured of the commit that says this; OvertakenError where there is none."""
    for limit in (1, 50):  # others may have committed since
        for commit in access.history(context, table, limit):
            if commit.get(progress.KEY) == said:
                return dict(commit.get("operationMetrics") or {})
    raise OvertakenError(access.where(context))
