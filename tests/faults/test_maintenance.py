"""Maintenance on a lake that has answers to keep."""

from __future__ import annotations

import json

import pytest

from jobs import maintain, run
from pipeline.lake import tables
from tests.jobs.conftest import ELECTRICITY, put, rows, split_json, versions

pytestmark = pytest.mark.faults


def test_maintenance_keeps_every_answer_and_the_next_run_continues(lake, electricity, capsys):
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
