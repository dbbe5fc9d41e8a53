"""The main job on a standalone cluster, by spark-submit from the wheel: the result is that of local mode.

Meterlake does nothing special here: Spark survives a dead worker, and the next run repairs a dead run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from deltalake import DeltaTable
from pyarrow import fs

from tests.cluster.servers import HERE, ROOT, Cluster, Store, submit, until

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
# The run, its times and the paths of the folders differ between lakes.
NOT_COMPARED = {"batch_id", "run_id", "received_at", "rejected_at", "file_path", "as_of", "modified_at"}
TABLES = [
    "bronze/gas",
    "bronze/electricity",
    "bronze/solar",
    "bronze/vilnius",
    "bronze/berlin",
    "bronze/leeds",
    "ops/ingestion_log",
    "silver/readings",
    "silver/rejected_readings",
    "silver/agreement",
    "gold/total_consumption_half_hour",
    "gold/consumption_per_product_per_day",
    "gold/avg_half_hour_by_product",
    "gold/meter_day",
    "gold/missing_intervals",
    "gold/active_agreements",
]
SECONDS = 600


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    yield store
    os.killpg(store.process.pid, 9)
    store.process.wait(30)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, and beside it main.py alone, without the packages of the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, timeout=300)
    shutil.copy(ROOT / "main.py", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def configured(folder, demo, lake, gas=None):
    """Configuration of a lake whose deliveries are the demo's."""
    landing = folder / "landing"
    shutil.copytree(demo.parent / "data_lake" / "landing", landing)
    text = demo.read_text().replace(str(demo.parent / "data_lake" / "landing"), str(landing))
    text = text.replace(f'lake = "{demo.parent / "data_lake"}"', f'lake = "{lake}"')
    if gas:
        text = text.replace(f'path = "{landing / "gas"}"', f'path = "{gas}"')
    path = folder / "meterlake.toml"
    path.write_text(text)
    assert f'lake = "{lake}"' in text
    assert gas is None or f'path = "{gas}"' in text
    return path


def rows(lake, table, options=None):
    """The rows of a table as sorted tuples, without what differs between runs; deliveries by name, not by number.

    A refused file without a header is numbered by its time, which differs in a store.
    """
    log = DeltaTable(f"{lake}/ops/ingestion_log", storage_options=options).to_pyarrow_table().to_pylist()
    deliveries = {row["file_id"]: (row["feed"], row["relative_path"], row["sha256"]) for row in log}
    found = DeltaTable(f"{lake}/{table}", storage_options=options).to_pyarrow_table()
    names = sorted(set(found.column_names) - NOT_COMPARED)
    return sorted((tuple(_named(name, row[name], deliveries) for name in names) for row in found.to_pylist()), key=repr)


def _named(column, value, deliveries):
    if column == "file_id":
        return deliveries[value]
    return re.sub(r"file \d+", "file", value) if column == "reason" and value else value


def ended(process, log):
    """The exit code of a run, with its log in the message if it is not 0."""
    code = process.wait(SECONDS)
    text = log.read_text(errors="replace")
    said = [line for line in text.splitlines() if " INFO " not in line]
    return code, "\n".join(said[-40:])


def test_a_run_that_loses_a_worker_makes_what_local_mode_makes(cluster, wheel, demo, tmp_path):
    config = configured(tmp_path, demo, tmp_path / "lake")
    cluster.with_workers(2)
    log = tmp_path / "run.log"
    run = submit(cluster, wheel, "run", "--config", str(config), options=[], log=log)
    until(lambda: '"event": "bronze"' in log.read_text(errors="replace") or run.poll() is not None, "bronze", SECONDS)
    assert run.poll() is None, ended(run, log)
    cluster.kill_a_worker()
    code, said = ended(run, log)
    assert code == 0, said
    assert until(lambda: "DEAD" in cluster.states(), "the master sees it") is True
    for table in TABLES:
        assert rows(tmp_path / "lake", table) == rows(demo.parent / "data_lake", table), table


def test_a_lake_in_an_object_store_survives_killed_runs(cluster, wheel, store, demo, tmp_path):
    # One feed's deliveries lie in the store as well; of this format the header says the order, whatever time the store gives.
    there = fs.S3FileSystem(
        access_key="reader", secret_key="not a secret", endpoint_override=f"{HERE}:{store.port}", scheme="http",
        region="us-east-1", allow_bucket_creation=True,
    )  # fmt: skip
    there.create_dir("meters")
    fs.copy_files(str(demo.parent / "data_lake/landing/gas"), "meters/landing/gas", destination_filesystem=there)
    config = configured(tmp_path, demo, "s3a://meters/lake", "s3a://meters/landing/gas")
    cluster.with_workers(2)

    def run(name, **more):
        log = tmp_path / f"{name}.log"
        said = {"options": store.options, "log": log} | store.variables | more
        return ended(submit(cluster, wheel, "run", "--json", "--config", str(config), **said), log)

    for number, place in enumerate(["before write ops.ingestion_log", "after write silver.readings"]):
        code, said = run(f"killed-{number}", METERLAKE_FAILPOINT=f"kill:{place}")
        assert code not in {0, 1, 2}, said
    kept = [table for table in TABLES if table.startswith(("bronze", "silver"))]
    before = {table: (version(store, table), files(store, table)) for table in kept}
    assert before["silver/readings"][0] == 2  # the second run's claim, and its readings
    code, said = run("whole")
    assert code == 0, said
    for table in TABLES:
        mine = rows("s3a://meters/lake", table, store.variables)
        assert mine == rows(demo.parent / "data_lake", table), table
    # It takes the killed run's claim over, by one commit without rows a table, and writes nothing of these again.
    after = {table: (version(store, table), files(store, table)) for table in kept}
    assert after == {table: (number + 1, names) for table, (number, names) in before.items()}
    code, said = run("again")
    assert code == 0, said
    assert '"files": 0' in said
    assert {table: (version(store, table), files(store, table)) for table in kept} == after


def version(store, table):
    return DeltaTable(f"s3a://meters/lake/{table}", storage_options=store.variables).version()


def files(store, table):
    return sorted(DeltaTable(f"s3a://meters/lake/{table}", storage_options=store.variables).file_uris())
