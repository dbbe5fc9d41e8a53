"""Data files that the driver finds and Spark reads: the rows that Delta would give, or Delta is asked."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.lake import access, data_files, gate, maintenance, tables
from pipeline.lake.path import reads
from pipeline.lake.tables import READINGS

FEED = Feed(name="power", format="split_json", path="in", time_zone="Europe/London")
BRONZE = formats.bronze_table(FEED)
FIRST, SECOND = date(2021, 1, 1), date(2021, 1, 2)


@pytest.fixture(params=["lake", "a lake {2} +ü*"])
def context(lake, tmp_path, request):
    made = lake(FEED, lake=str(tmp_path / request.param))
    maintenance.create_missing(made, [BRONZE, READINGS])
    return made


@pytest.fixture
def received(context, frame):
    """Adds a batch of rows of one file to bronze."""

    def add(batch, *meters):
        rows = [("2021-01-01 00:00:00", meter, "1.0", batch, n, batch, None) for n, meter in enumerate(meters)]
        ddl = "interval_start string, meterpoint_id string, consumption_delta string, file_id bigint, "
        ddl += "row_number bigint, batch_id bigint, raw string"
        some = frame(ddl, *rows).selectExpr("*", "CAST(NULL AS MAP<STRING,STRING>) AS extra")
        access.append(context, BRONZE, some, {"batch_id": batch})

    return add


def test_the_rows_of_some_batches_are_those_that_delta_gives(context, received, as_rows):
    for batch, meters in {1: "ab", 2: "c", 3: "de"}.items():
        received(batch, *meters)
    found = data_files.of_batches(context, BRONZE, {1, 3})
    assert len(found.inputFiles()) < len(access.read(context, BRONZE).inputFiles())  # not those of batch 2
    assert found.schema.simpleString() == access.read(context, BRONZE).schema.simpleString()
    of_delta = access.read(context, BRONZE).where("batch_id <> 2")
    assert as_rows(access.read_batches(context, BRONZE, {1, 3})) == as_rows(of_delta)
    assert as_rows(access.read_batches(context, BRONZE, {1, 3}), "meterpoint_id") == [("a",), ("b",), ("d",), ("e",)]
    access.delete(context, BRONZE, "batch_id >= 3", {"batch_id": 2})  # files that a commit took out
    assert as_rows(access.read_batches(context, BRONZE, [1, 3]), "meterpoint_id") == [("a",), ("b",)]


@pytest.mark.parametrize("at_most", [None, 10], ids=["spark wrote", "the driver wrote"])
def test_the_rows_of_some_days_are_those_that_delta_gives(context, frame, as_rows, monkeypatch, at_most):
    rows = [
        (feed, meter, "import", f"{day} 12:00:00", 30, day, value, "kWh", None, 1, n, 1)
        for n, (feed, meter, day, value) in enumerate(
            [("power", "a", FIRST, "1"), ("power", "b", SECOND, "2.000001"), ("gas", "a", FIRST, "3")]
        )
    ]
    access.append(context, READINGS, frame(READINGS.schema, *rows), {"batch_id": 1}, at_most=at_most)
    days = {"power": [FIRST, SECOND], "gas": [SECOND], "solar": []}
    assert access.count_on_days(context, READINGS, days) == 2
    handed_over = access.read_days(context, READINGS, days)
    assert access.read_days(context, READINGS, {"power": []}).count() == 0
    monkeypatch.setattr(reads, "FEW_TO_READ", 0)
    assert data_files.of_partitions(context, READINGS, {("power", FIRST), ("power", SECOND)}) is not None
    found = access.read_days(context, READINGS, days)
    assert found.schema.simpleString() == access.read(context, READINGS).schema.simpleString()
    assert as_rows(found) == as_rows(handed_over) == as_rows(access.read(context, READINGS).where("feed = 'power'"))
    assert as_rows(found, "feed", "meter_id") == [("power", "a"), ("power", "b")]


@pytest.mark.skipif(version("delta-spark").startswith("4.0."), reason="this Delta keeps the folders all the same")
def test_delta_is_asked_where_paths_do_not_say_the_partition(context, frame, spark, monkeypatch):
    address = tables.address(context.settings, READINGS)
    spark.sql(f"ALTER TABLE delta.`{address}` SET TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true')")
    row = ("power", "a", "import", f"{FIRST} 12:00:00", 30, FIRST, "1", "kWh", None, 1, 1, 1)
    access.append(context, READINGS, frame(READINGS.schema, row), {"batch_id": 1})
    monkeypatch.setattr(reads, "FEW_TO_READ", 0)
    assert gate.writable(context, READINGS) is not None
    assert data_files.of_partitions(context, READINGS, {("power", FIRST)}) is None
    assert access.read_days(context, READINGS, {"power": [FIRST]}).count() == 1


def test_delta_is_asked_where_there_are_no_files_too_many_or_a_newer_feature(context, received, spark, monkeypatch):
    assert data_files.of_batches(context, BRONZE, {1}) is None
    assert access.read_batches(context, BRONZE, {1}).count() == 0
    received(1, "a")
    received(2, "b")
    monkeypatch.setattr(data_files, "MOST_FILES", 1)
    assert data_files.of_batches(context, BRONZE, {1, 2}) is None
    assert data_files.of_batches(context, BRONZE, {2}) is not None
    address = tables.address(context.settings, BRONZE)
    spark.sql(f"ALTER TABLE delta.`{address}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    assert data_files.of_batches(context, BRONZE, {2}) is None
    assert access.read_batches(context, BRONZE, {1, 2}).count() == 2
