"""A run upgrades a lake of an earlier version, and leaves one of a later version alone."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs import run, serve, status, verify
from jobs.shared import output
from pipeline.config.settings import load
from pipeline.errors import LakeError
from pipeline.lake import access, schema_version, tables
from pipeline.runtime import failpoints
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import command
from tests.jobs.conftest import GAS, log, put, rows, smrt, versions

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

ARCHIVES = sorted((Path(__file__).parents[1] / "upgrades").glob("*.tar.gz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def old(request, tmp_path, monkeypatch, spark):
    """A function to a new context on an unpacked lake, with paths relative to its folder."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return lambda: Context(load("meterlake.toml"), log=Log("", quiet=True))


def properties(context):
    return DeltaTable(tables.address(context.settings, tables.INGESTION_LOG)).metadata().configuration


def test_there_is_an_archive_of_each_form_but_the_newest():
    assert len(ARCHIVES) == schema_version.NEWEST - 1
    assert sorted(schema_version.CHANGES) == list(range(1, schema_version.NEWEST + 1))


@pytest.mark.slow
def test_a_run_brings_it_forward_and_keeps_what_it_holds(old):
    before = versions(old())
    held = {table: rows(old(), table, *table.key) for table in (tables.READINGS, tables.METER_DAY, tables.RUNS)}
    told = status.found(old())  # read before it is brought forward
    last = told["later_command"] or told["last_run"]
    assert last["bronze_milliseconds"] is None  # form 1 has no such column, a withdrawal no such layer
    done = {table: access.mark(old(), table) for table in (tables.READINGS, tables.METER_DAY, tables.INGESTION_LOG)}
    assert all(done.values())
    run.run(old())
    context = old()
    assert schema_version.check(context) == schema_version.NEWEST
    after = versions(context)
    # Each table with a mark has it in the new form, by a commit without rows; no data was written.
    for table, mark in done.items():
        kept = {name: value for name, value in access.mark(context, table).items() if name != "claim"}
        assert kept == mark
        assert '{"meterlake": ' in DeltaTable(tables.address(context.settings, table)).history(1)[0]["userMetadata"]
    grown = {name for name in after if after[name] != before[name]}
    data = {name for name in grown if not name.startswith("ops.")}
    assert {name: after[name] - before[name] for name in data} == dict.fromkeys(data, 1)
    assert {table: rows(context, table, *table.key) for table in (tables.READINGS, tables.METER_DAY)} == {
        table: held[table] for table in (tables.READINGS, tables.METER_DAY)
    }
    assert len(rows(context, tables.RUNS, "run_id")) == len(held[tables.RUNS]) + 1
    run.run(old())
    assert versions(old()) == after
    put(Path("landing/gas"), "PN000009.SMRT", smrt("PN000009", '"g1","20210330","0000",4'), minutes=9)
    run.run(old())
    assert log(old())[-1][1] == "loaded"
    verify.run(old(), as_json=True)


def test_killed_before_it_is_recorded_the_next_run_does_it(old, monkeypatch):
    form = schema_version.check(old())
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, "raise:before set properties of ops.ingestion_log")
    with pytest.raises(failpoints.Killed):
        run.run(old())
    monkeypatch.delenv(failpoints.VARIABLE)
    assert schema_version.check(old()) == form
    run.run(old())
    assert schema_version.check(old()) == schema_version.NEWEST


def test_a_new_lake_is_of_the_newest_form(lake):
    assert schema_version.check(lake(GAS)) is None
    run.run(lake(GAS))
    assert schema_version.check(lake(GAS)) == schema_version.NEWEST
    assert properties(lake(GAS))[schema_version.PROPERTY] == str(schema_version.NEWEST)


def test_a_lake_of_a_newer_form_is_refused_by_writers_and_readers_and_not_touched(lake, gas):
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    run.run(lake(GAS))
    context = lake(GAS)
    newer = {schema_version.PROPERTY: str(schema_version.NEWEST + 1)}
    DeltaTable(tables.address(context.settings, tables.INGESTION_LOG)).alter.set_table_properties(
        newer, raise_if_not_exists=False
    )
    before = versions(context) | {"runs": access.version(context, tables.RUNS)}
    for refused in (
        lambda: run.run(lake(GAS)),
        lambda: verify.run(lake(GAS), as_json=True),
        lambda: output.files(lake(GAS), None, None, 10, as_json=True),
        lambda: serve.run(lake(GAS), None, 0),
    ):
        with pytest.raises(LakeError, match=f"its form is version {schema_version.NEWEST + 1}, this program knows"):
            refused()
    assert versions(context) | {"runs": access.version(context, tables.RUNS)} == before


@pytest.mark.parametrize("arguments", [["sql", "SELECT 1"], ["status"], ["explain", "m1", "2021-03-28T00:30Z"]])
def test_the_command_line_says_it_in_one_line(tmp_path, spark, arguments):
    (tmp_path / "gas").mkdir()
    config = tmp_path / "meterlake.toml"
    config.write_text(f'lake = "{tmp_path}/lake"\n[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "{tmp_path}/gas"\n')
    assert command("run", config=config).exit_code == 0
    newer = {schema_version.PROPERTY: "99"}
    DeltaTable(f"{tmp_path}/lake/ops/ingestion_log").alter.set_table_properties(newer, raise_if_not_exists=False)
    result = command(*arguments, config=config)
    assert result.exit_code == 1
    assert "newer Meterlake" in result.output
