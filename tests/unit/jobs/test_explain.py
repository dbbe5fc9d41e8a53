"""Which deliveries `explain` reads: those that may say something of the instant."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from jobs import explain
from pipeline.clock.local_time import day_start
from tests.written_lake import at, delivery


def may_hold(instant: datetime, *days: str, **more: Any) -> bool:
    counted: dict[str, Any] = {"rows_read": 3, "rows_accepted": 3} | more
    return explain._may_hold(delivery(1, "a", local_dates=tuple(map(date.fromisoformat, days)), **counted), instant)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Midway", "Europe/London", "+14:00", "-11:30"])
def test_the_day_of_a_reading_that_holds_the_instant_is_near_enough_in_every_zone(zone: str) -> None:
    first = day_start(date(2021, 6, 1), zone)
    last = day_start(date(2021, 6, 2), zone)
    assert first is not None
    assert last is not None
    for instant in (first, last - (last - first) / 1440):
        assert may_hold(instant, "2021-06-01")


def test_deliveries_of_other_days_are_not_read() -> None:
    assert not may_hold(at("2021-06-04"), "2021-06-01")
    assert not may_hold(at("2021-05-29"), "2021-06-01")
    assert may_hold(at("2021-06-04"), "2021-06-01", "2021-06-05")
    assert may_hold(at("0001-01-01"), "0001-01-01")


def test_one_with_refused_rows_is_because_the_log_does_not_say_their_days() -> None:
    assert may_hold(at("2021-06-04"), "2021-06-01", rows_rejected=1)
    assert may_hold(at("2021-06-04"), rows_accepted=0, rows_rejected=3)


def test_one_of_which_the_log_knows_no_day_is_too() -> None:
    assert may_hold(at("2021-06-04"))
    assert not may_hold(at("2021-06-04"), rows_read=0, rows_accepted=0)
