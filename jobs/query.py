"""`sql`: Spark SQL over the lake's tables by their names."""

from __future__ import annotations

import csv
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException, ParseException

from jobs.shared.output import cell, print_table
from pipeline import formats
from pipeline.errors import LakeError, UsageError
from pipeline.lake import access, schema_version, tables, views
from pipeline.layers import reading_history

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.runtime.context import Context

HISTORY = "reading_history"
FORMS = ("table", "csv", "json")
# Statements that change nothing and cannot be used inside a SELECT.
PLAIN = re.compile(r"\s*(SHOW|DESCRIBE|DESC|EXPLAIN)\b", re.IGNORECASE)


def run(context: Context, query: str, form: str, limit: int) -> None:
    """Print the query's answer on standard output as `form`; timestamps are UTC."""
    if form not in FORMS:
        raise UsageError(f"unknown format {form!r}: use {', '.join(FORMS)}")
    query = query.strip().rstrip(";")
    if not query:
        raise UsageError("the query is empty")
    schema_version.check(context)
    answer = select(context, query)
    if form == "table":
        _print(answer.limit(limit + 1), limit)
        return
    rows = answer.toArrow().to_pylist()
    if form == "json":
        print(json.dumps([{name: cell(value) for name, value in row.items()} for row in rows], ensure_ascii=False))
        return
    # Values as they are, for the next program, even those that a spreadsheet would take for a formula (`=1+1`).
    writer = csv.writer(_Lines())
    writer.writerow(answer.columns)
    writer.writerows([["" if value is None else cell(value) for value in row.values()] for row in rows])


class _Lines:
    """Standard output for CSV: rows end in a line feed, and a value with a carriage return is still quoted.

    (Python 3.11 quotes a value only for the characters that rows end in.)
    """

    def write(self, row: str) -> None:
        """One row, as the writer gives it."""
        sys.stdout.write(row.removesuffix("\r\n") + "\n")


def select(context: Context, query: str) -> DataFrame:
    """Run the query; a statement that would change something is refused."""
    lake_tables = formats.lake_tables(context.settings)
    if not context.settings.catalog and access.version(context, tables.INGESTION_LOG) is None:
        raise LakeError(context.settings.root, "has no tables yet: run `main.py run` or `main.py demo` first")
    spark = context.spark
    if context.settings.catalog:
        spark.catalog.setCurrentCatalog(context.settings.catalog)
    else:
        _name_tables(context, spark, query, lake_tables)
    if _says(query.lower(), HISTORY) and (versions := reading_history.readings(context)) is not None:
        versions.createOrReplaceTempView(HISTORY)
    try:
        if not PLAIN.match(query):
            # Analysed, never run: only a query can be used as a table.
            spark.sql(f"SELECT * FROM (\n{query}\n)")  # noqa: S608 - the query is the user's own
        return spark.sql(query)
    except ParseException as problem:
        raise UsageError(f"not a query that reads: {_first(problem)}") from None
    except AnalysisException as problem:
        raise UsageError(f"{_first(problem)}; tables: {', '.join(t.full_name for t in lake_tables)}") from None


def _name_tables(context: Context, spark: SparkSession, query: str, lake_tables: tuple[tables.Table, ...]) -> None:
    """In path mode, register the tables of the query in the session's catalog (all tables would take seconds)."""
    text = re.sub(r"\s*\.\s*", ".", query.lower().replace("`", ""))
    everything = PLAIN.match(query) is not None and "tables" in text
    names = {table.full_name: table for table in lake_tables}
    for layer in ("bronze", "silver", "gold", "ops"):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    shown = {view.name: view for view in views.all_views(context.settings)}
    wanted = set(names) | set(shown) if everything else {name for name in (*names, *shown) if _says(text, name)}
    for name in list(wanted):
        wanted |= _used_by(name, shown)
    for name in sorted(wanted & set(names)):
        where = tables.address(context.settings, names[name])
        _forget_another_lakes(spark, name, where)
        spark.sql(f"CREATE TABLE IF NOT EXISTS {name} USING delta LOCATION '{_escaped(where)}'")
    for name in [name for name in shown if name in wanted]:  # a view comes after the views it reads
        spark.sql(f"CREATE OR REPLACE VIEW {name} AS {shown[name].query}")


def _escaped(where: str) -> str:
    return where.replace("\\", "\\\\").replace("'", "\\'")


def _forget_another_lakes(spark: SparkSession, name: str, where: str) -> None:
    """A long-lived session (a notebook) may know the name from another lake; only the name is dropped, no data."""
    if not spark.catalog.tableExists(name):
        return
    known = spark.sql(f"DESCRIBE DETAIL {name}").toArrow().to_pylist()[0]["location"]
    if known.removeprefix("file:").rstrip("/") != where.removeprefix("file:").rstrip("/"):
        spark.sql(f"DROP TABLE {name}")


def _says(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _used_by(name: str, shown: dict[str, views.View]) -> set[str]:
    """The tables and views that a view reads, directly or not."""
    used = set(shown[name].uses) if name in shown else set()
    return used.union(*(_used_by(each, shown) for each in used))


def _first(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return re.sub(r"\s*SQLSTATE.*$", "", lines[0]) if lines else type(problem).__name__


def _print(answer: DataFrame, limit: int) -> None:
    rows: list[dict[str, Any]] = answer.toArrow().to_pylist()
    print_table(answer.columns, [list(row.values()) for row in rows[:limit]])
    more = f"the first {limit} rows; --limit shows more" if len(rows) > limit else f"{len(rows)} rows"
    print(f"({more})")
