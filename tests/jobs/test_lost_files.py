"""A missing data file: which commands report it, in which words, and the way out in the runbook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs import backfill, query, run, status, verify
from pipeline.deliveries.span import Span
from pipeline.errors import LostFileError
from pipeline.lake import lost_files, tables
from pipeline.runtime import error_messages
from tests.jobs.conftest import ELECTRICITY, put, rows, split_json

SECTION = "'A data file is lost' in docs/runbook.md"
DAY = Span.of("2021-01-04", "2021-01-05")


@pytest.fixture
def loaded(lake, electricity):
    """Contexts of a lake with two days."""
    put(electricity, "a.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-05 00:00:00", "m1", 2]))
    run.run(lake(ELECTRICITY))
    return lambda: lake(ELECTRICITY)


def lose(context, table):
    """Take the file of 4 January away; returns its path in the table."""
    folder = Path(tables.address(context.settings, table))
    (lost,) = folder.rglob("*=2021-01-04/*.parquet")
    lost.unlink()
    return str(lost.relative_to(folder))


def reported_by_status(context, capsys):
    capsys.readouterr()
    status.run(context, as_json=False)
    printed = " ".join(capsys.readouterr().out.split())
    status.run(context, as_json=True)
    return printed, json.loads(capsys.readouterr().out)["lost_files"]


@pytest.mark.slow
def test_of_silver_each_command_that_meets_it_names_it_and_its_days_come_back_from_bronze(loaded, capsys):
    context = loaded()
    before = rows(context, tables.READINGS, "local_date", "consumption")
    assert reported_by_status(loaded(), capsys)[1] == []
    file = lose(context, tables.READINGS)
    printed, facts = reported_by_status(loaded(), capsys)
    assert facts == [{"table": "silver.readings", "files": 1, "first": file}]
    assert f"silver.readings: 1 data file is missing, such as {file}: see {SECTION}" in printed
    said = f"table silver.readings: its data file {file} is not there"
    with pytest.raises(LostFileError) as caught:
        verify.run(loaded(), as_json=True)
    assert str(caught.value) == f"{said}: see {SECTION}"
    with pytest.raises(Exception) as met:  # noqa: PT011 - Spark's own, which main.py puts into words
        query.run(loaded(), "SELECT sum(consumption) FROM silver.readings", "table", 5)
    assert error_messages.in_words(met.value) == f"{said}: run again, and if that fails too, see {SECTION}"

    backfill.rebuild(loaded(), "silver", DAY)
    backfill.rebuild(loaded(), "gold", DAY)
    assert rows(context, tables.READINGS, "local_date", "consumption") == before
    assert reported_by_status(loaded(), capsys)[1] == []
    verify.run(loaded(), as_json=True)


@pytest.mark.slow
def test_a_run_that_meets_it_fails_with_the_same_words(loaded, electricity):
    file = lose(loaded(), tables.READINGS)
    put(electricity, "b.json", split_json(["2021-01-04 00:30:00", "m2", 4]), 5)
    with pytest.raises(Exception) as met:  # noqa: PT011 - of whichever library comes to it first
        run.run(loaded())
    said = str(met.value)
    assert f"table silver.readings: its data file {file} is not there" in said
    assert SECTION in said
    backfill.rebuild(loaded(), "silver", DAY)
    run.run(loaded())
    verify.run(loaded(), as_json=True)


@pytest.mark.slow
def test_of_gold_its_days_come_back_from_silver(loaded, capsys):
    context = loaded()
    before = rows(context, tables.METER_DAY, "local_date", "consumption")
    lost = [lose(context, table) for table in (tables.METER_DAY, tables.HALF_HOUR)]
    assert {each["first"] for each in reported_by_status(loaded(), capsys)[1]} == {*lost}
    backfill.rebuild(loaded(), "gold", DAY)
    assert rows(context, tables.METER_DAY, "local_date", "consumption") == before
    verify.run(loaded(), as_json=True)


def test_of_bronze_verify_says_it_before_anything_else(loaded):
    context = loaded()
    folder = Path(context.settings.root) / "bronze" / "electricity"
    for file in folder.glob("*.parquet"):
        file.unlink()
    with pytest.raises(LostFileError, match=r"table bronze\.electricity: its data file"):
        verify.run(loaded(), as_json=True)
    assert lost_files.of_table(context, tables.READINGS) == []
