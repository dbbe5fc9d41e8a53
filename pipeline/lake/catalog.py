"""Tables by Spark, which knows all that Delta has: those of a catalog, and those of a path that only Spark may touch.

Every statement is SQL or a DataFrame's, with no class of Delta's own: the same lines run in a classic session, by Spark
Connect and on a serverless platform.
"""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from pipeline.errors import OvertakenError
from pipeline.lake import commits, gate, progress, tables
from pipeline.lake.commits import committed
from pipeline.lake.days import on_days
from pipeline.lake.rows import conform, frame_of
from pipeline.lake.state import State
from pipeline.lake.types import arrow_schema
from pipeline.runtime import session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from pyspark.sql import DataFrame

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

COMMIT_MARK = "spark.databricks.delta.commitInfo.userMetadata"
TXN_APP = "spark.databricks.delta.write.txnAppId"
TXN_VERSION = "spark.databricks.delta.write.txnVersion"
# Questions to the catalog at the same time.
AT_ONCE = 8
# How many commits of others may come between ours and the look for it.
OTHERS = 50


class CatalogLake:
    """See protocol.Lake. `facts` are where the tables' logs are read, if not by Spark."""

    def __init__(self, context: Context, facts: commits.Facts | None = None) -> None:
        self.context = context
        self.facts = facts or self

    def name(self, table: Table) -> str:
        """The table in SQL."""
        return tables.sql_name(self.context.settings, table)

    def exists(self, table: Table) -> bool:
        """Whether the catalog has the table."""
        return bool(self.context.spark.catalog.tableExists(self.name(table)))

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""
        end = f" LIMIT {limit}" if limit else ""
        try:
            found = self.context.spark.sql(f"DESCRIBE HISTORY {self.name(table)}{end}").collect()
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
        rows = self.context.spark.sql(f"SHOW TBLPROPERTIES {self.name(table)}").toArrow().to_pylist()
        return {row["key"]: row["value"] for row in rows}

    def progress(self, table: Table) -> tuple[Progress, bool]:
        """How far the table is complete; see commits.progress_of."""
        return commits.progress_of(self.context, self.facts, table)

    def states(self, every: Iterable[Table]) -> list[State]:
        """What the tables say of themselves; without those that are not there. Questions to a catalog mostly wait."""
        tables_of = {layer: set(self.names_in(layer)) for layer in {table.layer for table in every}}
        commits.form(self.context, self.facts)  # once, for all of them
        there = [table for table in every if table.name in tables_of[table.layer]]
        with ThreadPoolExecutor(AT_ONCE, "states") as asking:
            return list(asking.map(self._state, there))

    def _state(self, table: Table) -> State:
        told = self.context.spark.sql(f"DESCRIBE DETAIL {self.name(table)}").select("numFiles").collect()
        found, is_whole = self.progress(table)
        return State(table.full_name, found.batch_id, found.is_restored, told[0][0] > 0, is_whole)

    def names_in(self, layer: str) -> list[str]:
        """Names of the tables of a layer."""
        schema = f"{self.context.settings.catalog}.{layer}"
        if not self.context.spark.catalog.databaseExists(schema):
            return []
        rows = self.context.spark.sql(f"SHOW TABLES IN {schema}").toArrow().to_pylist()
        return sorted(row["tableName"] for row in rows if not row["isTemporary"])

    def lost_files(self, table: Table) -> list[str]:  # noqa: ARG002 - see protocol.Lake
        """A catalog does not say where its files are."""
        return []

    # --- reading

    def read(self, table: Table) -> DataFrame:
        """The table as it is now."""
        return self.context.spark.table(self.name(table))

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

    def count_on_days(self, table: Table, days: Mapping[str, Sequence[date]]) -> int | None:  # noqa: ARG002
        """Spark tells it by reading them only."""
        return None

    def files_at(self, table: Table, version: int) -> pa.Table:
        """Feed, day and what tells one file from another, of a version: its count of rows too.

        What a deletion vector takes from a file leaves its name as it is.
        """
        feed, day = table.partition_by
        rows = self._at(table, version).selectExpr(feed, day, "_metadata.file_path AS path")
        return rows.groupBy(feed, day, "path").count().toArrow()

    def rows_at(self, table: Table, version: int, names: list[str], days: Mapping[str, Sequence[date]]) -> pa.Table:
        """Those columns of the rows of those days of those feeds, of a version."""
        return self._at(table, version).where(on_days(days, day=table.partition_by[1])).select(*names).toArrow()

    def _at(self, table: Table, version: int) -> DataFrame:
        return self.context.spark.sql(f"SELECT * FROM {self.name(table)} VERSION AS OF {int(version)}")

    # --- writing

    def append(self, table: Table, rows: DataFrame | pa.Table, mark: Mapping[str, Any], **_: int | None) -> int:
        """Add rows; returns how many."""
        with committed(self.context, f"write {table.full_name}"):
            return self.save(table, rows, mark)

    def replace(
        self, table: Table, rows: DataFrame | pa.Table, condition: str, mark: Mapping[str, Any], **_: int | None
    ) -> int:
        """Rows that meet the condition go, these come; returns how many came."""
        with committed(self.context, f"write {table.full_name}"):
            return self.save(table, rows, mark, condition)

    def save(
        self,
        table: Table,
        rows: DataFrame | pa.Table,
        mark: Mapping[str, Any] | None,
        replaced: str | None = None,
    ) -> int:
        """The commit of `append` and of `replace`."""
        spark = self.context.spark
        session.describe(spark, f"write {table.full_name}")
        frame = conform(frame_of(self.context, rows) if isinstance(rows, pa.Table) else rows, table)
        if table.partition_by and session.has_many_tasks(spark):
            frame = frame.hint("rebalance", *table.partition_by)  # else each task writes a file into each partition
        # Where the lock is held no one else commits, and to look for others' numbers is a Spark job on each new table.
        with self._marked(table, mark, numbered=not self.context.is_alone) as said:
            # Not saveAsTable, which replaces the table with its comments and partitions, not its rows.
            into = frame.writeTo(self.name(table))
            if replaced is None:
                into.append()
            else:
                into.overwrite(F.expr(replaced))
        return int(self._measured(table, said).get("numOutputRows") or 0)

    def merge(  # noqa: PLR0913 - what a MERGE is made of
        self,
        table: Table,
        source: DataFrame,
        days: Mapping[str, Sequence[date]],  # noqa: ARG002 - see protocol.Lake
        mark: Mapping[str, Any],
        *,
        condition: str,
        newer: str,
        **_: int | None,
    ) -> int:
        """MERGE the rows `s` into the table `t`; returns how many changed."""
        with committed(self.context, f"write {table.full_name}"), self._view(conform(source, table)) as view:
            session.describe(self.context.spark, f"merge into {table.full_name}")
            # The number makes the commit (and so its mark) happen even when no row changed.
            counts = self._counted(
                table,
                mark,
                f"MERGE INTO {self.name(table)} t USING {view} s ON {condition} "
                f"WHEN MATCHED AND {newer} THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
            )
        return int(counts["num_inserted_rows"]) + int(counts["num_updated_rows"])

    def delete(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """Remove the rows that meet the condition; one commit, also where there are none."""
        with committed(self.context, f"delete {table.full_name}"):
            self.remove(table, condition, mark)

    def remove(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """The commit of `delete`."""
        self._counted(table, mark, f"DELETE FROM {self.name(table)} WHERE {condition}")

    def delete_matching(self, table: Table, key: Sequence[str], keys: pa.Table, mark: Mapping[str, Any]) -> int:
        """Remove the rows that have one of the keys; returns how many."""
        same = " AND ".join(f"t.`{name}` <=> s.`{name}`" for name in key)
        source = frame_of(self.context, keys)
        with committed(self.context, f"delete {table.full_name}"), self._view(source) as view:
            counts = self._counted(
                table, mark, f"MERGE INTO {self.name(table)} t USING {view} s ON {same} WHEN MATCHED THEN DELETE"
            )
        return int(counts["num_deleted_rows"])

    def commit_nothing(self, table: Table) -> None:
        """A commit without rows and without a mark; nothing where there is no table."""
        if self.facts.exists(table):
            with committed(self.context, f"claim {table.full_name}"):
                self.save(table, arrow_schema(table).empty_table(), None)

    def commit_seen(self, table: Table, look: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """A commit without rows that repeats the mark that `look` was shown; marks of commits that came in between.

        Spark looks at the table once more when it commits, so that others' commits do not end it.
        """
        looked_at = self.facts.history(table, 1)
        mark = self.progress(table)[0].mark
        look(mark)
        with committed(self.context, f"write {table.full_name}"):
            self.save(table, arrow_schema(table).empty_table(), mark)
        version = looked_at[0]["version"] if looked_at else 0
        since = [commit for commit in self.facts.history(table, OTHERS) if commit["version"] > version]
        return [found for commit in since if (found := progress.mark_in(commit))]

    @contextmanager
    def _view(self, rows: DataFrame) -> Iterator[str]:
        """A temporary view of the rows, for a statement to name."""
        name = f"meterlake_{uuid.uuid4().hex}"
        rows.createOrReplaceTempView(name)
        try:
            yield name
        finally:
            self.context.spark.catalog.dropTempView(name)

    def _counted(self, table: Table, mark: Mapping[str, Any], statement: str) -> dict[str, Any]:
        """What Spark says of a statement that changes rows; it says nothing of one that another run's claim ended."""
        with self._marked(table, mark):
            told = self.context.spark.sql(statement).collect()
        if not told:
            raise OvertakenError(self.context.settings.where)
        return dict(told[0].asDict())

    @contextmanager
    def _marked(self, table: Table, mark: Mapping[str, Any] | None, *, numbered: bool = True) -> Iterator[str]:
        """The commit that Spark makes inside carries the mark and the run's next number; gives its `userMetadata`.

        Delta skips a commit whose number is no higher than one that the table has: then another run owns the lake. A
        run's row in ops.runs has no such number, because runs that end at the same moment both have theirs.
        """
        claim, conf = self.context.claim, self.context.spark.conf
        application = "meterlake" if claim is None else gate.APPLICATION
        number = time.time_ns() // 1000 if claim is None else claim.next_number()
        if mark is None:  # to whoever reads how far the table is complete, nothing of ours
            said = json.dumps({gate.APPLICATION: number})
        else:
            said = progress.text_of(commits.with_claim(self.context, table, dict(mark)) | {"commit": number})
        conf.set(COMMIT_MARK, said)
        if numbered and (claim is not None or table != tables.RUNS):
            conf.set(TXN_APP, application)
            conf.set(TXN_VERSION, str(number))
        try:
            yield said
        finally:
            for name in (COMMIT_MARK, TXN_APP, TXN_VERSION):
                conf.unset(name)

    def _measured(self, table: Table, said: str) -> dict[str, Any]:
        """What Spark measured of the commit that says this; OvertakenError where there is none."""
        for limit in (1, OTHERS):  # others may have committed since
            for commit in self.facts.history(table, limit):
                if commit.get(progress.KEY) == said:
                    return dict(commit.get("operationMetrics") or {})
        raise OvertakenError(self.context.settings.where)
