"""The making and the care of tables in a folder or an object store: by the driver where it may, else by Spark."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, WriterProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from pipeline.errors import LakeError
from pipeline.lake import commits, gate, stores, tables, version_checksum
from pipeline.lake.commits import committed
from pipeline.lake.path.writes import COMPRESSION, writer
from pipeline.lake.protocol import SAFE_HOURS
from pipeline.lake.types import TYPES
from pipeline.runtime import error_messages, failpoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from pipeline.lake.catalog.upkeep import CatalogUpkeep
    from pipeline.lake.protocol import Facts
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# A file below this is better put together with others of its partition.
SMALL_FILE = 16 * 1024 * 1024
# Row groups that a reader of one meter passes over by their smallest and largest value.
ORDERED = WriterProperties(compression=COMPRESSION, max_row_group_size=128 * 1024)


class PathUpkeep:
    """See protocol.Upkeep."""

    def __init__(self, context: Context, facts: Facts) -> None:
        self.context = context
        self.facts = facts

    @cached_property
    def _spark(self) -> CatalogUpkeep:
        from pipeline.lake.catalog.upkeep import CatalogUpkeep  # noqa: PLC0415 - the driver alone needs no PySpark

        return CatalogUpkeep(self.context, self.facts)

    def create(self, wanted: Iterable[Table]) -> list[Table]:
        """Create the tables that are not there yet, with comments; give those that are there the columns they lack."""
        created = []
        for table in wanted:
            where = tables.address(self.context.settings, table)
            try:
                with suppress(TableNotFoundError):
                    self._add_columns(table)
                    continue
                with committed(self.context, f"create {table.full_name}"):
                    DeltaTable.create(
                        where,
                        schema=_delta_schema(table),
                        mode="ignore",  # another run may make it at the same moment
                        description=table.comment,
                        partition_by=list(table.partition_by),
                        configuration=dict(table.properties),
                        raise_if_key_not_exists=False,  # one of them is our own
                    )
                version_checksum.write_first(where)
            except (DeltaError, OSError) as problem:
                raise LakeError(where, f"cannot be created: {error_messages.one_line(problem)}") from None
            created.append(table)
        return created

    def _add_columns(self, table: Table) -> None:
        there = {field.name for field in gate.opened(self.context, table).schema().fields}
        missing = [column for column in table.columns if column.name not in there]
        if not missing:
            return
        opened = gate.at(self.context.settings, table)
        with committed(self.context, f"extend {table.full_name}"):
            if not gate.is_plain(opened, to_write=True):
                self._spark.add_columns(table, missing)
                return
            fields = [field for field in _delta_schema(table).fields if field.name not in there]
            opened.alter.add_columns(fields, commit_properties=self._marked(table))

    def set_properties(self, table: Table, properties: dict[str, str]) -> None:
        """Properties of the table, in a commit that carries the mark of the one before."""
        with committed(self.context, f"set properties of {table.full_name}"), self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                self._spark.alter_properties(table, properties)
                return
            how = self._marked(table)
            to_write.alter.set_table_properties(properties, raise_if_not_exists=False, commit_properties=how)

    def compact(self, table: Table) -> int:
        """Put small files of a partition together; returns how many files went."""
        with committed(self.context, f"compact {table.full_name}"), self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                return self._spark.optimize(table, "")
            done = to_write.optimize.compact(writer_properties=writer(table), commit_properties=self._marked(table))
            return int(done["numFilesRemoved"])

    def put_in_order(self, table: Table, feed: str, days: Sequence[date]) -> int:
        """Rewrite those days of the feed in the order of `cluster_by`; returns how many files went."""
        with committed(self.context, f"cluster {table.full_name}"), self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                return self._spark.order(table, feed, days)
            done = to_write.optimize.z_order(
                list(table.cluster_by),
                partition_filters=[("feed", "=", feed), ("local_date", "in", [day.isoformat() for day in days])],
                writer_properties=ORDERED,
                commit_properties=self._marked(table),
            )
            return int(done["numFilesRemoved"])

    def removable(self, table: Table, hours: int) -> int | None:
        """How many files `vacuum` would remove; Spark does not say (None)."""
        with self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                return None
            return len(to_write.vacuum(retention_hours=hours, enforce_retention_duration=False, full=True))

    def vacuum(self, table: Table, hours: int) -> int:
        """Remove the files that only versions older than `hours` need; returns how many (by Spark: 0, unknown)."""
        with committed(self.context, f"vacuum {table.full_name}"), self._in_words(table):
            to_write = gate.writable(self.context, table)
            if to_write is None:
                return self._spark.remove_files(table, hours)
            gone = to_write.vacuum(
                retention_hours=hours,
                dry_run=False,
                enforce_retention_duration=hours >= SAFE_HOURS,
                full=True,
                commit_properties=self._marked(table),
            )
        return len(gone)

    def forgets(self, table: Table) -> bool:
        """Whether earlier versions of the table can go at once: where the driver may write it."""
        return gate.writable(self.context, table) is not None

    def forget_log(self, table: Table, properties: dict[str, str]) -> None:
        """Set the properties, then remove the log before them; nothing where only Spark writes the table.

        Delta's own clean-up goes by a property of the table, which is its owner's: so they are removed by their names.
        Only files before a checkpoint can go.
        """
        if gate.writable(self.context, table) is None:
            return
        self.set_properties(table, properties)
        with self._in_words(table):
            opened = gate.opened(self.context, table)
            opened.create_checkpoint()
            with failpoints.around(f"forget {table.full_name}"):
                _remove_log_before(tables.address(self.context.settings, table), opened.version())

    def storage(self, table: Table) -> dict[str, int | None]:
        """Of the newest version: `files`, their `bytes`, and how many `small_files` `compact` would put together."""
        try:
            there = gate.readable(self.context, table)
        except TableNotFoundError:
            return {"files": 0, "bytes": 0, "small_files": 0}
        if there is None:
            return self._spark.storage(table)
        found = pa.table(there.get_add_actions(flatten=True)).to_pylist()
        small: dict[tuple[Any, ...], int] = {}
        for file in found:
            if file["size_bytes"] < SMALL_FILE:
                partition = tuple(file[f"partition.{name}"] for name in table.partition_by)
                small[partition] = small.get(partition, 0) + 1
        several = sum(count for count in small.values() if count > 1)
        return {"files": len(found), "bytes": sum(file["size_bytes"] for file in found), "small_files": several}

    def scratch(self, name: str) -> str:
        """A temporary folder of this machine, or a folder in the store that holds the lake."""
        if stores.is_remote(self.context.settings.root):
            return f"{self.context.settings.root}/_{name}"
        return tempfile.mkdtemp(prefix=f"meterlake_{name}_")

    def remove_scratch(self, place: str) -> None:
        """The folder."""
        if stores.is_remote(place):
            system, folder = stores.opened(place)
            system.delete_dir(folder)
        else:
            shutil.rmtree(Path(place), ignore_errors=True)

    def bytes_on_disk(self) -> int | None:
        """All that lies below a lake in a local folder, earlier versions too; None elsewhere."""
        if not self.context.settings.is_in_a_folder:
            return None
        total = 0
        for folder, _, names in os.walk(self.context.settings.root):
            for name in names:
                with suppress(OSError):  # removed by a run meanwhile
                    total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - of very many files
        return total

    def _marked(self, table: Table) -> CommitProperties:
        return gate.stamped(self.context, commits.carried(self.context, self.facts, table))

    @contextmanager
    def _in_words(self, table: Table) -> Iterator[None]:
        try:
            yield
        except (DeltaError, OSError) as problem:
            where = tables.address(self.context.settings, table)
            raise LakeError(where, f"cannot be maintained: {error_messages.one_line(problem)}") from None


def _delta_schema(table: Table) -> Schema:
    fields = [
        {
            "name": column.name,
            "type": TYPES[column.type][0],
            "nullable": True,
            "metadata": {"comment": column.comment},
        }
        for column in table.columns
    ]
    return Schema.from_json(json.dumps({"type": "struct", "fields": fields}))


def _remove_log_before(where: str, version: int) -> None:
    """Commits, checkpoints and checksums of earlier versions, the oldest first; the version has a checkpoint."""
    system, folder = stores.opened(where)
    entries = system.get_file_info(fs.FileSelector(stores.inside(folder, "_delta_log")))
    for entry in sorted(entries, key=lambda entry: str(entry.base_name).lstrip(".")):
        numbered = re.fullmatch(r"\.?([0-9]{20})\..+", entry.base_name)
        if numbered and int(numbered[1]) < version and entry.type == fs.FileType.File:
            system.delete_file(entry.path)
