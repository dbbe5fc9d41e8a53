"""An erased meter is nowhere: not in a row, not in an earlier version, not in what Delta writes about its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs import erase, run, verify
from pipeline import formats
from pipeline.errors import LakeError, UsageError, VerificationError
from pipeline.lake import access, gate, run_lock, tables
from tests.faults.erased_meter import OTHER, PERSON, files_that_hold, of_the_log, two_meters
from tests.jobs.conftest import ELECTRICITY, GAS, database, put, rows, smrt, split_json, versions

pytestmark = pytest.mark.faults

# Both meters belong to people; only one of them asked.
AGREEMENTS = [(1, "2020-01-01", None, "fixed", PERSON, "a"), (2, "2020-01-01", None, "fixed", OTHER, "b")]


def test_an_erased_meter_is_nowhere_and_the_rest_is_as_if_it_had_never_been(lake, electricity, gas, tmp_path, capsys):
    url = database(tmp_path / "reference.db", AGREEMENTS)
    settings = {"reference": {"url": url, "feeds": ["electricity"]}, "active_on": ["2021-01-01"]}

    def context():
        return lake(ELECTRICITY, GAS, **settings)

    put(electricity, "one.json", split_json(["2021-01-04 00:00:00", PERSON, 1], ["2021-01-04 00:00:00", OTHER, 2]))
    put(gas, "PN000001.SMRT", smrt("PN000001", f'"{PERSON}","20210331","0100","1"', f'"{PERSON}","20210331","0100"'))
    put(gas, "PN000002.SMRT", smrt("PN000002", f'"{OTHER}","20210331","0100","1"') + f'"{PERSON}"\n'.encode(), 1)
    run.run(context())
    put(electricity, "two.json", split_json(["2021-01-04 00:00:00", PERSON, 3], ["2021-01-05 00:00:00", PERSON, 2]), 5)
    run.run(context())
    lake_folder = tmp_path / "lake"
    assert len(files_that_hold(lake_folder, PERSON)) > 10
    capsys.readouterr()

    erase.run(context(), PERSON, as_json=True)
    certificate = json.loads(capsys.readouterr().out)
    assert (
        certificate["deliveries"],
        certificate["bronze_rows"],
        certificate["readings"],
        certificate["rejected_rows"],
    ) == (4, 5, 3, 1)
    assert (certificate["reference_rows"], certificate["gold_days"], certificate["restatements"]) == (1, 3, 1)
    assert [Path(path).name for path in certificate["still_in"]] == [
        "one.json",
        "PN000001.SMRT",
        "reference.db",
        "two.json",
    ]
    assert files_that_hold(lake_folder, PERSON) == []
    # Totals do not reveal it either: the old total minus the new one would be a reading. (3, corrected to 5, now 2.)
    totals = rows(
        context(),
        tables.RESTATEMENTS,
        "local_date",
        "table_name",
        "old_value",
        "new_value",
        where=lambda row: row["feed"] == "electricity",
    )
    assert len(totals) >= 4
    assert {each[2:] for each in totals} == {(None, None)}
    assert rows(context(), tables.METER_DAY, "meter_id", "consumption")[0][0] == OTHER
    assert [float(kwh) for (kwh,) in rows(context(), tables.HALF_HOUR, "total_kwh")] == [2]
    assert rows(context(), tables.ACTIVE_AGREEMENTS, "meterpoint_id") == [(OTHER,)]
    counts = rows(context(), tables.INGESTION_LOG, "relative_path", "rows_read", "rows_rejected", "rows_erased")
    assert counts[:2] == [("PN000001.SMRT", 0, 0, 2), ("PN000002.SMRT", 0, 0, 0)]
    assert rows(context(), tables.ERASURES, "bronze_rows", "readings") == [(5, 3)]

    # What is left is a sound lake that can go on.
    before = versions(context())
    run.run(context())
    assert versions(context()) == before
    verify.run(context(), as_json=True)
    put(electricity, "three.json", split_json(["2021-01-04 00:00:00", OTHER, 5]), 9)
    run.run(context())
    assert [float(kwh) for (kwh,) in rows(context(), tables.HALF_HOUR, "total_kwh")] == [5]


def everything(context):
    """Versions of all tables that hold data, and how far back each can be read."""
    every = [table for table in formats.lake_tables(context.settings) if table is not tables.RUNS]
    return {table.full_name: [commit["version"] for commit in gate.opened(context, table).history()] for table in every}


def test_a_meter_that_is_nowhere_is_reported_and_nothing_is_changed(lake, electricity, tmp_path, capsys):
    two_meters(electricity)
    run.run(lake(ELECTRICITY))
    run.run(lake(ELECTRICITY))
    before = everything(lake(ELECTRICITY))
    for dry_run in (False, True):
        with pytest.raises(UsageError, match="nowhere in the lake: nothing was changed") as caught:
            erase.run(lake(ELECTRICITY), "99999", as_json=False, dry_run=dry_run)
        assert caught.value.exit_code == 2
    assert everything(lake(ELECTRICITY)) == before
    assert files_that_hold(tmp_path / "lake", "99999") == []
    with pytest.raises(LakeError, match="has no tables yet"):
        erase.run(lake(ELECTRICITY, lake=str(tmp_path / "none")), PERSON, as_json=False, dry_run=True)
    assert not (tmp_path / "none").exists()


def test_a_dry_run_shows_what_would_be_removed_and_commits_nothing(lake, electricity, capsys):
    two_meters(electricity)
    run.run(lake(ELECTRICITY))
    context = lake(ELECTRICITY)
    before, runs = everything(context), access.version(context, tables.RUNS)
    with run_lock.held(lake(ELECTRICITY), "a run at work"):
        erase.run(lake(ELECTRICITY), PERSON, as_json=True, dry_run=True)
    certificate = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in certificate.pop("still_in")] == ["1.json", "2.json"]
    assert certificate == {
        "dry_run": True,
        "deliveries": 2,
        "bronze_rows": 2,
        "readings": 1,
        "rejected_rows": 1,
        "gold_days": 1,
        "restatements": 0,
        "reference_rows": 0,
    }
    assert (everything(context), access.version(context, tables.RUNS)) == (before, runs)
    erase.run(lake(ELECTRICITY), PERSON, as_json=True)
    done = json.loads(capsys.readouterr().out)
    assert {name: value for name, value in done.items() if name in certificate} == {
        name: value for name, value in certificate.items() if name != "dry_run"
    }


def test_earlier_damage_stays_visible(lake, electricity, capsys):
    two_meters(electricity)
    run.run(lake(ELECTRICITY))
    context = lake(ELECTRICITY)
    bronze = formats.bronze_table(ELECTRICITY)
    DeltaTable(tables.address(context.settings, bronze)).delete("file_id = 1 AND row_number = 2")  # OTHER's
    with pytest.raises(VerificationError, match="1 rows in bronze, 2 in the log"):
        verify.run(lake(ELECTRICITY), as_json=True)
    with pytest.raises(UsageError):
        erase.run(lake(ELECTRICITY), "99999", as_json=True)
    erase.run(lake(ELECTRICITY), PERSON, as_json=True)
    assert of_the_log(context) == [(1, 1, 1, 0, 1), (2, 1, 1, 0, 1)]
    with pytest.raises(VerificationError, match="0 rows in bronze, 1 in the log"):
        verify.run(lake(ELECTRICITY), as_json=True)


def test_only_whole_ids_are_taken_of_rejected_rows(lake, electricity, gas):
    short = [["2021-01-04 00:00:00", meter, "x"] for meter in ("12", "1234", "3.12", "m-12")]
    put(electricity, "1.json", split_json(*short, ["2021-01-12 00:12:00", "7", 12]))
    put(gas, "PN000001.SMRT", smrt("PN000001", '"12","20210331","0100"', '"0012","20210331","0100"', '"9","20211212"'))
    run.run(lake(ELECTRICITY, GAS))
    assert len(rows(lake(ELECTRICITY, GAS), tables.REJECTED, "raw")) == 8
    erase.run(lake(ELECTRICITY, GAS), "12", as_json=True)
    kept = [raw for (raw,) in rows(lake(ELECTRICITY, GAS), tables.REJECTED, "raw")]
    assert len(kept) == 6
    assert all(any(part in raw for raw in kept) for part in ("1234", "3.12", "m-12", "00:12:00", "0012", "20211212"))
    verify.run(lake(ELECTRICITY, GAS), as_json=True)
