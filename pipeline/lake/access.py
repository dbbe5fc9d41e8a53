"""What the lake says of itself, and the writing of rows that the driver holds.

In path mode delta-rs does this in milliseconds without a JVM; in catalog mode only the session's catalog can.
Tables too large for the driver are read and written in delta.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from pipeline.errors import LakeError, OvertakenError
from pipeline.lake import gate, progress, stores, tables
from pipeline.lake.gate import is_in_catalog, opened
from pipeline.runtime import error_messages, failpoints
from pipeline.runtime.log import without_native_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

__all__ = ["is_in_catalog", "opened"]

EVERYTHING = "true"
# Since then a lake's marks have a namespace (pipeline/lake/progress.py).
FORM_WITH_NAMESPACE = 3
WRITER = WriterProperties(compression="ZSTD")  # as Spark's files: half the bytes of the default, and no slower
# Delta type and Arrow type of each SQL type that tables.py uses.
TYPES: dict[str, tuple[Any, pa.DataType]] = {
    "STRING": ("string", pa.string()),
    "BIGINT": ("long", pa.int64()),
    "INT": ("integer", pa.int32()),
    "BOOLEAN": ("boolean", pa.bool_()),
    "DATE": ("date", pa.date32()),
    "TIMESTAMP": ("timestamp", pa.timestamp("us", "UTC")),
    "DECIMAL(18,6)": ("decimal(18,6)", pa.decimal128(18, 6)),
    "DECIMAL(28,6)": ("decimal(28,6)", pa.decimal128(28, 6)),
    "ARRAY<STRING>": ({"type": "array", "elementType": "string", "containsNull": True}, pa.list_(pa.string())),
    "ARRAY<DATE>": ({"type": "array", "elementType": "date", "containsNull": True}, pa.list_(pa.date32())),
    "MAP<STRING,STRING>": (
        {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True},
        pa.map_(pa.string(), pa.string()),
    ),
}


def arrow_schema(table: Table) -> pa.Schema:
    """The table's columns as Arrow types."""
    return pa.schema([(column.name, TYPES[column.type][1]) for column in table.columns])


@contextmanager
def committed(context: Context, what: str) -> Iterator[None]:
    """Around each commit of ours: the run holds the lake's claim, it can be killed before and after, and is counted."""
    if context.before_commit is not None:
        context.before_commit()
    with failpoints.around(what):
        try:
            yield
        except Exception as problem:
            if context.claim is not None and error_messages.is_overtaken(problem):
                raise OvertakenError(where(context)) from None
            raise
        context.commits += 1


def where(context: Context) -> str:
    """The lake's address in messages: its catalog, or its folder or URI."""
    return context.settings.catalog or context.settings.root


def found(context: Context, table: Table, there: DeltaTable | None = None) -> tuple[Progress, bool]:
    """(how far the table is complete, whether its history reaches back to a mark of ours or to its beginning).

    `there` is the table where the driver has it open.
    """
    old_form = form(context) < FORM_WITH_NAMESPACE
    for limit in (1, 50, None):
        commits = history(context, table, limit) if there is None else there.history(limit)
        is_whole = limit is None or len(commits) < limit
        if (told := progress.found(commits, old_form=old_form, is_whole=is_whole)) is not None:
            return told, True
        if is_whole:
            return progress.Progress(), not commits or commits[-1]["version"] == 0
    raise AssertionError  # the last limit is None


def mark(context: Context, table: Table) -> dict[str, Any]:
    """What the newest commit of ours says of the table as it is now, `{}` for a table without one."""
    return found(context, table)[0].mark


def done_to(context: Context, table: Table) -> int:
    """The highest batch that the table is complete to; 0 for none."""
    return found(context, table)[0].batch_id


def form(context: Context) -> int:
    """The version of the lake's form; that of this program where there is no lake yet."""
    if ("form",) not in context.answers:
        told = properties(context, tables.INGESTION_LOG)
        newest = tables.SCHEMA_VERSION if told is None else 1
        context.answers["form",] = int((told or {}).get(tables.SCHEMA_VERSION_PROPERTY, newest))
    return int(context.answers["form",])


def properties(context: Context, table: Table) -> dict[str, str] | None:
    """The table's properties; None where there is no such table."""
    if context.settings.catalog:
        if not is_in_catalog(context, table):
            return None
        address = tables.address(context.settings, table)
        rows = context.spark.sql(f"SHOW TBLPROPERTIES {address}").toArrow().to_pylist()
        return {row["key"]: row["value"] for row in rows}
    try:
        return dict(opened(context, table).metadata().configuration)
    except TableNotFoundError:
        return None


def history(context: Context, table: Table, limit: int | None) -> list[Commit]:
    """The newest commits, newest first; [] where there is no such table."""
    if context.settings.catalog:
        name = tables.address(context.settings, table)
        end = f" LIMIT {limit}" if limit else ""
        try:
            return [row.asDict() for row in context.spark.sql(f"DESCRIBE HISTORY {name}{end}").collect()]
        except Exception:
            if is_in_catalog(context, table):  # asked after the fault only: it is a call to the metastore
                raise
            return []
    try:
        return opened(context, table).history(limit)
    except TableNotFoundError:
        return []


def version(context: Context, table: Table) -> int | None:
    """The table's newest version, None where there is no such table."""
    if context.settings.catalog:
        return next((int(commit["version"]) for commit in history(context, table, 1)), None)
    try:
        return opened(context, table).version()
    except TableNotFoundError:
        return None


def small_rows(
    context: Context, table: Table, columns: Sequence[str], where: tuple[str, str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a table that fits the driver, as dictionaries; [] where there is no such table.

    A column that a lake of an earlier form does not have yet is None.
    """
    there = small_table(context, table, where)
    found: list[dict[str, Any]] = there.select([name for name in columns if name in there.column_names]).to_pylist()
    return [{name: row.get(name) for name in columns} for row in found]


@without_native_noise()
def write_rows(
    context: Context,
    table: Table,
    rows: list[dict[str, Any]] | pa.Table,
    mark: dict[str, Any],
    replace: str | None = None,
) -> int:
    """Append rows that the driver holds, or `replace` others by them; one commit. Returns how many.

    `replace` is EVERYTHING or a condition on partitions that says which rows go.
    """
    schema = arrow_schema(table)
    values = (
        pa.Table.from_pylist(rows, schema=schema) if isinstance(rows, list) else rows.select(table.names).cast(schema)
    )
    with committed(context, f"write {table.full_name}"):
        _write(context, table, values, mark, replace)
    return int(values.num_rows)


def _write(context: Context, table: Table, values: pa.Table, mark: dict[str, Any] | None, replace: str | None) -> None:
    address = tables.address(context.settings, table)
    try:
        to_write = gate.writable(context, table)
        if to_write is None:
            from pipeline.lake import delta  # noqa: PLC0415 - path mode needs no Spark for this

            delta.save(context, table, context.spark.createDataFrame(values), mark, replace)
            return
        told = None if mark is None else with_claim(context, table, mark)
        how: Any = {"commit_properties": gate.stamped(context, told)}
        how["writer_properties"] = WRITER
        if replace is None:
            write_deltalake(to_write, values, mode="append", **how)
        else:
            only = None if replace == EVERYTHING else replace
            write_deltalake(to_write, values, mode="overwrite", predicate=only, **how)
    except (DeltaError, OSError) as problem:
        raise LakeError(address, f"cannot be written: {error_messages.one_line(problem)}") from None


def with_claim(context: Context, table: Table, mark: dict[str, Any]) -> dict[str, Any]:
    """The log's mark names the claim that its commit was made under; other marks are as they are."""
    if table != tables.INGESTION_LOG or context.claim is None:
        return mark
    return mark | {"claim": context.claim.facts()}


def carry_mark(context: Context, table: Table) -> None:
    """A commit without rows that says once more how far the table is complete; nothing where there is no table."""
    if version(context, table) is not None:
        write_rows(context, table, [], mark(context, table))


def commit_nothing(context: Context, table: Table) -> None:
    """A commit without rows and without a mark; nothing where there is no table."""
    if version(context, table) is not None:
        with committed(context, f"claim {table.full_name}"):
            _write(context, table, arrow_schema(table).empty_table(), None, None)


def append_nothing(context: Context, to_write: DeltaTable, table: Table, mark: dict[str, Any]) -> None:
    """A commit without rows on the version that is open: it conflicts with any of another run since."""
    stamp = gate.stamped(context, with_claim(context, table, mark))
    write_deltalake(to_write, arrow_schema(table).empty_table(), mode="append", commit_properties=stamp)


def bronze_tables(context: Context) -> list[Table]:
    """Every bronze table that there is, of feeds that left the configuration too; of those columns of lineage only."""
    return [tables.bronze(name, "", "") for name in _names_in(context, "bronze")]


def _names_in(context: Context, layer: str) -> list[str]:
    if context.settings.catalog:
        schema = f"{context.settings.catalog}.{layer}"
        if not context.spark.catalog.databaseExists(schema):
            return []
        return sorted(row["tableName"] for row in context.spark.sql(f"SHOW TABLES IN {schema}").toArrow().to_pylist())
    system, folder = stores.opened(f"{context.settings.root}/{layer}")
    found = system.get_file_info(fs.FileSelector(folder, allow_not_found=True))
    return sorted(each.base_name for each in found if each.type == fs.FileType.Directory)


def rows_in_spark(context: Context, table: Table) -> DataFrame:
    """The table as Spark reads it."""
    from pipeline.lake import delta  # noqa: PLC0415 - path mode needs no Spark for this

    return delta.read(context, table)


def small_table(context: Context, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
    """A table that fits the driver; `where` is one (column, '=', value) that must hold."""
    try:
        there = gate.readable(context, table)
    except TableNotFoundError:
        return arrow_schema(table).empty_table()
    if there is not None:
        read: pa.Table = there.to_pyarrow_table(filters=[where] if where else None)
        return read
    if context.settings.catalog and not is_in_catalog(context, table):
        return arrow_schema(table).empty_table()
    from pyspark.sql import functions as F  # noqa: PLC0415 - path mode needs no Spark for this

    frame = rows_in_spark(context, table)
    return (frame.where(F.col(where[0]) == F.lit(where[2])) if where else frame).toArrow()


def dataset(context: Context, table: Table) -> tuple[ds.Dataset | pa.Table, int | None]:
    """(the table as it is now, its version); (no rows, None) where no run has come to it yet."""
    try:
        there = gate.opened(context, table)
        return there.to_pyarrow_dataset(), there.version()
    except TableNotFoundError:
        return arrow_schema(table).empty_table(), None
    except (DeltaError, OSError) as problem:
        address = tables.address(context.settings, table)
        raise LakeError(address, f"cannot be read: {error_messages.one_line(problem)}") from None


def scan(
    context: Context, table: Table, columns: Sequence[str], column: str, values: Sequence[int]
) -> Iterator[pa.Table]:
    """Those columns of the rows whose `column` is one of the values, a piece at a time; by the driver never all."""
    there = gate.readable(context, table)
    if there is None:
        from pyspark.sql import functions as F  # noqa: PLC0415 - path mode needs no Spark for this

        yield rows_in_spark(context, table).where(F.col(column).isin(*values)).select(*columns).toArrow()
        return
    dataset = there.to_pyarrow_dataset()
    for batch in dataset.to_batches(columns=list(columns), filter=pc.field(column).isin(list(values))):
        yield pa.Table.from_batches([batch])


def count_on_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:
    """How many rows those days of those feeds hold, from the files' statistics; None where these do not say."""
    there = gate.readable(context, table)
    if there is None:
        return None
    feed, day = table.partition_by
    keys = {(name, each) for name, some in days.items() for each in some}
    files = pa.table(there.get_add_actions(flatten=True)).to_pylist()
    counts = [file["num_records"] for file in files if (file[f"partition.{feed}"], file[f"partition.{day}"]) in keys]
    return None if None in counts else sum(counts)


def rows_of_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> pa.Table:
    """The rows of those days of those feeds of a table that the driver may read; they fit it."""
    feed, day = table.partition_by
    wanted = [[(feed, "=", name), (day, "in", list(some))] for name, some in days.items() if some]
    there = gate.readable(context, table)
    if not wanted or there is None:
        return arrow_schema(table).empty_table()
    found = there.to_pyarrow_table(filters=wanted)
    return found.select(table.names).cast(arrow_schema(table))


def partitions(context: Context, table: Table) -> set[tuple[Any, ...]]:
    """The partitions that hold rows, as tuples of text; none where there is no such table."""
    try:
        there = gate.readable(context, table)
    except TableNotFoundError:
        return set()
    if there is not None:
        return {tuple(str(each[name]) for name in table.partition_by) for each in there.partitions()}
    frame = rows_in_spark(context, table).select(*table.partition_by).distinct()
    return {tuple(str(value) for value in row) for row in frame.collect()}


def row_count(context: Context, table: Table) -> int:
    """How many rows the table holds, from its files' statistics where these are there."""
    try:
        there = gate.readable(context, table)
    except TableNotFoundError:
        return 0
    return rows_in_spark(context, table).count() if there is None else there.count()
