"""The lake's tables as one request sees them: the newest versions when it began, until it ends. No JVM."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import pyarrow.dataset as ds
from deltalake.exceptions import DeltaError, TableNotFoundError

from pipeline.errors import LakeError, VersionGoneError
from pipeline.lake import gate, tables
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    from deltalake import DeltaTable

    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Table


class Version(Protocol):
    """One version of a table; it never changes, so answers about it can be cached."""

    version: int
    identity: str

    @property
    def dataset(self) -> ds.Dataset | pa.Table:
        """Its rows."""

    @property
    def fragments(self) -> Mapping[tuple[str, date], Sequence[ds.Fragment]]:
        """Its data files by feed and local day, for a table that is partitioned by these."""


class Newest(Protocol):
    """A table whose newest version is asked for again and again."""

    def opened(self) -> Version | None:
        """The table at its newest version; None if there is no table."""


class Shown(Newest, Protocol):
    """What requests see of a table in place of its newest version."""

    def forget(self) -> None:
        """Files of what is shown are gone."""


class Opened:
    """See Version; read where it lies."""

    def __init__(self, delta: DeltaTable) -> None:
        if not gate.is_plain(delta):
            said = "has deletion vectors or the like, which only Spark reads: serve --engine spark"
            raise LakeError(delta.table_uri, said)
        self.delta = delta
        self.version = delta.version()
        self.identity = f"{delta.metadata().id} {self.version}"

    @cached_property
    def dataset(self) -> ds.Dataset:
        """Its rows."""
        return self.delta.to_pyarrow_dataset()

    @cached_property
    def fragments(self) -> dict[tuple[str, date], list[ds.Fragment]]:
        """Its data files by feed and local day, for a table that is partitioned by these."""
        found: dict[tuple[str, date], list[ds.Fragment]] = {}
        for fragment in self.dataset.get_fragments():
            keys = ds.get_partition_keys(fragment.partition_expression)
            found.setdefault((keys["feed"], keys["local_date"]), []).append(fragment)
        return found


class Head:
    """The newest version of one table, opened again only after a commit."""

    def __init__(self, settings: Settings, table: Table) -> None:
        self._settings, self._table = settings, table
        self._uri = tables.address(settings, table)
        self._lock = threading.Lock()
        self._newest: DeltaTable | None = None
        self._opened: Opened | None = None
        self._seen: tuple[int, int] | None = None

    def opened(self) -> Opened | None:
        """The table at its newest version; None if there is no table."""
        with self._lock:
            self._follow()
            if self._opened is not None and self._is_newest(self._opened.version):
                return self._opened
            try:
                if self._newest is None:
                    self._newest = self._at()
                self._newest.update_incremental()
            except TableNotFoundError:
                self._newest = self._opened = None
                return None
            except DeltaError:
                # The log started again (the lake was deleted and recreated): what was cached is no longer valid.
                self._newest, self._opened = self._at(), None
            if self._opened is None or self._opened.version != self._newest.version():
                self._opened = Opened(self._at(self._newest.version()))
            self._seen = self._commit(self._opened.version)
            return self._opened

    def _at(self, version: int | None = None) -> DeltaTable:
        return gate.at(self._settings, self._table, version)

    def _follow(self) -> None:
        """A table may have been made again, in a catalog at another place too: what was cached is no longer valid."""
        where = tables.address(self._settings, self._table)
        is_another = self._opened is not None and self._commit(self._opened.version) != self._seen
        if where != self._uri or is_another:
            self._uri, self._newest, self._opened, self._seen = where, None, None, None

    def _is_newest(self, version: int) -> bool:
        """In a folder, two file checks tell: its commit's file is unchanged (`_follow`), and there is no later one."""
        return self._seen is not None and self._commit(version + 1) is None

    def _commit(self, version: int) -> tuple[int, int] | None:
        """What identifies a commit's file; None if there is none, or if the lake is not in a folder."""
        return gate.commit_file(self._uri, version)


@dataclass(frozen=True)
class Pinned:
    """Tables at the versions of one request; `newest` names those at their newest version."""

    opened: dict[str, Version | None]
    newest: frozenset[str] = frozenset()

    @property
    def versions(self) -> dict[str, int]:
        """`layer.table` -> version, of the existing tables: the answer's `as_of`."""
        return {name: table.version for name, table in self.opened.items() if table is not None}

    @property
    def identities(self) -> dict[str, str]:
        """What tells a version from one of the same number of a table that was made again."""
        return {name: table.identity for name, table in self.opened.items() if table is not None}

    def dataset(self, table: Table) -> ds.Dataset | pa.Table:
        """The rows of a table, for a query; none if there is no such table."""
        found = self.opened[table.full_name]
        return arrow_schema(table).empty_table() if found is None else found.dataset

    def fragments(self, table: Table, feed: str, days: Iterable[date]) -> list[ds.Fragment]:
        """The data files of those local days of a feed."""
        found = self.opened[table.full_name]
        return [] if found is None else [file for day in days for file in found.fragments.get((feed, day), ())]


class Snapshots:
    """Opens the lake's tables for requests; those of a catalog at the places that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heads: dict[str, Newest] = {}
        self._shown: dict[str, Shown] = {}
        self._lock = threading.Lock()

    def pin(self, wanted: Iterable[Table], versions: Mapping[str, int] | None = None) -> Pinned:
        """Those tables at their newest versions, or at the `versions` of an earlier page.

        Raises VersionGoneError if an earlier version is no longer there.
        """
        opened: dict[str, Version | None] = {}
        heads = set()
        for table in wanted:
            head = (self._shown.get(table.full_name) or self._head(table)).opened()
            asked = (versions or {}).get(table.full_name)
            if asked is None or (head is not None and head.version == asked):
                opened[table.full_name] = head
                heads.add(table.full_name)
            else:
                opened[table.full_name] = self._earlier(table, asked)
        return Pinned(opened, frozenset(heads))

    def newest(self, table: Table) -> Version | None:
        """The table at its newest version, whatever requests see of it."""
        return self._head(table).opened()

    def show(self, table: Table, shown: Shown) -> None:
        """From now on requests see of this table what `shown` has opened."""
        self._shown[table.full_name] = shown

    def forget(self) -> None:
        """Open every table from its log again: files of a newest version are gone, so it may have been made again."""
        with self._lock:
            self._heads.clear()
            for shown in self._shown.values():
                shown.forget()

    def _head(self, table: Table) -> Newest:
        with self._lock:
            if table.full_name not in self._heads:
                self._heads[table.full_name] = self._made(table)
            return self._heads[table.full_name]

    def _made(self, table: Table) -> Newest:
        return Head(self._settings, table)

    def _earlier(self, table: Table, version: int) -> Version:
        try:
            # Not cached: after an erasure no earlier version may be shown again.
            return Opened(gate.at(self._settings, table, version))
        except (DeltaError, OSError, OverflowError) as problem:
            raise VersionGoneError(table.full_name, version, type(problem).__name__) from None
