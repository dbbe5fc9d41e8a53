"""Tables written in any dialect of the contract and read back by Spark are the same, over the clock changes of ten zones.

Many tables are read in one job; tests/unit/formats/test_csv_rows.py tries many more against the rules in Python.
"""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries import landing
from tests.csv_tables import RECEIVED, tables

pytestmark = pytest.mark.slow

# Each has a feed of its own: more in one plan would take Spark minutes to optimise.
FILES, TIMES = 5, 4


def judged(spark, number, table, folder):
    """The readings of one file, as a run reads it."""
    folder = folder / str(number)
    folder.mkdir()
    (folder / "a.csv").write_bytes(table.content)
    feed = table.feed.model_copy(update={"path": str(folder)})
    form = formats.format_of(feed)
    (found,) = landing.inspect(landing.find(feed), feed, form.inspect, "production")
    assert found.reason_code is None, found.reason
    assert found.rows_read == len(table.cells)
    contents = landing.contents_with_file_id(spark, form.contents, [found], feed)
    bronze = form.rows(contents, feed, [found]).withColumn("batch_id", F.lit(1))
    rows = form.judged(bronze, feed, F.lit(RECEIVED))
    rows = form.in_order(rows, feed) if form.in_order else rows
    start = F.date_format("interval_start", "yyyy-MM-dd HH:mm")
    shown = ["meter_id", "direction", start, F.col("consumption").cast("string"), "quality", "reason_code"]
    kept = rows.where("consumption IS NOT NULL OR reason_code IS NOT NULL")
    return kept.select(F.lit(number), *shown)


@settings(
    max_examples=TIMES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(many=st.lists(tables(), min_size=FILES, max_size=FILES))
def test_tables_written_in_any_dialect_and_read_back_are_the_same(spark, tmp_path_factory, many):
    folder = tmp_path_factory.mktemp("dialects")
    parts = [judged(spark, number, table, folder) for number, table in enumerate(many)]
    found = [[] for _ in many]
    for number, *row, code in zip(
        *(c.to_pylist() for c in reduce(lambda a, b: a.union(b), parts).toArrow().columns), strict=True
    ):
        assert code is None, (row, many[number])
        found[number].append(tuple(row))
    for number, table in enumerate(many):
        assert sorted(found[number], key=str) == table.readings, table
