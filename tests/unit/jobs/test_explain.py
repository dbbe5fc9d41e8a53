"""Which deliveries `explain` reads: those that may say something of the instant."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

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


VERSION = {
    "feed": "electricity", "direction": "import", "interval_start": at("2021-03-28 18:30"), "interval_minutes": 30,
    "consumption": Decimal("0.537000"), "unit": "kWh", "quality": None, "file": "2021/03/2021-03-28-correction.json",
    "row_number": 38, "received_at": at("2026-11-30 15:16"),
    "verdict": "superseded by 2021/03/2021-03-28-correction-of-the-correction.json, row 2: received later",
    "raw": '["2021-03-28 19:30:00","1400000001","0.537"]',
}  # fmt: skip
CELL = {
    "table": "gold.consumption_per_product_per_day",
    "cell": "feed=electricity, direction=import, date=2021-03-28, product_display_name=Fixed 12 Months",
    "value": "56.472000 kWh",
}


def printed(width: int) -> list[str]:
    out = Console(width=width, file=io.StringIO(), highlight=False)
    explain.VERSIONS.print([VERSION], "Meter 1400000001", out)
    explain.CELLS.print([CELL], "It is part of", out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def test_in_a_narrow_terminal_why_and_what_came_stand_on_lines_of_their_own() -> None:
    lines = printed(80)
    assert max(map(len, lines)) <= 80
    file = next(n for n, line in enumerate(lines) if line.startswith("    2021/03/"))
    said = " ".join(line.strip() for line in lines[file : file + 2])
    assert said == f"{VERSION['file']}: {VERSION['verdict']}"
    assert lines[file + 2].strip() == VERSION["raw"]
    assert "    feed=electricity, direction=import, date=2021-03-28," in lines


def test_a_wide_one_has_a_row_a_version() -> None:
    (line,) = [line for line in printed(370) if "superseded by" in line]
    assert str(VERSION["raw"]) in line


def test_a_value_has_its_unit_in_every_terminal() -> None:
    assert any(line.split()[4:6] == ["0.537000", "kWh"] for line in printed(80))
    assert any("0.537000  kWh" in line for line in printed(160))
