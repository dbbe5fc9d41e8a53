"""Tables of a catalog at the places that it named: opened without Spark, and followed where they are made again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from deltalake.exceptions import TableNotFoundError

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import LakeError
from pipeline.lake import access, gate, places, tables
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.types import arrow_schema
from pipeline.runtime.context import Context

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(catalog="main", feeds=(Feed(name="gas", format="smrt", path="gas"),))
RUNS = tables.RUNS


def written(folder: Path, *run_ids: str) -> str:
    """A table of runs, in one commit; returns its place."""
    rows = [dict.fromkeys(RUNS.names) | {"run_id": each} for each in run_ids]
    write_deltalake(str(folder), pa.Table.from_pylist(rows, schema=arrow_schema(RUNS)))
    return str(folder)


def run_ids(snapshots: Snapshots) -> tuple[list[str], Any]:
    pinned = snapshots.pin([RUNS])
    rows = pinned.dataset(RUNS)
    found = rows if isinstance(rows, pa.Table) else rows.to_table()
    return found["run_id"].to_pylist(), pinned.identities.get(RUNS.full_name)


def test_a_table_that_the_catalog_does_not_have_yet_has_no_rows_until_it_is_made(tmp_path: Path) -> None:
    known: dict[str, str] = {}
    snapshots = Snapshots(SETTINGS.located(known))
    assert run_ids(snapshots) == ([], None)
    known[RUNS.full_name] = written(tmp_path / "made", "first")
    assert run_ids(snapshots)[0] == ["first"]


def test_a_table_made_again_elsewhere_is_not_taken_for_the_same_version_of_the_old_one(tmp_path: Path) -> None:
    known = {RUNS.full_name: written(tmp_path / "one", "old")}
    snapshots = Snapshots(SETTINGS.located(known))
    old, before = run_ids(snapshots)
    known[RUNS.full_name] = written(tmp_path / "two", "new")
    new, after = run_ids(snapshots)
    assert (old, new) == (["old"], ["new"])
    assert before.endswith(" 0")
    assert after.endswith(" 0")
    assert before != after
    del known[RUNS.full_name]
    assert run_ids(snapshots) == ([], None)


def test_a_table_made_again_at_the_same_place_is_read_from_its_new_log(tmp_path: Path) -> None:
    snapshots = Snapshots(SETTINGS.located({RUNS.full_name: written(tmp_path / "runs", "old")}))
    assert run_ids(snapshots)[0] == ["old"]
    shutil.rmtree(tmp_path / "runs")
    assert run_ids(snapshots) == ([], None)
    written(tmp_path / "runs", "new")
    assert run_ids(snapshots)[0] == ["new"]


def test_in_a_store_it_is_read_from_its_new_log_once_a_file_of_the_old_one_was_missed(tmp_path: Path) -> None:
    written(tmp_path / "runs", "old")
    snapshots = Snapshots(SETTINGS.located({RUNS.full_name: f"file://{tmp_path}/runs"}))
    assert run_ids(snapshots)[0] == ["old"]
    shutil.rmtree(tmp_path / "runs")
    written(tmp_path / "runs", "new")
    with pytest.raises(FileNotFoundError):
        run_ids(snapshots)
    snapshots.forget()
    assert run_ids(snapshots)[0] == ["new"]


def test_a_place_that_this_process_cannot_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    log = tables.INGESTION_LOG.full_name
    places.must_be_readable(SETTINGS.located({}))  # nothing was ever loaded
    with pytest.raises(LakeError) as told:
        places.must_be_readable(SETTINGS.located({log: str(tmp_path / "of another machine")}))
    assert f"lake main: {log} lies at {tmp_path}/of another machine, which this process cannot read" in str(told.value)
    assert "give it the store's credentials in its environment" in str(told.value)


def test_a_located_catalog_is_read_by_the_driver_and_named_as_before(tmp_path: Path) -> None:
    settings = SETTINGS.located({RUNS.full_name: written(tmp_path / "runs", "first")})
    context = Context(settings)
    assert tables.address(settings, RUNS) == str(tmp_path / "runs")
    assert tables.address(settings, tables.READINGS) == "main.silver.readings"
    assert tables.sql_name(settings, RUNS) == "main.ops.runs"
    assert access.small_rows(context, RUNS, ["run_id"]) == [{"run_id": "first"}]
    assert access.version(context, RUNS) == 0
    assert access.version(context, tables.READINGS) is None
    assert access.lake_of(context).facts.names_in("ops") == ["runs"]
    assert access.lake_of(context).upkeep.bytes_on_disk() is None
    assert not context.has_spark
    with pytest.raises(TableNotFoundError, match=r"main\.silver\.readings is not in the catalog"):
        gate.at(settings, tables.READINGS)
