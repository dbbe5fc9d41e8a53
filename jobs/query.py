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
from pipeline.errors import LakeError, UnknownNameError, UsageError
from pipeline.lake import access, schema_version, tables, views
from pipeline.layers import reading_history

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from pipeline.runtime.context import Context

HISTORY = "reading_history"
FORMS = ("table", "csv", "json")
# Statements that change nothing and cannot be used inside a SELECT.
PLAIN = re.compile(r"\s*(SHOW|DESCRIBE|DESC|EXPLAIN)\b", re.IGNORECASE)


def run(context: Context, query: str, form: str, limit: int) -> None:
    """Print the query's answer on standard output as `form`; timestamps are UTC."""
    if form not in FORMS:
        raise UnknownNameError("unknown format", form, *FORMS)
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
    lake = access.lake_of(context)
    if not lake.facts.exists(tables.INGESTION_LOG):
        raise LakeError(context.settings.where, "has no tables yet: run `main.py run` or `main.py demo` first")
    shown = views.all_views(context.settings)
    names = _named(query, [each.full_name for each in lake_tables] + [each.name for each in shown])
    lake.reads.name_in_session(names, lake_tables, shown)
    spark = context.spark
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


def _named(query: str, every: Iterable[str]) -> list[str] | None:
    """Names that stand in the query; None (all) for a statement that lists tables."""
    text = re.sub(r"\s*\.\s*", ".", query.lower().replace("`", ""))
    if PLAIN.match(query) and "tables" in text:
        return None
    return [name for name in every if _says(text, name)]


def _says(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _first(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return re.sub(r"\s*SQLSTATE.*$", "", lines[0]) if lines else type(problem).__name__


def _print(answer: DataFrame, limit: int) -> None:
    rows: list[dict[str, Any]] = answer.toArrow().to_pylist()
    print_table(answer.columns, [list(row.values()) for row in rows[:limit]])
    more = f"the first {limit} rows; --limit shows more" if len(rows) > limit else f"{len(rows)} rows"
    print(f"({more})")
