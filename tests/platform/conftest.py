"""A PostgreSQL with the reference in it, and the drivers of databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.servers import environment
from tests.jobs.conftest import day, put, split_json
from tests.platform.crm import ACTIVE_ON, READER, ROWS, SECRET, TYPED, VARIABLE, asked, inserted
from tests.platform.postgres import Postgres

ROOT = Path(__file__).parents[2]
PINS = ROOT / "tests" / "platform" / "drivers.toml"


@pytest.fixture(scope="session")
def drivers() -> dict[str, Path]:
    """Name -> JAR of the drivers, fetched once by the project's own command."""
    folder = ROOT / ".venv" / "drivers"
    command = [sys.executable, "-m", "pipeline.fetch_jars", str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(METERLAKE_PINS=str(PINS)),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {jar.name.split("_")[0]: jar for jar in folder.glob("*.jar")}


@pytest.fixture(scope="session")
def with_drivers(spark, drivers):
    """The session, with the drivers on its class path."""
    for jar in drivers.values():
        spark.sql(f"ADD JAR '{jar}'")
    return spark


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL with the tables in a schema of their own, and a role that may only read them."""
    server = Postgres()
    server.sql("CREATE DATABASE crm", database="postgres")
    server.sql(TYPED + inserted('"Vertrag"').replace("TIMESTAMP '", "TIMESTAMP WITH TIME ZONE '"))
    server.sql(
        f"CREATE ROLE {READER} LOGIN PASSWORD '{SECRET}'; GRANT USAGE ON SCHEMA crm TO {READER};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA crm TO {READER}; CREATE TABLE crm.hidden (LIKE crm.tariff);"
    )
    yield server
    server.remove()


@pytest.fixture
def electricity(tmp_path):
    """Landing folder of the electricity feed."""
    return tmp_path / "electricity"


@pytest.fixture
def crm(server, with_drivers, electricity, monkeypatch):
    """Settings of the reference in the server, which runs and is as it was; a day of readings waits."""
    put(electricity, "a.json", split_json(*ROWS))
    monkeypatch.setenv(VARIABLE, SECRET)
    if server.process.poll() is not None:
        server.start()
    return {"reference": asked(server.url()), "active_on": [day(text) for text in ACTIVE_ON]}
