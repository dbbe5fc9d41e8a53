"""The making and the care of tables by Spark: those of a catalog, and those of a path that only Spark may touch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.lake import commits, progress, tables
from pipeline.lake.catalog import ddl
from pipeline.lake.catalog.writes import COMMIT_MARK
from pipeline.lake.commits import committed
from pipeline.lake.days import days_text
from pipeline.lake.protocol import SAFE_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from pipeline.lake.protocol import Facts
    from pipeline.lake.tables import Column, Table
    from pipeline.runtime.context import Context


class CatalogUpkeep:
    """See protocol.Upkeep. `facts` are where the tables' logs are read; `catalog` is None for tables of a path."""

    def __init__(self, context: Context, facts: Facts, catalog: str | None = None) -> None:
        self.context = context
        self.facts = facts
        self._catalog = catalog

    def _name(self, table: Table) -> str:
        return tables.sql_name(self.context.settings, table)

    def create(self, wanted: Iterable[Table]) -> list[Table]:
        """Create the tables that are not there yet, with comments; give those that are there the columns they lack."""
        created: list[Table] = []
        schemas: set[str] = set()
        for table in wanted:
            name = self._name(table)
            schema = name.rpartition(".")[0]
            if schema not in schemas:
                ddl.make_schema(self.context, schema, table.layer)
                schemas.add(schema)
            if ddl.make_table(self.context, name, table):
                created.append(table)
                continue
            there = set(self.context.spark.read.table(name).columns)
            if missing := [column for column in table.columns if column.name not in there]:
                with committed(self.context, f"extend {table.full_name}"):
                    self.add_columns(table, missing)
        if not self.context.settings.scratch:
            ddl.make_views(self.context, str(self._catalog))
        return created

    def add_columns(self, table: Table, missing: Sequence[Column]) -> None:
        """Add columns that are newer than the table; existing rows get NULL."""
        with self._marked(table):
            self.context.spark.sql(ddl.add_columns(self._name(table), missing))

    def set_properties(self, table: Table, properties: dict[str, str]) -> None:
        """Properties of the table, in a commit that carries the mark of the one before."""
        with committed(self.context, f"set properties of {table.full_name}"):
            self.alter_properties(table, properties)

    def alter_properties(self, table: Table, properties: dict[str, str]) -> None:
        """The commit of `set_properties`."""
        with self._marked(table):
            self.context.spark.sql(ddl.set_properties(self._name(table), properties))

    def compact(self, table: Table) -> int:
        """Put small files of a partition together; returns how many files went."""
        with committed(self.context, f"compact {table.full_name}"):
            return self.optimize(table, "")

    def put_in_order(self, table: Table, feed: str, days: Sequence[date]) -> int:
        """Rewrite those days of the feed in the order of `cluster_by`; returns how many files went."""
        with committed(self.context, f"cluster {table.full_name}"):
            return self.order(table, feed, days)

    def order(self, table: Table, feed: str, days: Sequence[date]) -> int:
        """The commit of `put_in_order`."""
        return self.optimize(table, f"WHERE {days_text({feed: days})} ZORDER BY ({', '.join(table.cluster_by)})")

    def optimize(self, table: Table, what: str) -> int:
        """The commit of `compact` and of `put_in_order`."""
        # Row groups of a file are ordered by the column though Delta keeps no statistics of it.
        guard, spark = "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled", self.context.spark
        spark.conf.set(guard, "false")
        try:
            with self._marked(table):
                # Not as Arrow: other metrics are NULL where Delta says that they never are.
                found = spark.sql(f"OPTIMIZE {self._name(table)} {what}").select("metrics.numFilesRemoved").collect()
        finally:
            spark.conf.unset(guard)
        return int(found[0][0]) if found else 0

    def removable(self, table: Table, hours: int) -> int | None:  # noqa: ARG002 - see protocol.Upkeep
        """Spark does not say."""
        return None

    def vacuum(self, table: Table, hours: int) -> int:
        """Remove the files that only versions older than `hours` need; 0, for Spark does not say how many."""
        with committed(self.context, f"vacuum {table.full_name}"):
            return self.remove_files(table, hours)

    def remove_files(self, table: Table, hours: int) -> int:
        """The commits of `vacuum`."""
        guard, spark = "spark.databricks.delta.retentionDurationCheck.enabled", self.context.spark
        spark.conf.set(guard, str(hours >= SAFE_HOURS).lower())
        try:
            spark.sql(f"VACUUM {self._name(table)} RETAIN {int(hours)} HOURS")
        finally:
            spark.conf.unset(guard)
        return 0

    def forgets(self, table: Table) -> bool:  # noqa: ARG002 - see protocol.Upkeep
        """Spark's own clean-up goes by the table's property, which is its owner's."""
        return False

    def forget_log(self, table: Table, properties: dict[str, str]) -> None:
        """Spark's own clean-up goes by the table's property, which is its owner's."""

    def storage(self, table: Table) -> dict[str, int | None]:
        """Of the newest version: `files` and their `bytes`; Spark does not say which are small (None)."""
        if not self.facts.exists(table):
            return {"files": 0, "bytes": 0, "small_files": 0}
        (told,) = self.context.spark.sql(f"DESCRIBE DETAIL {self._name(table)}").toArrow().to_pylist()
        return {"files": int(told["numFiles"]), "bytes": int(told["sizeInBytes"]), "small_files": None}

    def scratch(self, name: str) -> str:
        """A prefix of schemas."""
        return name

    def remove_scratch(self, place: str) -> None:
        """The schemas of that prefix."""
        for layer in tables.DERIVED:
            self.context.spark.sql(f"DROP SCHEMA IF EXISTS {self._catalog}.{place}_{layer} CASCADE")

    def bytes_on_disk(self) -> int | None:
        """A catalog does not say where its files are."""
        return None

    @contextmanager
    def _marked(self, table: Table) -> Iterator[None]:
        """Commits that Spark makes inside carry the table's mark; these operations know no transactions."""
        mark = commits.carried(self.context, self.facts, table)
        self.context.spark.conf.set(COMMIT_MARK, progress.text_of(mark))
        try:
            yield
        finally:
            self.context.spark.conf.unset(COMMIT_MARK)
