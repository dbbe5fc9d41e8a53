"""`explain`: every version of a reading, which one counts and why, and the cells of gold that it is part of."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs import explain, run, withdraw
from pipeline import formats
from pipeline.config.reference import Reference
from pipeline.errors import DamagedLakeError, UsageError
from pipeline.lake import tables
from tests.jobs.conftest import ELECTRICITY, GAS, database, put, smrt, split_json, utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


def explained(context: Context, capsys: pytest.CaptureFixture[str], meter: str, instant: str) -> dict[str, Any]:
    capsys.readouterr()
    explain.run(context, meter, instant, as_json=True)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_every_version_with_its_file_row_and_fate(
    lake: Callable[..., Context],
    electricity: Path,
    gas: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summer = "2021-06-01 01:30:00"  # 00:30 UTC
    put(electricity, "a.json", split_json([summer, "m1", "1"], [summer, "m2", "4"]))
    put(electricity, "b.json", split_json(["2021-06-01 02:00:00", "m1", "9"], [summer, "m1", "2"]), minutes=1)
    put(electricity, "c.json", split_json([summer, "m1", "n/a"]), minutes=2)
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210601","0000",3'))
    url = database(tmp_path / "reference.db", [(1, "2021-01-01", None, "fixed", "m1", "a")])
    context = lake(GAS, ELECTRICITY, reference=Reference(url=url, feeds=("electricity",)))
    run.run(context)

    answer = explained(context, capsys, "m1", "2021-06-01T00:45Z")
    assert [(each["file"], each["row_number"], each["verdict"]) for each in answer["versions"]] == [
        ("c.json", 1, "refused, CONSUMPTION_INVALID: consumption 'n/a' is not a usable number"),
        ("b.json", 2, "current"),
        ("a.json", 1, "superseded by b.json, row 2: received later"),
    ]
    assert answer["versions"][1]["raw"] == '["2021-06-01 01:30:00","m1","2"]'
    assert {each["table"]: each["value"] for each in answer["gold"]} == {
        "gold.meter_day": "11.000000 kWh",
        "gold.total_consumption_half_hour": "6.000000 kWh",
        "gold.consumption_per_product_per_day": "11.000000 kWh",
        "gold.avg_half_hour_by_product": "2.000000 kWh",
    }
    assert answer["gold"][1]["cell"] == "feed=electricity, direction=import, interval_start=2021-06-01 00:30:00Z"

    # With an offset it is the same instant; where nothing was received, that is said.
    assert explained(context, capsys, "m1", "2021-06-01T01:45+01:00") == answer
    explain.run(context, "m1", "2021-07-01T00:00Z", as_json=False)
    said = capsys.readouterr().out
    assert "No version of a reading of meter 'm1' at 2021-07-01 00:00:00Z" in said
    assert "electricity, import: 2021-06-01 to 2021-06-01" in said
    explain.run(context, "m9", "2021-06-01T00:45Z", as_json=False)
    assert "No reading of this meter is known" in capsys.readouterr().out
    assert {each["unit"] for each in answer["versions"]} == {"kWh"}
    explain.run(context, "m1", "2021-06-01T00:45Z", as_json=False)
    shown = capsys.readouterr().out
    assert "superseded by b.json" in shown
    assert "gold.meter_day" in shown


def without_row_judge(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that judges no rows in Python."""
    monkeypatch.setitem(formats.FORMATS, "split_json", replace(formats.FORMATS["split_json"], row_judge=None))


def with_deletion_vectors(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine has given tables a feature that the driver does not know."""
    for table in (formats.bronze_table(ELECTRICITY), tables.METER_DAY, tables.INGESTION_LOG):
        name = f"delta.`{tables.address(context.settings, table)}`"
        context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")


@pytest.mark.slow
@pytest.mark.parametrize("made_sparks", [without_row_judge, with_deletion_vectors])
def test_what_only_spark_may_judge_or_read_is_told_in_the_same_words(
    lake: Callable[..., Context],
    electricity: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    made_sparks: Callable[[Context, pytest.MonkeyPatch], None],
) -> None:
    hour = "2021-10-31 01:30:00"  # comes twice
    put(electricity, "a.json", split_json([hour, " m1", "1"], [hour, "m1", "2"], [hour, "m1", "é\x01"]))
    put(electricity, "b.json", split_json([hour, "m1", "-1"], ["2021-10-31 01:40:00", "m1", "1"]), minutes=1)
    put(electricity, "c.json", split_json([hour, "m1", "9"]), minutes=2)
    run.run(lake(ELECTRICITY))
    withdraw.run(lake(ELECTRICITY), "c.json", "a test", as_json=True)
    asked = [("m1", f"2021-10-31T0{hour}:45Z") for hour in (0, 1)]
    before = [explained(lake(ELECTRICITY), capsys, *each) for each in asked]
    made_sparks(lake(ELECTRICITY), monkeypatch)
    assert [explained(lake(ELECTRICITY), capsys, *each) for each in asked] == before
    verdicts = [(each["file"], each["row_number"], each["verdict"]) for each in before[0]["versions"]]
    assert verdicts[0][2].endswith(": a test")
    assert verdicts == [
        ("c.json", 1, verdicts[0][2]),
        ("b.json", 2, "refused, OFF_GRID: '2021-10-31 01:40:00' is not on the 30 minute grid"),
        ("b.json", 1, "refused, CONSUMPTION_NEGATIVE: consumption '-1' is negative"),
        ("a.json", 1, "current"),
    ]
    assert [(each["file"], each["row_number"], each["raw"]) for each in before[1]["versions"]] == [
        ("a.json", 3, '["2021-10-31 01:30:00","m1","é\\u0001"]'),
        ("a.json", 2, '["2021-10-31 01:30:00","m1","2"]'),
    ]


def test_bronze_that_is_lost_is_named_as_by_every_other_command(
    lake: Callable[..., Context], electricity: Path
) -> None:
    put(electricity, "a.json", split_json(["2021-10-31 04:30:00", "m1", "1"]))
    run.run(lake(ELECTRICITY))
    shutil.rmtree(tables.address(lake(ELECTRICITY).settings, formats.bronze_table(ELECTRICITY)))
    said = "bronze.electricity is not there, but the log says that it holds rows.*Bronze or the log is lost"
    with pytest.raises(DamagedLakeError, match=said):
        explain.run(lake(ELECTRICITY), "m1", "2021-10-31T04:30Z", as_json=True)


def test_an_instant_is_utc_unless_it_says_else() -> None:
    assert explain.instant_of("2021-06-01 00:30") == utc("2021-06-01 00:30")
    assert explain.instant_of("2021-06-01T00:30Z") == utc("2021-06-01 00:30")
    assert explain.instant_of("2021-06-01T02:30+02:00") == utc("2021-06-01 00:30")
    with pytest.raises(UsageError, match="'yesterday' is not an instant"):
        explain.instant_of("yesterday")
