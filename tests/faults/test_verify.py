"""`verify` finds what was done to a lake behind its back, and says where it came from."""

from __future__ import annotations

import json
import shutil

import pytest
from deltalake import DeltaTable, write_deltalake

from jobs import run, verify, withdraw
from pipeline.errors import VerificationError
from pipeline.lake import tables
from pipeline.runtime import failpoints
from tests.jobs.conftest import ELECTRICITY, database, put, split_json

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def sound(spark, tmp_path_factory):
    """A lake of two deliveries, one with a rejected row; its folder."""
    return tmp_path_factory.mktemp("sound")


@pytest.fixture
def copied(lake, sound, tmp_path, electricity):
    """A function that gives a context on a copy of the sound lake, in the test's own folder."""
    settings = {
        "reference": {
            "url": database(tmp_path / "reference.db", [(1, "2020-01-01", None, "fixed", "m1", "a")]),
            "feeds": ["electricity"],
        }
    }
    put(electricity, "first.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-04 00:30:00", "m1", -4]))
    put(electricity, "second.json", split_json(["2021-01-04 00:00:00", "m1", 2], ["2021-01-05 00:00:00", "m2", 8]), 5)
    if not (sound / "lake").exists():
        run.run(lake(ELECTRICITY, **settings))
        shutil.copytree(tmp_path / "lake", sound / "lake")
    else:
        shutil.copytree(sound / "lake", tmp_path / "lake")
    return lambda: lake(ELECTRICITY, **settings)


def table_of(context, table):
    return DeltaTable(tables.address(context.settings, table))


def first_difference(context):
    with pytest.raises(VerificationError) as found:
        verify.run(context, as_json=True)
    return str(found.value)


def test_a_sound_lake_is_equal_in_every_table(copied, capsys):
    verify.run(copied(), as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["equal"]
    assert {check["what"]: check["rows"] for check in answer["checks"]}["silver.readings"] == 2
    assert {"gold.meter_day", "gold.consumption_per_product_per_day"} <= {check["what"] for check in answer["checks"]}


def test_a_row_edited_in_silver_is_found_with_its_file_and_row(copied):
    context = copied()
    table_of(context, tables.READINGS).update({"consumption": "2.5"}, predicate="meter_id = 'm1'")
    said = first_difference(context)
    assert (
        "silver.readings: feed=electricity, meter_id=m1, direction=import, interval_start=2021-01-04 00:00:00Z" in said
    )
    assert "consumption is 2.500000, should be 2.000000 (from second.json, row 1)" in said


def test_a_gold_day_that_is_missing_is_found(copied):
    context = copied()
    table_of(context, tables.METER_DAY).delete("local_date = '2021-01-05'")
    assert "local_date=2021-01-05 is missing (from second.json)" in first_difference(context)


def test_a_row_removed_from_bronze_is_found(copied):
    context = copied()
    bronze = f"{context.settings.root}/bronze/electricity"
    DeltaTable(bronze).delete("file_id = 2 AND row_number = 2")
    assert "file 2 (second.json): 1 rows in bronze, 2 in the log" in first_difference(context)


def test_a_row_lost_from_the_log_is_found(copied):
    context = copied()
    table_of(context, tables.INGESTION_LOG).delete("file_id = 2")
    assert "file 2: 2 rows in bronze, but the log does not know it" in first_difference(context)


def test_a_reading_that_is_twice_in_silver_is_found(copied):
    context = copied()
    table = table_of(context, tables.READINGS)
    write_deltalake(table, table.to_pyarrow_table(filters=[("meter_id", "=", "m2")]), mode="append")
    assert "3 rows for 2 keys: some keys are there twice" in first_difference(context)


def test_a_lake_whose_layers_have_yet_to_follow_the_log_is_unfinished_and_not_wrong(copied, monkeypatch):
    monkeypatch.setenv(failpoints.VARIABLE, "raise:after write ops.ingestion_log")
    failpoints.forget()
    with pytest.raises(failpoints.Killed):
        withdraw.run(copied(), "second.json", "a test", as_json=True)
    monkeypatch.delenv(failpoints.VARIABLE)
    assert "silver.readings is complete to batch 1, the log to batch 2" in first_difference(copied())
    run.run(copied())
    verify.run(copied(), as_json=True)
