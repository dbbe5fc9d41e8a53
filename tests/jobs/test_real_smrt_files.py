"""The nine good real SMRT files of a supplier, with their right answers."""

from __future__ import annotations

import csv
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs import run
from pipeline.lake import tables
from tests.jobs.conftest import GAS, log, rows, versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.runtime.context import Context

# Real deliveries are not part of the project; its authors keep them beside it.
DELIVERIES = Path(os.environ.get("METERLAKE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(not (DELIVERIES / "smrt").is_dir(), reason=f"no real deliveries in {DELIVERIES}")


def test_the_real_files_give_the_expected_readings_and_a_second_run_changes_nothing(
    lake: Callable[..., Context], gas: Path
) -> None:
    shutil.copytree(DELIVERIES / "smrt", gas)
    context = lake(GAS)
    run.run(context)

    names = dict(rows(context, tables.INGESTION_LOG, "file_id", "file_name"))
    found = {
        (meter, f"{start:%Y%m%d%H%M}", consumption, names[file_id], line)
        for meter, start, consumption, file_id, line in rows(
            context, tables.READINGS, "meter_id", "interval_start", "consumption", "file_id", "row_number"
        )
    }
    with (DELIVERIES / "smrt_expected.csv").open() as file:
        expected = {
            (
                row["meter_number"],
                row["measurement_start_utc"],
                Decimal(row["consumption"]),
                row["file_name"],
                int(row["line_number"]),
            )
            for row in csv.DictReader(file)
        }
    assert found == expected
    assert len(found) == 509
    assert sum(reading[2] for reading in found) == Decimal("4941.41")
    refused = [entry for entry in log(context) if entry[1] != "loaded"]
    assert refused == [
        ("PN000004 - Copy.SMRT", "rejected", "BAD_FILE_NAME"),
        ("PN000002.SMRT", "rejected", "TRAILER_MISSING"),
    ]
    assert sum(row[0] for row in rows(context, tables.INGESTION_LOG, "rows_read")) == 1704

    before = versions(context)
    again = run.run(lake(GAS))
    assert again.deliveries == []
    assert versions(context) == before
