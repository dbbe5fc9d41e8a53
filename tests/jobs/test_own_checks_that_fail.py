"""`[[checks]]` that are wrong, that write, that are lost or that are not there: nothing of them fails a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs import own_checks
from jobs.shared import metrics
from pipeline import attention
from tests.conftest import command
from tests.jobs.own_checks_lake import LARGE, Lake

CLAIMS = Path("ops/ingestion_log")


@pytest.fixture
def lake(spark, tmp_path):
    return Lake(tmp_path)


WRONG = {
    "SELECT meter FROM gold.meter_day": "did you mean meter_id",
    "SELECT * FROM gold.meter_dy": "did you mean gold.meter_day",
    "SELECT 1 FROM (": "syntax error",
    "SELECT * FROM gold.meter_day WHERE CAST(concat('x', meter_id) AS DATE) > current_date()": "cast",
}


def test_a_check_whose_sql_fails_is_told_in_one_line_and_fails_neither_the_run_nor_the_others(lake):
    lake.configure(*((f"wrong_{n}", "error", sql) for n, sql in enumerate(WRONG)), (LARGE[0], "warning", LARGE[2]))
    lake.deliver(1, "3")
    done = lake.run("--strict")
    assert done.exit_code == 0, done.output
    *wrong, large = json.loads(done.stdout.splitlines()[-1])["checks"]
    assert [each["rows"] for each in wrong] == [None] * len(WRONG)
    assert large["rows"] == 1
    for each, says in zip(wrong, WRONG.values(), strict=True):
        assert says in each["error"]
        assert len(each["error"].splitlines()) == 1
        assert "000" not in each["error"]  # the meter, which an erasure would not find here
    context = lake.context()
    told = [each.text for each in attention.found(context) if each.kind == "check"]
    assert told[0] == f"Check wrong_0 cannot be run: {wrong[0]['error']}"
    assert len(told) == len(WRONG) + 1
    measured = metrics.text(context).decode()
    assert 'meterlake_check_broken{check="wrong_0"} 1.0' in measured
    assert 'meterlake_check_rows{check="wrong_0"}' not in measured


# Each begins as a query does; what does not is refused by the configuration.
WRITES = [
    "SELECT 1; DROP TABLE silver.readings",
    "SELECT 1) AS x; DROP TABLE silver.readings; SELECT (1",
    "WITH x AS (SELECT 1) INSERT INTO silver.readings SELECT * FROM silver.readings",
    "FROM silver.readings INSERT INTO silver.readings SELECT *",
    "WITH x AS (SELECT 1) DELETE FROM silver.readings",
]


def test_a_check_cannot_write(lake):
    lake.configure(LARGE)
    lake.deliver(1, "3")
    lake.run()
    before = lake.versions()
    lake.configure(*((f"writes_{n}", "error", sql) for n, sql in enumerate(WRITES)))
    done = lake.run()
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout.splitlines()[-1])["checks"]
    assert [(each["rows"], bool(each["error"])) for each in results] == [(None, True)] * len(WRITES)
    after = lake.versions()
    # A run that writes claims the lake first, in the log's mark.
    assert {table for table in after if after[table] != before[table]} == {Path("ops/checks"), CLAIMS}


def test_results_that_are_lost_do_not_stop_a_run(lake):
    lake.configure(LARGE)
    lake.deliver(1, "1")
    lake.run()
    (lost,) = (lake.folder / "lake" / "ops" / "checks").glob("*.parquet")
    lost.unlink()
    done = lake.run()
    assert (done.exit_code, json.loads(done.stdout.splitlines()[-1])["checks"]) == (0, [])
    assert "ops.checks: 1 data file is missing" in command("status", config=lake.config).stdout


def test_without_checks_there_is_no_table_no_spark_job_and_no_result(lake):
    lake.configure()
    lake.deliver(1, "3")
    done = lake.run()
    assert json.loads(done.stdout.splitlines()[-1])["checks"] == []
    assert not (lake.folder / "lake" / "ops" / "checks").exists()
    context = lake.context()
    context.start_spark()
    before = context.spark_jobs
    assert own_checks.run(context) == []
    assert context.spark_jobs == before


def test_checks_that_were_just_configured_are_no_missing_table(lake):
    lake.configure()
    lake.deliver(1, "3")
    lake.run()
    lake.configure(LARGE)
    assert not [each for each in attention.found(lake.context()) if each.kind in {"check", "missing_table"}]
    assert json.loads(lake.run(verb="status").stdout)["checks"] == []
    lake.run()
    assert [each.text for each in attention.found(lake.context()) if each.kind == "check"] == [
        "Check large found 1 row"
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--check", "larg"), "no check 'larg' (did you mean 'large'?): use large"),
        (("SELECT 1", "--check", "large"), "give a query or --check NAME, one of the two"),
    ],
    ids=str,
)
def test_sql_takes_a_query_or_a_check(lake, arguments, says):
    lake.configure(LARGE)
    found = command("sql", *arguments, config=lake.config)
    assert (found.exit_code, says in found.stderr) == (2, True)


def test_without_checks_sql_says_so(lake):
    lake.configure()
    assert "the configuration has no [[checks]]" in command("sql", "--check", "x", config=lake.config).stderr
