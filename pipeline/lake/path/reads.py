"""Rows of tables in a folder or an object store: read by the driver where it may and they are few, else by Spark."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow.parquet import filters_to_expression

from pipeline.errors import LakeError
from pipeline.lake import data_files, gate, matching, tables
from pipeline.lake.days import on_days
from pipeline.lake.path import first_rows, sql_names
from pipeline.lake.types import arrow_schema
from pipeline.runtime import error_messages
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

    from pipeline.lake.protocol import Facts, Reads
    from pipeline.lake.tables import Table
    from pipeline.lake.views import View
    from pipeline.runtime.context import Context


# Rows of a table that Spark gets from the driver: more of them cost more to hand over than the jobs that find them.
FEW_TO_READ = 50_000


class PathReads:
    """See protocol.Reads."""

    def __init__(self, context: Context, facts: Facts) -> None:
        self.context = context
        self.facts = facts

    @cached_property
    def _spark(self) -> Reads:
        from pipeline.lake.catalog.reads import CatalogReads  # noqa: PLC0415 - the driver alone needs no PySpark

        return CatalogReads(self.context, self.facts)

    def _readable(self, table: Table) -> DeltaTable | None:
        return gate.readable(self.context, table)

    def read(self, table: Table) -> DataFrame:
        """The table as it is now."""
        return self._spark.read(table)

    def read_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
        """The rows of those days of those feeds."""
        from pipeline.lake.rows import frame_of  # noqa: PLC0415 - the driver alone needs no PySpark

        count = self.count_on_days(table, days)
        if count is not None and count <= FEW_TO_READ:
            return frame_of(self.context, self._rows_of_days(table, days))
        keys = {(feed, day) for feed, some in days.items() for day in some}
        found = data_files.of_partitions(self.context, table, keys)
        if found is None:
            return self._spark.read_days(table, days)
        return found.where(on_days(days, day=table.partition_by[1]))

    def read_batches(self, table: Table, batches: Collection[int]) -> DataFrame:
        """The rows of those batches."""
        found = data_files.of_batches(self.context, table, batches)
        if found is None:
            return self._spark.read_batches(table, batches)
        return found.where(F.col("batch_id").isin(*sorted(batches)))

    def small_table(self, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
        """A table that is small enough for the driver; `where` is one (column, '=', value) that must hold."""
        try:
            there = self._readable(table)
        except TableNotFoundError:
            return arrow_schema(table).empty_table()
        if there is None:
            return self._spark.small_table(table, where)
        rows = there.to_pyarrow_dataset()
        return matching.table(rows, rows.schema.names, filters_to_expression([where]) if where else None)

    def scan(self, table: Table, columns: Sequence[str], column: str, values: Sequence[int]) -> Iterator[pa.Table]:
        """Those columns of the rows whose `column` is one of the values, a piece at a time, never all."""
        there = self._readable(table)
        if there is None:
            yield from self._spark.scan(table, columns, column, values)
            return
        dataset = there.to_pyarrow_dataset()
        for batch in dataset.to_batches(columns=list(columns), filter=pc.field(column).isin(list(values))):
            yield pa.Table.from_batches([batch])

    def first_rows(
        self, table: Table, where: Mapping[str, Collection[Any]], order: Sequence[tuple[str, str]], most: int
    ) -> tuple[pa.Table, int]:
        """(the first `most` rows in that order whose columns are each one of the values, how many there are in all)."""
        try:
            there = self._readable(table)
        except TableNotFoundError:
            return arrow_schema(table).empty_table(), 0
        if there is None:
            return self._spark.first_rows(table, where, order, most)
        return first_rows.of_dataset(there.to_pyarrow_dataset(), where, order, most)

    def rows_without(self, table: Table, column: str) -> pa.Table:
        """The rows whose `column` is NULL, read without the others."""
        there = self._readable(table)
        if there is None:
            return self._spark.rows_without(table, column)
        rows = there.to_pyarrow_dataset()
        return matching.table(rows, rows.schema.names, pc.field(column).is_null())

    def partitions(self, table: Table) -> set[tuple[Any, ...]]:
        """The partitions that hold rows, as tuples of text; none where there is no such table."""
        try:
            there = self._readable(table)
        except TableNotFoundError:
            return set()
        if there is None:
            return self._spark.partitions(table)
        return {tuple(str(each[name]) for name in table.partition_by) for each in there.partitions()}

    def row_count(self, table: Table) -> int:
        """How many rows the table holds, from its files' statistics where these are there."""
        try:
            there = self._readable(table)
        except TableNotFoundError:
            return 0
        return self._spark.row_count(table) if there is None else there.count()

    def files_at(self, table: Table, version: int) -> pa.Table:
        """Feed, day and identity of each file of a version."""
        feed, day = table.partition_by
        there = gate.readable(self.context, table, version)
        if there is None:
            return self._spark.files_at(table, version)
        found = pa.table(there.get_add_actions(flatten=True))
        return found.select([f"partition.{feed}", f"partition.{day}", "path"]) if found.num_rows else found

    def rows_at(
        self, table: Table, version: int, names: list[str], days: Mapping[str, Sequence[date]] | None
    ) -> pa.Table:
        """Those columns of the rows of those days of those feeds, of a version; None: of all."""
        there = gate.readable(self.context, table, version)
        if there is None:
            return self._spark.rows_at(table, version, names, days)
        return there.to_pyarrow_table(columns=names, filters=None if days is None else filters_of(table, days))

    def count_on_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:
        """How many rows those days of those feeds hold, from the files' statistics; None where these do not say."""
        there = self._readable(table)
        if there is None:
            return None
        feed, day = table.partition_by
        keys = {(name, each) for name, some in days.items() for each in some}
        files = pa.table(there.get_add_actions(flatten=True)).to_pylist()
        counts = [
            file["num_records"] for file in files if (file[f"partition.{feed}"], file[f"partition.{day}"]) in keys
        ]
        return None if None in counts else sum(counts)

    def _rows_of_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> pa.Table:
        wanted, there = filters_of(table, days), self._readable(table)
        if not wanted or there is None:
            return arrow_schema(table).empty_table()
        return there.to_pyarrow_table(filters=wanted).select(table.names).cast(arrow_schema(table))

    def dataset(self, table: Table) -> tuple[ds.Dataset, int] | None:
        """(the table as it is now, its version); None where only Spark may read it. LakeError if it cannot be read."""
        address = tables.address(self.context.settings, table)
        try:
            there = self._readable(table)
            return None if there is None else (there.to_pyarrow_dataset(), there.version())
        except TableNotFoundError:
            raise LakeError(address, "is not there") from None
        except (DeltaError, OSError) as problem:
            raise LakeError(address, f"cannot be read: {error_messages.one_line(problem)}") from None

    def name_in_session(self, names: Collection[str] | None, every: Sequence[Table], shown: Sequence[View]) -> None:
        """Let Spark SQL find tables and views as `layer.name`: those of the names, or all (None)."""
        sql_names.register(self.context, names, every, shown)


def filters_of(table: Table, days: Mapping[str, Sequence[date]]) -> list[list[tuple[str, str, Any]]]:
    """Those days of those feeds, as delta-rs wants a condition; [] for no day at all."""
    feed, day = table.partition_by
    return [[(feed, "=", name), (day, "in", list(some))] for name, some in days.items() if some]
