"""The reference database: snapshots, product tables that follow it, and what happens when it cannot be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs import erase, run
from pipeline.config.reference import Reference
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.open_issues import standing_refusals
from pipeline.errors import ReferenceDatabaseError
from pipeline.lake import tables
from pipeline.layers import reference_snapshots
from tests.jobs.conftest import ELECTRICITY, database, day, put, rows, split_json, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

ROWS = [[f"2021-01-0{n} 00:00:00", meter, "1.5"] for n in (4, 5) for meter in ("m1", "m2", "m3")]
FIRST = [
    (1, "2020-01-01", "2021-01-05", "fixed", "m1", "a1"),
    (2, "2020-06-01", None, "fixed", "m2", "a2"),
    (3, "2020-07-01", None, "variable", "m2", "a2"),
    (None, "2020-01-01", None, "fixed", "m3", "a3"),
    (5, "2020-02-30", None, "fixed", "m3", "a3"),
]


def by_product(context: Context) -> list[tuple[object, ...]]:
    return rows(context, tables.PRODUCT_DAY, "date", "product_display_name", "meterpoint_count", "total_kwh")


@pytest.mark.slow
def test_product_tables_follow_the_agreements(lake: Callable[..., Context], electricity: Path, tmp_path: Path) -> None:
    put(electricity, "a.json", split_json(*ROWS))
    path = tmp_path / "reference.db"
    settings = {
        "reference": Reference(url=database(path, FIRST), feeds=("electricity",)),
        "active_on": (day("2020-06-01"), day("2021-01-04")),
    }
    context = lake(ELECTRICITY, **settings)
    run.run(context)
    one = Decimal("1.500000")
    assert by_product(context) == [
        (day("2021-01-04"), "(no agreement)", 1, one),
        (day("2021-01-04"), "Fixed", 1, one),
        (day("2021-01-04"), "Variable", 1, one),  # of two that overlap, the later one
        (day("2021-01-05"), "(no agreement)", 2, 2 * one),  # valid_to is the first day without
        (day("2021-01-05"), "Variable", 1, one),
    ]
    assert rows(context, tables.ACTIVE_AGREEMENTS, "as_of_date", "agreement_id", "product_display_name") == [
        (day("2020-06-01"), 1, "Fixed"),  # the one that begins on the day is not active on it: strict
        (day("2021-01-04"), 1, "Fixed"),
        (day("2021-01-04"), 2, "Fixed"),
        (day("2021-01-04"), 3, "Variable"),
    ]
    refused = rows(context, tables.REJECTED, "feed", "meter_id", "reason_code")
    assert refused == [("reference", "m3", "REFERENCE_ROW_INVALID")] * 2

    # One agreement of m1 is prolonged: only the days that a changed agreement covers are written again.
    before = versions(context)
    second = [(1, "2020-01-01", "2021-01-06", "fixed", "m1", "a1"), *FIRST[1:]]
    database(path, second)
    run.run(lake(ELECTRICITY, **settings))
    assert (day("2021-01-05"), "Fixed", 1, one) in by_product(context)
    after = versions(context)
    changed = {name for name in after if after[name] != before[name]}
    assert "silver.readings" not in changed
    assert "gold.meter_day" not in changed
    assert {"gold.consumption_per_product_per_day", "silver.agreement", "ops.ingestion_log"} <= changed

    # The first content again is a third snapshot; a run after it finds nothing new.
    database(path, FIRST)
    run.run(lake(ELECTRICITY, **settings))
    snapshots = rows(context, tables.INGESTION_LOG, "status", where=lambda row: row["feed"] == "reference")
    assert snapshots == [("loaded",)] * 3
    assert (day("2021-01-05"), "(no agreement)", 2, 2 * one) in by_product(context)
    before = versions(context)
    assert run.run(lake(ELECTRICITY, **settings)).deliveries == []
    assert versions(context) == before


def test_the_totals_of_half_hours_are_the_same_whether_or_not_products_are_due(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    put(electricity, "a.json", split_json(*ROWS))
    settings = {"reference": Reference(url=database(tmp_path / "reference.db", FIRST), feeds=("electricity",))}
    in_one_pass, alone = lake(ELECTRICITY, **settings), lake(ELECTRICITY, lake=str(tmp_path / "alone"))
    run.run(in_one_pass)
    run.run(alone)
    names = [name for name in tables.HALF_HOUR.names if name != "file_id"]
    assert rows(in_one_pass, tables.HALF_HOUR, *names) == rows(alone, tables.HALF_HOUR, *names)
    assert len(rows(alone, tables.HALF_HOUR, *names)) == 2


def test_a_date_of_the_year_0_refuses_its_row_and_not_the_run(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    put(electricity, "a.json", split_json(*ROWS))
    agreements = [(1, "0000-01-01", None, "fixed", "m1", "a1"), (2, "0001-01-01", "0000-06-01", "fixed", "m2", "a2")]
    agreements.append((3, "0001-01-01", None, "fixed", "m3", "a3"))
    url = database(tmp_path / "reference.db", agreements)
    context = lake(ELECTRICITY, reference=Reference(url=url, feeds=("electricity",)))
    run.run(context)
    refused = rows(context, tables.REJECTED, "meter_id", "reason_code")
    assert refused == [("m1", "REFERENCE_ROW_INVALID"), ("m2", "REFERENCE_ROW_INVALID")]
    assert (day("2021-01-05"), "Fixed", 1, Decimal("1.500000")) in by_product(context)


def test_a_feed_that_the_reference_no_longer_names_leaves_the_product_tables(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    put(electricity, "a.json", split_json(*ROWS))
    url = database(tmp_path / "reference.db", FIRST)
    context = lake(ELECTRICITY, reference=Reference(url=url, feeds=("electricity",)))
    run.run(context)
    assert len(by_product(context)) == 5
    run.run(lake(ELECTRICITY, reference=Reference(url=url, feeds=())))
    assert by_product(context) == []
    assert rows(context, tables.PRODUCT_HALF_HOUR, "interval_start") == []
    assert len(rows(context, tables.METER_DAY, "meter_id")) == 6
    before = versions(context)
    run.run(lake(ELECTRICITY, reference=Reference(url=url, feeds=())))
    assert versions(context) == before


@pytest.mark.slow
def test_a_database_that_cannot_be_read_fails_the_run_after_the_good_deliveries_are_in(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    path = tmp_path / "reference.db"
    settings = {"reference": Reference(url=f"jdbc:sqlite:{path}", feeds=("electricity",))}
    put(electricity, "a.json", split_json(*ROWS))
    context = lake(ELECTRICITY, **settings)
    with pytest.raises(ReferenceDatabaseError, match="No such file"):
        run.run(context)
    assert not path.exists()
    assert len(rows(context, tables.READINGS, "meter_id")) == 6
    assert len(rows(context, tables.METER_DAY, "meter_id")) == 6
    assert by_product(context) == []
    unreadable = ("reference", "rejected", "UNREADABLE")
    entries = rows(context, tables.INGESTION_LOG, "feed", "status", "reason_code")
    assert entries == [("electricity", "loaded", None), unreadable]
    with pytest.raises(ReferenceDatabaseError):
        run.run(lake(ELECTRICITY, **settings))
    assert rows(context, tables.INGESTION_LOG, "feed", "status", "reason_code") == entries  # said once

    path.write_bytes(b"this is no database, but long enough to be looked at " * 10)
    with pytest.raises(ReferenceDatabaseError, match="SQLITE_NOTADB"):
        run.run(lake(ELECTRICITY, **settings))
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE agreement (agreement_id TEXT)")
    path.write_bytes((tmp_path / "other.db").read_bytes())
    with pytest.raises(ReferenceDatabaseError, match=r"no such (table|column)"):
        run.run(lake(ELECTRICITY, **settings))
    database(path, FIRST)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ReferenceDatabaseError, match="SQLITE_BUSY"):
            run.run(lake(ELECTRICITY, **settings))
        writer.execute("ROLLBACK")
    assert by_product(context) == []
    failed = rows(context, tables.RUNS, "status", "error")
    assert len(failed) == 5
    assert all(status == "failed" and str(path) in error for status, error in failed)

    run.run(lake(ELECTRICITY, **settings))  # readable again: the product tables catch up
    assert len(by_product(context)) == 5


def test_a_database_that_comes_back_as_it_was_ends_its_refusal(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    path = tmp_path / "reference.db"
    settings = {"reference": Reference(url=database(path, FIRST), feeds=("electricity",))}
    put(electricity, "a.json", split_json(*ROWS))
    context = lake(ELECTRICITY, **settings)
    run.run(context)
    path.rename(tmp_path / "away.db")
    with pytest.raises(ReferenceDatabaseError):
        run.run(lake(ELECTRICITY, **settings))
    assert standing_refusals(ingestion_log.logged(context.next_run())) == [
        {"feed": "reference", "reason_code": "UNREADABLE", "files": 1}
    ]
    (tmp_path / "away.db").rename(path)
    products = by_product(context)
    run.run(lake(ELECTRICITY, **settings))
    assert standing_refusals(ingestion_log.logged(context.next_run())) == []
    # Touched: read once, its time noted, and then known.
    os.utime(path, (0, 0))
    assert len(reference_snapshots.newer(context, ingestion_log.logged(context.next_run()))) == 1
    assert run.run(lake(ELECTRICITY, **settings)).deliveries == []
    assert reference_snapshots.newer(context, ingestion_log.logged(context.next_run())) == []
    entries = rows(context, tables.INGESTION_LOG, "file_id", "status", where=lambda row: row["feed"] == "reference")
    assert entries == [(2, "loaded"), (3, "rejected"), (4, "duplicate")]
    assert by_product(context) == products


FOLLOWING = (*tables.REFERENCE, *tables.ENERGY_GOLD, *tables.PRODUCT_GOLD)


@pytest.mark.slow
def test_each_lost_table_is_rebuilt(lake: Callable[..., Context], electricity: Path, tmp_path: Path) -> None:
    settings = {"reference": Reference(url=database(tmp_path / "reference.db", FIRST), feeds=("electricity",))}
    put(electricity, "a.json", split_json(*ROWS))
    context = lake(ELECTRICITY, **settings)
    run.run(context)
    before = {each.name: rows(context, each, *each.names) for each in FOLLOWING}
    for table in FOLLOWING:
        assert before[table.name] != []
        shutil.rmtree(tables.address(context.settings, table))
        run.run(lake(ELECTRICITY, **settings))
        assert {each.name: rows(context, each, *each.names) for each in FOLLOWING} == before, table.name
    at = versions(context)
    run.run(lake(ELECTRICITY, **settings))
    assert versions(context) == at


@pytest.mark.slow
def test_an_erased_meter_leaves_the_snapshot_and_its_other_rows_are_judged_as_before(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    put(electricity, "a.json", split_json(*ROWS))
    settings = {"reference": Reference(url=database(tmp_path / "reference.db", FIRST), feeds=("electricity",))}
    run.run(lake(ELECTRICITY, **settings))
    (before,) = (each for each in ingestion_log.logged(lake(ELECTRICITY, **settings)) if each.feed == "reference")
    erase.run(lake(ELECTRICITY, **settings), "m2", as_json=True)
    context = lake(ELECTRICITY, **settings)
    (after,) = (each for each in ingestion_log.logged(context) if each.feed == "reference")
    assert (after.rows_rejected, after.rows_erased) == (before.rows_rejected, before.rows_read - after.rows_read)
    assert after.rows_erased >= 2
    assert {row[0] for row in rows(context, tables.AGREEMENT, "meterpoint_id")} == {"m1"}
