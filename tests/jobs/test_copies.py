"""`serve --engine spark`: the tables that only Spark may read, copied day by day as they are asked for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from jobs import erase, run
from pipeline import formats
from pipeline.errors import LakeError, VersionGoneError
from pipeline.lake import copies, gate, tables
from pipeline.serving.app import application
from tests.jobs.conftest import GAS, put, smrt

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

READINGS, BRONZE = tables.READINGS, formats.bronze_table(GAS)
FIRST, SECOND = ("gas", date(2021, 4, 1)), ("gas", date(2021, 4, 2))


@pytest.fixture
def loaded(lake, tmp_path, monkeypatch):
    """A function to the context of a new run, on a lake of two days whose readings have a deletion vector."""
    monkeypatch.setattr(copies, "FRESH_SECONDS", 0)
    put(tmp_path / "gas", "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1', '"002","20210401","0000",2'))
    put(tmp_path / "gas", "PN000002.SMRT", smrt("PN000002", '"001","20210402","0000",4'), 1)
    run.run(lake(GAS))
    name = f"delta.`{tables.address(lake(GAS).settings, READINGS)}`"
    spark = lake(GAS).spark
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM {name} WHERE meter_id = '002'")
    return lambda: lake(GAS)


def pinned(kept, versions=None):
    return kept.pin([READINGS, BRONZE], versions)


def values(found):
    rows = found.dataset(READINGS)
    rows = rows if isinstance(rows, pa.Table) else rows.to_table()
    return sorted(zip(rows["meter_id"].to_pylist(), rows["consumption"].to_pylist(), strict=True))


def test_a_day_is_copied_when_it_is_asked_for_and_again_when_it_changed(loaded, tmp_path):
    assert gate.readable(loaded(), READINGS) is None
    kept = copies.Copies(loaded(), tmp_path / "copies")
    before = pinned(kept)
    (of_first,) = before.fragments(READINGS, *FIRST[:1], [FIRST[1]])
    assert of_first.to_table()["consumption"].to_pylist() == [Decimal(1)]  # 002 is deleted by its vector
    assert len(list((tmp_path / "copies").rglob("*.parquet"))) == 1
    assert before.fragments(READINGS, "gas", [date(2021, 4, 3)]) == []
    assert values(before) == [("001", Decimal(1)), ("001", Decimal(4))]
    assert pc.sum(before.dataset(BRONZE).to_table()["file_id"]).as_py() == 1 + 1 + 2

    put(tmp_path / "gas", "PN000003.SMRT", smrt("PN000003", '"001","20210402","0000",5'), 2)
    run.run(loaded())
    after = pinned(kept)
    assert after.versions[READINGS.full_name] > before.versions[READINGS.full_name]
    assert after.identities != before.identities
    assert values(after) == [("001", Decimal(1)), ("001", Decimal(5))]
    (unchanged,) = after.fragments(READINGS, *FIRST[:1], [FIRST[1]])
    assert unchanged.path == of_first.path
    assert len(list((tmp_path / "copies").rglob("*.parquet"))) == 2  # the copy of the day as it was is deleted

    page_before = pinned(kept, before.versions)
    assert values(page_before) == [("001", Decimal(1)), ("001", Decimal(4))]
    gone = pinned(kept, {READINGS.full_name: 99})
    with pytest.raises(VersionGoneError, match=r"version 99 of silver\.readings is no longer there"):
        values(gone)


def test_the_api_answers_from_it_and_an_erased_meter_is_gone(loaded, tmp_path):
    kept, folder = copies.Copies(loaded(), tmp_path / "copies"), tmp_path / "copies" / "silver.readings"
    address = "/meters/001/readings?from=2021-04-01&to=2021-04-03"
    with TestClient(application(loaded().settings, snapshots=kept)) as client:
        body = client.get(address).json()
        assert [row["consumption"] for row in body["data"]] == ["1.000000", "4.000000"]
        every = client.get(f"{address}&version=all").json()["data"]
        assert [row["consumption"] for row in every] == ["1.000000", "4.000000"]
        assert client.get("/readyz").json()["status"] == "ready"
        assert len(list(folder.rglob("*.parquet"))) == 2
        erase.run(loaded(), "001", as_json=True)
        assert client.get(address).status_code == 404
    # 002 came back from bronze; no copy holds the meter.
    assert {meter for file in folder.rglob("*.parquet") for meter in pq.read_table(file)["meter_id"].to_pylist()} == {
        "002"
    }


def test_a_table_that_is_too_large_or_not_there_is_told(loaded, lake, tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "MOST_ROWS", 2)
    kept = copies.Copies(loaded(), tmp_path / "copies")
    with pytest.raises(
        LakeError, match=r"bronze.gas: has 3 rows, at most 2 are read by Spark for serve: ask by main.py sql"
    ):
        pinned(kept).dataset(BRONZE)
    assert kept.pin([tables.AGREEMENT]).dataset(tables.AGREEMENT).to_table().num_rows == 0
    elsewhere = copies.Copies(lake(GAS, lake=str(tmp_path / "none")), tmp_path / "of none")
    assert elsewhere.pin([READINGS]).dataset(READINGS).num_rows == 0
