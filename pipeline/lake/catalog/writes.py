"""Commits by Spark: to tables of a catalog, and to those of a path that only Spark may touch.

Every statement is SQL or a DataFrame's, with no class of Delta's own: the same lines run in a classic session, by Spark
Connect and on a serverless platform.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from pipeline.errors import OvertakenError
from pipeline.lake import commits, gate, progress, tables
from pipeline.lake.commits import committed
from pipeline.lake.rows import conform, frame_of
from pipeline.lake.types import arrow_schema
from pipeline.runtime import connect, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from pyspark.sql import DataFrame

    from pipeline.lake.protocol import Facts
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


COMMIT_MARK = "spark.databricks.delta.commitInfo.userMetadata"
TXN_APP = "spark.databricks.delta.write.txnAppId"
TXN_VERSION = "spark.databricks.delta.write.txnVersion"
# How many commits of others may come between ours and the look for it.
OTHERS = 50


class CatalogWrites:
    """See protocol.Writes. `facts` are where the tables' logs are read."""

    def __init__(self, context: Context, facts: Facts) -> None:
        self.context = context
        self.facts = facts

    def _name(self, table: Table) -> str:
        return tables.sql_name(self.context.settings, table)

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
        # Under the lock no other run commits, so no number is needed; it would cost a Spark job on each new table. A
        # server may commit what a killed run asked for.
        numbered = connect.is_used() or not self.context.is_alone
        with self._marked(table, mark, numbered=numbered) as said:
            # Not saveAsTable, which replaces the table with its comments and partitions, not its rows.
            into = frame.writeTo(self._name(table))
            if replaced is None:
                into.append()
            else:
                into.overwrite(F.expr(replaced))
        measured = self._measured(table, said)
        return rows.num_rows if isinstance(rows, pa.Table) else int(measured.get("numOutputRows") or 0)

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
                f"MERGE INTO {self._name(table)} t USING {view} s ON {condition} "
                f"WHEN MATCHED AND {newer} THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
            )
        return int(counts["num_inserted_rows"]) + int(counts["num_updated_rows"])

    def delete(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """Remove the rows that meet the condition; one commit, also where there are none."""
        with committed(self.context, f"delete {table.full_name}"):
            self.remove(table, condition, mark)

    def remove(self, table: Table, condition: str, mark: Mapping[str, Any]) -> None:
        """The commit of `delete`: the rows are replaced by none.

        A DELETE that finds no row carries no number, so that another run's claim does not stop it, and where a platform
        does not record empty commits its mark is lost.
        """
        none = self.context.spark.table(self._name(table)).where("false")
        with self._marked(table, mark) as said:
            none.writeTo(self._name(table)).overwrite(F.expr(condition))
        self._measured(table, said)

    def delete_matching(self, table: Table, key: Sequence[str], keys: pa.Table, mark: Mapping[str, Any]) -> int:
        """Remove the rows that have one of the keys; returns how many."""
        same = " AND ".join(f"t.`{name}` <=> s.`{name}`" for name in key)
        source = frame_of(self.context, keys)
        with committed(self.context, f"delete {table.full_name}"), self._view(source) as view:
            counts = self._counted(
                table, mark, f"MERGE INTO {self._name(table)} t USING {view} s ON {same} WHEN MATCHED THEN DELETE"
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
        mark = self.facts.progress(table)[0].mark
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
