"""A lake whose configuration changes under it: what cannot be carried on is refused, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs import run
from pipeline import tables
from pipeline.errors import ConfigurationError
from tests.jobs.conftest import ELECTRICITY, GAS, put, rows, smrt, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.context import Context


def test_a_feeds_zone_cannot_change_nor_a_feed_go_with_deliveries_pending(
    lake: Callable[..., Context], electricity: Path
) -> None:
    put(electricity, "a.json", split_json(["2021-06-01 00:00:00", "m1", "1"]))
    run.run(lake(ELECTRICITY), "bronze")
    with pytest.raises(ConfigurationError, match=r"'electricity'.*does not have yet"):
        run.run(lake(GAS), "silver")
    run.run(lake(ELECTRICITY), "silver")
    elsewhere = ELECTRICITY.model_copy(update={"time_zone": "Europe/Vilnius"})
    with pytest.raises(ConfigurationError, match="'Europe/Vilnius', but the lake was loaded with 'Europe/London'"):
        run.run(lake(elsewhere))
    context = lake(ELECTRICITY)
    assert len(rows(context, tables.READINGS, "meter_id")) == 1
    assert sorted(status for (status,) in rows(context, tables.RUNS, "status")) == ["failed"] * 2 + ["succeeded"] * 2


def test_a_feed_cannot_go_with_rejected_rows_pending_either(
    lake: Callable[..., Context], gas: Path, electricity: Path
) -> None:
    put(electricity, "a.json", split_json(["2021-06-01 00:10:00", "m1", "1"]))
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",-1'))
    run.run(lake(GAS, ELECTRICITY), "bronze")
    with pytest.raises(ConfigurationError, match=r"'electricity'.*does not have yet"):
        run.run(lake(GAS), "silver")
    context = lake(GAS, ELECTRICITY)
    run.run(context, "silver")
    assert rows(context, tables.REJECTED, "feed") == [("electricity",), ("gas",)]
