"""A lake of two deliveries, each of a batch of its own, which others then damage, and each command that writes."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs import erase, maintain, replay, run, verify, withdraw
from pipeline import formats
from pipeline.config.settings import Settings
from pipeline.lake import tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.jobs.conftest import GAS, put, rows, smrt

LOG, BRONZE, READINGS = tables.INGESTION_LOG, formats.bronze_table(GAS), tables.READINGS
FIRST = [("001", Decimal("1.5")), ("002", Decimal(2))]


@pytest.fixture(scope="module")
def template(spark, tmp_path_factory):
    """A folder with a lake of two deliveries, one batch each."""
    folder = tmp_path_factory.mktemp("template")
    for number, (meter, value) in enumerate(FIRST, 1):
        line = f'"{meter}","20210401","0000",{value}'
        put(folder / "gas", f"PN00000{number}.SMRT", smrt(f"PN00000{number}", line), 10 * number)
        run.run(context_in(folder))
    return folder


def context_in(folder):
    feed = GAS.model_copy(update={"path": str(folder / "gas")})
    return Context(Settings(lake=str(folder / "lake"), feeds=(feed,)), log=Log("", quiet=True))


@pytest.fixture
def loaded(template, tmp_path):
    """A copy of the template; a function to the context of a new run."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return lambda: context_in(tmp_path)


@pytest.fixture
def third(gas):
    """One more delivery."""
    return put(gas, "PN000003.SMRT", smrt("PN000003", '"003","20210402","0000",4'), 30)


def of(context, table):
    return DeltaTable(tables.address(context.settings, table))


def folder(context, table):
    return Path(tables.address(context.settings, table))


def readings(context):
    return rows(context, READINGS, "meter_id", "consumption")


def bronze(context):
    return rows(context, BRONZE, "file_id", "row_number", "batch_id")


COMMANDS = {
    "run": run.run,
    "withdraw": lambda context: withdraw.run(context, "#1", "", as_json=True),
    "replay": lambda context: replay.run(context, ["#1"], dry_run=False, as_json=True),
    "erase": lambda context: erase.run(context, "001", as_json=True),
    "maintain": lambda context: maintain.run(context, 168, force=False, as_json=True),
    "verify": lambda context: verify.run(context, as_json=True),
}
