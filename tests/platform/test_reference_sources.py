"""One reference, from a SQLite file, a PostgreSQL and tables of a catalog: gold is the same. And one in a store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pyarrow import fs

from jobs import run
from pipeline.config.reference import Reference
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats.reference_sqlite import SqliteFile
from pipeline.lake import tables
from pipeline.runtime import fetch_jars
from tests.cluster.servers import Store, environment
from tests.conftest import ROOT
from tests.jobs.conftest import ELECTRICITY, database, day, rows
from tests.platform.crm import ACTIVE_ON, AGREEMENTS, NAMES, TYPED, inserted, logged, of_products
from tests.platform.reference_in_a_catalog import PRODUCTS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_the_product_tables_are_the_same_from_sqlite_postgres_and_tables_of_a_catalog(lake, tmp_path, crm):
    file = Reference(url=database(tmp_path / "reference.db", AGREEMENTS), feeds=("electricity",))
    of_file = lake(ELECTRICITY, lake=str(tmp_path / "of a file"), reference=file, active_on=crm["active_on"])
    of_server = lake(ELECTRICITY, lake=str(tmp_path / "of a server"), **crm)
    run.run(of_file)
    run.run(of_server)
    expected = of_products(of_file)
    london = rows(of_file, tables.AGREEMENT, "agreement_id", "valid_from")
    assert london == [
        (1, day("2020-01-01")),
        (2, day("2020-06-01")),
        (3, day("2020-07-01")),
        (9007199254740993, day("2020-01-01")),
    ]
    assert [len(found) for found in expected.values()] == [5, 5, 10]
    assert of_products(of_server) == expected
    assert rows(of_server, tables.AGREEMENT, "agreement_id", "valid_from") == london
    assert rows(of_server, tables.PRODUCT, "product_id", "is_variable") == [("fixed", False), ("variable", True)]
    address = crm["reference"].url
    assert logged(of_server) == [(address, address, "loaded", None)]
    in_catalog(tmp_path, {name: [list(map(str, row)) for row in found] for name, found in expected.items()})


def in_catalog(folder: Path, expected) -> None:
    """The third of the sources: the process of reference_in_a_catalog.py, and what its lake must say."""
    config = folder / "catalog.toml"
    named = ", ".join(
        f'{ours} = "{theirs}"' for ours, theirs in (NAMES | {"product": "spark_catalog.crm.product"}).items()
    )
    feed = (
        f'name = "electricity"\nformat = "split_json"\npath = "{folder / "electricity"}"\ntime_zone = "Europe/London"'
    )
    config.write_text(
        f'catalog = "spark_catalog"\nactive_on = [{", ".join(ACTIVE_ON)}]\n[[feeds]]\n{feed}\n'
        f'[reference]\nfeeds = ["electricity"]\ntables = {{ {named} }}\n'
    )
    place = folder / "metastore"
    place.mkdir()
    typed = TYPED.replace(" WITH TIME ZONE", "").replace('"Vertrag"', "Vertrag").replace("NUMERIC", "DECIMAL")
    # Of different kinds: files that another tool wrote, tables of Spark's default, a view.
    typed = typed.replace("product_id VARCHAR(20));", "product_id VARCHAR(20)) USING delta;")
    typed = typed.replace("crm.tariff", "crm.product").replace("crm.place", "crm.place_of") + inserted("Vertrag")
    typed += ";CREATE VIEW crm.place AS SELECT meterpoint_id AS METERPOINT_ID, region FROM crm.place_of"
    script = [sys.executable, str(ROOT / "tests" / "platform" / "reference_in_a_catalog.py"), str(config)]
    jars = str(fetch_jars.jar_folder().absolute())
    done = subprocess.run(
        script,
        cwd=place,
        env=environment(METERLAKE_JARS=jars, PYTHONPATH=str(ROOT)),
        input=typed,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    columns = {table.name: [name for name in table.names if name != "file_id"] for table in PRODUCTS}
    told = {
        name: sorted([str(row[column]) for column in columns[name]] for row in found)
        for name, found in answer["tables"].items()
    }
    assert told == {name: sorted(found) for name, found in expected.items()}
    assert answer["runs"] == [2, 0]
    assert answer["unchanged"]
    assert "crm`.`product" in answer["fault"]
    where = "spark_catalog.crm.Vertrag, spark_catalog.crm.product, spark_catalog.crm.place"
    assert answer["log"] == [
        ["catalog spark_catalog", where, "loaded", None],
        ["catalog spark_catalog", where, "rejected", "UNREADABLE"],
    ]


def test_a_sqlite_file_in_an_object_store_is_copied_by_the_driver(tmp_path, spark, monkeypatch):
    if not (ROOT / ".venv-deploy" / "bin" / "moto_server").is_file():
        pytest.skip("no object store: `make test-cluster` installs it")
    store = Store(tmp_path)
    try:
        for name, value in store.variables.items():
            monkeypatch.setenv(name, value)
        local = SqliteFile(database(tmp_path / "reference.db", AGREEMENTS), Reference(url="jdbc:sqlite:x").names)
        remote = SqliteFile("jdbc:sqlite:s3a://lake/in/reference.db", local.names)
        with pytest.raises(ReferenceDatabaseError, match=r"is not there|cannot be read"):
            remote.stat()
        in_the_store(store, (tmp_path / "reference.db").read_bytes())
        assert remote.stat()[0] == local.stat()[0]
        assert remote.read(spark) == local.read(spark)
    finally:
        os.killpg(store.process.pid, signal.SIGKILL)
        store.process.wait(30)


def in_the_store(store: Store, content: bytes) -> None:
    """The database as an object, written by pyarrow's own client."""
    client = fs.S3FileSystem(
        access_key="reader",
        secret_key="x",  # noqa: S106 - the store of a test has no secrets
        endpoint_override=store.url,
        region="us-east-1",
        allow_bucket_creation=True,
    )
    client.create_dir("lake")
    with client.open_output_stream("lake/in/reference.db") as stream:
        stream.write(content)
