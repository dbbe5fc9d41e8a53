"""What a catalog says of its tables, asked of Spark."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pipeline.errors import LakeError
from pipeline.lake import commits, progress, stores, tables
from pipeline.lake.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


# Questions to the catalog at the same time.
AT_ONCE = 8


class CatalogFacts:
    """See protocol.Facts."""

    def __init__(self, context: Context, catalog: str) -> None:
        self.context = context
        self._catalog = catalog

    def _name(self, table: Table) -> str:
        return tables.sql_name(self.context.settings, table)

    def exists(self, table: Table) -> bool:
        """Whether the catalog has the table."""
        return bool(self.context.spark.catalog.tableExists(self._name(table)))

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""
        end = f" LIMIT {limit}" if limit else ""
        try:
            found = self.context.spark.sql(f"DESCRIBE HISTORY {self._name(table)}{end}").collect()
        except Exception:
            if self.exists(table):  # asked after the fault only: it is a call to the metastore
                raise
            return []
        return [row.asDict() for row in found]

    def version(self, table: Table) -> int | None:
        """The table's newest version, None where there is no such table."""
        return next((int(commit["version"]) for commit in self.history(table, 1)), None)

    def properties(self, table: Table) -> dict[str, str] | None:
        """The table's properties; None where there is no such table."""
        if not self.exists(table):
            return None
        rows = self.context.spark.sql(f"SHOW TBLPROPERTIES {self._name(table)}").toArrow().to_pylist()
        return {row["key"]: row["value"] for row in rows}

    def progress(self, table: Table) -> tuple[Progress, bool]:
        """(how far the table is complete, whether its history says so); see progress.search."""
        old_form = commits.is_of_old_form(self.context, self)
        return progress.search(lambda limit: self.history(table, limit), old_form=old_form)

    def states(self, every: Iterable[Table]) -> list[State]:
        """What the tables say of themselves; without those that are not there. Questions to a catalog mostly wait."""
        there = self._there(every)
        commits.form(self.context, self)  # once, for all of them
        with ThreadPoolExecutor(AT_ONCE, "states") as asking:
            return list(asking.map(self._state, there))

    def _state(self, table: Table) -> State:
        told = self.context.spark.sql(f"DESCRIBE DETAIL {self._name(table)}").select("numFiles").collect()
        found, is_whole = self.progress(table)
        return State(table.full_name, found.batch_id, found.is_restored, told[0][0] > 0, is_whole)

    def places(self, every: Iterable[Table]) -> dict[str, str]:
        """`layer.table` -> path or URI, as the driver names it, of those tables that are there."""
        there = self._there(every)
        with ThreadPoolExecutor(AT_ONCE, "places") as asking:
            return dict(zip((table.full_name for table in there), asking.map(self._place, there), strict=True))

    def _place(self, table: Table) -> str:
        # A question to the metastore only; DESCRIBE DETAIL reads the table's log, twenty times as long.
        told = self.context.spark.sql(f"DESCRIBE TABLE EXTENDED {self._name(table)}").collect()
        where = next((row["data_type"] for row in reversed(told) if row["col_name"] == "Location"), None)
        if where is None:
            raise LakeError(self._name(table), "the catalog does not say where it lies")
        return stores.as_the_driver_names(where)

    def _there(self, every: Iterable[Table]) -> list[Table]:
        """Those of the tables that the catalog has."""
        wanted = list(every)
        names = {layer: set(self.names_in(layer)) for layer in {table.layer for table in wanted}}
        return [table for table in wanted if table.name in names[table.layer]]

    def names_in(self, layer: str) -> list[str]:
        """Names of the tables of a layer."""
        schema = f"{self._catalog}.{layer}"
        if not self.context.spark.catalog.databaseExists(schema):
            return []
        rows = self.context.spark.sql(f"SHOW TABLES IN {schema}").toArrow().to_pylist()
        return sorted(row["tableName"] for row in rows if not row["isTemporary"])

    def lost_files(self, table: Table) -> list[str]:  # noqa: ARG002 - see protocol.Lake
        """A catalog does not say where its files are."""
        return []
