"""Rows of a DataFrame in the form of a table."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from pipeline.lake.types import arrow_schema
from pipeline.runtime import sail, session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Rows that Sail gets in a message; more of them in a file.
FEW_TO_SEND = 50_000


def frame_of(context: Context, rows: pa.Table) -> DataFrame:
    """Rows that the driver holds, as a DataFrame; also none at all, whose types Spark Connect does not see."""
    if rows.num_rows:
        return context.spark.createDataFrame(rows)
    # Not from an empty list, which starts a Python worker in a classic session.
    none = (F.lit(None).cast(column.dataType).alias(column.name) for column in from_arrow_schema(rows.schema))
    return context.spark.range(0).select(*none)


def none_of(context: Context, table: Table) -> DataFrame:
    """No rows, with the table's columns."""
    return frame_of(context, arrow_schema(table).empty_table())


def handed_over(context: Context, rows: pa.RecordBatchReader) -> DataFrame:
    """Rows that the driver reads for an engine that reads no table: few as they are, many by a file of this machine."""
    first: list[pa.RecordBatch] = []
    for batch in rows:
        first.append(batch)
        if sum(each.num_rows for each in first) > FEW_TO_SEND:
            break
    else:
        return frame_of(context, pa.Table.from_batches(first, rows.schema))
    path = sail.scratch_file()
    with pq.ParquetWriter(path, rows.schema, compression="lz4") as file:
        for batch in chain(first, rows):
            file.write_batch(batch)
    return context.spark.read.parquet(str(path))


def conform(rows: DataFrame, table: Table) -> DataFrame:
    """The rows with the table's columns, in its order and types."""
    return rows.select(*(F.col(column.name).cast(column.type).alias(column.name) for column in table.columns))


def collect(context: Context, rows: DataFrame, table: Table) -> pa.Table:
    """Rows for the table that are small enough to collect on the driver."""
    session.describe(context.spark, f"aggregate for {table.full_name}")
    return conform(rows, table).toArrow()
