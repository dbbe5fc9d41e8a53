"""A hundred small files as many tutorials load them: a DataFrame and a log commit for each file, then a full rebuild.

    python benchmarks/peers/tutorial_per_file.py benchmarks/data/hundred_json /tmp/lake

Silver and one gold table; no rejected rows.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import functions as F
from tutorial_spark import reading, save, session


def main() -> None:
    """Deliveries in, silver and the half hours out."""
    data, lake = sys.argv[1:]
    spark = session()
    for path in sorted(Path(data, "landing", "electricity").iterdir()):
        cells = spark.read.option("multiLine", "true").json(str(path)).select(F.explode("data").alias("cells"))
        rows = cells.select(*reading())
        rows.write.format("delta").mode("append").save(f"{lake}/bronze/readings")
        line = [(path.name, "loaded", rows.count(), datetime.now(UTC))]
        log = spark.createDataFrame(line, "file string, status string, rows long, loaded_at timestamp")
        log.write.format("delta").mode("append").save(f"{lake}/ops/log")
    latest = spark.read.format("delta").load(f"{lake}/bronze/readings").dropDuplicates(["meter_id", "interval_start"])
    save(latest, lake, "silver/readings", "local_date")
    silver = spark.read.format("delta").load(f"{lake}/silver/readings")
    halves = silver.groupBy("interval_start", "local_date").agg(
        F.countDistinct("meter_id").alias("meterpoint_count"),
        F.sum("consumption").cast("decimal(28,6)").alias("total_kwh"),
    )
    save(halves, lake, "gold/total_consumption_half_hour", "local_date")


if __name__ == "__main__":
    main()
