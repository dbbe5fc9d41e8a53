"""A separate process: runs on lakes whose log store loses an answer. `lost_answers.py CLASSES LAKE=TABLE…`.

For each lake: a run whose commit to the table gets no answer, then the next run; prints how the first ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark import SparkConf
from pyspark.sql import SparkSession

from pipeline.lake.path import writes
from pipeline.runtime import fetch_jars, spark_settings
from tests.faults.a_lake import Lake


def main(classes: str, *cases: str) -> None:
    trigger = Path(classes) / "trigger"
    conf = SparkConf()
    conf.set("spark.master", "local[2]")
    conf.set("spark.sql.shuffle.partitions", "2")
    for name, value in (
        spark_settings.LOCAL | spark_settings.EXTENSIONS | spark_settings.REQUIRED | spark_settings.SMALL
    ).items():
        conf.set(name, value)
    jars = [str(fetch_jars.jar_folder().absolute() / jar.file) for jar in fetch_jars.expected_jars()]
    conf.set("spark.driver.extraClassPath", os.pathsep.join([classes, *jars]))
    conf.set("spark.driver.extraJavaOptions", f"{spark_settings.FEW_JAVA_OPTIONS} -Dlost.answer={trigger}")
    conf.set("spark.delta.logStore.file.impl", "LostAnswer")
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    writes.FEW_ROWS = -1  # otherwise the driver would write so few rows, with another store
    for case in cases:
        folder, _, table = case.partition("=")
        lake = Lake(Path(folder))
        trigger.write_text(f"/lake/{table.replace('.', '/')}/_delta_log/")
        try:
            lake.run()
            print(f"{table}: nothing was lost")
        except Exception as problem:  # noqa: BLE001 - however it ends
            print(f"{table}: {'the answer to this commit was lost' in str(problem)}, {trigger.exists()}")
        lake.run()
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
