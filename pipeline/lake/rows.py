"""Rows of a DataFrame in the form of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from pipeline.runtime import session

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


def frame_of(context: Context, rows: pa.Table) -> DataFrame:
    """Rows that the driver holds, as a DataFrame; also none at all, whose types Spark Connect does not see."""
    if rows.num_rows:
        return context.spark.createDataFrame(rows)
    # Not from an empty list, which starts a Python worker in a classic session.
    none = (F.lit(None).cast(column.dataType).alias(column.name) for column in from_arrow_schema(rows.schema))
    return context.spark.range(0).select(*none)


def conform(rows: DataFrame, table: Table) -> DataFrame:
    """The rows with the table's columns, in its order and types."""
    return rows.select(*(F.col(column.name).cast(column.type).alias(column.name) for column in table.columns))


def collect(context: Context, rows: DataFrame, table: Table) -> pa.Table:
    """Rows for the table that are small enough to collect on the driver."""
    session.describe(context.spark, f"aggregate for {table.full_name}")
    return conform(rows, table).toArrow()
