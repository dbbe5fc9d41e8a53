"""Landing folders that are missing, files that are still being written, and what Spark leaves beside its output."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jobs import bronze, run
from pipeline.errors import LandingFolderError
from pipeline.lake import tables
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json
from tests.spark.interval_arrays import NORMAL, VILNIUS, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

ARRAYS = VILNIUS.model_copy(update={"path": "arrays"})
# Of a file of other bytes: magic, bytes a checksum, one checksum.
STALE = b"crc\x00" + (512).to_bytes(4, "big") + b"\x01\x02\x03\x04"


def test_if_a_landing_folder_is_missing_the_others_load_and_the_error_names_it(
    lake: Callable[..., Context], gas: Path, electricity: Path
) -> None:
    context = lake(GAS, ELECTRICITY)
    put(gas, "PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",7'))
    electricity.rmdir()
    with pytest.raises(LandingFolderError, match=r"'electricity': landing folder .* does not exist") as caught:
        run.run(context)
    assert caught.value.exit_code == 1
    assert log(context) == [("PN000001.SMRT", "loaded", None)]
    assert rows(context, tables.READINGS, "feed", "meter_id") == [("gas", "1")]
    assert rows(context, tables.RUNS, "status") == [("failed",)]
    put(electricity, "a.json", split_json(["2021-04-01 00:00:00", "m", 1]))
    assert run.run(lake(GAS, ELECTRICITY)).batch.error is None
    assert log(context)[1:] == [("a.json", "loaded", None)]


def test_a_file_is_young_by_the_clock_of_the_look_whenever_the_run_began(
    lake: Callable[..., Context], electricity: Path
) -> None:
    context = lake(ELECTRICITY.model_copy(update={"settle_seconds": 60}))
    (electricity / "a.json").write_bytes(split_json(["2021-04-01 00:00:00", "m", 1]))
    # The run waited five minutes for the lock, and the file came meanwhile.
    context.now = datetime.now(UTC) - timedelta(seconds=300)
    batch = bronze.run(context)
    assert (batch.waiting, batch.deliveries) == (1, [])


def test_a_stale_checksum_beside_a_sound_file_is_not_consulted(
    lake: Callable[..., Context], tmp_path: Path, gas: Path, electricity: Path
) -> None:
    context = lake(GAS, ELECTRICITY, ARRAYS)
    laid = [
        put(gas, "PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",7')),
        put(electricity, "a.json", split_json(["2021-04-01 00:00:00", "m", 1])),
        put(tmp_path / "arrays", "a.parquet", parquet((NORMAL, "m", [1]))),
    ]
    for path in laid:
        path.with_name(f".{path.name}.crc").write_bytes(STALE)
    batch = run.run(context).batch
    assert [(each.status, each.rows_read) for each in batch.deliveries] == [("loaded", 1)] * 3
    assert len(rows(context, tables.READINGS, "feed")) == 3


def test_what_spark_leaves_beside_its_output_is_no_delivery(lake: Callable[..., Context], tmp_path: Path) -> None:
    context = lake(ARRAYS)
    put(tmp_path / "arrays", "out/part-0.parquet", parquet((NORMAL, "m", [1])))
    for name in ("_SUCCESS", "_committed_1", "_started_1", ".part-0.parquet.crc", "_temporary/0/part-1.parquet"):
        put(tmp_path / "arrays", f"out/{name}", b"")
    run.run(context)
    assert log(context) == [("out/part-0.parquet", "loaded", None)]
