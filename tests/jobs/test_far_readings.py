"""Rows of far days are rejected; a lake with such readings from an earlier version is still measured and reported."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jobs import replay, report, run, status, verify
from jobs.shared import metrics
from pipeline.lake import tables
from pipeline.serving.report.asked import Asked
from tests.jobs.conftest import ELECTRICITY, GAS, put, rows, smrt, split_json
from tests.spark.interval_arrays import VILNIUS, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

ARRAYS = VILNIUS.model_copy(update={"path": "arrays"})
FAR = ("1969-12-31", "2099-01-01", "9999-12-31")


def lay(gas: Path, electricity: Path, arrays: Path) -> None:
    consu = [f'"1","{day.replace("-", "")}","0000",1' for day in ("2021-04-01", *FAR)]
    put(gas, "PN000001.SMRT", smrt("PN000001", *consu))
    put(electricity, "a.json", split_json(*([f"{day} 00:00:00", "m", 1] for day in ("2021-04-01", *FAR))))
    put(arrays, "a.parquet", parquet(*((day, "m", [1]) for day in ("2021-04-01", *FAR))))


def days(context: Context) -> list[tuple[str, date]]:
    return rows(context, tables.READINGS, "feed", "local_date")


@pytest.mark.slow
def test_a_later_run_and_a_rebuild_decide_by_when_the_delivery_came(
    lake: Callable[..., Context], electricity: Path
) -> None:
    come = datetime(2021, 4, 1, tzinfo=UTC)
    put(electricity, "a.json", split_json(["2021-04-08 01:00:00", "m", 1], ["2021-04-08 01:30:00", "m", 1]))
    context = lake(ELECTRICITY)
    context.now = come
    run.run(context, "bronze")
    put(electricity, "b.json", split_json(["2021-04-08 02:00:00", "m", 1]), minutes=1)
    context = lake(ELECTRICITY)
    context.now = come + timedelta(days=1)
    # Two batches that came at two times are judged together.
    run.run(context)
    wanted = [("electricity", "INTERVAL_OUT_OF_RANGE", 1)]
    assert rows(context, tables.REJECTED, "feed", "reason_code", "file_id") == wanted
    assert len(days(context)) == 2
    verify.run(lake(ELECTRICITY), as_json=True)
    # Much later nothing has changed.
    replay.run(lake(ELECTRICITY), ["a.json"], dry_run=False, as_json=True)
    verify.run(lake(ELECTRICITY), as_json=True)
    assert rows(context, tables.REJECTED, "feed", "reason_code", "file_id") == wanted


def test_far_rows_are_rejected_whatever_the_format(
    lake: Callable[..., Context], gas: Path, electricity: Path, tmp_path: Path
) -> None:
    lay(gas, electricity, tmp_path / "arrays")
    context = lake(GAS, ELECTRICITY, ARRAYS)
    run.run(context)
    assert [day for _, day in days(context)] == [date(2021, 4, 1)] * 3
    assert [code for (code,) in rows(context, tables.REJECTED, "reason_code")] == ["INTERVAL_OUT_OF_RANGE"] * 9


@pytest.mark.slow
def test_a_lake_that_holds_far_readings_is_measured_and_reported(
    lake: Callable[..., Context], gas: Path, electricity: Path, tmp_path: Path
) -> None:
    lay(gas, electricity, tmp_path / "arrays")
    # As an earlier version loaded them.
    everything = {"earliest": date(1, 1, 1), "latest_days_ahead": 2_920_000}
    run.run(lake(*(feed.model_copy(update=everything) for feed in (GAS, ELECTRICITY, ARRAYS))))
    context = lake(GAS, ELECTRICITY, ARRAYS)
    assert {day for _, day in days(context)} == {date.fromisoformat(day) for day in ("2021-04-01", *FAR)}
    ends = re.findall(
        r'meterlake_feed_last_day_end_timestamp_seconds\{feed="(\w+)"\} (\S+)', metrics.text(context).decode()
    )
    assert [(feed, datetime.fromtimestamp(float(end), UTC).date()) for feed, end in sorted(ends)] == [
        ("electricity", date(2021, 4, 1)),
        ("gas", date(2021, 4, 2)),
        ("vilnius", date(2021, 4, 1)),
    ]
    assert {each["feed"] for each in status.found(context)["late"]} == {"gas", "electricity", "vilnius"}
    for feed in ("gas", "electricity", "vilnius"):
        out = tmp_path / f"{feed}.md"
        report.run(context, Asked(feed), out, None, as_json=True)
        assert "Left out: 3 readings before 1970-01-01 or after" in out.read_text()
    replay.run(lake(GAS, ELECTRICITY, ARRAYS), ["PN000001.SMRT", "a.json", "a.parquet"], dry_run=False, as_json=True)
    assert [day for _, day in days(context)] == [date(2021, 4, 1)] * 3
    verify.run(lake(GAS, ELECTRICITY, ARRAYS), as_json=True)
