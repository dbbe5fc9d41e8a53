"""Tables in a folder or an object store: by the driver (delta-rs) where it may and rows are few, else by Spark.

Who does it is decided here alone. The driver needs no JVM and no Spark job: it MERGEs a day into silver in one second,
Spark in eight, most of them cold code. What it may touch is decided by gate.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from pipeline.errors import LakeError
from pipeline.lake import commits, data_files, gate, stores, tables
from pipeline.lake.commits import committed
from pipeline.lake.days import on_days
from pipeline.lake.state import State
from pipeline.lake.types import arrow_schema
from pipeline.runtime import error_messages
from pipeline.runtime.log import without_native_noise
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

    from pipeline.lake.catalog import CatalogLake
    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

WRITER = WriterProperties(compression="ZSTD")  # as Spark's files: half the bytes of the default, and no slower
EVERYTHING = "true"
# Rows that the driver takes in without a thought: of readings, the widest of them, some 120 MB.
FEW_ROWS = 1_000_000
# Rows of a table that Spark gets from the driver: more of them cost more to hand over than the jobs that find them.
FEW_TO_READ = 50_000
# Rows on the days of a MERGE, which its driver's writer joins and writes again.
FEW_TO_MERGE_INTO = 4 * FEW_ROWS


class PathLake:
    """See protocol.Lake."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def _spark(self) -> CatalogLake:
        from pipeline.lake.catalog import CatalogLake  # noqa: PLC0415 - the driver alone needs no PySpark

        return CatalogLake(self.context, facts=self)

    def _readable(self, table: Table) -> DeltaTable | None:
        return gate.readable(self.context, table)

    def exists(self, table: Table) -> bool:
        """Whether there is such a table."""
        return self.version(table) is not None

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""
        try:
            return gate.opened(self.context, table).history(limit)
        except TableNotFoundError:
            return []

    def version(self, table: Table) -> int | None:
        """The table's newest version, None where there is no such table."""
        try:
            return gate.opened(self.context, table).version()
        except TableNotFoundError:
            return None

    def properties(self, table: Table) -> dict[str, str] | None:
        """The table's properties; None where there is no such table."""
        try:
            return dict(gate.opened(self.context, table).metadata().configuration)
        except TableNotFoundError:
            return None

    def progress(self, table: Table) -> tuple[Progress, bool]:
        """How far the table is complete; see commits.progress_of."""
        return commits.progress_of(self.context, self, table)

    def states(self, every: Iterable[Table]) -> list[State]:
        """What the tables say of themselves; without those that are not there."""
        return [found for table in every if (found := self._state(table)) is not None]

    def _state(self, table: Table) -> State | None:
        try:
            opened = gate.opened(self.context, table)
        except TableNotFoundError:
            return None
        found, is_whole = commits.progress_of(self.context, _Opened(self, opened), table)
        return State(table.full_name, found.batch_id, found.is_restored, bool(opened.file_uris()), is_whole)

    def names_in(self, layer: str) -> list[str]:
        """Names of the tables of a layer."""
        system, folder = stores.opened(f"{self.context.settings.root}/{layer}")
        found = system.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return sorted(each.base_name for each in found if each.type == fs.FileType.Directory)

    def lost_files(self, table: Table) -> list[str]:
        """Data files that the newest version names and that are not there, as paths below the table's folder."""
        try:
            named = pa.table(gate.opened(self.context, table).get_add_actions(flatten=True))["path"].to_pylist()
        except TableNotFoundError:
            return []
        is_there = _look(tables.address(self.context.settings, table))
        # Names are as they stand in the log, or decoded; a file outside of the folder is not ours to judge.
        return sorted(path for path in named if "://" not in path and not (is_there(path) or is_there(unquote(path))))

    # --- reading

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
        found: pa.Table = there.to_pyarrow_table(filters=[where] if where else None)
        return found

    def scan(self, table: Table, columns: Sequence[str], column: str, values: Sequence[int]) -> Iterator[pa.Table]:
        """Those columns of the rows whose `column` is one of the values, a piece at a time, never all."""
        there = self._readable(table)
        if there is None:
            yield from self._spark.scan(table, columns, column, values)
            return
        dataset = there.to_pyarrow_dataset()
        for batch in dataset.to_batches(columns=list(columns), filter=pc.field(column).isin(list(values))):
            yield pa.Table.from_batches([batch])

    def rows_without(self, table: Table, column: str) -> pa.Table:
        """The rows whose `column` is NULL, read without the others."""
        there = self._readable(table)
        if there is None:
            return self._spark.rows_without(table, column)
        return there.to_pyarrow_dataset().to_table(filter=pc.field(column).is_null())

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
        """Feed, day and what tells one file from another, of a version."""
        feed, day = table.partition_by
        there = gate.readable(self.context, table, version)
        if there is None:
            return self._spark.files_at(table, version)
        found = pa.table(there.get_add_actions(flatten=True))
        return found.select([f"partition.{feed}", f"partition.{day}", "path"]) if found.num_rows else found

    def rows_at(self, table: Table, version: int, names: list[str], days: Mapping[str, Sequence[date]]) -> pa.Table:
        """Those columns of the rows of those days of those feeds, of a version."""
        there = gate.readable(self.context, table, version)
        if there is None:
            return self._spark.rows_at(table, version, names, days)
        return there.to_pyarrow_table(columns=names, filters=_filters(table, days))

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
        wanted, there = _filters(table, days), self._readable(table)
        if not wanted or there is None:
            return arrow_schema(table).empty_table()
        return there.to_pyarrow_table(filters=wanted).select(table.names).cast(arrow_schema(table))

    # --- writing

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
        held = self.count_on_days(table, days)
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
            how: Any = {"commit_properties": gate.stamped(self.context, told), "writer_properties": WRITER}
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
                raise LakeError(address, "has got a feature that only Spark writes meanwhile: run again")
            version = to_write.version()
            merge = to_write.merge(
                values,
                condition,
                source_alias="s",
                target_alias="t",
                writer_properties=WRITER,
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
            to_write.delete(condition, WRITER, commit_properties=gate.stamped(self.context, dict(mark)))
            if to_write.version() == before:
                self._append_nothing(to_write, table, dict(mark))

    def delete_matching(self, table: Table, key: Sequence[str], keys: pa.Table, mark: Mapping[str, Any]) -> int:
        """Remove the rows that have one of the keys; returns how many."""
        return self._spark.delete_matching(table, key, keys, mark)

    def commit_nothing(self, table: Table) -> None:
        """A commit without rows and without a mark; nothing where there is no table."""
        if self.exists(table):
            with committed(self.context, f"claim {table.full_name}"):
                self._commit(table, arrow_schema(table).empty_table(), None)

    def commit_seen(self, table: Table, look: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """A commit without rows, on the very version whose mark `look` was shown: any other commit since ends it."""
        to_write = gate.writable(self.context, table)
        if to_write is None:
            return self._spark.commit_seen(table, look)
        mark = commits.progress_of(self.context, _Opened(self, to_write), table)[0].mark
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


class _Opened:
    """Facts of one version of a table, as it is open."""

    def __init__(self, lake: PathLake, opened: DeltaTable) -> None:
        self.exists, self.properties, self._opened = lake.exists, lake.properties, opened

    def history(self, table: Table, limit: int | None) -> list[Commit]:  # noqa: ARG002 - the table that is open
        """The newest commits, newest first."""
        return self._opened.history(limit)


def _filters(table: Table, days: Mapping[str, Sequence[date]]) -> list[list[tuple[str, str, Any]]]:
    feed, day = table.partition_by
    return [[(feed, "=", name), (day, "in", list(some))] for name, some in days.items() if some]


def _look(where: str) -> Callable[[str], bool]:
    """Whether a file of a folder is there: asked one by one on a disk, by one listing of an object store."""
    if not stores.is_remote(where):
        return lambda path: Path(where, path).exists()
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(folder, recursive=True))
    there = {entry.path.removeprefix(folder).lstrip("/") for entry in entries}
    return there.__contains__
