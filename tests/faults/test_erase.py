"""An erased meter is nowhere: not in a row, not in an earlier version, not in what Delta writes about its files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs import erase, maintain, run, verify
from pipeline import tables
from tests.jobs.conftest import ELECTRICITY, GAS, database, put, rows, smrt, split_json, versions

pytestmark = pytest.mark.faults

PERSON, OTHER = "9990001112", "1110002223"
# Both meters are people's; only one asked.
AGREEMENTS = [(1, "2020-01-01", None, "fixed", PERSON, "a"), (2, "2020-01-01", None, "fixed", OTHER, "b")]


def files_that_hold(folder, text):
    """Files below the folder that hold the text, in whatever way they are packed."""
    found = []
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        content = path.read_bytes()
        shown = str(pq.read_table(path).to_pylist()) if content[:4] == b"PAR1" else content.decode("utf-8", "replace")
        if text in shown:
            found.append(str(path.relative_to(folder)))
    return found


def test_an_erased_meter_is_nowhere_and_the_rest_is_as_if_it_had_never_been(lake, electricity, gas, tmp_path, capsys):
    url = database(tmp_path / "reference.db", AGREEMENTS)
    settings = {"reference": {"url": url, "feeds": ["electricity"]}, "active_on": ["2021-01-01"]}

    def context():
        return lake(ELECTRICITY, GAS, **settings)

    put(electricity, "one.json", split_json(["2021-01-04 00:00:00", PERSON, 1], ["2021-01-04 00:00:00", OTHER, 2]))
    put(gas, "PN000001.SMRT", smrt("PN000001", f'"{PERSON}","20210331","0100","1"', f'"{PERSON}","20210331","0100"'))
    put(gas, "PN000002.SMRT", smrt("PN000002", f'"{OTHER}","20210331","0100","1"') + f'"{PERSON}"\n'.encode(), 1)
    run.run(context())
    put(electricity, "two.json", split_json(["2021-01-04 00:00:00", PERSON, 3], ["2021-01-05 00:00:00", PERSON, 2]), 5)
    run.run(context())
    lake_folder = tmp_path / "lake"
    assert len(files_that_hold(lake_folder, PERSON)) > 10
    capsys.readouterr()

    erase.run(context(), PERSON, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["deliveries"], told["bronze_rows"], told["readings"], told["rejected_rows"]) == (4, 5, 3, 1)
    assert (told["reference_rows"], told["gold_days"], told["restatements"]) == (1, 3, 1)
    assert [Path(path).name for path in told["still_in"]] == ["one.json", "PN000001.SMRT", "reference.db", "two.json"]
    assert files_that_hold(lake_folder, PERSON) == []
    # Nor do totals say it: what one was, less what it is now, would be a reading. (Corrected and erased: 3, then 5, now 2.)
    totals = rows(
        context(),
        tables.RESTATEMENTS,
        "local_date",
        "table_name",
        "old_value",
        "new_value",
        where=lambda row: row["feed"] == "electricity",
    )
    assert len(totals) >= 4
    assert {each[2:] for each in totals} == {(None, None)}
    assert rows(context(), tables.METER_DAY, "meter_id", "consumption")[0][0] == OTHER
    assert [float(kwh) for (kwh,) in rows(context(), tables.HALF_HOUR, "total_kwh")] == [2]
    assert rows(context(), tables.ACTIVE_AGREEMENTS, "meterpoint_id") == [(OTHER,)]
    counts = rows(context(), tables.INGESTION_LOG, "relative_path", "rows_read", "rows_rejected", "rows_erased")
    assert counts[:2] == [("PN000001.SMRT", 0, 0, 2), ("PN000002.SMRT", 0, 0, 0)]
    assert rows(context(), tables.ERASURES, "bronze_rows", "readings") == [(5, 3)]

    # What is left is a sound lake that goes on.
    before = versions(context())
    run.run(context())
    assert versions(context()) == before
    verify.run(context(), as_json=True)
    put(electricity, "three.json", split_json(["2021-01-04 00:00:00", OTHER, 5]), 9)
    run.run(context())
    assert [float(kwh) for (kwh,) in rows(context(), tables.HALF_HOUR, "total_kwh")] == [5]


def test_maintenance_keeps_every_answer_and_lets_the_next_run_find_its_place(lake, electricity, capsys):
    for day in range(4, 7):
        put(electricity, f"{day}.json", split_json([f"2021-01-0{day} 00:00:00", "m1", day]), day)
        run.run(lake(ELECTRICITY))
    maintain.run(lake(ELECTRICITY), 0, force=True, as_json=True)
    tables_done = {each["table"]: each for each in json.loads(capsys.readouterr().out.splitlines()[-1])}
    assert tables_done["ops.ingestion_log"]["files_compacted"] == 3
    assert tables_done["ops.ingestion_log"]["files_removed"] >= 3
    before = versions(lake(ELECTRICITY))
    run.run(lake(ELECTRICITY))
    assert versions(lake(ELECTRICITY)) == before
    put(electricity, "4.json", split_json(["2021-01-04 00:00:00", "m1", 1]), 20)
    outcome = run.run(lake(ELECTRICITY))
    assert outcome.restated == {"gold.total_consumption_half_hour": 1, "gold.meter_day": 1}
    assert [float(kwh) for (kwh,) in rows(lake(ELECTRICITY), tables.METER_DAY, "consumption")] == [1, 5, 6]
