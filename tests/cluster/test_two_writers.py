"""Two runs at once without a lock: on an object store, and in a metastore that several processes share.

Exactly one of them loads a delivery, nothing is lost and nothing counts twice; a run that stalls and comes back after
another has done its work changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyarrow import fs

from pipeline.runtime import fetch_jars
from tests.catalog import folder_catalog
from tests.cluster.servers import HERE, ROOT, Metastore, Store, environment, packages, stop, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
ROUNDS = int(os.environ.get("TEST_ROUNDS", "20"))
SEED = int(os.environ.get("TEST_SEED", "20"))
SECONDS = 600
CLASS_PATH = "spark.driver.extraClassPath"
FIRST_DAY = date(2021, 1, 4)
DATA = [
    "bronze/electricity", "ops/ingestion_log", "silver/readings", "silver/rejected_readings", "gold/meter_day",
    "gold/total_consumption_half_hour", "gold/missing_intervals", "ops/restatements",
]  # fmt: skip


@dataclass
class Lake:
    """A lake without a lock, and its one landing folder."""

    folder: Path
    root: str
    settings: dict[str, str]
    variables: dict[str, str]
    # Of a lake in a catalog its name, and the end of its schemas' folders.
    catalog: str = ""
    schema: str = ""
    landing: str = "in"
    laid: int = 0

    def __post_init__(self) -> None:
        (self.folder / "in").mkdir()
        where = f'catalog = "{self.catalog}"' if self.catalog else f'lake = "{self.root}"'
        feed = f'name = "electricity"\nformat = "split_json"\npath = "{self.landing}"\ntime_zone = "Europe/London"'
        spark = {"spark.master": "local[1]"} | self.settings
        if CLASS_PATH not in spark:
            spark[CLASS_PATH] = os.pathsep.join([packages(), str(self.folder / "classes")])
        lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in spark.items()]
        (self.folder / "meterlake.toml").write_text("\n".join([where, f"[[feeds]]\n{feed}", "[spark]", *lines, ""]))

    def start(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """`main.py` as a process group of its own."""
        command = [sys.executable, str(ROOT / "main.py"), *(arguments or ("run",)), "--json"]
        variables = environment(METERLAKE_JARS=str(fetch_jars.jar_folder().absolute())) | self.variables | more
        output = (self.folder / f"{name}.out").open("wb")
        with output, (self.folder / f"{name}.err").open("wb") as errors:
            return subprocess.Popen(
                [*command, "--config", "meterlake.toml"],
                cwd=self.folder, env=variables, stdout=output, stderr=errors, start_new_session=True,
            )  # fmt: skip

    def said(self, name: str) -> str:
        return "".join((self.folder / f"{name}.{end}").read_text(errors="replace")[-3000:] for end in ("out", "err"))

    def answer(self, name: str) -> dict:
        return json.loads((self.folder / f"{name}.out").read_text())

    def run(self, name: str, *arguments: str) -> dict:
        """A run that must succeed."""
        assert self.start(name, *arguments).wait(SECONDS) == 0, self.said(name)
        return self.answer(name)

    def lay(self) -> None:
        """One more delivery: a reading of a new day, and another value for the very first reading."""
        self.laid += 1
        day = FIRST_DAY + timedelta(days=self.laid)
        data = [[f"{day} 00:00:00", "m1", f"0.{self.laid:03}"], [f"{FIRST_DAY} 00:00:00", "m1", f"{self.laid}"]]
        content = json.dumps({"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": data})
        self.put(f"{self.laid:03}.json", content)

    def put(self, name: str, content: str) -> None:
        """A file of the landing folder."""
        (self.folder / "in" / name).write_text(content)

    def table(self, name: str) -> DeltaTable:
        layer, _, table = name.partition("/")
        return DeltaTable(f"{self.root}/{layer}{self.schema}/{table}", storage_options=self.variables or None)

    def rows(self, name: str, *columns: str) -> list[tuple]:
        found = self.table(name).to_pyarrow_table(columns=list(columns)).to_pylist()
        return sorted(tuple(row[column] for column in columns) for row in found)

    def versions(self) -> dict[str, int | None]:
        """The version of every data table, None if it does not exist."""
        return {name: self._version(name) for name in DATA}

    def _version(self, name: str) -> int | None:
        try:
            return self.table(name).version()
        except TableNotFoundError:
            return None

    def holds_all_once(self) -> None:
        """Every delivery is in every layer once, and numbers are used once."""
        log = self.rows("ops/ingestion_log", "relative_path", "status", "file_id", "batch_id", "rows_read")
        assert [row[:2] for row in log] == [(f"{n:03}.json", "loaded") for n in range(1, self.laid + 1)]
        assert len({row[2] for row in log}) == len({row[3] for row in log}) == self.laid
        of_file = {row[2]: row[3] for row in log}
        bronze = self.rows("bronze/electricity", "file_id", "row_number", "batch_id")
        assert bronze == sorted((each, row, of_file[each]) for each in of_file for row in (1, 2))
        days = {FIRST_DAY: Decimal(self.laid)}
        days |= {FIRST_DAY + timedelta(days=n): Decimal(n) / 1000 for n in range(1, self.laid + 1)}
        instants = [(datetime(day.year, day.month, day.day, tzinfo=UTC), value) for day, value in sorted(days.items())]
        assert self.rows("silver/readings", "interval_start", "consumption") == instants
        assert self.rows("gold/total_consumption_half_hour", "interval_start", "total_kwh") == instants
        assert self.rows("gold/meter_day", "local_date", "consumption") == sorted(days.items())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    yield store
    stop(store.process)


@pytest.fixture(scope="module")
def metastore(tmp_path_factory):
    metastore = Metastore(tmp_path_factory.mktemp("metastore"))
    yield metastore
    stop(metastore.process)


@pytest.fixture(params=["s3", "catalog", folder_catalog.NAME])
def lake(request, tmp_path):
    """A lake in an object store, not created yet; in a metastore or another catalog, created by a run without deliveries."""
    if request.param == "s3":
        server = request.getfixturevalue("store")
        bucket = f"writers-{time.time_ns()}"
        there = fs.S3FileSystem(
            access_key="reader", secret_key="not a secret", endpoint_override=f"{HERE}:{server.port}", scheme="http",
            region="us-east-1", allow_bucket_creation=True,
        )  # fmt: skip
        there.create_dir(bucket)
        return Lake(tmp_path, f"s3a://{bucket}/lake", server.settings, server.variables)
    if request.param == folder_catalog.NAME:
        folder_catalog.compiled(tmp_path / "classes")
        root = tmp_path / "other"
        lake = Lake(tmp_path, str(root), folder_catalog.settings(root), {}, folder_catalog.NAME)
        lake.run("made")
        return lake
    warehouse = tmp_path / "spark-warehouse"
    settings = request.getfixturevalue("metastore").settings
    lake = Lake(tmp_path, str(warehouse), settings, {}, "spark_catalog", schema=".db")
    lake.run("made")
    return lake


def test_of_two_runs_at_once_one_takes_the_delivery(lake, capsys):
    dice = random.Random(SEED)
    longest = 5.0
    for number in range(1, ROUNDS + 1):
        lake.lay()
        delay = round(dice.uniform(0, longest), 1)
        began = time.monotonic()
        names = f"{number}-first", f"{number}-second"
        first = lake.start(names[0])
        with contextlib.suppress(subprocess.TimeoutExpired):
            first.wait(delay)
        second = lake.start(names[1])
        code = first.wait(SECONDS)
        longest = max(longest, min(time.monotonic() - began, 60))  # so that the second comes at any moment of the first
        codes = code, second.wait(SECONDS)
        with capsys.disabled():
            sys.stdout.write(f"\nround {number} of {ROUNDS}, seed {SEED}: second after {delay} s, exit codes {codes}")
        said = "\n".join(f"{name}: {lake.said(name)}" for name in names)
        assert sorted(codes) in ([0, 0], [0, 4]), said
        lake.holds_all_once()
        if codes == (0, 0):
            took = sum(lake.answer(name)["files"] for name in names)
            assert took == 1, said
    assert lake.run("verified", "verify")["equal"] is True


# By Spark: bronze's rows, in the metastore silver's MERGE too. By the driver, on the store: the log, silver, gold.
@pytest.mark.parametrize(
    "place", ["before write bronze.electricity", "before write ops.ingestion_log", "before write silver.readings"]
)
def test_a_run_that_stalls_and_was_overtaken_changes_nothing_more(lake, place):
    if "silver" in place:  # so that the next one is MERGEd
        lake.lay()
        lake.run("one day")
    lake.lay()
    stalled = lake.start("stalled", METERLAKE_FAILPOINT=f"stop:{place}")
    until(lambda: os.waitpid(stalled.pid, os.WUNTRACED | os.WNOHANG)[0], f"it stops {place}", SECONDS)
    os.killpg(stalled.pid, signal.SIGSTOP)  # its JVM too
    try:
        lake.run("another")
        lake.holds_all_once()
        versions = lake.versions()
    finally:
        os.killpg(stalled.pid, signal.SIGCONT)
    assert stalled.wait(SECONDS) == 4, lake.said("stalled")
    assert "another run claimed it meanwhile" in lake.said("stalled")
    assert lake.versions() == versions
    lake.holds_all_once()
    assert lake.run("again")["files"] == 0
    assert lake.versions() == versions
