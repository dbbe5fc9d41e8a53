"""What docs/adding-a-feed.md promises: a format is one short file, and everything else works with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs import query, run
from pipeline import formats
from pipeline.config import values
from pipeline.config.feeds import Feed
from pipeline.lake import tables
from tests.adding_a_feed import semicolon_csv
from tests.jobs.conftest import log, put, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.runtime.context import Context

ROOT = Path(__file__).parents[2]


@pytest.fixture
def csv_feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setitem(formats.FORMATS, "semicolon_csv", semicolon_csv.FORMAT)
    monkeypatch.setitem(values.DEFAULT_INTERVAL, "semicolon_csv", 30)
    return Feed(name="tariff", format="semicolon_csv", path="tariff", time_zone="Europe/Berlin")


def test_a_new_format_is_one_file_of_under_80_lines() -> None:
    assert len((Path(__file__).parent / "semicolon_csv.py").read_text().splitlines()) < 80
    assert "tests/adding_a_feed/semicolon_csv.py" in (ROOT / "docs" / "adding-a-feed.md").read_text()


def test_a_new_format_goes_from_delivery_to_gold(csv_feed: Feed, lake: Callable[..., Context], tmp_path: Path) -> None:
    folder = tmp_path / "tariff"
    lines = [
        "meter;start;kwh",
        "m1;2021-06-01T22:00:00Z;1,5",
        "m1;2021-06-01T22:30:00Z;2,25",
        ";2021-06-01T22:00:00Z;1",
        "m1;2021-06-01T22:10:00Z;1",
        "m1;2021-06-01T23:00:00Z;n/a",
    ]
    put(folder, "a.csv", "\r\n".join(lines).encode())
    put(folder, "b.csv", b"meter;start;kwh\nm1;2021-06-01T22:00:00Z;3\n", minutes=1)
    put(folder, "c.csv", b"who;when;what\n", minutes=2)
    context = lake(csv_feed)
    run.run(context)
    assert log(context) == [
        ("a.csv", "loaded", None),
        ("b.csv", "loaded", None),
        ("c.csv", "rejected", "HEADER_MISSING"),
    ]
    assert rows(context, tables.READINGS, "meter_id", "consumption", "file_id", "row_number") == [
        ("m1", Decimal("2.250000"), 1, 3),
        ("m1", Decimal("3.000000"), 2, 2),
    ]
    assert rows(context, tables.REJECTED, "row_number", "reason_code") == [
        (4, "METER_ID_MISSING"),
        (5, "OFF_GRID"),
        (6, "CONSUMPTION_INVALID"),
    ]
    total = query.select(context, "SELECT local_date, total_kwh FROM gold.feed_day").toArrow().to_pylist()
    assert [(str(row["local_date"]), str(row["total_kwh"])) for row in total] == [("2021-06-02", "5.250000")]
