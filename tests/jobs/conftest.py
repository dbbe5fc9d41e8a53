"""Helpers for tests of the jobs: deliveries in, rows of tables out."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable, write_deltalake

from jobs.demo import TABLES
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

GAS = Feed(name="gas", format="smrt", path="gas")
ELECTRICITY = Feed(name="electricity", format="split_json", path="electricity", time_zone="Europe/London")
ARRIVED = datetime(2021, 4, 1, 6, tzinfo=UTC).timestamp()


def smrt(name: str, *consu: str, created: str = '"20210401","060000"') -> bytes:
    """A sound SMRT file of the CONSU lines (without their record id)."""
    lines = [f'"HEADR","SMRT","GAZ",{created},"{name}"', *(f'"CONSU",{line}' for line in consu), '"TRAIL"']
    return "\n".join([*lines, ""]).encode()


def split_json(
    *rows: list[Any], columns: tuple[str, ...] = ("interval_start", "meterpoint_id", "consumption_delta")
) -> bytes:
    """A split-JSON delivery of the rows."""
    return json.dumps({"columns": list(columns), "data": list(rows)}).encode()


def put(folder: Path, name: str, content: bytes, minutes: float = 0) -> Path:
    """Put a file into a landing folder, modified so many minutes after a fixed time."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (ARRIVED + minutes * 60, ARRIVED + minutes * 60))
    return path


def database(path: Path, agreements: list[tuple[Any, ...]], products: list[tuple[Any, ...]] | None = None) -> str:
    """A reference database; returns its JDBC URL."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
        connection.executemany("INSERT INTO agreement VALUES (?, ?, ?, ?, ?, ?)", agreements)
        rows = products or [("Fixed", 0, 1, "fixed"), ("Variable", 1, 2, "variable")]
        connection.executemany("INSERT INTO product VALUES (?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO meterpoint VALUES (?, ?)", [("North", "m1"), ("South", "m2")])
        connection.commit()
    return f"jdbc:sqlite:{path}"


def rows(
    context: Context, table: tables.Table, *columns: str, where: Callable[[dict[str, Any]], bool] | None = None
) -> list[tuple[Any, ...]]:
    """Rows of a table as tuples of those columns, sorted; read without Spark, by a reader that is not the writer."""
    found = DeltaTable(tables.address(context.settings, table)).to_pyarrow_table().to_pylist()
    kept = [row for row in found if where is None or where(row)]
    return sorted((tuple(row[name] for name in columns) for row in kept), key=repr)


def log(context: Context) -> list[tuple[Any, ...]]:
    """(path, status, reason_code) of every delivery, in the order of file_id."""
    found = access.small_rows(context, tables.INGESTION_LOG, tables.INGESTION_LOG.names)
    ordered = sorted(found, key=lambda row: row["file_id"])
    return [(row["relative_path"], row["status"], row["reason_code"]) for row in ordered]


def versions(context: Context) -> dict[str, int | None]:
    """Version of every data table (all but ops.runs)."""
    every = formats.lake_tables(context.settings)
    return {table.full_name: access.version(context, table) for table in every if table is not tables.RUNS}


def every_version(context: Context) -> dict[str, int | None]:
    """Of ops.runs too: a dry run is no run."""
    return versions(context) | {"ops.runs": access.version(context, tables.RUNS)}


def age_out(path: Path) -> None:
    """Another tool commits to the table, and Delta's own clean-up removes the log's files of more than 30 days ago."""
    for _ in range(2):
        found = DeltaTable(path)
        write_deltalake(found, found.to_pyarrow_table().slice(0, 0), mode="append")
    before = time.time() - 40 * 24 * 3600
    for file in path.glob("_delta_log/*.json"):
        os.utime(file, (before, before))
    found = DeltaTable(path)
    found.create_checkpoint()
    found.cleanup_metadata()
    history = DeltaTable(path).history()
    assert history[-1]["version"] > 0
    assert not any("userMetadata" in commit for commit in history)


def utc(text: str) -> datetime:
    """A UTC instant from `YYYY-MM-DD HH:MM`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def day(text: str) -> date:
    """A date from `YYYY-MM-DD`."""
    return date.fromisoformat(text)


@pytest.fixture
def gas(tmp_path: Path) -> Path:
    """Landing folder of the gas feed."""
    return tmp_path / "gas"


@pytest.fixture
def electricity(tmp_path: Path) -> Path:
    """Landing folder of the electricity feed."""
    return tmp_path / "electricity"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Folder that responses to senders go to."""
    return tmp_path / "answers"
