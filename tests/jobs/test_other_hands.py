"""Other people and tools in the lake: whatever they do, a command is right or refuses, and nothing is lost or invented."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest
from deltalake import CommitProperties, write_deltalake

from jobs import erase, maintain, replay, run, status, verify, withdraw
from pipeline import formats
from pipeline.errors import DamagedLakeError, MeterlakeError
from pipeline.lake import access, gate, progress, tables
from tests.jobs.conftest import put, smrt, versions
from tests.jobs.lake_of_two_deliveries import (
    BRONZE,
    COMMANDS,
    FIRST,
    LOG,
    READINGS,
    bronze,
    folder,
    loaded,
    of,
    readings,
    template,
    third,
)

__all__ = ["loaded", "template", "third"]

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`


def refused(loaded, table, match):
    """Every command that writes refuses in one line that names the table, and writes nothing."""
    before = versions(loaded()), access.version(loaded(), tables.RUNS)
    for command in COMMANDS.values():
        with pytest.raises(DamagedLakeError, match=match) as raised:
            command(loaded())
        assert f"{table.full_name} " in str(raised.value)
        assert raised.value.exit_code == 1
    assert (versions(loaded()), access.version(loaded(), tables.RUNS)) == before


def test_a_lost_log_does_not_empty_bronze(loaded, third):
    shutil.rmtree(folder(loaded(), LOG))
    refused(loaded, LOG, "is not there, but bronze.gas holds rows; nothing was written")
    assert bronze(loaded()) == [(1, 2, 1), (2, 2, 2)]
    assert readings(loaded()) == FIRST


def test_a_log_from_an_older_backup_is_refused(loaded, third, tmp_path):
    kept = shutil.copytree(folder(loaded(), LOG), tmp_path / "backup")
    run.run(loaded())
    shutil.rmtree(folder(loaded(), LOG))
    shutil.copytree(kept, folder(loaded(), LOG))
    refused(loaded, LOG, "ends at batch 2, but silver.readings is complete to batch 3")


SLOW = [pytest.param(table, marks=pytest.mark.slow) for table in (READINGS, BRONZE, tables.METER_DAY)]


@pytest.mark.parametrize("table", [LOG, *SLOW], ids=lambda table: table.full_name)
def test_what_was_restored_is_refused_until_it_is_restored_forward(loaded, third, table):
    newest = of(loaded(), table).version()
    marked = [
        each["version"]
        for each in of(loaded(), table).history()
        if progress.mark_in(each) and progress.mark_in(each).get("batch_id") == 1
    ]
    of(loaded(), table).restore(max(marked))
    refused(loaded, table, "was RESTOREd to a state before its progress")
    of(loaded(), table).restore(newest)
    run.run(loaded())
    assert readings(loaded()) == [*FIRST, ("003", Decimal(4))]
    verify.run(loaded(), as_json=True)


@pytest.mark.slow
def test_restored_silver_is_rebuilt_after_it_was_moved_away(loaded, third):
    of(loaded(), READINGS).restore(1)
    with pytest.raises(DamagedLakeError):
        run.run(loaded())
    shutil.rmtree(folder(loaded(), READINGS))
    run.run(loaded())
    assert readings(loaded()) == [*FIRST, ("003", Decimal(4))]
    verify.run(loaded(), as_json=True)


def test_bronze_that_is_gone_or_emptied_is_refused(loaded, third, tmp_path):
    of(loaded(), BRONZE).delete()
    refused(loaded, BRONZE, "is empty, but the log says that it holds rows")
    folder(loaded(), BRONZE).rename(tmp_path / "away")
    refused(loaded, BRONZE, "is not there, but the log says that it holds rows")


@pytest.mark.slow
@pytest.mark.parametrize("table", [READINGS, tables.METER_DAY], ids=lambda table: table.full_name)
def test_a_table_that_was_emptied_is_refused_until_it_is_moved_away(loaded, third, table):
    of(loaded(), table).delete()
    refused(loaded, table, "is empty, but the log says that it holds rows")
    shutil.rmtree(folder(loaded(), table))
    run.run(loaded())
    assert readings(loaded()) == [*FIRST, ("003", Decimal(4))]
    verify.run(loaded(), as_json=True)


NOTES = ["weekly maintenance", '{"job":"x"}', '{"batch_id": 0}', '{"meterlake": "x"}', "[]"]


@pytest.mark.slow
def test_notes_of_others_in_commits_are_ignored(loaded, third):
    for table in formats.lake_tables(loaded().settings):
        for note in NOTES:
            found = of(loaded(), table)
            said = CommitProperties(custom_metadata={"userMetadata": note})
            write_deltalake(found, found.to_pyarrow_table().slice(0, 0), mode="append", commit_properties=said)
    before = versions(loaded())
    run.run(loaded())
    maintain.run(loaded(), 168, force=False, as_json=True)
    status.run(loaded(), as_json=True)
    assert versions(loaded())["silver.readings"] > before["silver.readings"]
    assert readings(loaded()) == [*FIRST, ("003", Decimal(4))]
    assert len(bronze(loaded())) == 3
    verify.run(loaded(), as_json=True)


def with_deletion_vectors(context, table, key):
    """What another engine does: one row is deleted by a deletion vector, and put back."""
    name = f"delta.`{tables.address(context.settings, table)}`"
    sql = context.spark.sql
    sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    kept = context.spark.createDataFrame(sql(f"SELECT * FROM {name} WHERE {key}").toArrow())
    sql(f"DELETE FROM {name} WHERE {key}")
    kept.write.format("delta").mode("append").save(tables.address(context.settings, table))


@pytest.mark.faults
@pytest.mark.parametrize(
    ("table", "key"),
    [
        (BRONZE, "file_id = 1"),
        (LOG, "file_id = 1"),
        (READINGS, "meter_id = '001'"),
        (tables.METER_DAY, "meter_id = '001'"),
        (tables.RESTATEMENTS, "false"),
    ],
    ids=lambda value: getattr(value, "full_name", ""),
)
def test_tables_with_deletion_vectors_are_sparks(loaded, lake, gas, table, key):
    # Two meters a file, so that one of two rows is deleted and its file stays.
    put(gas, "PN000003.SMRT", smrt("PN000003", '"001","20210402","0000",4', '"002","20210402","0000",5'), 30)
    run.run(loaded())
    with_deletion_vectors(loaded(), table, key if key == "false" else f"({key}) OR false")
    assert gate.readable(loaded(), table) is None
    assert gate.writable(loaded(), table) is None
    put(gas, "PN000004.SMRT", smrt("PN000004", '"001","20210402","0000",6', '"003","20210402","0000",7'), 40)
    run.run(loaded())
    maintain.run(loaded(), 0, force=True, as_json=True)
    withdraw.run(loaded(), "#4", "", as_json=True)
    replay.run(loaded(), ["#4"], dry_run=False, as_json=True)
    erase.run(loaded(), "002", as_json=True)
    verify.run(loaded(), as_json=True)
    status.run(loaded(), as_json=True)
    found = access.read(loaded(), READINGS).orderBy("meter_id", "local_date").toArrow().to_pylist()
    assert [(row["meter_id"], row["consumption"]) for row in found] == [
        ("001", Decimal("1.5")), ("001", Decimal(6)), ("003", Decimal(7)),
    ]  # fmt: skip
    for each in formats.lake_tables(loaded().settings):
        access.read(loaded(), each).count()  # nothing that it needs was removed


def test_the_message_is_one_line_for_the_person_on_call(loaded):
    shutil.rmtree(folder(loaded(), LOG))
    with pytest.raises(MeterlakeError) as raised:
        run.run(loaded())
    said = str(raised.value)
    assert "\n" not in said
    assert "docs/runbook.md, 'Bronze or the log is lost'" in said
