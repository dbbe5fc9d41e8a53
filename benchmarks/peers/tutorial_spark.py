"""The same silver and gold as tutorials write it: multiLine JSON, inferred schema, a window for the latest, overwrite.

    python benchmarks/peers/tutorial_spark.py benchmarks/data/S /tmp/lake

Everything is read and written again in each run. Only the window goes beyond a tutorial's dropDuplicates: without it
the totals would be wrong. No bronze, no log, no rejected rows.
"""

import sys
from pathlib import Path

from delta import configure_spark_with_delta_pip
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

JARS = Path(__file__).resolve().parents[2] / "jars"


def session() -> SparkSession:
    """Defaults, and the settings of Delta's quick start; the JARs are those that the project fetched."""
    builder = (
        SparkSession.builder.appName("tutorial")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    )
    builder = configure_spark_with_delta_pip(builder).config("spark.jars.packages", "")
    return builder.config("spark.jars", ",".join(str(jar) for jar in JARS.glob("*.jar"))).getOrCreate()


def reading() -> list[Column]:
    """A row's cells as a reading."""
    local = F.to_timestamp(F.col("cells")[0])
    return [
        F.col("cells")[1].alias("meter_id"),
        F.to_utc_timestamp(local, "Europe/London").alias("interval_start"),
        F.to_date(local).alias("local_date"),
        F.col("cells")[2].cast("decimal(18,6)").alias("consumption"),
    ]


def save(rows: DataFrame, lake: str, table: str, day: str) -> None:
    """Write the whole table."""
    rows.write.format("delta").mode("overwrite").partitionBy(day).save(f"{lake}/{table}")


def main() -> None:
    """Deliveries in, silver and gold out."""
    data, lake = sys.argv[1:]
    spark = session()
    files = spark.read.option("multiLine", "true").json(f"{data}/landing/electricity").select(
        "data", F.col("_metadata.file_modification_time").alias("received"), F.col("_metadata.file_path").alias("path")
    )  # fmt: skip
    cells = files.select("received", "path", F.posexplode("data").alias("position", "cells"))
    raw = cells.select(*reading(), "received", "path", "position")
    newest = Window.partitionBy("meter_id", "interval_start").orderBy(
        F.desc("received"), F.desc("path"), F.desc("position")
    )
    latest = raw.withColumn("rank", F.row_number().over(newest)).where("rank = 1").drop("rank")
    save(latest, lake, "silver/readings", "local_date")
    silver = spark.read.format("delta").load(f"{lake}/silver/readings")
    totals = F.sum("consumption").cast("decimal(28,6)").alias("total_kwh")
    meters = F.countDistinct("meter_id").alias("meterpoint_count")
    save(
        silver.groupBy("interval_start", "local_date").agg(meters, totals),
        lake, "gold/total_consumption_half_hour", "local_date",
    )  # fmt: skip
    meter_day = silver.groupBy("meter_id", "local_date").agg(
        F.sum("consumption").cast("decimal(28,6)").alias("consumption"),
        F.count("*").alias("intervals_received"),
        F.min("interval_start").alias("first_interval"),
        F.max("interval_start").alias("last_interval"),
    )
    save(meter_day, lake, "gold/meter_day", "local_date")

    def table(name: str) -> DataFrame:
        url = f"jdbc:sqlite:{data}/reference.db"
        return spark.read.format("jdbc").options(url=url, driver="org.sqlite.JDBC", dbtable=name).load()

    agreed = table("agreement").join(table("product").select("product_id", "display_name"), "product_id").select(
        "agreement_id",
        # SQLite's text comes as varchar(0), which Delta enforces.
        F.col("meterpoint_id").cast("string").alias("meterpoint_id"),
        F.to_date("agreement_valid_from").alias("valid_from"),
        F.to_date("agreement_valid_to").alias("valid_to"),
        F.col("display_name").cast("string").alias("product_display_name"),
    )  # fmt: skip
    valid = (
        (F.col("meter_id") == F.col("meterpoint_id"))
        & (F.col("valid_from") <= F.col("local_date"))
        & (F.col("valid_to").isNull() | (F.col("local_date") < F.col("valid_to")))
    )
    named = silver.join(agreed, valid, "left").fillna({"product_display_name": "(no agreement)"})
    per_half_hour = named.groupBy("interval_start", "local_date", "product_display_name").agg(meters, totals)
    average = (F.col("total_kwh") / F.col("meterpoint_count")).cast("decimal(18,6)").alias("avg_kwh")
    save(per_half_hour.select("*", average), lake, "gold/avg_half_hour_by_product", "local_date")
    save(
        named.groupBy(F.col("local_date").alias("date"), "product_display_name").agg(meters, totals),
        lake, "gold/consumption_per_product_per_day", "date",
    )  # fmt: skip
    line = next(line for line in Path(data, "meterlake.toml").read_text().splitlines() if line.startswith("active_on"))
    day = F.to_date(F.lit(line.split('"')[1]))
    active = agreed.where((F.col("valid_from") < day) & (F.col("valid_to").isNull() | (F.col("valid_to") > day)))
    active.write.format("delta").mode("overwrite").save(f"{lake}/gold/active_agreements")


if __name__ == "__main__":
    main()
