"""Names for Spark SQL: the tables and views of a lake in a folder, as a session's catalog knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import LakeError
from pipeline.lake import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pyspark.sql import SparkSession

    from pipeline.lake.tables import Table
    from pipeline.lake.views import View
    from pipeline.runtime.context import Context


def register(context: Context, names: Collection[str] | None, every: Sequence[Table], shown: Sequence[View]) -> None:
    """Register the tables and views of the names, or all (None: it takes seconds), and what their views read."""
    spark = context.spark
    places = {table.full_name: tables.address(context.settings, table) for table in every}
    by_name = {view.name: view for view in shown}
    wanted = {*places, *by_name} if names is None else {*names}
    for name in list(wanted):
        wanted |= _used_by(name, by_name)
    for layer in tables.LAYERS:
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for name in sorted(wanted & places.keys()):
        _forget_another_lakes(spark, name, places[name])
        spark.sql(f"CREATE TABLE IF NOT EXISTS {name} USING delta LOCATION '{_escaped(places[name])}'")
    for name in [name for name in by_name if name in wanted]:  # a view comes after the views it reads
        spark.sql(f"CREATE OR REPLACE VIEW {name} AS {by_name[name].query}")


def _escaped(where: str) -> str:
    return where.replace("\\", "\\\\").replace("'", "\\'")


def _forget_another_lakes(spark: SparkSession, name: str, where: str) -> None:
    """A long-lived session (a notebook) may know the name from another lake; only the name is dropped, no data.

    A table whose data the catalog owns would be dropped with it: a metastore may hold a lake of its own.
    """
    if not spark.catalog.tableExists(name):
        return
    known = spark.sql(f"DESCRIBE DETAIL {name}").toArrow().to_pylist()[0]["location"]
    if known.removeprefix("file:").rstrip("/") == where.removeprefix("file:").rstrip("/"):
        return
    if spark.catalog.getTable(name).tableType == "MANAGED":
        raise LakeError(where, f"Spark's catalog has a table {name} of its own: use a Spark without that catalog")
    spark.sql(f"DROP TABLE {name}")


def _used_by(name: str, shown: Mapping[str, View]) -> set[str]:
    """The tables and views that a view reads, directly or not."""
    used = set(shown[name].uses) if name in shown else set()
    return used.union(*(_used_by(each, shown) for each in used))
