"""What becomes of a delivery, over several runs on one lake."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs import bronze, run, watch
from pipeline.deliveries import landing
from pipeline.formats import driver_rows
from pipeline.lake import access, tables
from tests.conftest import BY_SAIL
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json, utc, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipeline.runtime.context import Context

# What reads the files of a batch: Spark, or for Sail the driver.
READ_BY = (driver_rows, "reader") if BY_SAIL else (landing, "contents_with_file_id")
HOUR = '"001","20210401","0000"'


def test_smrt_names_are_loaded_once_and_refused_ones_may_come_back(lake: Callable[..., Context], gas: Path) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2.5")[:-9])
    put(gas, "again/PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    context = lake(GAS)
    run.run(context)
    assert log(context) == [
        ("PN000001.SMRT", "loaded", None),
        ("again/PN000001.SMRT", "duplicate", None),
        ("PN000002.SMRT", "rejected", "TRAILER_MISSING"),
    ]

    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},9.9"), minutes=1)
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2.5", created='"20210402","060000"'), minutes=1)
    run.run(lake(GAS))
    assert log(context)[3:] == [
        ("PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING"),
        ("PN000002.SMRT", "loaded", None),
    ]
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("2.500000"),)]

    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"), minutes=2)
    before = versions(context)
    assert run.run(lake(GAS)).deliveries == []
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},9.9"), minutes=3)
    assert run.run(lake(GAS)).deliveries == []
    changed = {name for name, version in versions(context).items() if version != before[name]}
    assert changed == {"ops.ingestion_log"}  # the time of the file, for the next look


def test_a_file_that_is_copied_there_again_is_read_once_more_and_then_known(
    lake: Callable[..., Context], gas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        put(gas, f"PN00000{number}.SMRT", smrt(f"PN00000{number}", f"{HOUR},{number}.5"))
    context = lake(GAS)
    run.run(context)
    names = [name for name in tables.INGESTION_LOG.names if name != "modified_at"]
    before = rows(context, tables.INGESTION_LOG, *names), rows(context, tables.READINGS, *tables.READINGS.names)
    for number in (1, 3):
        put(gas, f"PN00000{number}.SMRT", smrt(f"PN00000{number}", f"{HOUR},{number}.5"), minutes=7)
    assert run.run(lake(GAS)).deliveries == []
    monkeypatch.setattr(landing, "read", None)
    at = versions(context)
    assert run.run(lake(GAS)).deliveries == []
    assert versions(context) == at
    after = rows(context, tables.INGESTION_LOG, *names), rows(context, tables.READINGS, *tables.READINGS.names)
    assert after == before
    times = rows(context, tables.INGESTION_LOG, "file_id", "modified_at")
    assert times == [(1, utc("2021-04-01 06:07")), (2, utc("2021-04-01 06:00")), (3, utc("2021-04-01 06:07"))]


def test_a_watch_offers_a_file_that_cannot_be_read_once(
    lake: Callable[..., Context], gas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    context = lake(GAS)
    at_work = watch._Watch(context, 0, as_json=True)
    at_work.batch()
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    read = landing.read
    monkeypatch.setattr(landing, "read", closed)
    for _ in range(4):
        at_work.look()
    assert len(rows(context, tables.RUNS, "run_id")) == 2
    assert log(context) == [("PN000001.SMRT", "rejected", "UNREADABLE")]
    monkeypatch.setattr(landing, "read", read)  # chmod changes no time: the run that is due anyway takes it
    at_work.last_batch -= watch.IDLE_SECONDS
    at_work.look()
    assert log(context)[1:] == [("PN000001.SMRT", "loaded", None)]


def test_changed_json_is_a_new_delivery_and_the_last_one_wins(lake: Callable[..., Context], electricity: Path) -> None:
    first = split_json(["2021-01-04 00:00:00", "m1", "0.1"], ["2021-01-04 00:30:00", "m1", 0.2])
    second = split_json(["2021-01-04 00:00:00", "m1", "0.7"])
    context = lake(ELECTRICITY)
    for minutes, content in enumerate([first, second, first]):
        put(electricity, "day.json", content, minutes)
        run.run(lake(ELECTRICITY))
    assert log(context) == [("day.json", "loaded", None)] * 3
    readings = rows(context, tables.READINGS, "interval_start", "consumption", "file_id")
    assert readings == [
        (utc("2021-01-04 00:00"), Decimal("0.100000"), 3),
        (utc("2021-01-04 00:30"), Decimal("0.200000"), 3),
    ]
    assert rows(context, tables.HALF_HOUR, "interval_start", "meterpoint_count", "total_kwh") == [
        (utc("2021-01-04 00:00"), 1, Decimal("0.100000")),
        (utc("2021-01-04 00:30"), 1, Decimal("0.200000")),
    ]
    put(electricity, "day.json", first, minutes=9)
    assert run.run(lake(ELECTRICITY)).deliveries == []


def test_bad_files_and_rows_are_refused_with_codes_and_the_rest_loads(
    lake: Callable[..., Context], electricity: Path
) -> None:
    good = [["2021-01-04 00:00:00", "m1", "0.1"], ["2021-01-04 00:30:00", "m1", 0.2]]
    bad = [
        ["2021-01-04 01:00:00", "m1"],
        ["2021-01-04 01:00:00", None, 1],
        ["2021-01-04 25:00:00", "m1", 1],
        ["2021-03-28 01:30:00", "m1", 1],
        ["2021-01-04 01:10:00", "m1", 1],
        ["2021-01-04 01:00:00", "m1", None],
        ["2021-01-04 01:00:00", "m1", 1e30],
        ["2021-01-04 01:00:00", "m1", -1],
    ]
    put(electricity, "mixed.json", split_json(*good, *bad))
    put(electricity, "none.json", split_json())
    put(electricity, "half.json", split_json(*good)[:60])
    put(electricity, "inside.json", split_json(*good).replace(b"], [", b"],, ["))
    put(electricity, "empty.json", b"")
    put(electricity, "notes.txt", b"hello")
    put(electricity, ".hidden.json", b"")
    put(electricity, "x.json.tmp", b"")
    put(electricity, "folder.json/a.json", split_json(["2021-01-04 01:30:00", "m1", "3"]))
    context = lake(ELECTRICITY)
    outcome = run.run(context)
    verdicts = {path: (status, code) for path, status, code in log(context)}
    assert verdicts == {
        "mixed.json": ("loaded", None),
        "none.json": ("loaded", None),
        "half.json": ("rejected", "MALFORMED_JSON"),
        "inside.json": ("rejected", "MALFORMED_JSON"),
        "empty.json": ("rejected", "EMPTY_FILE"),
        "notes.txt": ("rejected", "BAD_FILE_NAME"),
        "folder.json/a.json": ("loaded", None),
    }
    assert len(outcome.refused) == 4
    codes = rows(context, tables.REJECTED, "row_number", "reason_code")
    assert codes == sorted(
        [
            (3, "FIELD_COUNT"),
            (4, "METER_ID_MISSING"),
            (5, "INTERVAL_START_INVALID"),
            (6, "LOCAL_TIME_NONEXISTENT"),
            (7, "OFF_GRID"),
            (8, "CONSUMPTION_INVALID"),
            (9, "CONSUMPTION_INVALID"),
            (10, "CONSUMPTION_NEGATIVE"),
        ],
        key=repr,
    )
    counts = {
        path: numbers
        for path, *numbers in rows(
            context, tables.INGESTION_LOG, "relative_path", "rows_read", "rows_accepted", "rows_rejected"
        )
    }
    assert counts["mixed.json"] == [10, 2, 8]
    assert counts["none.json"] == [0, 0, 0]
    assert counts["inside.json"] == [0, 0, 0]
    before = versions(context)
    assert run.run(lake(ELECTRICITY)).deliveries == []
    assert versions(context) == before


def test_a_run_killed_before_the_log_is_repaired_by_the_next(
    lake: Callable[..., Context], gas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    run.run(lake(GAS))
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2.5", created='"20210402","060000"'))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bronze.ingestion_log, "write", killed)
        with suppress(KeyboardInterrupt):
            run.run(lake(GAS))
    context = lake(GAS)
    assert len(rows(context, bronze.formats.bronze_table(GAS), "file_id")) == 2  # the dead run's row is there
    put(gas, "PN000003.SMRT", smrt("PN000003", f"{HOUR},3.5", created='"20210403","060000"'))
    run.run(context)
    assert [entry[:2] for entry in log(context)] == [
        ("PN000001.SMRT", "loaded"),
        ("PN000002.SMRT", "loaded"),
        ("PN000003.SMRT", "loaded"),
    ]
    assert rows(context, bronze.formats.bronze_table(GAS), "file_id", "row_number", "consumption") == [
        (1, 2, "1.5"),
        (2, 2, "2.5"),
        (3, 2, "3.5"),
    ]
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("3.500000"),)]


def test_layers_that_were_not_run_catch_up_later(lake: Callable[..., Context], electricity: Path) -> None:
    put(electricity, "a.json", split_json(["2021-01-04 00:00:00", "m1", "0.1"], ["2021-01-04 00:10:00", "m1", "1"]))
    context = lake(ELECTRICITY)
    run.run(context, "bronze")
    put(electricity, "b.json", split_json(["2021-01-05 00:00:00", "m1", "0.2"], ["x", "m1", "1"]), minutes=1)
    run.run(lake(ELECTRICITY), "bronze")
    assert rows(context, tables.READINGS, "consumption") == []
    run.run(lake(ELECTRICITY), "silver")
    assert len(rows(context, tables.READINGS, "consumption")) == 2
    assert rows(context, tables.REJECTED, "file_id", "row_number") == [(1, 2), (2, 2)]
    assert rows(context, tables.METER_DAY, "local_date") == []
    run.run(lake(ELECTRICITY), "gold")
    assert len(rows(context, tables.METER_DAY, "local_date")) == 2
    assert [status for (status,) in rows(context, tables.RUNS, "status")] == ["succeeded"] * 4
    assert access.done_to(context, tables.METER_DAY) == 2
