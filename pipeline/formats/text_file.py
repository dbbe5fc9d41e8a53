"""How Spark reads a text file that is taken apart as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake.stores import unchecked
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipeline.deliveries.delivery import Delivery


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """One row for each file: `value`, the whole text, and `reported_path`, the path as Spark names it."""
    files = spark.read.options(**unchecked(paths)).text(paths, wholetext=True)
    return files.withColumn("reported_path", F.col("_metadata.file_path"))
