"""The demo lake read by DuckDB, polars and pandas through delta-rs: the same sums as Spark SQL's, to the last digit."""

from __future__ import annotations

import re
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
    assert re.search(r"electricity +│ +2021-03-28 +│ +167\.984000 ", ran.stdout), ran.stdout
