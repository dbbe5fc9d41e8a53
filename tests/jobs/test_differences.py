"""The driver and Spark find the same differences between two lakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs import run
from jobs.shared import differences
from pipeline.lake import tables
from tests.jobs.conftest import GAS, put, smrt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


@pytest.fixture
def two_lakes(lake: Callable[..., Context], gas: Path, tmp_path: Path) -> tuple[Context, Context]:
    """One reading is the same, one has another value, one is only here, one only there."""
    hours = ('"001","20210401","0000",1', '"001","20210401","0100",2', '"001","20210401","0200",3')
    put(gas, "PN000001.SMRT", smrt("PN000001", *hours))
    here = lake(GAS, lake=str(tmp_path / "here"))
    run.run(here)
    put(gas, "PN000001.SMRT", smrt("PN000001", hours[0], '"001","20210401","0100",9', '"002","20210401","0000",4'))
    there = lake(GAS, lake=str(tmp_path / "there"))
    run.run(there)
    return here, there


@pytest.mark.parametrize(
    "table", [tables.READINGS, tables.METER_DAY, tables.REJECTED], ids=lambda table: table.full_name
)
def test_both_find_the_same(
    two_lakes: tuple[Context, Context], table: tables.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [name for name in table.names if name not in table.key]
    by_driver = differences.differences(*two_lakes, table, values)
    monkeypatch.setattr(differences, "FEW", -1)
    assert differences.differences(*two_lakes, table, values) == by_driver
    assert by_driver[0] == {"silver.readings": 3, "gold.meter_day": 2, "silver.rejected_readings": 0}[table.full_name]
