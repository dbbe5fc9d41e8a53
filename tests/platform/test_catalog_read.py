"""Reading commands on a lake in a metastore: they answer what they answer on a lake in a folder, over the same deliveries.

`serve` and `report` ask the catalog where its tables lie and read them without Spark.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.a_lake import environment
from tests.platform.test_serve import Server

pytestmark = pytest.mark.slow
SECONDS = 900
YEAR = "from=2021-01-01&to=2021-12-31&limit=10000"
ADDRESSES = [
    "/feeds",
    "/meters?limit=1000",
    "/meters/1400000001/readings?from=2021-10-31&to=2021-11-01",
    "/meters/1400000001/readings?from=2021-03-28&to=2021-03-29&version=all",
    "/meters/1400000001/completeness?from=2021-03-27&to=2021-03-30",
    f"/aggregates/half-hour?{YEAR}",
    f"/aggregates/product-half-hour?{YEAR}",
    f"/aggregates/product-day?{YEAR}",
    f"/aggregates/feed-day?{YEAR}",
    f"/aggregates/gaps?{YEAR}",
    "/agreements/active?date=2021-01-01",
    "/files?limit=1000",
    "/files/latest",
    "/files/1",
    "/restatements?limit=1000",
]
# Which versions, when and by which run: two lakes differ in these.
OF_THE_LAKE = {"as_of", "next", "versions", "written"}
OF_THE_RUN = {
    "run_id",
    "received_at",
    "rejected_at",
    "restated_at",
    "newest_delivery_at",
    "last_delivery_at",
    "age_seconds",
}
OF_THE_FILES = {"lake", "last_run", "disk_bytes", "version", "files", "bytes", "small_files"}


@pytest.fixture(scope="module")
def lakes(tmp_path_factory) -> tuple[Path, Path]:
    """Configurations of the demo's lake in a folder, and of one in a catalog that loaded the same deliveries."""
    in_folder, in_catalog = tmp_path_factory.mktemp("folder"), tmp_path_factory.mktemp("in a catalog")
    text = (ROOT / "conf" / "local.toml").read_text()
    (in_folder / "meterlake.toml").write_text(text)
    (in_catalog / "meterlake.toml").write_text(text.replace('lake = "data_lake"', 'catalog = "spark_catalog"'))
    said(in_folder, "demo")
    shutil.copytree(in_folder / "data_lake" / "landing", in_catalog / "data_lake" / "landing")
    said(in_catalog, "run")
    return in_folder / "meterlake.toml", in_catalog / "meterlake.toml"


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *arguments, "--config", "meterlake.toml"]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def said(folder: Path, *arguments: str) -> str:
    done = started(folder, *arguments)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


def without(value: Any, names: set[str]) -> Any:
    """The answer without the keys of those names, at any depth."""
    if isinstance(value, dict):
        return {name: without(each, names) for name, each in value.items() if name not in names}
    return [without(each, names) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("engine", ["delta", "spark"])
def test_the_api_answers_the_same(lakes, engine):
    in_folder, in_catalog = lakes
    with Server(in_folder) as one, Server(in_catalog, "--engine", engine) as other:
        for address in ADDRESSES:
            (status, expected), (status_there, found) = one.ask(address), other.ask(address)
            assert (status_there, status) == (200, 200), (address, found)
            assert without(found, OF_THE_LAKE | OF_THE_RUN) == without(expected, OF_THE_LAKE | OF_THE_RUN), address
            rows = expected.get("data", expected)
            assert rows or address.startswith("/restatements"), address  # the demo restates nothing
        assert other.ask("/readyz")[1]["status"] == "ready"
        # For delta the catalog was asked by a session that has ended.
        tasks = Path(f"/proc/{other.process.pid}/task").glob("*/children")
        assert any(task.read_text().split() for task in tasks) == (engine == "spark")


def test_the_report_is_the_same_whoever_reads_the_tables(lakes):
    pages = []
    in_folder, in_catalog = lakes
    for config, engine in ((in_folder, "delta"), (in_catalog, "delta"), (in_catalog, "spark")):
        where = ["--out", "report.html", "--engine", engine]
        done = started(config.parent, "report", "--feed", "electricity", *where, "--json")
        assert done.returncode == 0, done.stderr
        assert ("reading with Spark, which takes longer" in done.stderr) == (engine == "spark")
        facts = json.loads(done.stdout)
        assert set(facts["versions"]) == {"silver.readings", "gold.missing_intervals", "ops.ingestion_log"}
        page = (config.parent / "report.html").read_text()
        pages.append((without(facts, OF_THE_LAKE | OF_THE_RUN), re.sub(r"As of silver.*?<", "<", page)))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0]["readings"] > 3000


@pytest.mark.parametrize(
    "arguments",
    [["explain", "1400000001", "2021-03-28T18:30Z"], ["status"], ["files"], ["rejected"]],
    ids=lambda arguments: arguments[0],
)
def test_other_commands_say_the_same(lakes, arguments):
    in_folder, in_catalog = (json.loads(said(config.parent, *arguments, "--json")) for config in lakes)
    assert without(in_catalog, OF_THE_RUN | OF_THE_FILES) == without(in_folder, OF_THE_RUN | OF_THE_FILES)
    assert in_folder


# An administrator's session on the same metastore: the table is made again at another place, with fewer rows.
MAKE_AGAIN = """
import sys
from pipeline.config.settings import load
from pipeline.runtime import session
spark = session.build(load("meterlake.toml"))
name = "spark_catalog.gold.total_consumption_half_hour"
spark.sql(f"CREATE TABLE spark_catalog.gold.kept USING delta AS SELECT * FROM {name} WHERE feed = 'solar'")
spark.sql(f"DROP TABLE {name}")
spark.sql(f"CREATE TABLE {name} USING delta PARTITIONED BY (feed, local_date) LOCATION '{sys.argv[1]}' "
          "TBLPROPERTIES ('delta.enableDeletionVectors' = 'false') AS SELECT * FROM spark_catalog.gold.kept")
spark.sql("DROP TABLE spark_catalog.gold.kept")
session.end(spark)
"""
# The metastore in a folder lets in one process at a time, so the administrator comes first.
ASK_OFTEN = """
import main
from jobs import serve
serve.ASK_AGAIN_SECONDS = 30.0
main.entry()
"""


def test_a_table_that_is_dropped_and_made_again_elsewhere_is_followed(lakes, tmp_path):
    """The last test: it changes the lake in the catalog."""
    _, config = lakes
    program = tmp_path / "ask_often.py"
    program.write_text(ASK_OFTEN)
    address = f"/aggregates/half-hour?{YEAR}"

    def feeds(server: Server) -> set[str]:
        return {row["feed"] for row in server.ask(address)[1]["data"]}

    with Server(config, program=program) as server:
        assert feeds(server) == {"electricity", "solar", "vilnius", "berlin", "leeds"}
        command = [sys.executable, "-c", MAKE_AGAIN, str(tmp_path / "elsewhere")]
        variables = environment() | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=config.parent, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        end = time.monotonic() + SECONDS
        while feeds(server) != {"solar"} and time.monotonic() < end:
            time.sleep(1)
        assert feeds(server) == {"solar"}
        assert server.ask("/readyz")[0] == 200


def test_a_catalog_that_cannot_tell_where_its_tables_lie_is_one_line(lakes):
    """Here because the log of deliveries is gone, though the metastore still names it."""
    _, config = lakes
    log = config.parent / "spark-warehouse" / "ops.db" / "ingestion_log"
    log.rename(log.with_name("away"))
    for arguments in (["serve", "--port", "0"], ["report", "--feed", "gas", "--out", "report.html"]):
        done = started(config.parent, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert "lake spark_catalog: cannot be asked where its tables lie: " in line
        assert "ingestion_log" in line
    log.with_name("away").rename(log)
