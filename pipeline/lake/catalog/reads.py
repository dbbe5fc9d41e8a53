"""Rows of tables by Spark: those of a catalog, and those of a path that only Spark may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from pipeline.lake import tables
from pipeline.lake.days import on_days
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyspark.sql import DataFrame

    from pipeline.lake.protocol import Facts
    from pipeline.lake.tables import Table
    from pipeline.lake.views import View
    from pipeline.runtime.context import Context


class CatalogReads:
    """See protocol.Reads. `facts` are where the tables' logs are read; `catalog` is None for tables of a path."""

    def __init__(self, context: Context, facts: Facts, catalog: str | None = None) -> None:
        self.context = context
        self.facts = facts
        self._catalog = catalog

    def _name(self, table: Table) -> str:
        return tables.sql_name(self.context.settings, table)

    def read(self, table: Table) -> DataFrame:
        """The table as it is now."""
        return self.context.spark.table(self._name(table))

    def read_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
        """The rows of those days of those feeds."""
        return self.read(table).where(on_days(days, day=table.partition_by[1]))

    def read_batches(self, table: Table, batches: Collection[int]) -> DataFrame:
        """The rows of those batches."""
        return self.read(table).where(F.col("batch_id").isin(*sorted(batches)))

    def small_table(self, table: Table, where: tuple[str, str, Any] | None = None) -> pa.Table:
        """A table that is small enough for the driver; `where` is one (column, '=', value) that must hold."""
        if not self.facts.exists(table):
            return arrow_schema(table).empty_table()
        found = self.read(table)
        return (found.where(F.col(where[0]) == F.lit(where[2])) if where else found).toArrow()

    def scan(self, table: Table, columns: Sequence[str], column: str, values: Sequence[int]) -> Iterator[pa.Table]:
        """Those columns of the rows whose `column` is one of the values."""
        yield self.read(table).where(F.col(column).isin(*values)).select(*columns).toArrow()

    def first_rows(
        self, table: Table, where: Mapping[str, Collection[Any]], order: Sequence[tuple[str, str]], most: int
    ) -> tuple[pa.Table, int]:
        """(the first `most` rows in that order whose columns are each one of the values, how many there are in all)."""
        if not self.facts.exists(table):
            return arrow_schema(table).empty_table(), 0
        found = self.read(table)
        for column, values in where.items():
            found = found.where(F.col(column).isin(*values))
        by = [F.col(column).asc() if way == "ascending" else F.col(column).desc() for column, way in order]
        return found.orderBy(*by).limit(most).toArrow(), found.count()

    def rows_without(self, table: Table, column: str) -> pa.Table:
        """The rows whose `column` is NULL."""
        return self.read(table).where(f"{column} IS NULL").toArrow()

    def partitions(self, table: Table) -> set[tuple[Any, ...]]:
        """The partitions that hold rows, as tuples of text; none where there is no such table."""
        if not self.facts.exists(table):
            return set()
        rows = self.read(table).select(*table.partition_by).distinct().collect()
        return {tuple(str(value) for value in row) for row in rows}

    def row_count(self, table: Table) -> int:
        """How many rows the table holds; 0 where there is no such table."""
        return self.read(table).count() if self.facts.exists(table) else 0

    def dataset(self, table: Table) -> tuple[ds.Dataset, int] | None:  # noqa: ARG002 - see protocol.Reads
        """Only Spark reads a catalog's tables."""
        return None

    def count_on_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:  # noqa: ARG002
        """Spark tells it by reading them only."""
        return None

    def files_at(self, table: Table, version: int) -> pa.Table:
        """Feed, day, path and row count of each file of a version.

        The count is needed because a deletion vector removes rows without changing the file's name.
        """
        feed, day = table.partition_by
        rows = self._at(table, version).selectExpr(feed, day, "_metadata.file_path AS path")
        return rows.groupBy(feed, day, "path").count().toArrow()

    def rows_at(
        self, table: Table, version: int, names: list[str], days: Mapping[str, Sequence[date]] | None
    ) -> pa.Table:
        """Those columns of the rows of those days of those feeds, of a version; None: of all."""
        rows = self._at(table, version)
        return (rows if days is None else rows.where(on_days(days, day=table.partition_by[1]))).select(*names).toArrow()

    def _at(self, table: Table, version: int) -> DataFrame:
        return self.context.spark.sql(f"SELECT * FROM {self._name(table)} VERSION AS OF {int(version)}")

    def name_in_session(
        self,
        names: Collection[str] | None,  # noqa: ARG002 - see protocol.Reads
        every: Sequence[Table],  # noqa: ARG002
        shown: Sequence[View],  # noqa: ARG002
    ) -> None:
        """The catalog knows them all by their names."""
        self.context.spark.catalog.setCurrentCatalog(str(self._catalog))
