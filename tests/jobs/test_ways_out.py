"""Lakes that are not whole: the ways out that docs/runbook.md gives, by its own commands and its own program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs import run, verify
from pipeline import formats
from pipeline.config.settings import Settings
from pipeline.deliveries import guards
from pipeline.errors import AcknowledgementError, DamagedLakeError
from pipeline.lake import tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests import runbook
from tests.jobs.conftest import GAS, age_out, put, rows, smrt

pytestmark = pytest.mark.slow
LOG, BRONZE, READINGS, REJECTED = tables.INGESTION_LOG, formats.bronze_table(GAS), tables.READINGS, tables.REJECTED
FIRST = [("001", Decimal("1.5")), ("002", Decimal(2))]
ALL = [*FIRST, ("003", Decimal(4))]


def context_in(folder):
    """The runbook's lake, data_lake, in a folder; its feed asks for responses."""
    feed = GAS.model_copy(update={"path": str(folder / "gas"), "acknowledge": str(folder / "responses")})
    return Context(Settings(lake=str(folder / "data_lake"), feeds=(feed,)), log=Log("", quiet=True))


@pytest.fixture(scope="module")
def template(spark, tmp_path_factory):
    """A folder with a lake of two deliveries, each with a bad row; the first is answered, the second still has to be."""
    folder = tmp_path_factory.mktemp("template")
    for number, (meter, value) in enumerate(FIRST, 1):
        lines = f'"{meter}","20210401","0000",{value}', f'"{meter}","20210401","0010",1'
        put(folder / "gas", f"PN00000{number}.SMRT", smrt(f"PN00000{number}", *lines), 10 * number)
        if number == 1:
            run.run(context_in(folder))
            shutil.move(folder / "responses", folder / "kept")
            (folder / "responses").write_text("a file in its way")
        else:
            with pytest.raises(AcknowledgementError):
                run.run(context_in(folder))
    (folder / "responses").unlink()
    shutil.move(folder / "kept", folder / "responses")
    return folder


@pytest.fixture
def loaded(template, tmp_path):
    """A copy of the template; a function to the context of a new run."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return lambda: context_in(tmp_path)


@pytest.fixture
def third(gas):
    """One more delivery."""
    return put(gas, "PN000003.SMRT", smrt("PN000003", '"003","20210402","0000",4'), 30)


def folder(context, table):
    return Path(tables.address(context.settings, table))


def python(program, context):
    """A program of the runbook, started beside the lake, as its reader does."""
    beside = Path(context.settings.root).parent
    done = subprocess.run([sys.executable, "-c", program], cwd=beside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(context, table, words, section):
    before = DeltaTable(folder(context, tables.RUNS)).version()
    with pytest.raises(DamagedLakeError) as raised:
        run.run(context)
    assert f"{table.full_name} {words}" in str(raised.value)
    assert section in str(raised.value)
    assert DeltaTable(folder(context, tables.RUNS)).version() == before


def holds_all(context):
    assert rows(context, READINGS, "meter_id", "consumption") == ALL
    assert rows(context, BRONZE, "file_id", "batch_id") == [(1, 1), (1, 1), (2, 2), (2, 2), (3, 3)]
    return True


def is_whole(context):
    assert holds_all(context)
    verify.run(context, as_json=True)


def responses(context):
    """(file, how often it was answered) of each delivery."""
    numbers = [file_id for (file_id,) in rows(context, tables.ACKNOWLEDGEMENTS, "file_id")]
    return {file_id: numbers.count(file_id) for file_id in numbers}


@pytest.mark.parametrize("table", [READINGS, REJECTED], ids=lambda table: table.full_name)
def test_silver_without_progress_is_rebuilt_after_it_was_moved_away(loaded, third, tmp_path, table):
    age_out(folder(loaded(), table))
    refused(loaded(), table, guards.UNTOLD, guards.NO_PROGRESS)
    folder(loaded(), table).rename(tmp_path / "kept.by.hand")
    run.run(loaded())
    is_whole(loaded())
    assert len(rows(loaded(), REJECTED, "file_id", "row_number")) == 2
    assert responses(loaded()) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("table", [LOG, BRONZE], ids=lambda table: table.full_name)
def test_the_runbooks_program_says_the_progress_of_the_log_and_of_bronze(loaded, third, table):
    age_out(folder(loaded(), table))
    refused(loaded(), table, guards.UNTOLD, guards.NO_PROGRESS)
    program, there = runbook.script(guards.NO_PROGRESS), '"ops/ingestion_log"  #'
    assert there in program
    said = python(program.replace(there, f'"{table.layer}/{table.name}"  #'), loaded())
    assert "'batch_id': 2" in said
    run.run(loaded())
    is_whole(loaded())
    # What was answered is not answered again, and the missing response is written.
    assert responses(loaded()) == {1: 1, 2: 1, 3: 1}
    before = DeltaTable(folder(loaded(), LOG)).version()
    run.run(loaded())
    assert DeltaTable(folder(loaded(), LOG)).version() == before


def test_other_tables_without_progress_are_rebuilt_or_continue_without_it(loaded, third):
    for table in formats.lake_tables(loaded().settings):
        if table not in {LOG, BRONZE, READINGS, REJECTED} and DeltaTable(folder(loaded(), table)).version():
            age_out(folder(loaded(), table))
    run.run(loaded())
    is_whole(loaded())
    assert responses(loaded()) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("table", [LOG, tables.METER_DAY], ids=lambda table: table.full_name)
def test_the_runbooks_lines_find_the_version_and_restore_it_forward(loaded, third, table):
    newest = DeltaTable(folder(loaded(), table)).version()
    DeltaTable(folder(loaded(), table)).restore(1)
    refused(loaded(), table, "was RESTOREd to a state before its progress", guards.RESTORED)
    shown, restore = runbook.one_liners(guards.RESTORED)
    shown, restore = (each.replace("gold/meter_day", f"{table.layer}/{table.name}") for each in (shown, restore))
    history = [line.split()[:2] for line in python(shown, loaded()).splitlines()]
    first = max(n for n, (_, operation) in enumerate(history) if operation == "RESTORE")
    assert history[first + 1][0] == str(newest)
    python(re.sub(r"restore\(\d+\)", f"restore({newest})", restore), loaded())
    run.run(loaded())
    assert holds_all(loaded())


def test_a_backup_of_the_whole_lake_loads_what_came_since(loaded, third, tmp_path):
    shutil.copytree(tmp_path / "data_lake", tmp_path / "backup")
    run.run(loaded())
    shutil.rmtree(folder(loaded(), LOG))
    refused(loaded(), LOG, "is not there", guards.LOST_BRONZE)
    shutil.copytree(tmp_path / "backup" / "ops" / "ingestion_log", folder(loaded(), LOG))
    refused(loaded(), LOG, "ends at batch 2", guards.LOST_BRONZE)
    shutil.rmtree(tmp_path / "data_lake")
    (tmp_path / "backup").rename(tmp_path / "data_lake")
    run.run(loaded())
    assert holds_all(loaded())
