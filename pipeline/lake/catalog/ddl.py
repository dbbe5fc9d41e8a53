"""Statements that make schemas, tables and views of a catalog: only what is missing, so that grants stay.

What is there is asked for first: `IF NOT EXISTS` needs the right to create in Unity Catalog also where nothing is
created, and `OR REPLACE` takes a view's grants away.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException

from pipeline.errors import MissingRightError
from pipeline.lake import tables, views
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import SparkSession

    from pipeline.lake.tables import Column, Table
    from pipeline.runtime.context import Context

NO_VIEWS = re.compile(r"MISSING_CATALOG_ABILITY|does not support views")


def make_schema(context: Context, name: str, layer: str) -> None:
    """Create the schema `catalog.schema` if it is missing; MissingRightError if that is refused."""
    if context.spark.catalog.databaseExists(name):
        return
    comment = literal(tables.LAYER_COMMENTS[layer])
    catalog = name.partition(".")[0]
    with _allowed(context, f"schema {name} is missing and was not created", f"CREATE SCHEMA on catalog {catalog}"):
        context.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name} COMMENT {comment}")  # another run may have been first


def make_table(context: Context, name: str, table: Table) -> bool:
    """Create the table if it is missing, and say whether it was; MissingRightError if that is refused."""
    if context.spark.catalog.tableExists(name):
        return False
    schema = name.rpartition(".")[0]
    with _allowed(context, f"table {name} is missing and was not created", f"CREATE TABLE on schema {schema}"):
        context.spark.sql(_definition(name, table))
    return True


def make_views(context: Context, catalog: str) -> None:
    """Create the views that are missing, and change those that read otherwise than they should.

    What they show depends on the feeds' time zones. A catalog without views has none of ours, and the log says so.
    """
    spark, wanted = context.spark, views.all_views(context.settings)
    try:
        layers = sorted({view.name.partition(".")[0] for view in wanted})
        there = {
            f"{layer}.{row['viewName']}"
            for layer in layers
            for row in spark.sql(f"SHOW VIEWS IN {catalog}.{layer}").toArrow().to_pylist()
        }
    except AnalysisException as problem:
        if not NO_VIEWS.search(str(problem)):
            raise
        context.log.warning("the catalog holds no views", catalog=catalog, views=[view.name for view in wanted])
        return
    for view in wanted:  # a view comes after the views that it reads
        name, query = f"{catalog}.{view.name}", views.addressed(view.query, lambda table: f"{catalog}.{table}")
        schema = name.rpartition(".")[0]
        if view.name not in there:
            with _allowed(context, f"view {name} is missing and was not created", f"CREATE TABLE on schema {schema}"):
                spark.sql(f"CREATE VIEW IF NOT EXISTS {name} COMMENT {literal(view.comment)} AS {query}")
        elif not _reads(spark, name, query):
            with _allowed(context, f"view {name} is out of date and was not changed", "the view's ownership"):
                spark.sql(f"ALTER VIEW {name} AS {query}")


def _reads(spark: SparkSession, name: str, query: str) -> bool:
    """Whether the view is that query, with the columns that it has now: `SELECT *` keeps those of its creation."""
    told = [row.asDict() for row in spark.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()]
    names = [row["col_name"] for row in told]
    columns = names[: next((n for n, each in enumerate(names) if not each or each.startswith("#")), len(names))]
    text = next((row["data_type"] for row in told if row["col_name"] == "View Text"), "")
    return text.split() == query.split() and columns == spark.sql(query).columns


@contextmanager
def _allowed(context: Context, what: str, right: str) -> Iterator[None]:
    try:
        yield
    except Exception as problem:
        if error_messages.is_denied(problem):
            raise MissingRightError(context.settings.where, what, right) from problem
        raise


def add_columns(name: str, missing: Sequence[Column]) -> str:
    """The statement that adds columns to a table."""
    return f"ALTER TABLE {name} ADD COLUMNS ({', '.join(map(_described, missing))})"


def set_properties(name: str, properties: dict[str, str]) -> str:
    """The statement that sets properties of a table."""
    return f"ALTER TABLE {name} SET TBLPROPERTIES ({_pairs(properties)})"


def literal(text: str) -> str:
    """A text of our own as an SQL literal (comments and properties; never a value of a delivery)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _definition(name: str, table: Table) -> str:
    columns = ", ".join(map(_described, table.columns))
    partitioned = f" PARTITIONED BY ({', '.join(table.partition_by)})" if table.partition_by else ""
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING delta{partitioned} "
        f"COMMENT {literal(table.comment)} TBLPROPERTIES ({_pairs(table.properties)})"
    )


def _described(column: Column) -> str:
    return f"{column.name} {column.type} COMMENT {literal(column.comment)}"


def _pairs(properties: dict[str, str]) -> str:
    return ", ".join(f"{literal(name)} = {literal(value)}" for name, value in properties.items())
