"""`status` after deliveries were taken back, and where something waits."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from jobs import replay, run, status, verify, withdraw
from pipeline.lake import access, tables
from tests.jobs.conftest import GAS, log, put, rows, smrt, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


def received(context: Context) -> dict[str, str]:
    """When each file was decided, as `status` writes it."""
    rows = access.small_rows(context, tables.INGESTION_LOG, ["file_name", "received_at"])
    return {row["file_name"]: status.cell(row["received_at"]) for row in rows}


def test_a_delivery_that_was_withdrawn_is_not_the_newest_in_gold(lake: Callable[..., Context], gas: Path) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS)
    run.run(context)
    put(gas, "PN000003.SMRT", smrt("PN000003", '"001","20210402","0000",2.5'), minutes=1)
    run.run(lake(GAS))
    facts = status.found(lake(GAS))
    assert facts["gold"]["newest_delivery_at"] == received(context)["PN000003.SMRT"]
    assert facts["missing_generations"] == [{"feed": "gas", "first": "PN000002", "last": "PN000002", "count": 1}]
    withdraw.run(lake(GAS), "PN000003.SMRT", "a test", as_json=True, wait_seconds=0)
    gold = status.found(lake(GAS))["gold"]
    assert (gold["newest_delivery_at"], gold["waiting_deliveries"]) == (received(context)["PN000001.SMRT"], 0)


def test_what_bronze_has_and_gold_has_not_waits(lake: Callable[..., Context], gas: Path) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    run.run(lake(GAS), "bronze")
    gold = status.found(lake(GAS))["gold"]
    assert (gold["newest_delivery_at"], gold["waiting_deliveries"]) == (None, 1)


@pytest.mark.slow
def test_a_refusal_is_settled_by_hand_and_changes_nothing_that_counts(lake: Callable[..., Context], gas: Path) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    put(gas, "PN000002.SMRT", smrt("PN000002", '"001","20210401","0100",1.5')[:-9], minutes=1)
    put(gas, "PN000003.SMRT", smrt("PN000003", '"001","20210401","0200",1.5'), minutes=2)
    run.run(lake(GAS))
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",9.5'), minutes=3)
    context = lake(GAS)
    run.run(context)
    facts = status.found(lake(GAS))
    assert [(each["reason_code"], each["files"]) for each in facts["refused"]] == [
        ("CHANGED_AFTER_LOADING", 1),
        ("TRAILER_MISSING", 1),
    ]
    before = versions(context)
    withdraw.run(lake(GAS), "PN000002.SMRT", "never to come", as_json=False)
    withdraw.run(lake(GAS), "#4", "the first is right", as_json=True)
    assert {name for name, at in versions(context).items() if at != before[name]} == {"ops.ingestion_log"}
    facts = status.found(lake(GAS))
    assert (facts["refused"], facts["missing_generations"]) == ([], [])
    reasons = rows(context, tables.INGESTION_LOG, "file_id", "status", "reason_code", "reason")
    assert [row[:3] for row in reasons] == [
        (1, "loaded", None),
        (2, "withdrawn", "TRAILER_MISSING"),
        (3, "loaded", None),
        (4, "withdrawn", "CHANGED_AFTER_LOADING"),
    ]
    assert reasons[1][3].startswith("no TRAIL in 2 lines")
    assert reasons[1][3].endswith(": never to come")
    # Settled or not, the file is decided again when asked for; its path means the loaded one.
    put(gas, "PN000002.SMRT", smrt("PN000002", '"001","20210401","0100",1.5'), minutes=4)
    assert [each.status for each in run.run(lake(GAS)).deliveries] == ["loaded"]
    verify.run(lake(GAS), as_json=True)
    withdraw.run(lake(GAS), "PN000001.SMRT", "", as_json=True)
    replay.run(lake(GAS), ["#4"], dry_run=False, as_json=True)
    assert [row[:2] for row in log(context) if row[0] == "PN000001.SMRT"] == [
        ("PN000001.SMRT", "withdrawn"),
        ("PN000001.SMRT", "loaded"),
    ]
    readings = rows(context, tables.READINGS, "file_id", "consumption")
    assert [(number, f"{value:.1f}") for number, value in readings] == [(3, "1.5"), (4, "9.5"), (5, "1.5")]


def test_a_lost_table_is_reported_and_the_next_run_rebuilds_it(
    lake: Callable[..., Context], gas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS)
    run.run(context)
    meter_days = rows(context, tables.METER_DAY, *tables.METER_DAY.names)
    shutil.rmtree(tables.address(context.settings, tables.METER_DAY))
    status.run(lake(GAS), as_json=False)
    note = "gold.meter_day is missing; the next run rebuilds it main.py run"
    assert note in " ".join(capsys.readouterr().out.split())
    run.run(lake(GAS))
    assert rows(context, tables.METER_DAY, *tables.METER_DAY.names) == meter_days
