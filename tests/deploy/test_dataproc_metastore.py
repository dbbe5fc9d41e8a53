"""A run with the properties of the Dataproc batch, whose tables are in a metastore that is a service of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest

from pipeline.runtime import fetch_jars
from tests.cluster.servers import HERE, free_port, until
from tests.deploy.dataproc_submissions import PLACE, submitted
from tests.deploy.tools import ROOT, accepted, environment
from tests.jobs.conftest import database

pytestmark = pytest.mark.deploy
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-01-04 00:00:00", "m1", "0.125"]]}'


def answers(port):
    with socket.create_connection((HERE, port), timeout=5):
        return True


@contextmanager
def metastore(folder):
    """A Hive metastore as a service, of the classes that Spark brings (it lacks those of asynchronous logs and of pools).

    Yields its address.
    """
    port = free_port()
    java = str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if "JAVA_HOME" in os.environ else "java"
    jars = Path(pyspark.__file__).parent / "jars" / "*"
    where = f"-Djavax.jdo.option.ConnectionURL=jdbc:derby:;databaseName={folder / 'metastore'};create=true"
    settings = [
        where,
        "-Dhive.async.log.enabled=false",
        "-Ddatanucleus.schema.autoCreateAll=true",
        "-Dhive.metastore.schema.verification=false",
    ]
    settings += [
        "-Xmx256m",
        "-Ddatanucleus.connectionPoolingType=none",
        f"-Dderby.system.home={folder}",
        f"-Dhive.metastore.warehouse.dir={folder / 'warehouse'}",
    ]
    program = ["org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", str(port)]
    with (folder / "metastore.log").open("w") as log:
        service = subprocess.Popen([java, *settings, "-cp", str(jars), *program], stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: answers(port), f"the metastore: see {folder}/metastore.log")
        yield f"thrift://{HERE}:{port}"
    finally:
        service.terminate()
        service.wait(30)


def answered(*command, **options):
    """The answer in JSON of a command by spark-submit, which sends standard error the same way, before it."""
    return json.loads(accepted(*command, **options).splitlines()[-1])


def test_with_these_properties_the_tables_are_in_a_metastore_that_outlives_the_job(tmp_path):
    """A run by spark-submit with the batch's properties, its bucket here, and a metastore that is a service."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing/day.json").write_text(DELIVERY)
    reference = database(tmp_path / "reference.db", [(1, "2020-01-01", None, "fixed", "m1", "a1")])
    config = tmp_path / "meterlake.toml"
    feed = 'name = "electricity"\nformat = "split_json"\npath = "landing"\ntime_zone = "Europe/London"'
    config.write_text(
        f'catalog = "spark_catalog"\n[[feeds]]\n{feed}\n[reference]\nurl = "{reference}"\nfeeds = ["electricity"]'
    )
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    jars = ",".join(str((fetch_jars.jar_folder() / jar.file).absolute()) for jar in fetch_jars.expected_jars())
    with metastore(tmp_path) as address:
        _, (batch,) = submitted(f"batch {PLACE} --environment production --metastore {address}")
        told = batch["message"]["runtimeConfig"]["properties"]
        told = {name: value for name, value in told.items() if name.startswith(("spark.sql", "spark.hadoop"))}
        assert told["spark.hadoop.hive.metastore.uris"] == address
        told["spark.sql.warehouse.dir"] = told["spark.sql.warehouse.dir"].replace("gs://b1/", f"file://{tmp_path}/")
        told["spark.sql.shuffle.partitions"] = "2"  # two cores
        properties = [word for name, value in told.items() for word in ("--conf", f"{name}={value}")]
        start = [submit, "--master", "local[2]", "--jars", jars, *properties, ROOT / "main.py"]
        own = environment(PYSPARK_PYTHON=sys.executable)
        *words, _ = batch["message"]["pysparkBatch"]["args"]
        assert answered(*start, *words, config, env=own, cwd=tmp_path)["files"] == 2
        query = "SELECT product_display_name, total_kwh FROM gold.consumption_per_product_per_day"
        rows = answered(*start, "sql", query, "--json", "--config", config, env=own, cwd=tmp_path)
        assert [(row["product_display_name"], float(row["total_kwh"])) for row in rows] == [("Fixed", 0.125)]
    assert (tmp_path / "warehouse/gold.db").is_dir()
    assert not (tmp_path / "metastore_db").exists()  # the session made none of its own
