"""OBIS JSON end to end: deliveries, a correction of one value, rejected readings and records, refused files."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs import run
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.lake import tables
from tests.conftest import BY_CONNECT
from tests.jobs.conftest import day, log, put, rows, utc, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

SOLAR = Feed(name="solar", format="obis_json", path="solar", time_zone="Europe/Vilnius")
IMPORT, EXPORT = "0100011D00FF", "0100021D00FF"
COUNTS = ("relative_path", "rows_read", "rows_accepted", "rows_rejected")


def record(time: str | None, meter: str | None = "m1", quality: str | None = None, **values: Any) -> dict[str, Any]:
    """A record of 28 March 2021; values by direction."""
    codes = {{"taken": IMPORT, "given": EXPORT}[name]: value for name, value in values.items()}
    label = {"timestamp": f"2021-03-28T{time}:00Z"} if time else {}
    return {"measurement": "energy", **label, "tags": {"muid": meter, "quality": quality}, **codes}


def obis(*records: dict[str, Any]) -> bytes:
    """A delivery of the records."""
    return json.dumps({"data": list(records)}).encode()


def test_a_correction_of_one_value_replaces_that_reading_only(lake: Callable[..., Context], tmp_path: Path) -> None:
    first = obis(
        record("21:00", quality="estimated", taken=0.5, given=0.25),
        record("20:45", quality="measured", taken=0.125),
        record("20:30"),
    )
    context = lake(SOLAR)
    put(tmp_path / "solar", "a.json", first)
    run.run(context)
    put(tmp_path / "solar", "b.json", obis(record("21:00", quality="measured", taken="0.75")), minutes=1)
    run.run(lake(SOLAR))
    assert log(context) == [("a.json", "loaded", None), ("b.json", "loaded", None)]
    assert rows(context, tables.INGESTION_LOG, *COUNTS) == [("a.json", 3, 3, 0), ("b.json", 1, 1, 0)]
    names = ("interval_start", "direction", "local_date", "consumption", "quality", "interval_minutes", "file_id")
    assert rows(context, tables.READINGS, *names) == [
        (utc("2021-03-28 20:45"), "import", day("2021-03-28"), Decimal("0.125000"), "measured", 15, 1),
        (utc("2021-03-28 21:00"), "export", day("2021-03-29"), Decimal("0.250000"), "estimated", 15, 1),
        (utc("2021-03-28 21:00"), "import", day("2021-03-29"), Decimal("0.750000"), "measured", 15, 2),
    ]
    assert rows(context, tables.HALF_HOUR, "interval_start", "direction", "meterpoint_count", "total_kwh") == [
        (utc("2021-03-28 20:30"), "import", 1, Decimal("0.125000")),
        (utc("2021-03-28 21:00"), "export", 1, Decimal("0.250000")),
        (utc("2021-03-28 21:00"), "import", 1, Decimal("0.750000")),
    ]
    before = versions(context)
    put(tmp_path / "solar", "b.json", obis(record("21:00", quality="measured", taken="0.75")), minutes=2)
    assert run.run(lake(SOLAR)).deliveries == []
    # A claim, and the new time; by Spark Connect the claim is given back.
    assert versions(context) == before | {"ops.ingestion_log": before["ops.ingestion_log"] + 2 + BY_CONNECT}


def test_bad_readings_records_and_files_are_distinguished_and_the_rest_loads(
    lake: Callable[..., Context], tmp_path: Path
) -> None:
    good = record("00:00", taken=1, given=2)
    twice = json.dumps(good).replace("0100021D00FF", "0100011d00ff")
    mixed = obis(
        good,
        record("00:15", taken=None, given=0.5),
        record("00:30", taken=-1, given="n/a"),
        record("00:40", taken=1, given=2),
        record(None, taken=1),
        record("00:45", meter=None, taken=1, given=2),
        record("01:00", taken="x", given=[1]),
        record("01:15"),
    )
    put(tmp_path / "solar", "mixed.json", mixed[:-2] + b", " + twice.encode() + b"]}")
    put(tmp_path / "solar", "none.json", obis())
    put(tmp_path / "solar", "no_codes.json", obis(record("02:00"), record("02:15")))
    put(tmp_path / "solar", "register.json", obis(good, good | {"0100010800FF": 100}))
    put(tmp_path / "solar", "cut.json", obis(good)[:-1])
    put(tmp_path / "solar", "empty.json", b"")
    context = lake(SOLAR)
    outcome = run.run(context)
    assert sorted(log(context)) == [
        ("cut.json", "rejected", "MALFORMED_JSON"),
        ("empty.json", "rejected", "EMPTY_FILE"),
        ("mixed.json", "loaded", None),
        ("no_codes.json", "loaded", None),
        ("none.json", "loaded", None),
        ("register.json", "rejected", "WRONG_SHAPE"),
    ]
    assert (
        "1-0:1.8.0*255, a cumulative register"
        in {each.file_name: each.reason or "" for each in outcome.refused}["register.json"]
    )
    assert rows(context, tables.INGESTION_LOG, *COUNTS) == [
        ("cut.json", 0, 0, 0),
        ("empty.json", 0, 0, 0),
        ("mixed.json", 9, 2, 7),
        ("no_codes.json", 2, 2, 0),
        ("none.json", 0, 0, 0),
        ("register.json", 0, 0, 0),
    ]
    assert rows(context, tables.REJECTED, "row_number", "reason_code", "reason") == [
        (2, "CONSUMPTION_INVALID", "0100011D00FF: '' is not a usable number"),
        (3, "CONSUMPTION_INVALID", "0100021D00FF: 'n/a' is not a usable number"),
        (3, "CONSUMPTION_NEGATIVE", "0100011D00FF: '-1' is negative"),
        (4, "OFF_GRID", "'2021-03-28T00:40:00Z' is not on the 15 minute grid (and 1 more)"),
        (5, "INTERVAL_START_INVALID", "no time, or not YYYY-MM-DDTHH:MM:SSZ: ''"),
        (6, "METER_ID_MISSING", "no muid (and 1 more)"),
        (7, "CONSUMPTION_INVALID", "0100011D00FF: 'x' is not a usable number (and 1 more)"),
        (9, "FIELD_COUNT", "a key stands twice in the record"),
    ]
    assert rows(context, tables.READINGS, "interval_start", "direction", "consumption", "quality", "row_number") == [
        (utc("2021-03-28 00:00"), "export", Decimal("2.000000"), None, 1),
        (utc("2021-03-28 00:00"), "import", Decimal("1.000000"), None, 1),
        (utc("2021-03-28 00:15"), "export", Decimal("0.500000"), None, 2),
    ]
    assert len(rows(context, formats.bronze_table(SOLAR), "row_number")) == 11
    before = versions(context)
    assert run.run(lake(SOLAR)).deliveries == []
    assert versions(context) == before
