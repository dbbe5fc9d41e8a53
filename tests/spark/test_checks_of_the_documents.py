"""Each check of docs/checks.md, on rows that are wrong and on rows that are just not, in a lake of literal rows."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jobs import own_checks
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import access, maintenance, tables
from pipeline.queries.by_spark import SparkQueries
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

TEXT = (Path(__file__).parents[2] / "docs" / "checks.md").read_text()
EXAMPLE, *CHECKS = [tomllib.loads(block)["checks"][0] for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)]
# The checks ask for the current day; days in the rows are so many days before it.
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WITH_AGREEMENT, WITHOUT, TOO_LATE, ENDED = "with", "without", "too late", "ended"


def days_ago(days, hour=0):
    return TODAY - timedelta(days=days) + timedelta(hours=hour)


def meter_days(feed, kwh_by_days_ago, meter="m", direction="import"):
    """Rows of gold.meter_day: kWh by how many days ago."""
    return [
        {"feed": feed, "meter_id": meter, "direction": direction, "local_date": days_ago(days).date(), "consumption": Decimal(kwh)}
        for days, kwh in kwh_by_days_ago.items()
    ]  # fmt: skip


def readings(feed, values, direction="import", unit="kWh", minutes=60):
    """Rows of silver.readings of one meter, three days ago: a value an hour."""
    day = {"feed": feed, "meter_id": "m", "direction": direction, "local_date": days_ago(3).date(), "unit": unit}
    return [
        day | {"interval_start": days_ago(3, hour), "interval_minutes": minutes, "consumption": Decimal(value)}
        for hour, value in enumerate(values)
    ]


def delivery(file_id, feed, rejected, read, *, days=1, status="loaded"):
    counts = {"rows_rejected": rejected, "rows_read": read, "received_at": days_ago(days, 1)}
    return {"file_id": file_id, "feed": feed, "relative_path": f"{file_id}", "status": status} | counts


def agreement(number, meter, first, end):
    return {"agreement_id": number, "meterpoint_id": meter, "valid_from": days_ago(first).date(), "valid_to": end and days_ago(end).date()}  # fmt: skip


USUAL = dict.fromkeys(range(3, 30), "10")
METER_DAYS = [
    # Two meters together are ten times their usual and a little more on the feed's day; alone neither is.
    *meter_days("feed_day_ten_times_usual", USUAL | {2: "100.1"}, "a"),
    *meter_days("feed_day_ten_times_usual", USUAL | {2: "100.1"}, "b"),
    *meter_days("clean: exactly ten times", USUAL | {2: "100"}),
    *meter_days("clean: too few days before", dict.fromkeys(range(3, 9), "10") | {2: "1000"}),
    *meter_days("clean: long ago", dict.fromkeys(range(46, 60), "10") | {45: "1000"}),
    # Other meters of its feed hide it from the feed's check.
    *meter_days("meter_day_ten_times_usual", USUAL | {2: "100.1"}, "a"),
    *meter_days("meter_day_ten_times_usual", dict.fromkeys(range(2, 30), "5000"), "b"),
    *meter_days("clean: from nothing to a little", dict.fromkeys(range(3, 30), "0") | {2: "0.9"}, "a"),
    *meter_days("clean: from nothing to a little", dict.fromkeys(range(2, 30), "5000"), "b"),
    *meter_days("zero_meter", dict.fromkeys(range(8, 20), "10") | dict.fromkeys(range(1, 8), "0")),
    *meter_days("clean: zero for two days", dict.fromkeys(range(3, 20), "10") | {1: "0", 2: "0"}),
    *meter_days("clean: always zero", dict.fromkeys(range(1, 20), "0")),
    *meter_days("missing_days", dict.fromkeys([1, 2, 5, 6], "10")),
    *meter_days("clean: missing at the end", dict.fromkeys([4, 5, 6], "10")),
    *(row for n in range(4) for row in meter_days("sudden_new_meters", dict.fromkeys(range(1, 20), "10"), f"old {n}")),
    *meter_days("sudden_new_meters", dict.fromkeys(range(1, 4), "10"), "new"),
    *(row for n in range(5) for row in meter_days("clean: a fifth is new", dict.fromkeys(range(1, 20), "10"), f"old {n}")),
    *meter_days("clean: a fifth is new", dict.fromkeys(range(1, 4), "10"), "new"),
    *meter_days("silent_meter", dict.fromkeys(range(1, 20), "10"), "goes on"),
    *meter_days("silent_meter", dict.fromkeys(range(9, 20), "10"), "silent"),
    *meter_days("clean: silent for a week", dict.fromkeys(range(1, 20), "10"), "goes on"),
    *meter_days("clean: silent for a week", dict.fromkeys(range(8, 20), "10"), "silent"),
    *meter_days("clean: the whole feed is silent", dict.fromkeys(range(15, 30), "10")),
    *meter_days("electricity", dict.fromkeys(range(1, 5), "10"), WITH_AGREEMENT),
    *meter_days("electricity", dict.fromkeys(range(1, 5), "10"), WITHOUT),
    *meter_days("electricity", dict.fromkeys(range(1, 5), "10"), TOO_LATE),
    *meter_days("electricity", dict.fromkeys(range(1, 5), "10"), ENDED),
    *meter_days("clean: a feed without agreements", dict.fromkeys(range(1, 5), "10"), WITHOUT),
    *meter_days("negative_day", {3: "-1"}),
]  # fmt: skip
# An agreement that begins on the meter's second day, and one that ends on its last, which it does not cover.
AGREEMENTS = [
    agreement(1, WITH_AGREEMENT, 300, None),
    agreement(2, TOO_LATE, 3, None),
    agreement(3, ENDED, 300, 1),
]
READINGS = [
    *readings("flat_meter", ["1.5"] * 24),
    *readings("clean: one value differs", ["1.5"] * 23 + ["1.6"]),
    *readings("clean: flat at zero", ["0"] * 24),
    *readings("clean: part of a day", ["1.5"] * 19),
    *readings("import_and_export_at_once", ["0.2", "0.2", "3"]),
    *readings("import_and_export_at_once", ["0.2", "0.1", "0"], "export"),
    *readings("clean: one after the other", ["0.2", "0"]),
    *readings("clean: one after the other", ["0", "0.2"], "export"),
    *readings("clean: little, in Wh", ["100"], unit="Wh"),
    *readings("clean: little, in Wh", ["100"], "export", unit="Wh"),
]
LOG = [
    delivery(1, "many_rejected_rows", 6, 100),
    delivery(2, "clean: a twentieth", 5, 100),
    delivery(3, "clean: long ago", 100, 100, days=9),
    delivery(4, "clean: refused", 6, 100, status="rejected"),
]
# What each must find, by its feed and what names the row.
FOUND = {
    "feed_day_ten_times_usual": [("feed_day_ten_times_usual", 2)],
    "meter_day_ten_times_usual": [("feed_day_ten_times_usual", "a"), ("feed_day_ten_times_usual", "b"), ("meter_day_ten_times_usual", "a")],
    "flat_meter": [("flat_meter", "m")],
    "zero_meter": [("zero_meter", "m")],
    "import_and_export_at_once": [("import_and_export_at_once", "m")],
    "meter_without_agreement": [("electricity", ENDED), ("electricity", TOO_LATE), ("electricity", WITHOUT)],
    "missing_days": [("missing_days", "m")],
    "sudden_new_meters": [("sudden_new_meters", 3)],
    "silent_meter": [("silent_meter", "silent")],
    "many_rejected_rows": [("many_rejected_rows", 1)],
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(spark, tmp_path_factory):
    feed = Feed(name="electricity", format="split_json", path=str(tmp_path_factory.mktemp("in")))
    settings = Settings(lake=str(tmp_path_factory.mktemp("lake")), feeds=(feed,), checks=[EXAMPLE, *CHECKS])
    context = Context(settings, log=Log("", quiet=True))
    maintenance.create_missing(context, formats.lake_tables(settings))
    rows = {
        tables.METER_DAY: METER_DAYS,
        tables.READINGS: READINGS,
        tables.AGREEMENT: AGREEMENTS,
        tables.INGESTION_LOG: LOG,
    }
    for table, some in rows.items():
        access.write_rows(context, table, [dict.fromkeys(table.names) | row for row in some], {"batch_id": 1})
    return context


def names(row):
    """What names a found row: its feed, and its meter, its delivery or how many days ago its day is."""
    day = row.get("local_date") or row.get("first_day")
    return row["feed"], row.get("meter_id") or row.get("file_id") or (TODAY.date() - day).days


def test_there_are_ten_and_each_is_tested():
    assert [check["name"] for check in CHECKS] == list(FOUND)
    assert len(FOUND) == 10


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check["name"])
def test_it_finds_the_rows_that_are_wrong_and_no_others(lake, check):
    (own,) = [each for each in lake.settings.checks if each.name == check["name"]]
    result = own_checks.result(SparkQueries(lake), own)
    assert result.error is None
    found = sorted(names(row) for row in lake.spark.sql(own.sql).toArrow().to_pylist())
    assert found == FOUND[own.name]
    assert result.rows == len(found)


def test_the_example_of_the_first_lines_is_one(lake):
    (own,) = [each for each in lake.settings.checks if each.name == EXAMPLE["name"]]
    assert (own_checks.result(SparkQueries(lake), own).rows, own.severity) == (1, "error")
