"""The door to the tables: what a job may ask of them. How it is done, and by whom, is behind it.

Every commit carries a mark: the batch that it made the table complete to. `at_most` says how many rows there can be,
`about` how many there probably are: few rows are written by the driver, where it may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.lake import path, tables
from pipeline.lake.days import days_text
from pipeline.lake.path import writes
from pipeline.lake.path.writes import EVERYTHING
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow.dataset as ds
    from pyspark.sql import DataFrame

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.protocol import Lake
    from pipeline.lake.state import State
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

__all__ = ["EVERYTHING"]


def lake_of(context: Context) -> Lake:
    """The lake of the settings: one that Spark alone opens, or one whose tables have places."""
    if (name := tables.catalog_of(context.settings)) and needs_spark(context):
        from pipeline.lake import catalog  # noqa: PLC0415 - a lake in a folder is read without PySpark

        return catalog.lake(context, name)
    return path.lake(context)


def needs_spark(context: Context) -> bool:
    """Whether only Spark can open the tables: those of a catalog, as long as it was not asked where they lie."""
    return tables.catalog_of(context.settings) is not None and context.settings.places is None


def history(context: Context, table: Table, limit: int | None) -> list[Commit]:
    """The newest commits, newest first; [] where there is no such table."""
    return lake_of(context).facts.history(table, limit)


def version(context: Context, table: Table) -> int | None:
    """The table's newest version, None where there is no such table."""
    return lake_of(context).facts.version(table)


def properties(context: Context, table: Table) -> dict[str, str] | None:
    """The table's properties; None where there is no such table."""
    return lake_of(context).facts.properties(table)


def states(context: Context, every: Iterable[Table]) -> list[State]:
    """What the tables say of themselves; without those that are not there."""
    return lake_of(context).facts.states(every)


def progress(context: Context, table: Table) -> Progress:
    """How far the table is complete, as the newest commit of ours says it."""
    return lake_of(context).facts.progress(table)[0]


def mark(context: Context, table: Table) -> dict[str, Any]:
    """What the newest commit of ours says of the table as it is now, `{}` for a table without one."""
    return progress(context, table).mark


def done_to(context: Context, table: Table) -> int:
    """The highest batch that the table is complete to; 0 for none."""
    return progress(context, table).batch_id


def bronze_tables(context: Context) -> list[Table]:
    """Every bronze table, also of feeds that left the configuration; each with its lineage columns only."""
    return [tables.bronze(name, "", "") for name in lake_of(context).facts.names_in("bronze")]


def read(context: Context, table: Table) -> DataFrame:
    """The table as it is now."""
    return lake_of(context).reads.read(table)


def read_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
    """The rows of those days of those feeds."""
    return lake_of(context).reads.read_days(table, days)


def read_batches(context: Context, table: Table, batches: Collection[int]) -> DataFrame:
    """The rows of those batches."""
    return lake_of(context).reads.read_batches(table, batches)


def small_table(context: Context, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
    """A table that is small enough for the driver; `where` is one (column, '=', value) that must hold."""
    return lake_of(context).reads.small_table(table, where)


def small_rows(
    context: Context, table: Table, columns: Sequence[str], where: tuple[str, str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a small table as dictionaries; [] where there is no such table.

    A column that a lake of an earlier form does not have yet is None.
    """
    there = small_table(context, table, where)
    found: list[dict[str, Any]] = there.select([name for name in columns if name in there.column_names]).to_pylist()
    return [{name: row.get(name) for name in columns} for row in found]


def scan(
    context: Context, table: Table, columns: Sequence[str], column: str, values: Sequence[int]
) -> Iterator[pa.Table]:
    """Those columns of the rows whose `column` is one of the values; in path mode a piece at a time."""
    return lake_of(context).reads.scan(table, columns, column, values)


def partitions(context: Context, table: Table) -> set[tuple[Any, ...]]:
    """The partitions that hold rows, as tuples of text; none where there is no such table."""
    return lake_of(context).reads.partitions(table)


def row_count(context: Context, table: Table) -> int:
    """How many rows the table holds; 0 where there is no such table."""
    return lake_of(context).reads.row_count(table)


def count_on_days(context: Context, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:
    """How many rows those days of those feeds hold; None where that is not known without reading them."""
    return lake_of(context).reads.count_on_days(table, days)


def dataset(context: Context, table: Table) -> tuple[ds.Dataset, int] | None:
    """(the table as it is now, its version); None where only Spark may read it. LakeError if it cannot be read."""
    return lake_of(context).reads.dataset(table)


def fits_the_driver(context: Context, rows: int) -> bool:
    """Whether so many rows are few enough to collect and write on the driver; in a catalog Spark writes."""
    return lake_of(context).is_open_to_the_driver and rows <= writes.FEW_ROWS


def append(
    context: Context,
    table: Table,
    rows: DataFrame | pa.Table,
    mark: Mapping[str, Any],
    *,
    at_most: int | None = None,
) -> int:
    """Add rows; returns how many."""
    return lake_of(context).writes.append(table, rows, mark, at_most=at_most)


def write_rows(
    context: Context,
    table: Table,
    rows: list[dict[str, Any]] | pa.Table,
    mark: Mapping[str, Any],
    replace: str | None = None,
) -> int:
    """Append rows that the driver holds, or `replace` others by them; one commit. Returns how many.

    `replace` is EVERYTHING or a condition on partitions that says which rows go.
    """
    values = pa.Table.from_pylist(rows, schema=arrow_schema(table)) if isinstance(rows, list) else rows
    if replace is None:
        return lake_of(context).writes.append(table, values, mark)
    return lake_of(context).writes.replace(table, values, replace, mark)


def replace_days(  # noqa: PLR0913 - what a replacement is made of
    context: Context,
    table: Table,
    rows: DataFrame,
    days: Mapping[str, Sequence[date]],
    mark: Mapping[str, Any],
    *,
    at_most: int | None = None,
    about: int | None = None,
) -> int:
    """The rows replace those days of those feeds: days that became empty go, no other day is touched.

    `about` is a guess at their number where `at_most` says little: if there are more, Spark computes them again.
    """
    where = days_text(days, day=table.partition_by[1])
    return lake_of(context).writes.replace(table, rows, where, mark, at_most=at_most, about=about)


def replace_files(
    context: Context, table: Table, rows: DataFrame, file_ids: Sequence[int], mark: Mapping[str, Any]
) -> int:
    """The rows replace all that the table holds of these deliveries; returns how many."""
    numbers = ", ".join(str(int(number)) for number in sorted(file_ids))
    return lake_of(context).writes.replace(table, rows, f"file_id IN ({numbers})", mark)


def merge_latest(  # noqa: PLR0913 - what a MERGE is made of
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
    newer = "(s.file_id > t.file_id OR (s.file_id = t.file_id AND s.row_number > t.row_number))"
    return lake_of(context).writes.merge(table, source, days, mark, condition=condition, newer=newer, at_most=at_most)


def delete(context: Context, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
    """Remove the rows that meet the condition; one commit, also where there are none."""
    lake_of(context).writes.delete(table, condition, mark)


def delete_matching(
    context: Context, table: Table, key: Sequence[str], keys: pa.Table, also: Mapping[str, Any] | None = None
) -> int:
    """Remove the rows that have one of the keys; returns how many.

    The commit repeats the table's mark, with `also` added.

    Keys come from the driver and the condition names columns only: Delta writes a condition into its log, where no
    value of an erased row may stand.
    """
    if not keys.num_rows:
        return 0
    return lake_of(context).writes.delete_matching(table, key, keys, mark(context, table) | dict(also or {}))


def carry_mark(context: Context, table: Table) -> None:
    """A commit without rows that says once more how far the table is complete; nothing where there is no table."""
    if lake_of(context).facts.exists(table):
        write_rows(context, table, [], mark(context, table))
