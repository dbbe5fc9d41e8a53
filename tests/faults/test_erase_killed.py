"""An erasure that is killed anywhere is finished when it is called again."""

from __future__ import annotations

import json

import pytest

from jobs import erase, run, verify
from pipeline.errors import UsageError
from pipeline.lake import gate, maintenance, tables
from pipeline.runtime import failpoints
from tests.faults.erased_meter import OTHER, PERSON, files_that_hold, of_the_log, two_meters
from tests.jobs.conftest import ELECTRICITY, GAS, put, rows, smrt, versions

pytestmark = pytest.mark.faults

RETENTION = {"delta.logRetentionDuration": "interval 77 days"}
PLACES = [
    "after write ops.erasures",
    "after delete bronze.gas",
    "before delete bronze.electricity",
    "after delete bronze.electricity",
    "after write ops.ingestion_log",
    "after write silver.readings",
    "after write gold.meter_day",
    "after write ops.erasures#2",
    "after set properties of silver.readings",
    "before forget silver.readings",
    "before write ops.erasures#3",
]


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_it_continues_when_it_is_called_again(lake, tmp_path, capsys, monkeypatch, place):
    gas, electricity = tmp_path / "gas", tmp_path / "electricity"
    two_meters(electricity)
    put(gas, "PN000001.SMRT", smrt("PN000001", f'"{PERSON}","20210331","0100","1"', f'"{OTHER}","20210331","0100","5"'))
    run.run(lake(GAS, ELECTRICITY))
    context = lake(GAS, ELECTRICITY)
    maintenance.set_properties(context, tables.READINGS, RETENTION)  # the owner's
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, f"raise:{place}")
    with pytest.raises(failpoints.Killed):
        erase.run(lake(GAS, ELECTRICITY), PERSON, as_json=True)
    monkeypatch.delenv(failpoints.VARIABLE)
    assert gate.opened(context, tables.READINGS).metadata().configuration.items() >= RETENTION.items()
    # What comes between the two tries does not lose what the first one recorded.
    put(gas, "PN000002.SMRT", smrt("PN000002", f'"{OTHER}","20210331","0200","5"'), 9)
    run.run(lake(GAS, ELECTRICITY))
    capsys.readouterr()
    erase.run(lake(GAS, ELECTRICITY), PERSON, as_json=True)
    certificate = json.loads(capsys.readouterr().out)
    assert [certificate[name] for name in ("deliveries", "bronze_rows", "readings", "rejected_rows")] == [3, 3, 2, 1]
    assert len(rows(context, tables.ERASURES, "run_id")) == 1
    assert files_that_hold(tmp_path / "lake", PERSON) == []
    assert of_the_log(context) == [(1, 1, 1, 0, 1), (2, 1, 1, 0, 1), (3, 1, 1, 0, 1), (4, 1, 1, 0, 0)]
    assert gate.opened(context, tables.READINGS).metadata().configuration.items() >= RETENTION.items()
    verify.run(lake(GAS, ELECTRICITY), as_json=True)
    before = versions(context)
    run.run(lake(GAS, ELECTRICITY))
    assert versions(context) == before
    with pytest.raises(UsageError, match="nowhere"):
        erase.run(lake(GAS, ELECTRICITY), PERSON, as_json=True)
