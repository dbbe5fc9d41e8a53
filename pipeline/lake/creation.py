"""The making of tables, with their comments, partitions and properties: delta-rs in path mode, the catalog else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError

from pipeline.errors import LakeError
from pipeline.lake import access, gate, maintenance, tables, version_checksum, views
from pipeline.runtime.error_messages import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Column, Table
    from pipeline.runtime.context import Context


def create_missing(context: Context, wanted: Iterable[Table]) -> list[Table]:
    """Create the tables that are not there yet, with comments; returns them."""
    if context.settings.catalog:
        return _create_in_catalog(context, wanted)
    created = []
    for table in wanted:
        where = tables.address(context.settings, table)
        try:
            with suppress(TableNotFoundError):
                _add_columns(context, DeltaTable(where), table)
                continue
            with access.committed(context, f"create {table.full_name}"):
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
            raise LakeError(where, f"cannot be created: {one_line(problem)}") from None
        created.append(table)
    return created


def _add_columns(context: Context, opened: DeltaTable, table: Table) -> None:
    """Columns that the table has got since the lake was made; NULL for the rows that are in it."""
    there = {field.name for field in opened.schema().fields}
    if missing := [column for column in table.columns if column.name not in there]:
        fields = [field for field in _delta_schema(table).fields if field.name not in there]
        with access.committed(context, f"extend {table.full_name}"):
            if gate.is_plain(opened, to_write=True):
                opened.alter.add_columns(fields, commit_properties=maintenance.marked(context, table))
                return
            name, added = maintenance.spark_name(context, table), ", ".join(map(_described, missing))
            with maintenance.spark_marks(context, table):
                context.spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({added})")


def _delta_schema(table: Table) -> Schema:
    fields = [
        {
            "name": column.name,
            "type": access.TYPES[column.type][0],
            "nullable": True,
            "metadata": {"comment": column.comment},
        }
        for column in table.columns
    ]
    return Schema.from_json(json.dumps({"type": "struct", "fields": fields}))


def _create_in_catalog(context: Context, wanted: Iterable[Table]) -> list[Table]:
    spark, catalog = context.spark, context.settings.catalog
    created: list[Table] = []
    layers: set[str] = set()
    for table in wanted:
        name = tables.address(context.settings, table)
        schema = name.rpartition(".")[0]
        if schema not in layers:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            layers.add(schema)
        if spark.catalog.tableExists(name):
            there = set(spark.read.table(name).columns)
            for column in table.columns:
                if column.name not in there:
                    with maintenance.spark_marks(context, table):
                        spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({_described(column)})")
            continue
        spark.sql(_ddl(name, table))
        created.append(table)
    if context.settings.scratch:
        return created
    for view in views.all_views(context.settings):
        # Anew in each run: what they show depends on the feeds' time zones.
        query = views.addressed(view.query, lambda name: f"{catalog}.{name}")
        spark.sql(f"CREATE OR REPLACE VIEW {catalog}.{view.name} COMMENT {_literal(view.comment)} AS {query}")
    return created


def _ddl(name: str, table: Table) -> str:
    columns = ", ".join(_described(column) for column in table.columns)
    partitioned = f" PARTITIONED BY ({', '.join(table.partition_by)})" if table.partition_by else ""
    properties = ", ".join(f"{_literal(key)} = {_literal(value)}" for key, value in table.properties.items())
    comment = _literal(table.comment)
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING delta{partitioned} "
        f"COMMENT {comment} TBLPROPERTIES ({properties})"
    )


def _described(column: Column) -> str:
    return f"{column.name} {column.type} COMMENT {_literal(column.comment)}"


def _literal(text: str) -> str:
    """A text of our own as an SQL literal (comments and properties; never a value of a delivery)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
