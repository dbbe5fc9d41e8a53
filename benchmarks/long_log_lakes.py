"""The lakes of long_log.py: deliveries that are really loaded, and a log that is written as if very many had been."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake

DAYS, FIRST_DAY, READINGS = 50, date(2026, 9, 1), 48
GAS_SHARE, REJECTED_SHARE, DUPLICATE_SHARE = 0.02, 0.002, 0.01
# Bytes of a synthetic file; the log says so of each.
SIZE = 64
WRITER = WriterProperties(compression="ZSTD", max_row_group_size=20_000)
CONFIG = """\
lake = {lake}
environment = "production"

[[feeds]]
name = "gas"
format = "smrt"
path = {gas}

[[feeds]]
name = "electricity"
format = "split_json"
path = {electricity}
time_zone = "Europe/London"
interval_minutes = 30

[feeds.columns]
meter_id = "meterpoint_id"
interval_start = "interval_start"
consumption = "consumption_delta"
"""


def configured(lake: Path) -> None:
    """Write the configuration of a lake in its own folder."""
    folders = {name: json.dumps(str(lake / name)) for name in ("lake", "gas", "electricity")}
    (lake / "meterlake.toml").write_text(CONFIG.format(**folders))


def lay_real(lake: Path, count: int, day: date) -> None:
    """Deliveries of one meter and day each, the last twentieth of them SMRT files."""
    gas = max(1, count // 20)
    folder = lake / "electricity" / f"{day:%Y/%m/%d}"
    folder.mkdir(parents=True)
    columns = ["interval_start", "meterpoint_id", "consumption_delta"]
    for number in range(count - gas):
        labels = [f"{day} {half // 2:02d}:{half % 2 * 30:02d}:00" for half in range(READINGS)]
        rows = [[label, f"{12 * 10**11 + number}", f"0.{half:03d}"] for half, label in enumerate(labels)]
        (folder / f"real_{number:06d}.json").write_text(json.dumps({"columns": columns, "data": rows}))
    first = 900_000 + (day - FIRST_DAY).days * 500
    for number in range(first, first + gas):
        lines = [f'"CONSU","{number:09d}","{day:%Y%m%d}","{hour:02d}00",1.{hour:03d}' for hour in range(24)]
        header = f'"HEADR","SMRT","GAZ","{day:%Y%m%d}","060000","PN{number:06d}"'
        (lake / "gas" / f"PN{number:06d}.SMRT").write_text("\n".join([header, *lines, '"TRAIL"', ""]))


def grow(lake: Path, deliveries: int, files: int) -> None:
    """Write the deliveries into the log, a batch a day, and the newest files into the landing folder."""
    log = DeltaTable(lake / "lake" / "ops" / "ingestion_log")
    (known,) = pa.table(log.to_pyarrow_dataset().to_table(columns=["file_id", "batch_id"])).group_by([]).aggregate(
        [("file_id", "max"), ("batch_id", "max")]
    ).to_pylist()  # fmt: skip
    first_id, batch = known["file_id_max"] + 1, known["batch_id_max"]
    mark = _mark(log)
    schema = pa.schema(log.to_pyarrow_dataset().schema)
    left = files
    for some in _days(deliveries, first_id, batch):
        batch += 1
        rows = pa.table({name: some[name] for name in schema.names}, schema=schema)
        stamp = CommitProperties(custom_metadata={"userMetadata": _text(mark | {"batch_id": batch})})
        # As the program writes it.
        write_deltalake(log, rows, mode="append", commit_properties=stamp, writer_properties=WRITER)
    for some in _days(deliveries, first_id, known["batch_id_max"], newest_first=True):
        left -= _lay_synthetic(lake, some, left)
        if left <= 0:
            break
    for table in sorted((lake / "lake").glob("*/*/_delta_log")):
        opened = DeltaTable(table.parent)
        if (said := _mark(opened)).get("batch_id") and table.parent.name != "ingestion_log":
            stamp = CommitProperties(custom_metadata={"userMetadata": _text(said | {"batch_id": batch})})
            nothing = opened.to_pyarrow_dataset().schema.empty_table()
            write_deltalake(opened, nothing, mode="append", commit_properties=stamp)


def _mark(table: DeltaTable) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(table.history(1)[0].get("userMetadata") or "{}").get("meterlake", {})
    return found


def _text(mark: dict[str, Any]) -> str:
    return json.dumps({"meterlake": mark})


def _days(deliveries: int, first_id: int, batch: int, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
    """The log's columns of each day."""
    a_day = deliveries // DAYS
    for day in reversed(range(DAYS)) if newest_first else range(DAYS):
        yield _day(day, a_day, first_id + day * a_day, batch + 1 + day)


def _day(number: int, count: int, first_id: int, batch: int) -> dict[str, Any]:
    """A day's deliveries: some refused, some of them sent again a day later under the same path."""
    chance = np.random.default_rng(number)
    day = FIRST_DAY + timedelta(days=number)
    six = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    gas = int(count * GAS_SHARE)
    drawn = chance.random(count)
    refused, again = drawn < REJECTED_SHARE, drawn > 1 - DUPLICATE_SHARE
    status = np.where(refused, "rejected", np.where(again, "duplicate", "loaded"))
    counts = np.where(status == "loaded", READINGS, 0)
    generations = [f"PN{number * gas + each:06d}" for each in range(gas)]
    names = [f"{name}.SMRT" for name in generations] + [f"meter_{each:06d}.json" for each in range(count - gas)]
    paths = names[:gas] + [f"{day:%Y/%m/%d}/{name}" for name in names[gas:]]
    is_gas = np.arange(count) < gas
    return {
        "file_id": np.arange(first_id, first_id + count),
        "feed": np.where(is_gas, "gas", "electricity"),
        "file_name": names,
        "file_path": [f"/landing/{path}" for path in paths],
        "size_bytes": np.full(count, SIZE),
        "modified_at": [six + timedelta(milliseconds=each) for each in range(count)],
        "sha256": [chance.bytes(32).hex() for _ in range(count)],
        "status": status,
        "reason_code": ["MALFORMED_JSON" if each else None for each in refused],
        "reason": ["line 1: the text ends within an array" if each else None for each in refused],
        "rows_read": counts,
        "rows_accepted": counts,
        "rows_rejected": np.zeros(count, int),
        "created_at": [six if own else None for own in is_gas],
        "generation": generations + [None] * (count - gas),
        "received_at": [six + timedelta(hours=2)] * count,
        "batch_id": np.full(count, batch),
        "run_id": [f"{number:012x}"] * count,
        "relative_path": paths,
        "local_dates": [[day - timedelta(days=1)] if each else [] for each in counts],
        "repeated_times": np.zeros(count, int),
        "revision": np.full(count, batch),
        "rows_erased": np.zeros(count, int),
    }  # fmt: skip


def _lay_synthetic(lake: Path, some: dict[str, Any], most: int) -> int:
    """The day's files, with the sizes and times that the log says."""
    laid = 0
    for feed, path, at in list(zip(some["feed"], some["relative_path"], some["modified_at"], strict=True))[:most]:
        file = lake / str(feed) / path
        if not file.parent.exists():
            file.parent.mkdir(parents=True)
        file.write_bytes(b" " * SIZE)
        moment = int(at.timestamp()) * 10**9 + at.microsecond * 1000
        os.utime(file, ns=(moment, moment))
        laid += 1
    return laid
