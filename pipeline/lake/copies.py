"""The lake's tables as requests see them where only Spark may read: it copies them here, each day when it is asked for.

A copy of a day is a parquet file, named by the table's own files of that day: it stays valid until a commit changes
these. Tables that are not partitioned by day are held in memory.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake.exceptions import DeltaError

from pipeline.errors import LakeError, VersionGoneError
from pipeline.lake import access
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.types import arrow_schema
from pipeline.runtime.error_messages import is_spark_gone, one_line
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pipeline.lake.protocol import Lake
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

Key = tuple[str, date]
Answer = TypeVar("Answer")

FAULTS: tuple[type[Exception], ...] = (*SPARK_ERRORS, DeltaError, OSError)
# A commit is seen within this time; asking Spark costs some tenths of a second.
FRESH_SECONDS = 2.0
# Of a table that is not partitioned by day, because it is held in memory.
MOST_ROWS = 5_000_000
# Days that are read at once.
DAYS_AT_ONCE = 7


class Copies(Snapshots):
    """Snapshots of tables that Spark reads; the copies lie in `folder`."""

    def __init__(self, context: Context, folder: Path) -> None:
        super().__init__(context.settings)
        self._lake, self._folder = access.lake_of(context), folder
        context.spark  # noqa: B018 - started here and waited for: threads of requests would each look for their own

    def _made(self, table: Table) -> CopiedHead:
        return CopiedHead(self._lake, table, self._folder / table.full_name)

    def _earlier(self, table: Table, version: int) -> Copied:
        return Copied(self._lake, table, version, "earlier", self._folder / table.full_name)


class CopiedHead:
    """The newest version of one table."""

    def __init__(self, lake: Lake, table: Table, folder: Path) -> None:
        self._lake, self._table, self._folder = lake, table, folder
        self._lock = threading.Lock()
        self._opened: Copied | None = None
        self._asked = -FRESH_SECONDS

    def opened(self) -> Copied | None:
        """The table at its newest version; None if there is no table."""
        with self._lock:
            if time.monotonic() - self._asked >= FRESH_SECONDS:
                self._opened = self._newest()
                self._asked = time.monotonic()
            return self._opened

    def _newest(self) -> Copied | None:
        commit = next(iter(_told(self._table, None, lambda: self._lake.facts.history(self._table, 1))), None)
        if commit is None:
            return None
        version, made = int(commit["version"]), str(commit["timestamp"])
        if self._opened is not None and self._opened.identity == f"{made} {version}":
            return self._opened
        found = Copied(self._lake, self._table, version, made, self._folder)
        found.drop_others()
        return found


class Copied:
    """One version of a table, as `snapshots.Opened`."""

    def __init__(self, lake: Lake, table: Table, version: int, made: str, folder: Path) -> None:
        self._lake, self._table, self._folder = lake, table, folder
        self._lock = threading.RLock()
        self.version = version
        self.identity = f"{made} {version}"

    @cached_property
    def dataset(self) -> ds.Dataset:
        """Its rows; LakeError if they are too many to hold."""
        with self._lock:
            if self._table.partition_by:
                return self._copies(self._names)
            count = _told(self._table, None, lambda: self._lake.reads.row_count(self._table))
            if count > MOST_ROWS:
                said = f"has {count:,} rows, at most {MOST_ROWS:,} are read by Spark for serve: ask by main.py sql"
                raise LakeError(self._table.full_name, said)
            return ds.dataset(self._rows(None))

    @cached_property
    def fragments(self) -> Mapping[Key, list[ds.Fragment]]:
        """Its copies by feed and local day; a day is copied when it is asked for."""
        return _Days(self._names, self._copies)

    def drop_others(self) -> None:
        """Delete the copies of days as they are no longer; also when a meter was erased."""
        if self._folder.is_dir():
            names = set(self._names.values())
            for file in self._folder.rglob("*.parquet"):
                if file.stem not in names:
                    file.unlink(missing_ok=True)

    @cached_property
    def _names(self) -> dict[Key, str]:
        """What the copy of each day is called."""
        found: defaultdict[Key, list[str]] = defaultdict(list)
        with self._lock:
            files = _told(self._table, self.version, lambda: self._lake.reads.files_at(self._table, self.version))
        for feed, day, *file in zip(*(column.to_pylist() for column in files.columns), strict=True):
            found[str(feed), day].append(repr(file))
        return {key: hashlib.sha256("\n".join(sorted(each)).encode()).hexdigest() for key, each in found.items()}

    def _copies(self, keys: Iterable[Key]) -> ds.Dataset:
        """Those days, copied where they are not yet; of no days a dataset without rows."""
        schema, (feed_name, day_name) = arrow_schema(self._table), self._table.partition_by
        paths = {key: self._path(key) for key in keys}
        with self._lock:
            missing: defaultdict[str, list[date]] = defaultdict(list)
            for (feed, day), path in paths.items():
                if not path.exists():
                    missing[feed].append(day)
            for feed, days in missing.items():
                for first in range(0, len(days), DAYS_AT_ONCE):
                    some = days[first : first + DAYS_AT_ONCE]
                    rows = self._rows({feed: some})
                    for day in some:
                        of_day = rows.filter(pc.equal(rows[day_name], pa.scalar(day)))
                        _write(of_day.drop_columns([feed_name, day_name]), paths[feed, day])
        if not paths:
            return ds.dataset(schema.empty_table())
        keyed = pa.schema([schema.field(feed_name), schema.field(day_name)])
        return ds.dataset(
            [str(path) for path in paths.values()],
            schema=schema,
            format="parquet",
            partitioning=ds.partitioning(keyed, flavor="hive"),
            partition_base_dir=str(self._folder),
        )

    def _path(self, key: Key) -> Path:
        feed_name, day_name = self._table.partition_by
        return self._folder / f"{feed_name}={key[0]}" / f"{day_name}={key[1]}" / f"{self._names[key]}.parquet"

    def _rows(self, days: Mapping[str, list[date]] | None) -> pa.Table:
        names, schema = self._table.names, arrow_schema(self._table)
        rows = _told(
            self._table, self.version, lambda: self._lake.reads.rows_at(self._table, self.version, names, days)
        )
        return rows.select(names).cast(schema)


class _Days(Mapping[Key, "list[ds.Fragment]"]):
    """Days of a version, each copied when it is looked up."""

    def __init__(self, names: Mapping[Key, str], copies: Callable[[Iterable[Key]], ds.Dataset]) -> None:
        self._names, self._copies = names, copies

    def __getitem__(self, key: Key) -> list[ds.Fragment]:
        if key not in self._names:
            raise KeyError(key)
        return list(self._copies([key]).get_fragments())

    def __iter__(self) -> Iterator[Key]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _write(rows: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(rows, part)
    part.replace(path)


def _told(table: Table, version: int | None, ask: Callable[[], Answer]) -> Answer:
    """What Spark answers; VersionGoneError if that version is no longer there, LakeError for other faults."""
    try:
        return ask()
    except FAULTS as problem:
        if version is None or is_spark_gone(problem):
            raise LakeError(table.full_name, f"cannot be read by Spark: {one_line(problem)}") from None
        raise VersionGoneError(table.full_name, version, type(problem).__name__) from None
