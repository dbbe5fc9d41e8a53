"""Writing Delta tables: merges go forward, replaced days leave the others alone, and each commit says how far it got."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.errors import LakeError
from pipeline.lake import access, maintenance, tables
from pipeline.lake.catalog import writes as by_spark
from pipeline.lake.path import writes
from pipeline.lake.tables import METER_DAY, READINGS
from pipeline.runtime import session

FEED = Feed(name="power", format="split_json", path="in", time_zone="Europe/London")
FIRST, SECOND = date(2021, 1, 1), date(2021, 1, 2)


@pytest.fixture
def context(lake):
    return lake(FEED)


@pytest.fixture(params=["spark", "driver"])
def at_most(request):
    """How many rows there can be: more than the driver takes, or few; what is in the table after is the same."""
    return {"spark": None, "driver": 1000}[request.param]


@pytest.fixture
def readings(frame):
    """A function from (meter, day, value, file, row[, feed]) to silver's rows."""

    def of(*rows):
        whole = []
        for meter, day, value, file, row, *feed in rows:
            start = f"{day} 12:00:00"
            whole += [((feed or ["power"])[0], meter, "import", start, 30, day, value, "kWh", None, file, row, 1)]
        return frame(READINGS.schema, *whole)

    return of


@pytest.fixture
def held(context, as_rows):
    return lambda: as_rows(access.read(context, READINGS), "feed", "meter_id", "local_date", "consumption", "file_id")


def test_every_table_is_created_with_its_comments_columns_and_partitions(context):
    wanted = formats.lake_tables(context.settings)
    assert maintenance.create_missing(context, wanted) == list(wanted)
    assert maintenance.create_missing(context, wanted) == []
    for table in wanted:
        made = DeltaTable(tables.address(context.settings, table))
        comments = {field.name: field.metadata["comment"] for field in made.schema().fields}
        assert comments == {column.name: column.comment for column in table.columns}
        assert [field.name for field in made.schema().fields] == table.names
        assert made.metadata().description == table.comment
        assert made.metadata().partition_columns == list(table.partition_by)


def engine(context, table):
    """Who wrote the table's newest version."""
    commit = DeltaTable(tables.address(context.settings, table)).history(1)[0]
    return re.match(r"delta-rs|Apache-Spark", commit["engineInfo"])[0]


def test_a_merge_inserts_and_updates_and_never_goes_backward(context, readings, held, at_most):
    odd = "x'; DROP TABLE x --\\"  # a value that looks like SQL is a value
    maintenance.create_missing(context, [READINGS])
    mine = [("a", FIRST, "1", 5, 3), (odd, FIRST, "1", 5, 4), ("a", SECOND, "1", 5, 5)]
    first = readings(*mine, ("a", FIRST, "9", 1, 1, "gas"))
    assert access.append(context, READINGS, first, {"batch_id": 1}, at_most=at_most) == 4
    second = readings(
        ("a", FIRST, "2", 4, 9),  # an older delivery
        (odd, FIRST, "2", 5, 5),  # a later row of the same delivery
        ("c", FIRST, "2", 4, 1),  # a new key
    )
    assert access.merge_latest(context, READINGS, second, {"power": [FIRST]}, {"batch_id": 2}, at_most=at_most) == 2
    expected = [
        ("gas", "a", "2021-01-01", "9.000000", "1"),
        ("power", "a", "2021-01-01", "1.000000", "5"),
        ("power", "a", "2021-01-02", "1.000000", "5"),
        ("power", "c", "2021-01-01", "2.000000", "4"),
        ("power", odd, "2021-01-01", "2.000000", "5"),
    ]
    assert held() == expected
    # The same again, as after a crash before the mark was seen: nothing changes, and the table says so.
    assert access.merge_latest(context, READINGS, second, {"power": [FIRST]}, {"batch_id": 3}, at_most=at_most) == 0
    assert held() == expected
    assert access.done_to(context, READINGS) == 3
    # A newer delivery on another day and of another feed finds its own key only.
    third = readings(("a", SECOND, "3", 6, 1), ("a", FIRST, "3", 6, 2, "gas"))
    days = {"power": [SECOND], "gas": [FIRST]}
    assert access.merge_latest(context, READINGS, third, days, {"batch_id": 4}, at_most=at_most) == 2
    assert held() == [
        ("gas", "a", "2021-01-01", "3.000000", "6"),
        ("power", "a", "2021-01-01", "1.000000", "5"),
        ("power", "a", "2021-01-02", "3.000000", "6"),
        *expected[3:],
    ]
    assert engine(context, READINGS) == ("delta-rs" if at_most else "Apache-Spark")


def test_replaced_days_of_a_feed_leave_all_else_alone_and_days_that_became_empty_go(context, frame, as_rows, at_most):
    maintenance.create_missing(context, [METER_DAY])
    ddl = "feed string, meter_id string, direction string, local_date date, consumption decimal(28,6), unit string, "
    ddl += "intervals_received int, intervals_expected int, first_interval timestamp, last_interval timestamp, file_id bigint"

    def rows(*some):
        rest = ("kWh", 1, 48, None, None, 1)
        return frame(ddl, *((feed, meter, "import", day, value, *rest) for feed, meter, day, value in some))

    before = rows(("power", "a", FIRST, 1), ("power", "b", FIRST, 1), ("power", "a", SECOND, 1), ("gas", "a", FIRST, 1))
    both = {"power": [FIRST, SECOND], "gas": [FIRST]}
    assert access.replace_days(context, METER_DAY, before, both, {"batch_id": 1}, at_most=at_most) == 4
    after = rows(("power", "a", FIRST, 2))
    assert access.replace_days(context, METER_DAY, after, {"power": [FIRST]}, {"batch_id": 2}, at_most=at_most) == 1
    held = as_rows(access.read(context, METER_DAY), "feed", "meter_id", "local_date", "consumption")
    assert held == [
        ("gas", "a", "2021-01-01", "1.000000"),
        ("power", "a", "2021-01-01", "2.000000"),
        ("power", "a", "2021-01-02", "1.000000"),
    ]
    assert (
        access.replace_days(context, METER_DAY, rows(), {"power": [FIRST, SECOND]}, {"batch_id": 3}, at_most=at_most)
        == 0
    )
    assert as_rows(access.read(context, METER_DAY), "feed", "meter_id") == [("gas", "a")]
    assert access.done_to(context, METER_DAY) == 3


def test_a_day_has_one_file_though_the_tasks_are_many(context, readings, spark, monkeypatch):
    maintenance.create_missing(context, [READINGS])
    rows = readings(*((meter, day, "1", 1, 1) for meter in "abcdefgh" for day in (FIRST, SECOND)))
    monkeypatch.setattr(session, "FEW_PARTITIONS", 1)
    before = {name: spark.conf.get(name) for name in ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")}
    try:
        for name, value in zip(before, ("true", "4"), strict=True):
            spark.conf.set(name, value)
        access.append(context, READINGS, rows.repartition(4), {"batch_id": 1})
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    assert len(DeltaTable(tables.address(context.settings, READINGS)).file_uris()) == 2


def test_more_rows_than_were_guessed_are_left_to_spark(context, frame, monkeypatch):
    maintenance.create_missing(context, [METER_DAY])
    rest = ("kWh", 1, 48, None, None, 1)
    rows = frame(METER_DAY.schema, *(("power", meter, "import", FIRST, 1, *rest) for meter in "abc"))
    for few, writer in ((3, "delta-rs"), (2, "Apache-Spark")):
        monkeypatch.setattr(writes, "FEW_ROWS", few)
        days = {"power": [FIRST]}
        assert access.replace_days(context, METER_DAY, rows, days, {"batch_id": 1}, at_most=99, about=2) == 3
        assert engine(context, METER_DAY) == writer


@pytest.mark.parametrize(("few", "few_to_merge_into"), [(1, 9), (9, 1)])
def test_many_rows_to_merge_or_to_merge_into_are_left_to_spark(context, readings, monkeypatch, few, few_to_merge_into):
    maintenance.create_missing(context, [READINGS])
    rows = readings(("a", FIRST, "1", 5, 3), ("b", FIRST, "1", 5, 4))
    access.append(context, READINGS, rows, {"batch_id": 1}, at_most=2)
    monkeypatch.setattr(writes, "FEW_ROWS", few)
    monkeypatch.setattr(writes, "FEW_TO_MERGE_INTO", few_to_merge_into)
    assert access.merge_latest(context, READINGS, rows, {"power": [FIRST]}, {"batch_id": 2}, at_most=2) == 0
    assert engine(context, READINGS) == "Apache-Spark"
    assert access.done_to(context, READINGS) == 2


def test_a_table_that_someone_gave_newer_features_is_written_by_spark_alone(context, readings, held, spark):
    maintenance.create_missing(context, [READINGS])
    address = tables.address(context.settings, READINGS)
    spark.sql(f"ALTER TABLE delta.`{address}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    first = readings(("a", FIRST, "1", 5, 3), ("b", FIRST, "1", 5, 4))
    assert access.append(context, READINGS, first, {"batch_id": 1}, at_most=2) == 2
    second = readings(("a", FIRST, "2", 6, 1))
    assert access.merge_latest(context, READINGS, second, {"power": [FIRST]}, {"batch_id": 2}, at_most=1) == 1
    assert engine(context, READINGS) == "Apache-Spark"
    assert [row[3:] for row in held()] == [("2.000000", "6"), ("1.000000", "5")]


def test_a_merge_that_cannot_be_written_says_where(context, readings):
    maintenance.create_missing(context, [READINGS])
    Path(tables.address(context.settings, READINGS), "feed=power").write_text("where a folder must be")
    rows = readings(("a", FIRST, "1", 5, 3))
    with pytest.raises(LakeError, match=r"silver/readings: cannot be written: \S+"):
        access.merge_latest(context, READINGS, rows, {"power": [FIRST]}, {"batch_id": 1}, at_most=1)
    assert access.done_to(context, READINGS) == 0


def test_spark_carries_the_checksum_of_a_created_table_forward(context, readings):
    maintenance.create_missing(context, [READINGS])
    access.append(context, READINGS, readings(("a", FIRST, "1", 1, 1)), {"batch_id": 1})
    where = tables.address(context.settings, READINGS)
    first, second = (json.loads(Path(f"{where}/_delta_log/{n:020}.crc").read_text()) for n in (0, 1))
    made = DeltaTable(where)
    # With all files: it began from our checksum. (Derived from the log alone it names none.)
    assert [file["path"] for file in second["allFiles"]] == pa.table(made.get_add_actions())["path"].to_pylist()
    assert second["tableSizeBytes"] == sum(pa.table(made.get_add_actions())["size_bytes"].to_pylist())
    assert (first["numFiles"], second["numFiles"]) == (0, 1)
    assert first["metadata"] == second["metadata"]
    assert first["protocol"] == second["protocol"]
    assert first["metadata"]["description"] == READINGS.comment
    assert first["metadata"]["partitionColumns"] == ["feed", "local_date"]


def test_the_mark_of_a_table_is_that_of_the_last_commit_of_ours(context):
    assert (access.mark(context, tables.RUNS), access.done_to(context, tables.RUNS)) == ({}, 0)
    maintenance.create_missing(context, [tables.RUNS])
    assert access.done_to(context, tables.RUNS) == 0
    access.write_rows(context, tables.RUNS, [{"run_id": "x", "files": 3}], {"batch_id": 7, "note": "ours"})
    where = tables.address(context.settings, tables.RUNS)
    for _ in range(2):
        write_deltalake(where, DeltaTable(where).to_pyarrow_table(), mode="append")  # another's commit, without a mark
    found = access.mark(context, tables.RUNS)
    assert (found["batch_id"], found["note"], access.done_to(context, tables.RUNS)) == (7, "ours", 7)
    assert access.row_count(context, tables.RUNS) == 4


@pytest.mark.parametrize("is_sparks", [False, True])
def test_deleted_rows_go_and_the_commit_carries_its_mark_also_where_there_are_none(
    context, readings, held, spark, is_sparks
):
    maintenance.create_missing(context, [READINGS])
    access.append(context, READINGS, readings(("a", FIRST, "1", 1, 1), ("b", FIRST, "1", 2, 1)), {"batch_id": 2})
    if is_sparks:
        name = tables.sql_name(context.settings, READINGS)
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    before = access.version(context, READINGS)
    access.delete(context, READINGS, "file_id > 2 OR file_id IN (7, 8)", {"batch_id": 3})
    assert (access.version(context, READINGS), access.done_to(context, READINGS)) == (before + 1, 3)
    assert len(held()) == 2
    access.delete(context, READINGS, "file_id = 2", {"batch_id": 1})
    assert held() == [("power", "a", "2021-01-01", "1.000000", "1")]
    assert (access.version(context, READINGS), access.done_to(context, READINGS)) == (before + 2, 1)
    left = [
        context.spark.conf.get(name, None) for name in (by_spark.COMMIT_MARK, by_spark.TXN_APP, by_spark.TXN_VERSION)
    ]
    assert left == [None, None, None]
