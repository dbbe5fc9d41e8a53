"""The demo lake read without Spark.

By DuckDB, polars and pandas through delta-rs: the same sums as Spark SQL's, to the last digit. By our own commands that
only read: each in a process of its own, where no Java is to be found.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from jobs import query
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

Sums = dict[tuple[Any, ...], tuple[Decimal, int]]
TABLES = {
    "gold.meter_day": "consumption",
    "gold.total_consumption_half_hour": "total_kwh",
    "silver.readings": "consumption",
}


def by_duckdb(table: DeltaTable, measure: str) -> Sums:
    rows = table.to_pyarrow_dataset()  # noqa: F841 - DuckDB finds it by its name
    found = duckdb.sql(
        f"SELECT feed, direction, local_date, sum({measure}), count(*) FROM rows GROUP BY ALL"
    ).fetchall()
    return {row[:3]: (row[3], row[4]) for row in found}


def by_polars(table: DeltaTable, measure: str) -> Sums:
    rows = pl.from_arrow(table.to_pyarrow_table())
    found = rows.group_by("feed", "direction", "local_date").agg(pl.col(measure).sum(), pl.len().alias("n"))
    return {row[:3]: (row[3], row[4]) for row in found.iter_rows()}


def by_pandas(table: DeltaTable, measure: str) -> Sums:
    rows = table.to_pyarrow_table().to_pandas()
    found = rows.groupby(["feed", "direction", "local_date"])[measure]
    return {key: (sum(values, Decimal(0)), len(values)) for key, values in found}


@pytest.mark.parametrize("read", [by_duckdb, by_polars, by_pandas])
@pytest.mark.parametrize("table", TABLES)
def test_sums_by_feed_and_day_are_spark_sql_s(
    spark: SparkSession, demo: Path, table: str, read: Callable[[DeltaTable, str], Sums]
) -> None:
    context, measure = Context(load(demo)), TABLES[table]
    sql = f"SELECT feed, direction, local_date, sum({measure}) AS kwh, count(*) AS n FROM {table} GROUP BY ALL"
    expected = {
        (row["feed"], row["direction"], row["local_date"]): (row["kwh"], row["n"])
        for row in query.select(context, sql).toArrow().to_pylist()
    }
    found = read(DeltaTable(f"{context.settings.root}/{table.replace('.', '/')}"), measure)
    assert found == expected
    assert len(expected) >= 9


@pytest.mark.parametrize("read", [by_duckdb, by_polars, by_pandas])
def test_days_of_both_clock_changes_have_their_energy_to_the_last_digit(
    demo: Path, read: Callable[[DeltaTable, str], Sums]
) -> None:
    root = demo.parent / "data_lake"
    gold, silver = (read(DeltaTable(root / table), "consumption") for table in ("gold/meter_day", "silver/readings"))
    spring, autumn = date(2021, 3, 28), date(2021, 10, 31)
    found = [
        gold["electricity", "import", spring],
        gold["electricity", "import", autumn],
        gold["vilnius", "import", spring],
        silver["vilnius", "import", spring],
    ]
    # As text: 1 == 1.000000 == 1.0, but only one of them is a decimal with its scale.
    assert [(str(total), count) for total, count in found] == [
        ("167.984000", 12),
        ("172.986000", 12),
        ("64.935000", 6),
        ("64935.000000", 231),  # Wh; 23 hours of 60, 30 and 15 minutes, and one value of the day
    ]


def test_the_example_of_the_readme_runs_where_spark_and_java_are_not(demo: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    no_spark = "import sys; sys.modules['pyspark'] = sys.modules['delta'] = None"
    ran = subprocess.run(
        [sys.executable, "-c", f"{no_spark}\n{example}"],
        cwd=demo.parent, env={"PATH": ""}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"electricity +│ +import +│ +2021-03-28 +│ +167\.984000 ", ran.stdout), ran.stdout


# --- commands that only read ----------------------------------------------------------------------------------

METER, INSTANT = "1400000001", "2021-03-28T18:30Z"
# `main.py`, of which the last line on standard error names what was imported of Spark.
COMMAND = """
import json, sys
import main

app = main.app

def told(**how):
    try:
        return app(**how)
    finally:
        found = sorted({name.partition(".")[0] for name in sys.modules} & {"pyspark", "py4j"})
        print(json.dumps(found), file=sys.stderr, flush=True)

main.app = told
main.entry()
"""


def started(demo: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, *arguments, "--config", str(demo)]
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(demo.parent)}
    return subprocess.Popen(
        command, cwd=demo.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answered(demo: Path, *arguments: str) -> str:
    process = started(demo, *arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err.splitlines() == ["[]"]
    return out


def test_status_needs_no_spark(demo: Path) -> None:
    found = json.loads(answered(demo, "status", "--json"))
    tables = {each["table"]: each["rows"] for each in found["tables"]}
    for name in ("gold.meter_day", "silver.readings", "bronze.vilnius"):
        assert tables[name] == DeltaTable(demo.parent / "data_lake" / name.replace(".", "/")).count() > 0
    assert {each["feed"]: each["last_day"] for each in found["completeness"]} == {
        "gas": "2021-03-29", "electricity": "2021-11-01", "solar": "2021-11-01", "vilnius": "2021-11-01",
        "berlin": "2021-11-01", "leeds": "2021-11-01",
    }  # fmt: skip
    assert "Nothing needs attention" not in answered(demo, "status")


def test_files_and_rejected_need_no_spark(demo: Path) -> None:
    log = DeltaTable(demo.parent / "data_lake/ops/ingestion_log").to_pyarrow_table().to_pylist()
    found = json.loads(answered(demo, "files", "--json"))
    assert [each["file_id"] for each in found] == sorted((row["file_id"] for row in log), reverse=True)
    rejected = json.loads(answered(demo, "rejected", "--feed", "gas", "--json"))
    assert {(each["file"], each["reason_code"]) for each in rejected} == {
        ("PN000003.SMRT", code) for code in ("METER_ID_INVALID", "OFF_GRID", "CONSUMPTION_NEGATIVE")
    }


def test_report_needs_no_spark(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    told = json.loads(answered(demo, "report", "--feed", "electricity", "--out", str(out), "--json"))
    expected = by_duckdb(DeltaTable(demo.parent / "data_lake/silver/readings"), "consumption")
    assert told["readings"] == sum(count for key, (_, count) in expected.items() if key[0] == "electricity")
    assert out.read_text().count("data:image/svg+xml") >= 8


def test_explain_needs_no_spark(demo: Path) -> None:
    found = json.loads(answered(demo, "explain", METER, INSTANT, "--json"))
    assert [(each["file"], each["consumption"], each["raw"], each["verdict"]) for each in found["versions"]] == [
        (
            "2021/03/2021-03-28-correction.json", "1.537000", '["2021-03-28 19:30:00","1400000001","1.537"]',
            "current",
        ),
        (
            "2021/03/2021-03-28.json", "0.537000", '["2021-03-28 19:30:00","1400000001","0.537"]',
            "superseded by 2021/03/2021-03-28-correction.json, row 2: received later",
        ),
    ]  # fmt: skip
    assert [(each["table"], each["value"]) for each in found["gold"]] == [
        ("gold.meter_day", "15.389000 kWh"),
        ("gold.total_consumption_half_hour", "7.696000 kWh"),
        ("gold.consumption_per_product_per_day", "56.472000 kWh"),
        ("gold.avg_half_hour_by_product", "3.125000 kWh"),
    ]
    assert "product_display_name=Fixed 12 Months" in found["gold"][3]["cell"]
    assert "It is part of" in answered(demo, "explain", METER, INSTANT)


def test_a_dry_run_of_a_replay_needs_no_spark(demo: Path) -> None:
    known = {each["file_id"]: each for each in json.loads(answered(demo, "files", "--json"))}
    again = [each for each in known.values() if each["status"] != "duplicate" and each["feed"] != "reference"]
    numbers = [f"#{each['file_id']}" for each in again]
    found = json.loads(answered(demo, "replay", *numbers, "--dry-run", "--json"))["files"]
    assert len(found) == len(again) > 30
    for each in found:
        assert each["before"] == each["after"]
        assert each["after"] == {name: known[each["file_id"]][name] for name in each["after"]}


def test_serve_needs_no_spark(demo: Path) -> None:
    with started(demo, "serve", "--port", "0") as server:
        assert server.stdout is not None
        assert server.stderr is not None
        try:
            port = int(server.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
            span = "from=2021-03-28&to=2021-03-29"
            versions = json.loads(asked(port, f"/meters/{METER}/readings?{span}&version=all"))["data"]
            assert len(versions) == 46 + 2
            assert sum(not each["is_current"] for each in versions) == 2
            assert 'table="gold.meter_day"' in asked(port, "/metrics")
            server.send_signal(signal.SIGINT)  # SIGTERM would end it before it can tell
            assert server.stderr.readlines()[-1:] == ["[]\n"]
        finally:
            server.kill()


def asked(port: int, address: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == 200, body
    return body
