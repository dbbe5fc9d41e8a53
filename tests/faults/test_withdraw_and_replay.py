"""Changing past decisions: a delivery withdrawn, a refused one loaded, rows judged again."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from jobs import explain, replay, run, verify, withdraw
from pipeline.lake import run_lock, tables
from pipeline.runtime import failpoints
from tests.jobs.conftest import ELECTRICITY, GAS, every_version, log, put, rows, smrt, split_json, versions

pytestmark = pytest.mark.faults

LATER = '"20210402","060000"'


def values(context):
    return rows(context, tables.READINGS, "meter_id", "consumption", "file_id")


def totals(context):
    return [(f"{kwh:.1f}", file_id) for kwh, file_id in rows(context, tables.METER_DAY, "consumption", "file_id")]


def restated(context):
    found = rows(context, tables.RESTATEMENTS, "table_name", "old_value", "new_value", "file_id", "batch_id")
    return [
        (
            name.removeprefix("gold."),
            *(value if value is None else f"{value:.1f}" for value in (old, new)),
            file_id,
            batch,
        )
        for name, old, new, file_id, batch in found
    ]


def test_a_delivery_that_is_withdrawn_gives_way_to_what_it_had_superseded_and_comes_back(lake, electricity, capsys):
    first = put(
        electricity, "first.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-04 00:30:00", "m1", 4])
    )
    run.run(lake(ELECTRICITY))
    put(electricity, "second.json", split_json(["2021-01-04 00:00:00", "m1", 2], ["2021-01-05 00:00:00", "m2", 8]), 5)
    outcome = run.run(lake(ELECTRICITY))
    assert outcome.restated == {"gold.total_consumption_half_hour": 1, "gold.meter_day": 1}
    assert restated(lake(ELECTRICITY)) == [
        ("meter_day", "5.0", "6.0", 2, 2),
        ("total_consumption_half_hour", "1.0", "2.0", 2, 2),
    ]

    withdraw.run(lake(ELECTRICITY), "second.json", "a test file of the sender", as_json=False)
    assert "2 readings on 2 days no longer count, 4 published values changed" in " ".join(
        capsys.readouterr().out.split()
    )
    context = lake(ELECTRICITY)
    assert [(meter, float(value), file_id) for meter, value, file_id in values(context)] == [("m1", 1, 1), ("m1", 4, 1)]
    assert totals(context) == [("5.0", 1)]
    assert log(context) == [("first.json", "loaded", None), ("second.json", "withdrawn", None)]
    assert "a test file of the sender" in rows(context, tables.INGESTION_LOG, "reason", "file_id")[0][0]
    assert [row for row in restated(context) if row[4] == 3] == [
        ("meter_day", "6.0", "5.0", 2, 3),
        ("meter_day", "8.0", None, 2, 3),
        ("total_consumption_half_hour", "2.0", "1.0", 2, 3),
        ("total_consumption_half_hour", "8.0", None, 2, 3),
    ]
    explain.run(context, "m1", "2021-01-04T00:00Z", as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "no longer counts: withdrawn by run" in shown
    verify.run(context, as_json=True)  # gaps are counted up to the day that is the last one now
    before = versions(context)
    first.touch()  # touching is no delivery
    run.run(lake(ELECTRICITY))
    assert versions(context) == before | {"ops.ingestion_log": before["ops.ingestion_log"] + 2}  # a claim, and its time

    replay.run(lake(ELECTRICITY), ["#2"], dry_run=False, as_json=False)
    context = lake(ELECTRICITY)
    assert [(meter, float(value), file_id) for meter, value, file_id in values(context)] == [
        ("m1", 2, 2),
        ("m1", 4, 1),
        ("m2", 8, 2),
    ]
    assert totals(context) == [("6.0", 2), ("8.0", 2)]
    assert [row for row in restated(context) if row[4] == 4] == [  # a return to an old value is recorded too
        ("meter_day", "5.0", "6.0", 2, 4),
        ("meter_day", None, "8.0", 2, 4),
        ("total_consumption_half_hour", "1.0", "2.0", 2, 4),
        ("total_consumption_half_hour", None, "8.0", 2, 4),
    ]
    assert {row[1] for row in log(context)} == {"loaded"}
    commands = [command for (command,) in rows(context, tables.RUNS, "command")]
    assert commands == ["replay #2", "run", "run", "run", "verify", "withdraw second.json"]


@pytest.mark.parametrize("killed", ["", "before write ops.restatements", "after write gold.meter_day"])
def test_a_value_that_went_and_comes_back_is_two_restatements_and_a_first_value_is_none(
    lake, electricity, monkeypatch, killed
):
    put(electricity, "one.json", split_json(["2021-01-04 00:00:00", "m1", 1]))
    run.run(lake(ELECTRICITY))
    withdraw.run(lake(ELECTRICITY), "one.json", "", as_json=True)
    # A meter and a half hour that were never there come beside those that come back.
    put(electricity, "two.json", split_json(["2021-01-04 00:30:00", "m2", 2], ["2021-01-06 00:00:00", "m1", 4]), 5)
    run.run(lake(ELECTRICITY))
    gone = [("meter_day", "1.0", None, 1, 2), ("total_consumption_half_hour", "1.0", None, 1, 2)]
    assert restated(lake(ELECTRICITY)) == gone
    failpoints.forget()
    if killed:
        monkeypatch.setenv(failpoints.VARIABLE, f"raise:{killed}")
    with pytest.raises(failpoints.Killed) if killed else nullcontext():
        replay.run(lake(ELECTRICITY), ["#1"], dry_run=False, as_json=True)
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)
    run.run(lake(ELECTRICITY))
    context = lake(ELECTRICITY)
    back = [("meter_day", None, "1.0", 1, 4), ("total_consumption_half_hour", None, "1.0", 1, 4)]
    assert sorted(restated(context), key=repr) == sorted([*gone, *back], key=repr)
    assert rows(context, tables.RESTATEMENTS, "key")[-1] == (
        "feed=electricity, meter_id=m1, direction=import, local_date=2021-01-04",
    )
    withdraw.run(lake(ELECTRICITY), "#1", "", as_json=True)
    assert len(restated(lake(ELECTRICITY))) == 6


def test_a_refused_delivery_is_let_in_at_its_old_place_once_the_configuration_allows_it(lake, gas, capsys):
    put(gas, "DV000001.SMRT", smrt("DV000001", '"0001","20210331","0100","1"', '"0001","20210331","0200","1"'))
    run.run(lake(GAS))
    put(gas, "PN000002.SMRT", smrt("PN000002", '"0001","20210331","0200","5"', created=LATER))
    run.run(lake(GAS))
    assert log(lake(GAS))[0] == ("DV000001.SMRT", "rejected", "WRONG_ENVIRONMENT")
    development = {"environment": "development"}
    before = every_version(lake(GAS))
    with run_lock.held(lake(GAS), "a run at work"):
        replay.run(lake(GAS, **development), ["DV000001.SMRT"], dry_run=True, as_json=False)
    assert "rejected WRONG_ENVIRONMENT" in capsys.readouterr().out
    assert every_version(lake(GAS)) == before

    replay.run(lake(GAS, **development), ["gas/DV000001.SMRT"], dry_run=False, as_json=False)
    context = lake(GAS)
    assert log(context) == [("DV000001.SMRT", "loaded", None), ("PN000002.SMRT", "loaded", None)]
    # What had come later wins, though it was loaded before.
    assert [(float(value), file_id) for _, value, file_id in values(context)] == [(1, 1), (5, 2)]
    assert totals(context) == [("6.0", 2)]
    before = versions(context)
    run.run(lake(GAS, **development))
    assert versions(context) == before


def test_rejected_rows_are_judged_again_from_bronze_and_no_longer_rejected(lake, electricity, capsys):
    hourly = ELECTRICITY.model_copy(update={"interval_minutes": 60})
    delivery = put(
        electricity, "day.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-04 00:30:00", "m1", 4])
    )
    run.run(lake(hourly))
    assert rows(lake(hourly), tables.REJECTED, "reason_code", "row_number") == [("OFF_GRID", 2)]
    delivery.unlink()  # bronze has it
    replay.run(lake(ELECTRICITY), ["day.json"], dry_run=True, as_json=True)
    assert '"rows_rejected": 0' in capsys.readouterr().out
    assert rows(lake(hourly), tables.REJECTED, "reason_code") == [("OFF_GRID",)]
    replay.run(lake(ELECTRICITY), ["day.json"], dry_run=False, as_json=False)
    context = lake(ELECTRICITY)
    assert rows(context, tables.REJECTED, "reason_code") == []
    assert totals(context) == [("5.0", 1)]
    assert rows(context, tables.INGESTION_LOG, "rows_read", "rows_accepted", "rows_rejected") == [(2, 2, 0)]
    # And the other way round: a rule that became stricter takes the reading back.
    replay.run(lake(hourly), ["day.json"], dry_run=False, as_json=False)
    assert totals(context) == [("1.0", 1)]
    assert rows(context, tables.REJECTED, "reason_code", "row_number") == [("OFF_GRID", 2)]


def test_a_withdrawn_name_is_free_for_what_was_in_conflict_with_it(lake, gas):
    put(gas, "PN000001.SMRT", smrt("PN000001", '"0001","20210331","0100","1"'))
    run.run(lake(GAS))
    put(gas, "resent/PN000001.SMRT", smrt("PN000001", '"0001","20210331","0100","7"'), 5)
    run.run(lake(GAS))
    withdraw.run(lake(GAS), "#1", "", as_json=False)
    put(gas, "copy/PN000001.SMRT", smrt("PN000001", '"0001","20210331","0100","1"'), 9)
    run.run(lake(GAS))
    assert log(lake(GAS)) == [
        ("PN000001.SMRT", "withdrawn", None),
        ("resent/PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING"),
        ("copy/PN000001.SMRT", "duplicate", None),
    ]
    assert values(lake(GAS)) == []
    replay.run(lake(GAS), ["resent/PN000001.SMRT"], dry_run=False, as_json=False)
    assert totals(lake(GAS)) == [("7.0", 2)]
    replay.run(lake(GAS), ["#1"], dry_run=False, as_json=True)
    assert totals(lake(GAS)) == [("7.0", 2)]
    assert log(lake(GAS))[0][1] == "withdrawn"
