"""`sql` in a long-lived session: names belong to the queried lake, and no lake loses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs import query, run
from pipeline.config.settings import Settings
from pipeline.lake import tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.jobs.conftest import ELECTRICITY, put, rows, split_json

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def lake_with(folder: Path, value: str) -> Context:
    """A lake of its own with one reading; the folder's name is awkward on purpose."""
    feed = ELECTRICITY.model_copy(update={"path": str(folder / "in")})
    put(folder / "in", "a.json", split_json(["2021-06-01 00:00:00", "m1", value]))
    context = Context(Settings(lake=str(folder / "its 'lake'"), feeds=(feed,)), log=Log("", quiet=True))
    run.run(context)
    return context


def total(context: Context, table: str, column: str) -> str:
    question = f"SELECT sum({column}) AS total FROM {table}"
    (row,) = query.select(context, question).toArrow().to_pylist()
    return str(row["total"])


def test_one_session_asks_one_lake_after_the_other(spark: SparkSession, tmp_path: Path) -> None:
    assert spark
    one, other = lake_with(tmp_path / "one", "1"), lake_with(tmp_path / "other", "2")
    for lake, value in ((one, "1.000000"), (other, "2.000000"), (one, "1.000000")):
        assert total(lake, "gold.meter_day", "consumption") == value
        assert total(lake, "gold.feed_month", "total_kwh") == value
        assert total(lake, "reading_history", "consumption") == value
    for lake in (one, other):
        assert len(rows(lake, tables.METER_DAY, "meter_id")) == 1
