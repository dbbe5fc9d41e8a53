"""What docs/adding-a-feed.md promises: a format is one short file, and everything else works with it."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs import query, run
from pipeline import formats
from pipeline.config import values
from pipeline.config.feeds import Feed
from pipeline.lake import tables
from tests.adding_a_feed import fixed_width
from tests.jobs.conftest import log, put, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.runtime.context import Context

ROOT = Path(__file__).parents[2]


TEMPLATE = Path(__file__).parent / "fixed_width.py"


@pytest.fixture
def heads(monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setitem(formats.FORMATS, "fixed_width", fixed_width.FORMAT)
    monkeypatch.setitem(values.DEFAULT_INTERVAL, "fixed_width", 30)
    return Feed(name="heads", format="fixed_width", path="heads", time_zone="Europe/Berlin", unit="Wh")


def test_a_new_format_is_one_file_of_under_90_lines() -> None:
    assert len(TEMPLATE.read_text().splitlines()) < 90
    assert "tests/adding_a_feed/fixed_width.py" in (ROOT / "docs" / "adding-a-feed.md").read_text()


def test_a_copy_of_the_template_passes_the_linter_where_formats_are() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "pipeline/formats/copied.py", "-"]
    linted = subprocess.run(
        command, cwd=ROOT, input=TEMPLATE.read_text(), capture_output=True, text=True, timeout=60, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_a_new_format_goes_from_delivery_to_gold(heads: Feed, lake: Callable[..., Context], tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    lines = [
        "m1          20210601220000001500",
        "",
        "m1          20210601223000002250  ",
        "            20210601220000000001",
        "m1          20210601221000000001",
        "m1          2021060123000000001x",
        "m1          20210230230000000001",
        "m1          202106012200000015001",
        '"m1"        20210601220000000007',
    ]
    put(folder, "a.dat", "\r\n".join(lines).encode())
    put(folder, "b.dat", b"m1          20210601220000003000\n", minutes=1)
    put(folder, "c.dat", b"\xff", minutes=2)
    put(folder, "d.dat", b" \r\n", minutes=3)
    put(folder, "e.csv", b"x", minutes=4)
    context = lake(heads)
    run.run(context)
    assert log(context) == [
        ("a.dat", "loaded", None),
        ("b.dat", "loaded", None),
        ("c.dat", "rejected", "NOT_UTF8"),
        ("d.dat", "rejected", "EMPTY_FILE"),
        ("e.csv", "rejected", "BAD_FILE_NAME"),
    ]
    assert rows(context, tables.READINGS, "meter_id", "consumption", "file_id", "row_number") == [
        ('"m1"', Decimal("7.000000"), 1, 9),
        ("m1", Decimal("2250.000000"), 1, 3),
        ("m1", Decimal("3000.000000"), 2, 1),
    ]
    assert rows(context, tables.REJECTED, "row_number", "reason_code") == [
        (4, "METER_ID_MISSING"),
        (5, "OFF_GRID"),
        (6, "CONSUMPTION_INVALID"),
        (7, "INTERVAL_START_INVALID"),
        (8, "FIELD_COUNT"),
    ]
    total = query.select(context, "SELECT local_date, total_kwh FROM gold.feed_day").toArrow().to_pylist()
    assert [(str(row["local_date"]), str(row["total_kwh"])) for row in total] == [("2021-06-02", "5.257000")]
