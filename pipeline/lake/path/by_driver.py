"""A lake whose engine touches no table (Sail): the driver reads every row for it, and writes every one it gives back.

The engine is handed rows as Arrow, or as one parquet file of this machine where they are many. A table that only Spark
may touch is refused.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError
from pyarrow.parquet import filters_to_expression

from pipeline.errors import EngineError, LakeError
from pipeline.lake import gate, tables
from pipeline.lake import rows as frames
from pipeline.lake.commits import committed
from pipeline.lake.path.reads import PathReads, filters_of
from pipeline.lake.path.upkeep import PathUpkeep
from pipeline.lake.path.writes import PathWrites
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.lake.views import View


NEWER = "a table with deletion vectors or another newer feature"


class _Refusal:
    """Stands where a lake has Spark: whatever is asked of it is refused."""

    def __getattr__(self, asked: str) -> NoReturn:
        raise EngineError(NEWER)


class DriverReads(PathReads):
    """See protocol.Reads."""

    @cached_property
    def _spark(self) -> Any:  # noqa: ANN401 - no lake at all
        return _Refusal()

    def read(self, table: Table) -> DataFrame:
        """The table as it is now."""
        return self._handed(table, None)

    def read_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> DataFrame:
        """The rows of those days of those feeds."""
        wanted = filters_of(table, days)
        return self._handed(table, filters_to_expression(wanted) if wanted else pc.scalar(False))  # noqa: FBT003

    def read_batches(self, table: Table, batches: Collection[int]) -> DataFrame:
        """The rows of those batches."""
        return self._handed(table, pc.field("batch_id").isin(pa.array(sorted(batches), pa.int64())))

    def _handed(self, table: Table, wanted: pc.Expression | None) -> DataFrame:
        schema = arrow_schema(table)
        try:
            there = self._readable(table)
        except TableNotFoundError:
            raise LakeError(tables.address(self.context.settings, table), "is not there") from None
        if there is None:
            raise EngineError(NEWER)

        def pieces() -> Iterator[pa.RecordBatch]:
            for batch in there.to_pyarrow_dataset().to_batches(columns=table.names, filter=wanted):
                yield from pa.Table.from_batches([batch]).cast(schema).to_batches()

        return frames.handed_over(self.context, pa.RecordBatchReader.from_batches(schema, pieces()))

    def name_in_session(self, names: Collection[str] | None, every: Sequence[Table], shown: Sequence[View]) -> None:  # noqa: ARG002 - see protocol.Reads
        """Only Spark SQL asks for names."""
        raise EngineError("names for Spark SQL")


class DriverWrites(PathWrites):
    """See protocol.Writes."""

    @cached_property
    def _spark(self) -> Any:  # noqa: ANN401 - no lake at all
        return _Refusal()

    def append(
        self,
        table: Table,
        rows: DataFrame | pa.Table | pa.RecordBatchReader,
        mark: Mapping[str, Any],
        *,
        at_most: int | None = None,
    ) -> int:
        """Add rows; returns how many. Those of a reader are never all in memory."""
        if not isinstance(rows, pa.RecordBatchReader):
            return super().append(table, rows, mark, at_most=at_most)
        counted = _Counted(rows)
        with committed(self.context, f"write {table.full_name}"):
            try:
                self._commit(table, counted.reader(), mark)
            except LakeError:
                if counted.problem is not None:
                    raise counted.problem from None
                raise
        return counted.rows

    def merge(  # noqa: PLR0913 - what a MERGE is made of
        self,
        table: Table,
        source: DataFrame,
        days: Mapping[str, Sequence[date]],  # noqa: ARG002 - see protocol.Writes
        mark: Mapping[str, Any],
        *,
        condition: str,
        newer: str,
        at_most: int | None = None,
    ) -> int:
        """MERGE the rows `s` into the table `t`; returns how many changed."""
        return self._merge(table, self._few(table, source, at_most, None), condition, newer, dict(mark))

    def _few(self, table: Table, rows: DataFrame | pa.Table, at_most: int | None, about: int | None) -> pa.Table:  # noqa: ARG002 - however many
        """The rows: this machine's memory is all that there is."""
        if isinstance(rows, pa.Table):
            return rows
        if gate.writable(self.context, table) is None:
            raise EngineError(NEWER)
        return frames.collect(self.context, rows, table)


class _Counted:
    """Rows on their way to a writer: how many, and what went wrong in their source, which the writer hides."""

    def __init__(self, source: pa.RecordBatchReader) -> None:
        self.source = source
        self.rows = 0
        self.problem: Exception | None = None

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.source.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.source:
                self.rows += batch.num_rows
                yield batch
        except Exception as problem:
            self.problem = problem
            raise


class DriverUpkeep(PathUpkeep):
    """See protocol.Upkeep."""

    @cached_property
    def _spark(self) -> Any:  # noqa: ANN401 - no lake at all
        return _Refusal()
