"""What docs/runbook.md says that the program says where something is wrong: each was brought about on the demo's lake."""

from __future__ import annotations

import fcntl
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.formats import sample_arrays
from pipeline.lake import schema_version
from tests import runbook
from tests.conftest import command, demo_in
from tests.jobs.conftest import age_out, put, smrt, split_json

TWO_MORE_FEEDS = """
[[feeds]]
name = "nmi"
format = "nem12"
path = "{landing}/nmi"
time_zone = "+10:00"

[[feeds]]
name = "shop"
format = "csv"
path = "{landing}/shop"
interval_minutes = 30

[feeds.csv]
meter = "MPRN"
timestamp = "Start"
timestamp_format = "yyyy-MM-dd HH:mm"
value = "kWh"
direction = {{ column = "Read Type", import = ["I"], export = ["E"] }}
"""


@pytest.fixture(scope="module")
def situations(demo, tmp_path_factory):
    """Everything that the program says if something is wrong, and the results."""
    said: list[str] = []
    config = demo_in(tmp_path_factory.mktemp("wrong"), demo)
    text = config.read_text().replace('format = "split_json"', 'format = "split_json"\nmax_consumption = 100')
    lake = config.parent / "data_lake"
    config.write_text(text + TWO_MORE_FEEDS.format(landing=lake / "landing"))
    for folder in ("nmi", "shop"):
        (lake / "landing" / folder).mkdir()
    landing, lock, database = lake / "landing", lake / "_meterlake.lock", lake / "landing" / "reference.db"

    def does(code, *arguments):
        result = command(*arguments, config=config)
        assert result.exit_code == code, result.output
        said.append(result.output)
        return result

    holder = {"run_id": "0123456789ab", "command": "run", "process": 4711, "host": "node"}
    with lock.open("w") as held:
        json.dump(holder, held)
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        does(4, "run")
    lock.write_text(json.dumps(holder))
    does(0, "run")  # the run that wrote its name into the file is gone
    rows = ['"001","20210230","0000",1.0', '"001","20210401","0000"', '"001","20210401","0000",1.0']
    rows.append('"001","99991231","2300",1.0')
    put(landing / "gas", "PN000005.SMRT", smrt("PN000005", *rows))
    halves = ["2021-04-01 00:00:00", "m1", "1"], ["2021-04-01 00:30:00", "m1", "4294967.295"]
    put(landing / "electricity", "today.json", split_json(*halves), 24 * 60)
    put(landing / "nmi", "day.csv", f"100,NEM12\n200,1,X1,,X1,,,kWh,30\n300,20210401{',1' * 48},A\n900\n".encode())
    put(landing / "shop", "day.csv", b"MPRN,Read Type,Start,kWh\n1,X,2021-04-01 00:00,1\n")
    does(0, "run", "--from", "2021-04-02", "--to", "2021-04-03")  # the other file is older
    put(landing / "vilnius", "gap.parquet", _a_value_in_the_gap())
    does(0, "run")
    does(0, "status")
    does(0, "rejected")
    does(2, "maintain", "--retention-hours", "24")
    database.rename(landing / "away.db")
    does(1, "run")
    does(0, "status")
    (landing / "away.db").rename(database)
    does(0, "run")
    stands = json.loads(does(0, "status", "--json").stdout)["refused"]
    lost = Path(DeltaTable(str(lake / "silver" / "readings")).file_uris()[0])
    lost.rename(lost.with_suffix(".away"))
    does(0, "status")
    lost.with_suffix(".away").rename(lost)
    _other_hands(lake, lambda: does(1, "run"))
    # Rows that are lost in bronze, and a day in gold.
    DeltaTable(str(lake / "bronze" / "gas")).delete("file_id = 2")
    DeltaTable(str(lake / "gold" / "meter_day")).delete("feed = 'electricity' AND local_date = '2021-03-28'")
    does(1, "verify")
    newer = {schema_version.PROPERTY: "99"}
    DeltaTable(str(lake / "ops" / "ingestion_log")).alter.set_table_properties(newer, raise_if_not_exists=False)
    does(1, "status")
    return said, stands


def _other_hands(lake, refused):
    """What others do to the lake; a run reports each and then it is repaired."""
    for table in (lake / "ops" / "ingestion_log", lake / "bronze" / "gas"):
        table.rename(lake / "away")
        refused()
        (lake / "away").rename(table)
    cells = DeltaTable(str(lake / "gold" / "meter_day"))
    newest = cells.version()
    cells.delete()
    refused()
    cells.restore(newest)
    cells.restore(1)
    refused()
    cells.restore(newest)
    readings = lake / "silver" / "readings"
    shutil.copytree(readings, lake / "kept")
    age_out(readings)
    refused()
    shutil.rmtree(readings)
    (lake / "kept").rename(readings)


def _a_value_in_the_gap():
    return sample_arrays._parquet([("northern", date(2021, 3, 28), "VNO-0009", [100] * 24)])


ELSEWHERE = [
    said
    for part in ("What to do first", "Alerts", "Rows", "Operations")
    for each in runbook.commands(runbook.parts()[part])
    for said in each.may_say
]


@pytest.mark.slow
@pytest.mark.parametrize("said", ELSEWHERE)
def test_what_another_lake_may_say_is_what_is_said(said, situations):
    assert any(runbook.is_said(said, output) for output in situations[0])


@pytest.mark.slow
def test_a_database_that_comes_back_as_it_was_ends_its_refusal(situations):
    assert "reference" not in {each["feed"] for each in situations[1]}
