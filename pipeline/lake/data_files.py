"""A table's data files, found by the driver and read by Spark as what they are: parquet.

To read a Delta table Spark first finds its files, by one to three jobs for each version that it meets: seconds of cold
code where a batch is small. Right as long as a file's rows are the table's rows: only in path mode, only of tables that
the gate takes for plain (no deletion vectors, no column mapping), and only where the path says the partition.
tests/spark/lake/test_data_files.py compares with what Delta gives, and looks that Delta is asked elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.lake import gate, tables
from pipeline.lake.stores import as_pattern, spark_name
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Spark looks at each file that it is given, one after the other.
MOST_FILES = 1000
MOST_REMOTE_FILES = 50


def of_batches(context: Context, table: Table, batches: Collection[int]) -> DataFrame | None:
    """The files that may hold rows of those batches, by their statistics; None where Delta has to be asked."""
    ordered = sorted(batches)

    def may_hold(file: dict[str, Any]) -> bool:
        low, high = file.get("min.batch_id"), file.get("max.batch_id")
        if low is None or high is None:
            return True
        first = bisect_left(ordered, low)
        return first < len(ordered) and ordered[first] <= high

    return _read(context, table, may_hold)


def of_partitions(context: Context, table: Table, keys: Collection[tuple[Any, ...]]) -> DataFrame | None:
    """The files of those partitions; None where Delta has to be asked."""
    names = [f"partition.{name}" for name in table.partition_by]
    return _read(context, table, lambda file: tuple(file[name] for name in names) in keys)


def _read(context: Context, table: Table, wanted: Callable[[dict[str, Any]], bool]) -> DataFrame | None:
    there = gate.readable(context, table)
    if there is None:
        return None
    folder = tables.address(context.settings, table)
    files = pa.table(there.get_add_actions(flatten=True)).to_pylist()
    paths = [file["path"] for file in files if wanted(file)]
    most = MOST_REMOTE_FILES if "://" in folder else MOST_FILES
    if not paths or len(paths) > most or not all(_says_its_partition(path, table) for path in paths):
        return None
    root = spark_name(folder)
    return (
        context.spark.read.schema(table.schema)
        .option("basePath", root)
        .parquet(*(as_pattern(f"{root}/{path}") for path in sorted(paths)))
        .select(*(F.col(name) for name in table.names))
    )


def _says_its_partition(path: str, table: Table) -> bool:
    """Whether the path is as Spark's writers and delta-rs make them, so that Spark reads the partition's values in it.

    Delta does not promise it: files may lie elsewhere or below random prefixes (`delta.randomizeFilePrefixes`).
    """
    folders = path.split("/")[:-1]
    named = len(folders) == len(table.partition_by) and all(
        folder.startswith(f"{name}=") for folder, name in zip(folders, table.partition_by, strict=True)
    )
    return named and not set(path) & set("%:")
