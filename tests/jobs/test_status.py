"""`status` after deliveries were taken back, and where something waits."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from jobs import run, status, withdraw
from pipeline import lake as metadata
from pipeline import tables
from tests.jobs.conftest import GAS, put, rows, smrt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipeline.context import Context


def received(context: Context) -> dict[str, str]:
    """When each file was decided, as `status` writes it."""
    rows = metadata.small_rows(context, tables.INGESTION_LOG, ["file_name", "received_at"])
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


def test_a_table_that_is_lost_is_told_and_the_next_run_makes_it(
    lake: Callable[..., Context], gas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS)
    run.run(context)
    meter_days = rows(context, tables.METER_DAY, *tables.METER_DAY.names)
    shutil.rmtree(tables.address(context.settings, tables.METER_DAY))
    status.run(lake(GAS), as_json=False)
    told = "gold.meter_day is not there: main.py run makes it, main.py verify says whether something is lost"
    assert told in " ".join(capsys.readouterr().out.split())
    run.run(lake(GAS))
    assert rows(context, tables.METER_DAY, *tables.METER_DAY.names) == meter_days
