"""A lake whose configuration changes under it: what cannot be carried on is refused, in one line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs import backfill, run
from pipeline.deliveries.span import Span
from pipeline.errors import ConfigurationError
from pipeline.lake import access, maintenance, tables
from pipeline.layers import changed_days
from tests.jobs.conftest import ELECTRICITY, GAS, put, rows, smrt, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`


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


def test_half_hours_are_those_of_the_readings_there_are_and_not_of_todays_configuration(
    lake: Callable[..., Context], electricity: Path
) -> None:
    quarters = ELECTRICITY.model_copy(update={"interval_minutes": 15})
    day = [["2021-06-01 00:00:00", "m1", 1], ["2021-06-01 00:15:00", "m1", 2], ["2021-06-01 00:00:00", "m2", 4]]
    put(electricity, "a.json", split_json(*day))
    run.run(lake(quarters))
    span = Span.of("2021-06-01", "2021-06-02")
    assert span is not None
    half_hours = [(2, Decimal("7.000000"))]
    for minutes in (15, 30, 60):
        context = lake(ELECTRICITY.model_copy(update={"interval_minutes": minutes}))
        backfill.rebuild(context, "gold", span)
        assert rows(context, tables.HALF_HOUR, "meterpoint_count", "total_kwh") == half_hours
    # What comes by the new length is added to what is known of the feed, whatever runs in between.
    put(electricity, "b.json", split_json(["2021-06-03 00:00:00", "m1", 1]), 5)
    run.run(lake(ELECTRICITY))
    maintenance.compact(lake(ELECTRICITY), tables.READINGS)
    assert changed_days.interval_lengths(lake(ELECTRICITY)) == {"electricity": [15, 30]}
    backfill.rebuild(lake(ELECTRICITY), "gold", span)
    assert rows(lake(ELECTRICITY), tables.HALF_HOUR, "meterpoint_count", "total_kwh")[1:] == half_hours


def test_where_an_earlier_version_said_nothing_of_lengths_meters_are_counted_one_by_one(
    lake: Callable[..., Context], electricity: Path
) -> None:
    quarters = ELECTRICITY.model_copy(update={"interval_minutes": 15})
    put(electricity, "a.json", split_json(["2021-06-01 00:00:00", "m1", 1], ["2021-06-01 00:15:00", "m1", 2]))
    run.run(lake(quarters))
    context = lake(quarters)
    mark = {name: said for name, said in access.mark(context, tables.READINGS).items() if name[0] != "_"}
    del mark["minutes"]
    access.write_rows(context, tables.READINGS, [], mark)
    put(electricity, "b.json", split_json(["2021-06-01 00:30:00", "m1", 1]), 5)
    run.run(lake(ELECTRICITY))
    assert changed_days.interval_lengths(lake(ELECTRICITY)) == {}
    counts = rows(lake(ELECTRICITY), tables.HALF_HOUR, "meterpoint_count", "total_kwh")
    assert counts == [(1, Decimal("1.000000")), (1, Decimal("3.000000"))]
