"""Commits to tables in a folder or an object store: by the driver where it may and rows are few, else by Spark.

The driver needs no JVM and no Spark job: it MERGEs a day into silver in one second;
Spark needs nine jobs and up to 18 seconds, mostly cold code. What it may touch is decided by gate.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from pipeline.errors import LakeError
from pipeline.lake import commits, gate, progress, tables
from pipeline.lake.commits import committed
from pipeline.lake.types import arrow_schema
from pipeline.runtime import error_messages
from pipeline.runtime.log import without_native_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

    from pipeline.lake.catalog.writes import CatalogWrites
    from pipeline.lake.protocol import Facts, Reads
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


EVERYTHING = "true"
# As Spark's files: half the bytes of the default, and no slower.
COMPRESSION: Final = "ZSTD"
# Rows that the driver can always hold in memory: about 120 MB of readings, the widest rows.
FEW_ROWS = 1_000_000
# Rows on the days of a MERGE, which the driver joins and writes again.
FEW_TO_MERGE_INTO = 4 * FEW_ROWS


def writer(table: Table) -> WriterProperties:
    """How the driver writes the table's files."""
    return WriterProperties(compression=COMPRESSION, max_row_group_size=table.row_group)


class PathWrites:
    """See protocol.Writes."""

    def __init__(self, context: Context, facts: Facts, reads: Reads) -> None:
        self.context = context
        self.facts = facts
        self.reads = reads

    @cached_property
    def _spark(self) -> CatalogWrites:
        from pipeline.lake.catalog.writes import CatalogWrites  # noqa: PLC0415 - the driver alone needs no PySpark

        return CatalogWrites(self.context, self.facts)

    def append(
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        mark: Mapping[str, Any],
        *,
        at_most: int | None = None,
    ) -> int:
        """Add rows; returns how many."""
        few = self._few(table, rows, at_most, None)
        return self._spark.append(table, rows, mark) if few is None else self._write(table, few, mark, None)

    def replace(  # noqa: PLR0913 - what a replacement is made of
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        condition: str,
        mark: Mapping[str, Any],
        *,
        at_most: int | None = None,
        about: int | None = None,
    ) -> int:
        """Rows that meet the condition go, these come; returns how many came."""
        few = self._few(table, rows, at_most, about)
        if few is None:
            return self._spark.replace(table, rows, condition, mark)
        return self._write(table, few, mark, condition)

    def merge(  # noqa: PLR0913 - what a MERGE is made of
        self,
        table: Table,
        source: DataFrame,
        days: Mapping[str, Sequence[date]],
        mark: Mapping[str, Any],
        *,
        condition: str,
        newer: str,
        at_most: int | None = None,
    ) -> int:
        """MERGE the rows `s` into the table `t`, of which only `days` are read; returns how many changed."""
        held = self.reads.count_on_days(table, days)
        few = self._few(table, source, at_most, None) if held is not None and held <= FEW_TO_MERGE_INTO else None
        if few is None:
            return self._spark.merge(table, source, days, mark, condition=condition, newer=newer)
        return self._merge(table, few, condition, newer, dict(mark))

    def _few(self, table: Table, rows: DataFrame | pa.Table, at_most: int | None, about: int | None) -> pa.Table | None:
        """The rows, where they are few enough for the driver to write; `about` is a guess at how many there are."""
        if isinstance(rows, pa.Table):
            return rows
        certain = at_most is not None and at_most <= FEW_ROWS
        if not (certain or (about is not None and about <= FEW_ROWS)) or gate.writable(self.context, table) is None:
            return None
        from pipeline.lake.rows import collect  # noqa: PLC0415 - the driver alone needs no PySpark

        found = collect(self.context, rows if certain else rows.limit(FEW_ROWS + 1), table)
        return found if found.num_rows <= FEW_ROWS else None

    @without_native_noise()
    def _write(self, table: Table, rows: pa.Table, mark: Mapping[str, Any] | None, condition: str | None) -> int:
        values = rows.select(table.names).cast(arrow_schema(table))
        with committed(self.context, f"write {table.full_name}"):
            self._commit(table, values, mark, condition)
        return int(values.num_rows)

    def _commit(
        self, table: Table, values: pa.Table, mark: Mapping[str, Any] | None, condition: str | None = None
    ) -> None:
        with self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                self._spark.save(table, values, mark, condition)
                return
            told = None if mark is None else commits.with_claim(self.context, table, dict(mark))
            how: Any = {"commit_properties": gate.stamped(self.context, told), "writer_properties": writer(table)}
            if condition is None:
                write_deltalake(to_write, values, mode="append", **how)
            else:
                only = None if condition == EVERYTHING else condition
                write_deltalake(to_write, values, mode="overwrite", predicate=only, **how)

    @without_native_noise()
    def _merge(self, table: Table, rows: pa.Table, condition: str, newer: str, mark: dict[str, Any]) -> int:
        values = rows.select(table.names).cast(arrow_schema(table))
        with committed(self.context, f"write {table.full_name}"), self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:  # it was plain when it was decided who merges
                address = tables.address(self.context.settings, table)
                raise LakeError(address, "now has a feature that only Spark can write: run again")
            version = to_write.version()
            merge = to_write.merge(
                values,
                condition,
                source_alias="s",
                target_alias="t",
                writer_properties=writer(table),
                commit_properties=gate.stamped(self.context, mark),
            )
            counts = merge.when_matched_update_all(newer).when_not_matched_insert_all().execute()
            if to_write.version() == version:  # nothing was newer, so it made no commit; its mark needs one
                self._append_nothing(to_write, table, mark)
        return int(counts["num_target_rows_inserted"] + counts["num_target_rows_updated"])

    def delete(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """Remove the rows that meet the condition; one commit, also where there are none."""
        with committed(self.context, f"delete {table.full_name}"):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                self._spark.remove(table, condition, mark)
                return
            before = to_write.version()
            to_write.delete(condition, writer(table), commit_properties=gate.stamped(self.context, dict(mark)))
            if to_write.version() == before:
                self._append_nothing(to_write, table, dict(mark))

    def delete_matching(self, table: Table, key: Sequence[str], keys: pa.Table, mark: Mapping[str, Any]) -> int:
        """Remove the rows that have one of the keys; returns how many."""
        return self._spark.delete_matching(table, key, keys, mark)

    def commit_nothing(self, table: Table) -> None:
        """A commit without rows and without a mark; nothing where there is no table."""
        if self.facts.exists(table):
            with committed(self.context, f"claim {table.full_name}"):
                self._commit(table, arrow_schema(table).empty_table(), None)

    def commit_seen(self, table: Table, look: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """A commit without rows, on the very version whose mark `look` was shown: any other commit since ends it."""
        to_write = gate.writable(self.context, table)
        if to_write is None:
            return self._spark.commit_seen(table, look)
        old_form = commits.is_of_old_form(self.context, self.facts)
        mark = progress.search(to_write.history, old_form=old_form)[0].mark
        look(mark)
        self._append_nothing(to_write, table, mark)
        return []

    def _append_nothing(self, to_write: DeltaTable, table: Table, mark: dict[str, Any]) -> None:
        """A commit without rows on the version that is open: it conflicts with any of another run since."""
        stamp = gate.stamped(self.context, commits.with_claim(self.context, table, mark))
        write_deltalake(to_write, arrow_schema(table).empty_table(), mode="append", commit_properties=stamp)

    @contextmanager
    def _in_words(self, table: Table) -> Iterator[None]:
        try:
            yield
        except (DeltaError, OSError) as problem:
            address = tables.address(self.context.settings, table)
            raise LakeError(address, f"cannot be written: {error_messages.one_line(problem)}") from None
