"""The demo lake read by DuckDB, polars and pandas through delta-rs: the same sums as Spark SQL's, to the last digit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from jobs import query
from pipeline.config import load
from pipeline.context import Context
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


def test_the_example_of_the_readme_runs(demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(demo.parent)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - the README's own
    assert "electricity" in capsys.readouterr().out
