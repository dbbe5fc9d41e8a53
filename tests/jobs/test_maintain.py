"""What `maintain` does to the files of a lake, and what it would do; answers stay as they are."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs import maintain, run, verify
from pipeline.lake import maintenance, tables
from pipeline.lake.maintenance import SAFE_HOURS
from pipeline.runtime import failpoints
from tests.conftest import command
from tests.jobs.conftest import ELECTRICITY, put, rows, split_json, versions

METERS = [f"m{number}" for number in (3, 1, 2)]


def day(number, *meters):
    """Two half hours of each meter, in the order that the source happens to have."""
    return split_json(*([f"2021-01-0{number} {half}:00", meter, 1] for half in ("00:00", "00:30") for meter in meters))


def files(context):
    """File -> (meter, start) of its rows in order, of each day of silver.readings."""
    opened = DeltaTable(tables.address(context.settings, tables.READINGS))
    found = pa.table(opened.get_add_actions(flatten=True)).to_pylist()
    return {
        each["path"]: (each["partition.local_date"].isoformat(), pq.read_table(f"{opened.table_uri}/{each['path']}")["meter_id"].to_pylist())
        for each in found
    }  # fmt: skip


def maintained(context, capsys):
    capsys.readouterr()
    maintain.run(context, SAFE_HOURS, force=False, as_json=True)
    return {each["table"]: each for each in json.loads(capsys.readouterr().out.splitlines()[-1])}


@pytest.mark.slow
def test_a_days_readings_are_clustered_by_meter_and_only_days_that_changed_are_rewritten(lake, electricity, capsys):
    for number in (4, 5):
        put(electricity, f"{number}.json", day(number, *METERS), number)
        run.run(lake(ELECTRICITY))
    put(electricity, "4-late.json", split_json(["2021-01-04 01:00:00", "m2", 7]), 9)
    run.run(lake(ELECTRICITY))
    context = lake(ELECTRICITY)
    values = rows(context, tables.READINGS, *tables.READINGS.names)
    there = len(files(context))
    assert maintained(lake(ELECTRICITY), capsys)["silver.readings"]["files_clustered"] == there
    ordered = files(context)
    assert sorted(each for each, _ in ordered.values()) == ["2021-01-04", "2021-01-05"]
    assert all(meters == sorted(meters) for _, meters in ordered.values())
    assert rows(context, tables.READINGS, *tables.READINGS.names) == values
    # Nothing changed: nothing is written.
    before = versions(context)
    again = maintained(lake(ELECTRICITY), capsys)
    assert again["silver.readings"]["files_clustered"] == 0
    assert versions(context)["silver.readings"] == before["silver.readings"]
    # One day changed: the other's file stays.
    put(electricity, "5-late.json", split_json(["2021-01-05 01:00:00", "m1", 7]), 20)
    run.run(lake(ELECTRICITY))
    assert maintained(lake(ELECTRICITY), capsys)["silver.readings"]["files_clustered"] >= 1
    kept = {path for path, (which, _) in files(context).items() if which == "2021-01-04"}
    assert kept == {path for path, (which, _) in ordered.items() if which == "2021-01-04"}
    run.run(lake(ELECTRICITY))
    verify.run(lake(ELECTRICITY), as_json=True)


@pytest.mark.slow
def test_killed_while_it_clusters_it_does_it_again(lake, electricity, monkeypatch, capsys):
    put(electricity, "4.json", day(4, *METERS))
    run.run(lake(ELECTRICITY))
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, "raise:after cluster silver.readings")
    with pytest.raises(failpoints.Killed):
        maintain.run(lake(ELECTRICITY), SAFE_HOURS, force=False, as_json=True)
    monkeypatch.delenv(failpoints.VARIABLE)
    assert maintenance.clustered_to(lake(ELECTRICITY), tables.READINGS) == 0
    assert maintained(lake(ELECTRICITY), capsys)["silver.readings"]["files_clustered"] == 1
    assert maintenance.clustered_to(lake(ELECTRICITY), tables.READINGS) == 1
    run.run(lake(ELECTRICITY))
    verify.run(lake(ELECTRICITY), as_json=True)


def test_a_dry_run_reports_small_files_and_does_nothing(lake, electricity, capsys):
    for number in (4, 5):
        put(electricity, f"{number}.json", day(number, *METERS), number)
        run.run(lake(ELECTRICITY))
    before = versions(lake(ELECTRICITY))
    capsys.readouterr()
    maintain.run(lake(ELECTRICITY), 0, force=True, as_json=True, dry_run=True)
    reported = {each["table"]: each for each in json.loads(capsys.readouterr().out)}
    assert reported["silver.readings"]["days_to_cluster"] == 2
    assert reported["ops.ingestion_log"]["small_files"] == 2
    assert reported["gold.missing_intervals"]["files_to_remove"] >= 0
    assert versions(lake(ELECTRICITY)) == before
    maintained(lake(ELECTRICITY), capsys)
    maintain.run(lake(ELECTRICITY), SAFE_HOURS, force=False, as_json=False, dry_run=True)
    assert "Nothing was done." in capsys.readouterr().out


def test_the_guard_holds_for_a_dry_run_too(demo):
    result = command("maintain", "--dry-run", "--retention-hours", "1", config=demo)
    assert result.exit_code == 2
    assert "add --force" in result.output
    result = command("maintain", "--dry-run", config=demo)
    assert result.exit_code == 0
    assert "silver.readings" in result.output
