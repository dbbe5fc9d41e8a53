"""What the lake says of itself, and the writing of rows that the driver holds.

In path mode delta-rs does this in milliseconds without a JVM; in catalog mode only the session's catalog can.
Tables too large for the driver are read and written in delta.py.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from pipeline import failpoints, tables
from pipeline.causes import one_line
from pipeline.errors import LakeError
from pipeline.log import without_native_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pipeline.context import Context
    from pipeline.tables import Table

MARK = "userMetadata"
# Beside what a mark says: what the writer measured of its commit.
METRICS = "_metrics"
EVERYTHING = "true"
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
    """Around each commit of ours: it can be killed before and after, and is counted."""
    with failpoints.around(what):
        yield
        context.commits += 1


def opened(context: Context, table: Table) -> DeltaTable:
    """In path mode, the table as delta-rs has it."""
    return DeltaTable(tables.address(context.settings, table))


def mark(context: Context, table: Table) -> dict[str, Any]:
    """What the newest commit of ours says of itself, `{}` for a table without one.

    Each of our commits carries a mark: which batch it made the table complete to. So progress and data are one
    commit. Commits of others (OPTIMIZE by hand) carry none and are passed over.
    """
    for limit in (1, 50, None):
        commits = _history(context, table, limit)
        for commit in commits:
            if commit.get(MARK):
                found: dict[str, Any] = json.loads(commit[MARK])
                return found | {METRICS: commit.get("operationMetrics") or {}}
        if limit is None or len(commits) < limit:
            break
    return {}


def _history(context: Context, table: Table, limit: int | None) -> list[dict[str, Any]]:
    if context.settings.catalog:
        name = tables.address(context.settings, table)
        end = f" LIMIT {limit}" if limit else ""
        return [row.asDict() for row in context.spark.sql(f"DESCRIBE HISTORY {name}{end}").collect()]
    try:
        return opened(context, table).history(limit)
    except TableNotFoundError:
        return []


def _is_in_catalog(context: Context, table: Table) -> bool:
    return bool(context.spark.catalog.tableExists(tables.address(context.settings, table)))


def done_to(context: Context, table: Table) -> int:
    """The highest batch that the table is complete to; 0 for none."""
    return int(mark(context, table).get("batch_id", 0))


def version(context: Context, table: Table) -> int | None:
    """The table's newest version, None where there is no such table."""
    if context.settings.catalog:
        return int(_history(context, table, 1)[0]["version"]) if _is_in_catalog(context, table) else None
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


def marked(mark: dict[str, Any]) -> CommitProperties:
    """The mark as the driver's writer wants it."""
    return CommitProperties(custom_metadata={MARK: json.dumps(mark)})


def _write(context: Context, table: Table, values: pa.Table, mark: dict[str, Any], replace: str | None) -> None:
    address = tables.address(context.settings, table)
    if context.settings.catalog:
        from pyspark.sql import functions as F  # noqa: PLC0415 - path mode needs no Spark for this

        into = context.spark.createDataFrame(values).writeTo(address).option(MARK, json.dumps(mark))
        if replace is None:
            into.append()
        else:
            into.overwrite(F.expr(replace))
        return
    how: Any = {"commit_properties": marked(mark), "writer_properties": WRITER}
    try:
        if replace is None:
            write_deltalake(address, values, mode="append", **how)
        else:
            where = None if replace == EVERYTHING else replace
            write_deltalake(address, values, mode="overwrite", predicate=where, **how)
    except (DeltaError, OSError) as problem:
        raise LakeError(address, f"cannot be written: {one_line(problem)}") from None


def small_table(context: Context, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
    """A table that fits the driver; `where` is one (column, '=', value) that must hold."""
    if context.settings.catalog:
        from pyspark.sql import functions as F  # noqa: PLC0415 - path mode needs no Spark for this

        frame = context.spark.read.table(tables.address(context.settings, table))
        return (frame.where(F.col(where[0]) == F.lit(where[2])) if where else frame).toArrow()
    try:
        found: pa.Table = opened(context, table).to_pyarrow_table(filters=[where] if where else None)
    except TableNotFoundError:
        return arrow_schema(table).empty_table()
    return found


def scan(
    context: Context, table: Table, columns: Sequence[str], column: str, values: Sequence[int]
) -> Iterator[pa.Table]:
    """Those columns of the rows whose `column` is one of the values, a piece at a time; in path mode never all."""
    if context.settings.catalog:
        from pyspark.sql import functions as F  # noqa: PLC0415 - path mode needs no Spark for this

        frame = context.spark.read.table(tables.address(context.settings, table))
        yield frame.where(F.col(column).isin(*values)).select(*columns).toArrow()
        return
    dataset = opened(context, table).to_pyarrow_dataset()
    for batch in dataset.to_batches(columns=list(columns), filter=pc.field(column).isin(list(values))):
        yield pa.Table.from_batches([batch])


def count_on_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:
    """How many rows those days of those feeds hold, from the files' statistics; None where these do not say."""
    if context.settings.catalog:
        return None
    feed, day = table.partition_by
    keys = {(name, each) for name, some in days.items() for each in some}
    files = pa.table(opened(context, table).get_add_actions(flatten=True)).to_pylist()
    counts = [file["num_records"] for file in files if (file[f"partition.{feed}"], file[f"partition.{day}"]) in keys]
    return None if None in counts else sum(counts)


def rows_of_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> pa.Table:
    """In path mode, the rows of those days of those feeds, which fit the driver."""
    feed, day = table.partition_by
    wanted = [[(feed, "=", name), (day, "in", list(some))] for name, some in days.items() if some]
    if not wanted:
        return arrow_schema(table).empty_table()
    found = opened(context, table).to_pyarrow_table(filters=wanted)
    return found.select(table.names).cast(arrow_schema(table))


def partitions(context: Context, table: Table) -> set[tuple[Any, ...]]:
    """The partitions that hold rows, as tuples of text; none where there is no such table."""
    if context.settings.catalog:
        if not _is_in_catalog(context, table):
            return set()
        frame = context.spark.read.table(tables.address(context.settings, table)).select(*table.partition_by).distinct()
        return {tuple(str(value) for value in row) for row in frame.collect()}
    try:
        found = opened(context, table).partitions()
    except TableNotFoundError:
        return set()
    return {tuple(str(partition[name]) for name in table.partition_by) for partition in found}


def row_count(context: Context, table: Table) -> int:
    """How many rows the table holds, from its files' statistics where these are there."""
    if context.settings.catalog:
        return context.spark.read.table(tables.address(context.settings, table)).count()
    try:
        return opened(context, table).count()
    except TableNotFoundError:
        return 0
