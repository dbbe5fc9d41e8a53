"""The main job as a process of its own: under spark-submit, and in catalog mode with a persistent metastore."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyspark
import pytest

from pipeline.runtime import fetch_jars, spark_settings
from tests.jobs.conftest import database

pytestmark = pytest.mark.slow  # each starts processes of its own, a minute or two: `make test-platform`
ROOT = Path(__file__).parents[2]
ROWS = '[["2021-01-04 00:00:00", "m1", "0.125"], ["2021-03-28 01:30:00", "m1", "1"]]'
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": ' + ROWS + "}"
AGREEMENTS = [(1, "2020-01-01", None, "fixed", "m1", "a1"), (2, "no date", None, "fixed", "m2", "a2")]
QUERY = """SELECT h.meterpoint_count, h.total_kwh, p.product_display_name
FROM gold.aggregate_per_half_hour h JOIN gold.avg_half_hour_by_product p USING (feed, direction, interval_start)"""


def process(folder, *command, **environment):
    """Run a command in the folder; its standard output, or a failure with all it said."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK", "METERLAKE"))
    }
    jars = {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute())}
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables | jars | environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    """A folder with a delivery and a configuration that says where the lake is."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "day.json").write_text(DELIVERY)
    return tmp_path


def configure(folder, lake, **spark):
    path = folder / "meterlake.toml"
    feed = 'name = "electricity"\nformat = "split_json"\npath = "landing"\nacknowledge = "answers"\ntime_zone = "Europe/London"'
    reference = f'url = "{database(folder / "reference.db", AGREEMENTS)}"\nfeeds = ["electricity"]'
    settings = "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in spark.items())
    path.write_text(
        f"{lake}\nactive_on = [2021-01-01]\n[[feeds]]\n{feed}\n[reference]\n{reference}\n[spark]\n{settings}"
    )
    return str(path)


def test_the_main_job_runs_under_spark_submit_with_the_jars_of_its_command_line(folder):
    config = configure(folder, 'lake = "lake"')
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    jars = ",".join(str(fetch_jars.jar_folder().absolute() / jar.file) for jar in fetch_jars.expected_jars())
    # Spark's own defaults are for clusters: 200 partitions a shuffle take minutes on a few rows.
    few = ["--conf", "spark.sql.shuffle.partitions=2", "--conf", "spark.databricks.delta.snapshotPartitions=2"]
    main = [str(submit), "--master", "local[2]", *few, "--jars", jars, str(ROOT / "main.py")]
    nothing = {"METERLAKE_JARS": str(folder / "no jars here"), "PYSPARK_PYTHON": sys.executable}
    process(folder, *main, "run", "--config", config, **nothing)
    answer = process(folder, sys.executable, str(ROOT / "main.py"), "files", "--json", "--config", config)
    assert '"status": "loaded"' in answer
    assert '"rows_rejected": 1' in answer


def test_catalog_mode_keeps_its_tables_where_the_next_process_finds_them(folder):
    config = configure(folder, 'catalog = "spark_catalog"')
    command = [sys.executable, str(ROOT / "main.py")]
    process(folder, *command, "run", "--config", config)
    made = time.time()
    assert (folder / "metastore_db").is_dir()
    again = process(folder, *command, "run", "--json", "--config", config)
    assert '"files": 0' in again
    (answer,) = (folder / "answers").iterdir()
    assert '"reason_code": "LOCAL_TIME_NONEXISTENT"' in answer.read_text()
    # Another value for the half hour: MERGE, and gold's day replaced.
    (folder / "landing" / "day.json").write_text(DELIVERY.replace("0.125", "0.250"))
    process(folder, *command, "run", "--config", config)
    answer = process(folder, *command, "sql", QUERY, "--format", "csv", "--config", config)
    assert answer.splitlines() == ["meterpoint_count,total_kwh,product_display_name", "1,0.250000,Fixed"]
    changed = "SELECT table_name, measure, old_value, new_value FROM ops.restatements ORDER BY 1, 2"
    answer = process(folder, *command, "sql", changed, "--format", "csv", "--config", config)
    assert answer.splitlines()[1:] == [
        "gold.avg_half_hour_by_product,avg_kwh,0.125000,0.250000",
        "gold.avg_half_hour_by_product,total_kwh,0.125000,0.250000",
        "gold.consumption_per_product_per_day,total_kwh,0.125000,0.250000",
        "gold.meter_day,consumption,0.125000,0.250000",
        "gold.total_consumption_half_hour,total_kwh,0.125000,0.250000",
    ]
    explained = process(folder, *command, "explain", "m1", "2021-01-04T00:00:00Z", "--json", "--config", config)
    verdicts = [each["verdict"] for each in json.loads(explained)["versions"]]
    assert (len(verdicts), verdicts[0]) == (2, "current")
    assert '"equal": true' in process(folder, *command, "verify", "--json", "--config", config)
    described = process(folder, *command, "sql", "DESCRIBE TABLE gold.avg_half_hour_by_product", "--config", config)
    assert "total_kwh / meterpoint_count" in described
    assert "# Partition" in described
    properties = spark_sql_sees_them(folder)
    # Views that read as they should were left alone by the runs since.
    assert int(properties["transient_lastDdlTime"]) <= made


def spark_sql_sees_them(folder):
    """Spark's own command line, on the same catalog: tables, the view that dashboards use, and their rows.

    Returns the properties of a view.
    """
    jars = os.pathsep.join(str(fetch_jars.jar_folder().absolute() / jar.file) for jar in fetch_jars.expected_jars())
    settings = spark_settings.EXTENSIONS | {"spark.sql.warehouse.dir": f"{folder}/spark-warehouse"}
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-sql"), "--master", "local[1]"]
    command += ["--driver-class-path", jars, *(f"--conf={name}={value}" for name, value in settings.items())]
    few = "SET spark.sql.shuffle.partitions=1; "
    answer = process(
        folder,
        *command,
        "-S",
        "-e",
        f"{few}SHOW TABLES IN gold; SHOW TBLPROPERTIES gold.meter_hour; {QUERY};",
        SPARK_LOCAL_IP="127.0.0.1",
    )
    assert {"aggregate_per_half_hour", "meter_day", "total_consumption_half_hour"} <= {*answer.splitlines()}
    assert answer.splitlines()[-1] == "1\t0.250000\tFixed"
    return dict(line.split("\t", 1) for line in answer.splitlines() if line.count("\t") == 1)
